//! Leases and orphans in SQL. Both databases compile this, each with its own `dialect`.

use super::dialect::{Connection, DbRow, skip_locked};
use super::tasks::{column, stored};
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::store::rows::{damaged, failed, last_second, owner_digest, put_aside, signed};
use crate::server::store::{Lease, Orphan, StoreError};

/// Takes the task under `lease`; says whether it did.
pub(super) async fn acquire(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
    lease: &Lease,
    now: UnixTime,
) -> Result<bool, StoreError> {
    // From 4 on, states are terminal.
    let taken = sqlx::query(
        "UPDATE tasks SET holder = $3, held_until = $4
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2
            AND state < 4 AND (held_until < $5 OR holder = $3)",
    )
    .bind(owner_digest(owner))
    .bind(id.as_bytes())
    .bind(lease.instance.as_str())
    .bind(last_second(lease.until))
    .bind(signed(now.secs()))
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    if taken.rows_affected() > 0 {
        return Ok(true);
    }
    let there = sqlx::query(
        "SELECT 1 FROM tasks WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2",
    )
    .bind(owner_digest(owner))
    .bind(id.as_bytes())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    there.map(|_| false).ok_or(StoreError::NotFound)
}

/// Gives the task back.
pub(super) async fn release(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
    instance: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE tasks SET holder = NULL, held_until = -1
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2 AND holder = $3",
    )
    .bind(owner_digest(owner))
    .bind(id.as_bytes())
    .bind(instance)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Prolongs all leases of an instance.
pub(super) async fn renew(connection: &mut Connection, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query("UPDATE tasks SET held_until = $2 WHERE holder = $1")
        .bind(lease.instance.as_str())
        .bind(last_second(lease.until))
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Whether there is an orphan to take.
pub(super) async fn has_orphans(
    connection: &mut Connection,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let orphan =
        sqlx::query("SELECT 1 FROM tasks WHERE held_until < $1 AND work_from <= $1 LIMIT 1")
            .bind(signed(now.secs()))
            .fetch_optional(connection)
            .await;
    Ok(orphan.map_err(failed)?.is_some())
}

/// Takes tasks that nobody works on. One that cannot be read is put aside and stops no other.
pub(super) async fn take_orphans(
    connection: &mut Connection,
    lease: &Lease,
    now: UnixTime,
    limit: usize,
) -> Result<Vec<Orphan>, StoreError> {
    let rows = sqlx::query(concat!(
        "WITH orphans AS MATERIALIZED (
            SELECT key FROM tasks WHERE held_until < $3 AND work_from <= $3
            ORDER BY held_until LIMIT $4",
        skip_locked!(),
        ")
        UPDATE tasks SET holder = $1, held_until = $2
        WHERE key IN (SELECT key FROM orphans)
        RETURNING task, version,
            (SELECT owners.owner FROM owners WHERE owners.id = tasks.owner), key"
    ))
    .bind(lease.instance.as_str())
    .bind(last_second(lease.until))
    .bind(signed(now.secs()))
    .bind(signed(limit))
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    let mut orphans = Vec::with_capacity(rows.len());
    for row in &rows {
        match orphan(row) {
            Ok(orphan) => orphans.push(orphan),
            Err(error) => {
                let key = column(row, 3)?;
                let until = put_aside("a task", key, &error, now);
                let left = leave_alone(connection, key, &lease.instance, until).await;
                if let Err(error) = left {
                    // It is held like the others that were taken, for as long as this instance lives.
                    tracing::warn!(reason = error.reason(), key, "not put aside: {error}");
                }
            }
        }
    }
    Ok(orphans)
}

fn orphan(row: &DbRow) -> Result<Orphan, StoreError> {
    let owner = Owner::from_text(column(row, 2)?);
    Ok(Orphan {
        owner: owner.ok_or_else(|| damaged("an owner"))?,
        stored: stored(row, 0, 1)?,
    })
}

/// Lets nobody take the task until then, and nobody prolong that.
async fn leave_alone(
    connection: &mut Connection,
    key: i64,
    instance: &str,
    until: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE tasks SET holder = NULL, held_until = $3 WHERE key = $1 AND holder = $2")
        .bind(key)
        .bind(instance)
        .bind(until)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Tasks whose events are dropped in one go.
const TASKS: i64 = 100;

/// Whether there are events that need not be kept any more.
pub(super) async fn has_old_events(
    connection: &mut Connection,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let old = sqlx::query("SELECT 1 FROM tasks WHERE events_until < $1 LIMIT 1")
        .bind(signed(now.secs()))
        .fetch_optional(connection)
        .await;
    Ok(old.map_err(failed)?.is_some())
}

/// Drops events that need not be kept any more.
pub(super) async fn drop_old_events(
    connection: &mut Connection,
    now: UnixTime,
) -> Result<(), StoreError> {
    let keys: Vec<i64> = sqlx::query_scalar(concat!(
        "SELECT key FROM tasks WHERE events_until < $1 ORDER BY events_until LIMIT $2",
        skip_locked!()
    ))
    .bind(signed(now.secs()))
    .bind(TASKS)
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    for key in keys {
        for change in [
            "DELETE FROM entries WHERE task = $1",
            "UPDATE tasks SET events_until = NULL WHERE key = $1",
        ] {
            let changed = sqlx::query(change).bind(key).execute(&mut *connection);
            changed.await.map_err(failed)?;
        }
    }
    Ok(())
}

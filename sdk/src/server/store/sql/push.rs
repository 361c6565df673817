//! Push configurations in SQL. Both databases compile this, each with its own `dialect`.
//!
//! `due` is when a configuration can be taken: while it is held, the second after the lease; `NULL`
//! while it waits for an event.

use super::dialect::{Connection, DbRow, for_update, skip_locked};
use super::tasks::{column, know};
use crate::a2a::TaskPushNotificationConfig;
use crate::clock::UnixTime;
use crate::crypto::random;
use crate::policy::Owner;
use crate::server::store::push_config_store::named;
use crate::server::store::rows::{
    damaged, failed, from_json, last_second, owner_digest, put_aside, signed, to_json, unsigned,
};
use crate::server::store::{Lease, PushDelivery, StoreError};

/// Keeps a configuration.
pub(super) async fn set(
    connection: &mut Connection,
    owner: &Owner,
    config: &TaskPushNotificationConfig,
    from: u64,
) -> Result<(), StoreError> {
    let (task, id) = named(config)?;
    know(connection, owner).await?;
    // A number that no earlier taking had, with room to count on from there.
    let taken = i64::from_le_bytes(random()) >> 2;
    sqlx::query(
        "INSERT INTO push_configs (owner, task, id, config, delivered, attempts, due, held, woken,
            taken)
        SELECT id, $2, $3, $4, $5, 0, 0, FALSE, FALSE, $6 FROM owners WHERE digest = $1
        ON CONFLICT (owner, task, id) DO UPDATE SET config = excluded.config,
            delivered = excluded.delivered, attempts = 0, due = 0, held = FALSE, woken = FALSE,
            taken = excluded.taken",
    )
    .bind(owner_digest(owner))
    .bind(task.as_bytes())
    .bind(id.as_bytes())
    .bind(to_json(config)?)
    .bind(signed(from))
    .bind(taken.abs())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// One configuration.
pub(super) async fn get(
    connection: &mut Connection,
    owner: &Owner,
    task: &str,
    id: &str,
) -> Result<Option<TaskPushNotificationConfig>, StoreError> {
    let found = sqlx::query(
        "SELECT config FROM push_configs
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND task = $2 AND id = $3",
    )
    .bind(owner_digest(owner))
    .bind(task.as_bytes())
    .bind(id.as_bytes())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    found.as_ref().map(config).transpose()
}

fn config(row: &DbRow) -> Result<TaskPushNotificationConfig, StoreError> {
    let json: Vec<u8> = column(row, 0)?;
    from_json(&json)
}

/// The configurations of a task.
pub(super) async fn list(
    connection: &mut Connection,
    owner: &Owner,
    task: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<TaskPushNotificationConfig>, StoreError> {
    let rows = sqlx::query(
        "SELECT config FROM push_configs
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND task = $2
            AND (id > $3 OR $4) ORDER BY id LIMIT $5",
    )
    .bind(owner_digest(owner))
    .bind(task.as_bytes())
    .bind(after.unwrap_or_default().as_bytes())
    .bind(after.is_none())
    .bind(signed(limit))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    rows.iter().map(config).collect()
}

/// Forgets a configuration.
pub(super) async fn delete(
    connection: &mut Connection,
    owner: &Owner,
    task: &str,
    id: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM push_configs
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND task = $2 AND id = $3",
    )
    .bind(owner_digest(owner))
    .bind(task.as_bytes())
    .bind(id.as_bytes())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Notes that a task has an event.
pub(super) async fn wake(
    connection: &mut Connection,
    owner: &Owner,
    task: &str,
    now: UnixTime,
) -> Result<(), StoreError> {
    // Rows are locked in one order, so that no two that wake wait for each other.
    sqlx::query(concat!(
        "WITH sleepers AS MATERIALIZED (
            SELECT key FROM push_configs
            WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND task = $2
                AND (due IS NULL OR held) ORDER BY key",
        for_update!(),
        ")
        UPDATE push_configs SET woken = held, due = COALESCE(due, $3)
        WHERE key IN (SELECT key FROM sleepers) AND (due IS NULL OR held)"
    ))
    .bind(owner_digest(owner))
    .bind(task.as_bytes())
    .bind(signed(now.secs()))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Notes that tasks may have events, except those whose every entry was told.
pub(super) async fn wake_all(connection: &mut Connection, now: UnixTime) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "WITH sleepers AS MATERIALIZED (
            SELECT key FROM push_configs
            WHERE (due IS NULL OR held) AND NOT EXISTS (
                SELECT 1 FROM tasks WHERE tasks.owner = push_configs.owner
                    AND tasks.id = push_configs.task
                    AND tasks.version <= push_configs.delivered) ORDER BY key",
        for_update!(),
        ")
        UPDATE push_configs SET woken = held, due = COALESCE(due, $1)
        WHERE key IN (SELECT key FROM sleepers) AND (due IS NULL OR held)"
    ))
    .bind(signed(now.secs()))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Whether there is a configuration to take.
pub(super) async fn has_due(
    connection: &mut Connection,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let due = sqlx::query("SELECT 1 FROM push_configs WHERE due <= $1 LIMIT 1")
        .bind(signed(now.secs()))
        .fetch_optional(connection)
        .await;
    Ok(due.map_err(failed)?.is_some())
}

/// Takes configurations that are due. One that cannot be read is put aside and stops no other.
pub(super) async fn take_due(
    connection: &mut Connection,
    lease: &Lease,
    now: UnixTime,
    limit: usize,
) -> Result<Vec<PushDelivery>, StoreError> {
    let held = last_second(lease.until) + 1;
    let rows = sqlx::query(concat!(
        "WITH ready AS MATERIALIZED (
            SELECT key FROM push_configs WHERE due <= $1 ORDER BY due LIMIT $2",
        skip_locked!(),
        ")
        UPDATE push_configs SET held = TRUE, woken = FALSE, due = $3, taken = taken + 1
        WHERE key IN (SELECT key FROM ready)
        RETURNING config, delivered, attempts, taken,
            (SELECT owners.owner FROM owners WHERE owners.id = push_configs.owner), key"
    ))
    .bind(signed(now.secs()))
    .bind(signed(limit))
    .bind(held)
    .fetch_all(&mut *connection)
    .await
    .map_err(failed)?;
    let mut deliveries = Vec::with_capacity(rows.len());
    for row in &rows {
        match delivery(row) {
            Ok(delivery) => deliveries.push(delivery),
            Err(error) => {
                let key = column(row, 5)?;
                let until = put_aside("a push configuration", key, &error, now);
                let left = leave_alone(connection, key, held, until).await;
                if let Err(error) = left {
                    // It is held like the others that were taken, until the lease runs out.
                    tracing::warn!(reason = error.reason(), key, "not put aside: {error}");
                }
            }
        }
    }
    Ok(deliveries)
}

fn delivery(row: &DbRow) -> Result<PushDelivery, StoreError> {
    let owner = Owner::from_text(column(row, 4)?);
    let attempts = u32::try_from(column::<i64>(row, 2)?);
    Ok(PushDelivery {
        owner: owner.ok_or_else(|| damaged("an owner"))?,
        config: config(row)?,
        delivered: unsigned(column(row, 1)?)?,
        attempts: attempts.map_err(|_| damaged("a number of attempts"))?,
        taken: unsigned(column(row, 3)?)?,
    })
}

/// Lets nobody take the configuration until then, unless it was set anew since it was taken.
async fn leave_alone(
    connection: &mut Connection,
    key: i64,
    held: i64,
    until: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE push_configs SET held = FALSE, woken = FALSE, due = $3
        WHERE key = $1 AND held AND due = $2",
    )
    .bind(key)
    .bind(held)
    .bind(until)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Gives a delivery back.
pub(super) async fn give_back(
    connection: &mut Connection,
    delivery: &PushDelivery,
    next: Option<UnixTime>,
) -> Result<(), StoreError> {
    let (task, id) = named(&delivery.config)?;
    sqlx::query(
        "UPDATE push_configs SET delivered = $4, attempts = $5, held = FALSE, woken = FALSE,
            due = COALESCE($6, CASE WHEN woken THEN 0 END)
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND task = $2 AND id = $3
            AND held AND taken = $7",
    )
    .bind(owner_digest(&delivery.owner))
    .bind(task.as_bytes())
    .bind(id.as_bytes())
    .bind(signed(delivery.delivered))
    .bind(i64::from(delivery.attempts))
    .bind(next.map(|next| signed(next.secs())))
    .bind(signed(delivery.taken))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

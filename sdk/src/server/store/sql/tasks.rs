//! Tasks and their events in SQL. Both databases compile this, each with its own `dialect`.

use std::sync::Arc;

use sqlx::{QueryBuilder, Row};

use super::dialect::{self, Connection, Db, for_update};
use crate::a2a::StreamResponse;
use crate::policy::Owner;
use crate::server::store::rows::{
    NOBODY, context_digest, events_until, failed, from_json, last_second, owner_digest, signed,
    state_number, to_json, unsigned,
};
use crate::server::store::task_store::{check_new, status_ms};
use crate::server::store::{Lease, StoreError, StoredEvent, StoredTask, TaskChange};

/// Makes a new task.
pub(super) async fn create(
    connection: &mut Connection,
    owner: &Owner,
    first: &TaskChange,
    lease: Option<&Lease>,
) -> Result<(), StoreError> {
    check_new(first)?;
    know(connection, owner).await?;
    let task = first.task.whole();
    let task = task.as_ref();
    let state = task.status.state;
    let lease = lease.filter(|_| !state.is_terminal());
    let made = sqlx::query(
        "INSERT INTO tasks (owner, id, version, state, status_ms, context, task, holder, held_until,
            events_until, work_from)
        SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM owners WHERE digest = $1
        ON CONFLICT (owner, id) DO NOTHING RETURNING key, owner",
    )
    .bind(owner_digest(owner))
    .bind(task.id.as_bytes())
    .bind(signed(first.version()))
    .bind(state_number(state))
    .bind(status_ms(&task.status))
    .bind(context_digest(&task.context_id))
    .bind(to_json(task)?)
    .bind(lease.map(|lease| lease.instance.as_str()))
    .bind(lease.map_or(NOBODY, |lease| last_second(lease.until)))
    .bind(state.is_terminal().then(events_until))
    .bind(work_from(first))
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?
    .ok_or(StoreError::Exists)?;
    let (key, owner) = (column(&made, 0)?, column(&made, 1)?);
    keep_entries(connection, key, first).await?;
    count(connection, owner, &[(state_number(state), 1)]).await
}

fn work_from(change: &TaskChange) -> Option<i64> {
    change.worked_on_from().map(|from| signed(from.secs()))
}

/// Gives the owner a row of its own.
pub(super) async fn know(connection: &mut Connection, owner: &Owner) -> Result<(), StoreError> {
    let digest = owner_digest(owner);
    let known = sqlx::query("SELECT 1 FROM owners WHERE digest = $1")
        .bind(&digest)
        .fetch_optional(&mut *connection);
    if known.await.map_err(failed)?.is_some() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO owners (digest, owner) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest)
    .bind(owner.to_text())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Applies a change.
pub(super) async fn append(
    connection: &mut Connection,
    owner: &Owner,
    change: &TaskChange,
) -> Result<(), StoreError> {
    let found = sqlx::query(concat!(
        "SELECT key, owner, version, state FROM tasks
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2",
        for_update!()
    ))
    .bind(owner_digest(owner))
    .bind(change.task.id().as_bytes())
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?
    .ok_or(StoreError::NotFound)?;
    let (key, owner) = (column(&found, 0)?, column(&found, 1)?);
    let (version, before) = (unsigned(column(&found, 2)?)?, column(&found, 3)?);
    if version != change.expected {
        return Err(StoreError::Conflict {
            expected: change.expected,
            found: version,
        });
    }
    let task = change.task.whole();
    let task = task.as_ref();
    let state = task.status.state;
    sqlx::query(
        "UPDATE tasks SET version = $2, state = $3, status_ms = $4, context = $5, task = $6,
            holder = CASE WHEN $7 THEN NULL ELSE holder END,
            held_until = CASE WHEN $7 THEN -1 ELSE held_until END,
            events_until = $8, work_from = $9
        WHERE key = $1",
    )
    .bind(key)
    .bind(signed(change.version()))
    .bind(state_number(state))
    .bind(status_ms(&task.status))
    .bind(context_digest(&task.context_id))
    .bind(to_json(task)?)
    .bind(state.is_terminal())
    .bind(state.is_terminal().then(events_until))
    .bind(work_from(change))
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    keep_entries(connection, key, change).await?;
    let after = state_number(state);
    if before == after {
        return Ok(());
    }
    // Counts are changed in one order, so that no two changes wait for each other.
    let mut moved = [(before, -1), (after, 1)];
    moved.sort_unstable();
    count(connection, owner, &moved).await
}

/// Rows that go into one statement; a database takes some ten thousand values at most.
const ROWS: usize = 1000;

async fn keep_entries(
    connection: &mut Connection,
    key: i64,
    change: &TaskChange,
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(change.events.len().max(1));
    for (number, event) in (change.expected + 1..).zip(&change.events) {
        rows.push((signed(number), Some(to_json(event.as_ref())?)));
    }
    if rows.is_empty() {
        rows.push((signed(change.version()), None));
    }
    for rows in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO entries (task, number, event) ");
        insert.push_values(rows, |mut row, (number, event)| {
            row.push_bind(key);
            row.push_bind(*number);
            row.push_bind(event.clone());
        });
        let inserted = insert.build().execute(&mut *connection).await;
        inserted.map_err(failed)?;
    }
    Ok(())
}

/// Adds to the numbers of an owner's tasks in these states.
async fn count(
    connection: &mut Connection,
    owner: i64,
    changes: &[(i64, i64)],
) -> Result<(), StoreError> {
    let shard = dialect::shard();
    for (state, change) in changes {
        sqlx::query(
            "INSERT INTO counts (owner, state, shard, tasks) VALUES ($1, $2, $3, $4)
            ON CONFLICT (owner, state, shard) DO UPDATE SET tasks = counts.tasks + excluded.tasks",
        )
        .bind(owner)
        .bind(state)
        .bind(shard)
        .bind(change)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// The task with this ID.
pub(super) async fn get(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
) -> Result<Option<StoredTask>, StoreError> {
    let found = sqlx::query(
        "SELECT task, version FROM tasks
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2",
    )
    .bind(owner_digest(owner))
    .bind(id.as_bytes())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    found.map(|row| stored(&row, 0, 1)).transpose()
}

/// The task in these columns.
pub(super) fn stored(
    row: &dialect::DbRow,
    task: usize,
    version: usize,
) -> Result<StoredTask, StoreError> {
    let json: Vec<u8> = column(row, task)?;
    Ok(StoredTask {
        task: Arc::new(from_json(&json)?),
        version: unsigned(column(row, version)?)?,
    })
}

/// Events with numbers above `after`.
pub(super) async fn events(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let key: Option<i64> = sqlx::query_scalar(
        "SELECT key FROM tasks
        WHERE owner = (SELECT id FROM owners WHERE digest = $1) AND id = $2",
    )
    .bind(owner_digest(owner))
    .bind(id.as_bytes())
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let rows = sqlx::query(
        "SELECT number, event FROM entries
        WHERE task = $1 AND number > $2 AND event IS NOT NULL ORDER BY number LIMIT $3",
    )
    .bind(key.ok_or(StoreError::NotFound)?)
    .bind(signed(after))
    .bind(signed(limit))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    let events = rows.iter().map(|row| {
        let json: Vec<u8> = column(row, 1)?;
        Ok(StoredEvent {
            number: unsigned(column(row, 0)?)?,
            event: Arc::new(from_json::<StreamResponse>(&json)?),
        })
    });
    events.collect()
}

/// A column of a row.
pub(super) fn column<'r, T>(row: &'r dialect::DbRow, index: usize) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Db> + sqlx::Type<Db>,
{
    row.try_get(index).map_err(failed)
}

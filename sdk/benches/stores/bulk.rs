//! Rows put into the tables without the store, as the store writes them.
//!
//! A million creations are a million transactions; this is about what reading costs. So the first tasks
//! are made by the store, the rows that it wrote for them are compared with those that would be written
//! here, and only then are the others written here.

use std::ops::Range;

use countersign::a2a::TaskState;
use countersign::crypto::sha256;
use countersign::policy::Owner;
use countersign::server::store::TaskCursor;
use sqlx::QueryBuilder;

use super::{Failure, task};

/// A row of `tasks`, as far as a task decides it.
#[derive(PartialEq, Debug)]
struct TaskRow {
    id: Vec<u8>,
    version: i64,
    state: i64,
    status_ms: i64,
    context: Vec<u8>,
    holder: Option<String>,
    held_until: i64,
    task: Vec<u8>,
}

impl TaskRow {
    fn of(number: u64) -> Result<Self, Failure> {
        let task = task(number);
        let place = TaskCursor::of(&task);
        Ok(Self {
            id: place.id.into_bytes(),
            version: 1,
            state: match task.status.state {
                TaskState::Completed => 4,
                TaskState::Failed => 5,
                other => return Err(format!("no row for {other}").into()),
            },
            status_ms: place.status_ms,
            context: sha256(task.context_id.as_bytes()).to_vec(),
            holder: None,
            held_until: -1,
            task: serde_json::to_vec(&task)?,
        })
    }
}

/// A row of `tasks` as it is read.
type Columns = (
    Vec<u8>,
    i64,
    i64,
    i64,
    Vec<u8>,
    Option<String>,
    i64,
    Vec<u8>,
);

impl From<Columns> for TaskRow {
    fn from(columns: Columns) -> Self {
        let (id, version, state, status_ms, context, holder, held_until, task) = columns;
        Self {
            id,
            version,
            state,
            status_ms,
            context,
            holder,
            held_until,
            task,
        }
    }
}

/// Rows of one statement; a database takes some ten thousand values.
const ROWS: u64 = 2_000;

/// What is done with one database; the SQL is the same for both.
macro_rules! bulk {
    ($database:ident, $db:ty, $connection:ty) => {
        pub(super) mod $database {
            use super::*;

            /// Writes the tasks of `numbers`; those of `made` were made by the store.
            pub(in super::super) async fn fill(
                mut connection: $connection,
                owner: &Owner,
                made: Range<u64>,
                numbers: Range<u64>,
            ) -> Result<(), Failure> {
                let (owner, events_until) = compare(&mut connection, owner, made).await?;
                let mut next = numbers.start;
                while next < numbers.end {
                    let end = numbers.end.min(next + ROWS);
                    let rows: Result<Vec<_>, _> = (next..end).map(TaskRow::of).collect();
                    write(&mut connection, owner, events_until, rows?).await?;
                    next = end;
                }
                Ok(())
            }

            /// Compares what the store wrote with what would be written here; gives the number of
            /// the owner and until when events are kept.
            async fn compare(
                connection: &mut $connection,
                owner: &Owner,
                made: Range<u64>,
            ) -> Result<(i64, i64), Failure> {
                let digest = sha256(owner.to_text().as_bytes()).to_vec();
                let owner: i64 = sqlx::query_scalar("SELECT id FROM owners WHERE digest = $1")
                    .bind(digest)
                    .fetch_one(&mut *connection)
                    .await?;
                let mut until = i64::MAX;
                for number in made {
                    let row = TaskRow::of(number)?;
                    let found: (i64, i64) = sqlx::query_as(
                        "SELECT key, events_until FROM tasks WHERE owner = $1 AND id = $2",
                    )
                    .bind(owner)
                    .bind(&row.id)
                    .fetch_one(&mut *connection)
                    .await?;
                    let written: Columns = sqlx::query_as(
                        "SELECT id, version, state, status_ms, context, holder, held_until, task
                        FROM tasks WHERE key = $1",
                    )
                    .bind(found.0)
                    .fetch_one(&mut *connection)
                    .await?;
                    let written = TaskRow::from(written);
                    let entries: Vec<(i64, Option<Vec<u8>>)> =
                        sqlx::query_as("SELECT number, event FROM entries WHERE task = $1")
                            .bind(found.0)
                            .fetch_all(&mut *connection)
                            .await?;
                    if written != row || entries != [(1, None)] {
                        return Err(format!("the store writes {written:?} {entries:?}").into());
                    }
                    until = until.min(found.1);
                }
                Ok((owner, until))
            }

            /// Tasks, their one entry each and their numbers, in one transaction.
            async fn write(
                connection: &mut $connection,
                owner: i64,
                events_until: i64,
                rows: Vec<TaskRow>,
            ) -> Result<(), Failure> {
                let mut work = sqlx::Connection::begin(connection).await?;
                let last: i64 = sqlx::query_scalar("SELECT MAX(key) FROM tasks")
                    .fetch_one(&mut *work)
                    .await?;
                let mut insert = QueryBuilder::<$db>::new(
                    "INSERT INTO tasks (owner, id, version, state, status_ms, context, holder, \
                     held_until, events_until, task) ",
                );
                insert.push_values(rows, |mut values, row| {
                    values.push_bind(owner).push_bind(row.id);
                    values.push_bind(row.version).push_bind(row.state);
                    values.push_bind(row.status_ms).push_bind(row.context);
                    values.push_bind(row.holder).push_bind(row.held_until);
                    values.push_bind(events_until).push_bind(row.task);
                });
                insert.build().execute(&mut *work).await?;
                for statement in [
                    "INSERT INTO entries (task, number) SELECT key, 1 FROM tasks WHERE key > $1",
                    "INSERT INTO counts (owner, state, shard, tasks)
                    SELECT owner, state, 0, COUNT(*) FROM tasks WHERE key > $1 GROUP BY owner, state
                    ON CONFLICT (owner, state, shard)
                    DO UPDATE SET tasks = counts.tasks + excluded.tasks",
                ] {
                    let written = sqlx::query(statement).bind(last).execute(&mut *work);
                    written.await?;
                }
                Ok(work.commit().await?)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
bulk!(sqlite, sqlx::Sqlite, sqlx::SqliteConnection);
#[cfg(feature = "postgres")]
bulk!(postgres, sqlx::Postgres, sqlx::PgConnection);

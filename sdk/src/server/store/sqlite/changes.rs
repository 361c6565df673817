//! What other processes wrote into the file.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use sqlx::pool::PoolConnection;
use sqlx::{Row, Sqlite, SqliteConnection, SqlitePool};

use crate::server::store::rows::{damaged, failed, unsigned};
use crate::server::store::{StoreError, TaskChanged};

/// How often it is looked for changes; without any this reads a few bytes of shared memory.
const INTERVAL: Duration = Duration::from_millis(250);

struct Follower {
    pool: SqlitePool,
    reading: Option<Reading>,
    pending: VecDeque<TaskChanged>,
}

struct Reading {
    /// Kept all the time: SQLite counts for each connection what the others changed.
    connection: PoolConnection<Sqlite>,
    /// SQLite's own number, which every change by another connection changes.
    data_version: i64,
    /// The last entry that was told.
    last: i64,
}

/// Follows the file with a connection of `pool`, until that is closed.
pub(super) fn follow(pool: SqlitePool) -> BoxStream<'static, TaskChanged> {
    let follower = Follower {
        pool,
        reading: None,
        pending: VecDeque::new(),
    };
    let changes = stream::unfold(follower, |mut follower| async move {
        loop {
            if let Some(change) = follower.pending.pop_front() {
                return Some((change, follower));
            }
            let closed = follower.pool.close_event();
            let looked = tokio::select! {
                () = closed => return None,
                looked = follower.look() => looked,
            };
            if let Err(error) = looked {
                tracing::warn!(reason = error.reason(), %error, "the changes of the store are lost");
                follower.reading = None;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    changes.boxed()
}

impl Follower {
    async fn look(&mut self) -> Result<(), StoreError> {
        let Some(reading) = &mut self.reading else {
            self.reading = Some(Reading::begin(&self.pool).await?);
            // What was written before is not told one by one.
            self.pending.push_back(TaskChanged {
                task_id: String::new(),
                version: 0,
            });
            return Ok(());
        };
        tokio::time::sleep(INTERVAL).await;
        self.pending = reading.read().await?;
        Ok(())
    }
}

impl Reading {
    async fn begin(pool: &SqlitePool) -> Result<Self, StoreError> {
        let mut connection = pool.acquire().await.map_err(failed)?;
        let data_version = data_version(&mut connection).await?;
        let last = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM entries");
        let last = last.fetch_one(&mut *connection).await.map_err(failed)?;
        Ok(Self {
            connection,
            data_version,
            last,
        })
    }

    async fn read(&mut self) -> Result<VecDeque<TaskChanged>, StoreError> {
        let data_version = data_version(&mut self.connection).await?;
        if data_version == self.data_version {
            return Ok(VecDeque::new());
        }
        let rows = sqlx::query(
            "SELECT tasks.id, MAX(entries.number), MAX(entries.seq) FROM entries
            JOIN tasks ON tasks.key = entries.task
            WHERE entries.seq > $1 GROUP BY tasks.key ORDER BY MAX(entries.seq)",
        )
        .bind(self.last)
        .fetch_all(&mut *self.connection)
        .await
        .map_err(failed)?;
        let mut changes = VecDeque::with_capacity(rows.len());
        for row in rows {
            changes.push_back(TaskChanged {
                task_id: id_text(row.try_get(0).map_err(failed)?)?,
                version: unsigned(row.try_get(1).map_err(failed)?)?,
            });
            self.last = row.try_get(2).map_err(failed)?;
        }
        self.data_version = data_version;
        Ok(changes)
    }
}

async fn data_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let version = sqlx::query_scalar("PRAGMA data_version");
    version.fetch_one(connection).await.map_err(failed)
}

fn id_text(id: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(id).map_err(|_| damaged("an ID is no text"))
}

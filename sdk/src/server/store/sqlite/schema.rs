//! The tables, made and versioned by the store itself.

use sqlx::{Connection as _, SqliteConnection};

use crate::server::store::StoreError;
use crate::server::store::rows::{damaged, failed};

/// The version of the tables that this program writes.
const VERSION: i64 = 1;

/// Marks a file as ours in its header ("CSgn").
const APPLICATION: i64 = 0x4353_676e;

/// `status_ms` and the ID are in each index, so that a page is read in its order from any place.
const TABLES: &str = "
CREATE TABLE owners (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL
);
CREATE TABLE tasks (
    key INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    status_ms INTEGER NOT NULL,
    context BLOB NOT NULL,
    holder TEXT,
    held_until INTEGER NOT NULL,
    events_until INTEGER,
    work_from INTEGER,
    task BLOB NOT NULL,
    UNIQUE (owner, id)
);
CREATE INDEX tasks_by_time ON tasks (owner, status_ms, id);
CREATE INDEX tasks_by_state ON tasks (owner, state, status_ms, id);
CREATE INDEX tasks_by_context ON tasks (owner, context, status_ms, id);
CREATE INDEX tasks_held ON tasks (holder) WHERE holder IS NOT NULL;
CREATE INDEX tasks_running ON tasks (held_until) WHERE work_from IS NOT NULL;
CREATE INDEX tasks_with_events ON tasks (events_until) WHERE events_until IS NOT NULL;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL,
    number INTEGER NOT NULL,
    event BLOB,
    UNIQUE (task, number)
);
CREATE TABLE counts (
    owner INTEGER NOT NULL,
    state INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (owner, state, shard)
) WITHOUT ROWID;
CREATE TABLE push_configs (
    key INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL,
    task BLOB NOT NULL,
    id BLOB NOT NULL,
    config BLOB NOT NULL,
    delivered INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER,
    held INTEGER NOT NULL,
    woken INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    UNIQUE (owner, task, id)
);
CREATE INDEX push_configs_due ON push_configs (due) WHERE due IS NOT NULL;
PRAGMA application_id = 1129539438;
PRAGMA user_version = 1;
";

/// Makes the tables in an empty file; refuses a file of something else or of a newer version.
pub(super) async fn prepare(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    // Of several processes that open a new file at once, one makes the tables.
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut work = begun.map_err(failed)?;
    let application = number(&mut work, "PRAGMA application_id").await?;
    let version = number(&mut work, "PRAGMA user_version").await?;
    let tables = number(&mut work, "SELECT COUNT(*) FROM sqlite_master").await?;
    match (application, version) {
        (0, 0) if tables == 0 => {
            let made = sqlx::raw_sql(TABLES).execute(&mut *work).await;
            made.map_err(failed)?;
        }
        (APPLICATION, VERSION) => {}
        (APPLICATION, newer) => {
            return Err(damaged(&format!(
                "its tables are of version {newer}, and this program knows versions up to {VERSION}"
            )));
        }
        _ => return Err(damaged("the file belongs to another program")),
    }
    work.commit().await.map_err(failed)
}

async fn number(connection: &mut SqliteConnection, query: &'static str) -> Result<i64, StoreError> {
    let found = sqlx::query_scalar(query).fetch_one(connection).await;
    found.map_err(failed)
}

//! The tables, made and versioned by the store itself.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::server::store::StoreError;
use crate::server::store::rows::{damaged, failed};

/// The version of the tables that this program writes.
const VERSION: i64 = 1;

/// Which lock whoever makes the tables holds: the same number for every agent ("countsgn").
const LOCK: i64 = 0x636f_756e_7473_676e;

/// `status_ms` and the ID are in each index, so that a page is read in its order from any place.
/// Texts that others chose are bytes: kept as they are, and in one order everywhere.
const TABLES: &str = "
CREATE TABLE version (version BIGINT NOT NULL);
INSERT INTO version VALUES (1);
CREATE TABLE owners (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    owner TEXT NOT NULL
);
CREATE TABLE tasks (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner BIGINT NOT NULL,
    id BYTEA NOT NULL,
    version BIGINT NOT NULL,
    state BIGINT NOT NULL,
    status_ms BIGINT NOT NULL,
    context BYTEA NOT NULL,
    holder TEXT,
    held_until BIGINT NOT NULL,
    events_until BIGINT,
    work_from BIGINT,
    task BYTEA NOT NULL,
    UNIQUE (owner, id)
);
CREATE INDEX tasks_by_time ON tasks (owner, status_ms, id);
CREATE INDEX tasks_by_state ON tasks (owner, state, status_ms, id);
CREATE INDEX tasks_by_context ON tasks (owner, context, status_ms, id);
CREATE INDEX tasks_held ON tasks (holder) WHERE holder IS NOT NULL;
CREATE INDEX tasks_running ON tasks (held_until) WHERE work_from IS NOT NULL;
CREATE INDEX tasks_with_events ON tasks (events_until) WHERE events_until IS NOT NULL;
CREATE TABLE entries (
    task BIGINT NOT NULL,
    number BIGINT NOT NULL,
    event BYTEA,
    PRIMARY KEY (task, number)
);
CREATE TABLE counts (
    owner BIGINT NOT NULL,
    state BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    tasks BIGINT NOT NULL,
    PRIMARY KEY (owner, state, shard)
) WITH (fillfactor = 50);
CREATE TABLE push_configs (
    key BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner BIGINT NOT NULL,
    task BYTEA NOT NULL,
    id BYTEA NOT NULL,
    config BYTEA NOT NULL,
    delivered BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due BIGINT,
    held BOOLEAN NOT NULL,
    woken BOOLEAN NOT NULL,
    taken BIGINT NOT NULL,
    UNIQUE (owner, task, id)
);
CREATE INDEX push_configs_due ON push_configs (due) WHERE due IS NOT NULL;
";

/// Makes the tables in `schema`, which is made, too, when it is not there; refuses those of a newer
/// version.
pub(super) async fn prepare(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    let mut work = connection.begin().await.map_err(failed)?;
    // Of several instances that start at once, one makes the tables and the others wait.
    let locked = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
    locked.execute(&mut *work).await.map_err(failed)?;
    if !is_there(
        &mut work,
        "SELECT 1 FROM pg_namespace WHERE nspname = $1",
        schema,
    )
    .await?
    {
        // A schema's name is of a-z, 0-9 and _ only.
        let make = AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""));
        let made = sqlx::raw_sql(make).execute(&mut *work).await;
        made.map_err(failed)?;
    }
    let tables = "SELECT 1 FROM pg_tables WHERE schemaname = $1 LIMIT 1";
    if is_there(&mut work, tables, schema).await? {
        check(&mut work, schema).await?;
    } else {
        let made = sqlx::raw_sql(TABLES).execute(&mut *work).await;
        made.map_err(failed)?;
    }
    work.commit().await.map_err(failed)
}

async fn is_there(
    connection: &mut PgConnection,
    query: &'static str,
    schema: &str,
) -> Result<bool, StoreError> {
    let found = sqlx::query(query).bind(schema).fetch_optional(connection);
    Ok(found.await.map_err(failed)?.is_some())
}

async fn check(connection: &mut PgConnection, schema: &str) -> Result<(), StoreError> {
    let ours = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'version'";
    if !is_there(connection, ours, schema).await? {
        return Err(damaged("the schema belongs to another program"));
    }
    let version: i64 = sqlx::query_scalar("SELECT version FROM version")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    if version != VERSION {
        return Err(damaged(&format!(
            "its tables are of version {version}, and this program knows versions up to {VERSION}"
        )));
    }
    Ok(())
}

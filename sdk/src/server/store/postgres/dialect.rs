//! What is PostgreSQL's own in the SQL that is shared.

pub(super) use super::store::PostgresStore as Store;

use crate::crypto::random;

pub(super) type Db = sqlx::Postgres;
pub(super) type DbRow = sqlx::postgres::PgRow;
pub(super) type Connection = sqlx::PgConnection;

/// Of two that change one row, the second waits and sees what the first did.
macro_rules! for_update {
    () => {
        " FOR UPDATE"
    };
}
pub(super) use for_update;

/// Of two that take rows, each gets those that the other is not just taking.
macro_rules! skip_locked {
    () => {
        " FOR UPDATE SKIP LOCKED"
    };
}
pub(super) use skip_locked;

/// Counts of one owner are spread over so many rows, so that its writers rarely wait for each other.
const SHARDS: u8 = 16;

/// One of them.
pub(super) fn shard() -> i64 {
    let [byte] = random();
    i64::from(byte % SHARDS)
}

/// PostgreSQL knows its tables well enough to choose.
pub(super) const NAMES_INDEXES: bool = false;

//! What is SQLite's own in the SQL that is shared.

pub(super) use super::store::SqliteStore as Store;

pub(super) type Db = sqlx::Sqlite;
pub(super) type DbRow = sqlx::sqlite::SqliteRow;
pub(super) type Connection = sqlx::SqliteConnection;

/// One writes at a time, so rows need no locks of their own.
macro_rules! for_update {
    () => {
        ""
    };
}
pub(super) use for_update;

/// Nobody else holds a lock that could be passed over.
macro_rules! skip_locked {
    () => {
        ""
    };
}
pub(super) use skip_locked;

/// One writes at a time, so one count is enough.
pub(super) const fn shard() -> i64 {
    0
}

/// A page is read in the order of the index that is named: SQLite knows too little of a table to
/// choose the right one each time.
pub(super) const NAMES_INDEXES: bool = true;

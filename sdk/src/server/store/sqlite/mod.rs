//! Tasks and push configurations in a file.

#![allow(
    clippy::duplicate_mod,
    reason = "what both databases understand is written once and compiled for each"
)]

mod changes;
mod dialect;
#[path = "../sql/leases.rs"]
mod leases;
#[path = "../sql/lists.rs"]
mod lists;
#[path = "../sql/push.rs"]
mod push;
mod schema;
mod store;
#[path = "../sql/tasks.rs"]
mod tasks;
#[cfg(test)]
mod tests;
#[path = "../sql/traits.rs"]
mod traits;

pub use store::{SqliteDurability, SqliteStore};

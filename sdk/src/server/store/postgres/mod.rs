//! Tasks and push configurations in PostgreSQL.

#![allow(
    clippy::duplicate_mod,
    reason = "what both databases understand is written once and compiled for each"
)]

mod address;
mod changes;
mod dialect;
#[path = "../sql/leases.rs"]
mod leases;
#[path = "../sql/lists.rs"]
mod lists;
mod notifier;
#[path = "../sql/push.rs"]
mod push;
mod schema;
mod store;
#[path = "../sql/tasks.rs"]
mod tasks;
#[path = "../sql/traits.rs"]
mod traits;

pub use store::PostgresStore;

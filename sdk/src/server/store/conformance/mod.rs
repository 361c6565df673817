//! What a [`TaskStore`](super::TaskStore) and a [`PushConfigStore`](super::PushConfigStore) promise,
//! as tests that every implementation runs, a user's own among them:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use countersign::server::store::{MemoryPushConfigStore, MemoryTaskStore, conformance};
//!
//! conformance::check_tasks(async || MemoryTaskStore::default()).await;
//! conformance::check_push_configs(async || MemoryPushConfigStore::default()).await;
//! # }
//! ```
//!
//! Each test gets a new, empty store, which has room for a thousand entries at least.

mod given;
mod leases;
mod lists;
mod orphans;
mod push_configs;
mod push_deliveries;
mod tasks;
mod walk;

pub use walk::{check_push_configs, check_tasks};

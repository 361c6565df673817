//! Where tasks and push configurations are kept.

mod change;
pub mod conformance;
mod error;
mod memory;
mod memory_index;
mod memory_over;
mod memory_push;
#[cfg(feature = "postgres")]
mod postgres;
mod push_config_store;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod rows;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod share;
mod snapshot;
#[cfg(feature = "sqlite")]
mod sqlite;
mod task_store;

pub(in crate::server) use change::{Change, settles};
pub use error::StoreError;
pub use memory::MemoryTaskStore;
pub use memory_push::MemoryPushConfigStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use push_config_store::{PushConfigStore, PushDelivery};
pub use snapshot::TaskSnapshot;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteDurability, SqliteStore};
pub use task_store::{
    EVENTS_KEPT, Lease, MAX_ID_BYTES, Orphan, StoredEvent, StoredTask, TaskChange, TaskChanged,
    TaskCursor, TaskPage, TaskQuery, TaskStore,
};

//! Where tasks and push configurations are kept.

mod error;
mod memory;
mod memory_push;
mod push_config_store;
mod task_store;

pub use error::StoreError;
pub use memory::MemoryTaskStore;
pub use memory_push::MemoryPushConfigStore;
pub use push_config_store::{PushConfigStore, PushDelivery};
pub use task_store::{
    EVENTS_KEPT, Lease, MAX_ID_BYTES, Orphan, StoredEvent, StoredTask, TaskChange, TaskChanged,
    TaskCursor, TaskPage, TaskQuery, TaskStore,
};

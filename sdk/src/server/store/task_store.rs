//! Where tasks are kept, each for its owner.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use super::{StoreError, TaskSnapshot};
use crate::a2a::{StreamResponse, Task, TaskState, TaskStatus, Timestamp};
use crate::clock::UnixTime;
use crate::policy::Owner;

/// How long the events of a task that is over are kept at least: streams and push deliveries that
/// are behind catch up within it.
pub const EVENTS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// The longest ID that a store keeps, of a task or a push configuration, in bytes of UTF-8. Within
/// it every text is an ID, kept to the byte.
pub const MAX_ID_BYTES: usize = 512;

/// A task as it is kept.
///
/// Its version is the number of its last entry. Every change appends at least one entry: an event
/// that streams show, or none for a change that they do not (a message of the client in the history).
#[derive(Clone, PartialEq, Debug)]
pub struct StoredTask {
    /// Its state after the last entry.
    pub task: Arc<Task>,
    /// The number of the last entry; a task that was made without events begins with 1.
    pub version: u64,
}

/// A change of a task: what it becomes and the events that led there.
#[derive(Clone, Debug)]
pub struct TaskChange {
    /// The version it was made for: the one that was read; 0 for a task that is new.
    pub expected: u64,
    /// The task afterwards.
    pub task: TaskSnapshot,
    /// What streams show of it, in order. The first gets the number `expected + 1`.
    pub events: Vec<Arc<StreamResponse>>,
    /// From when on the task is to be worked on although it waits: its client has answered, and
    /// nothing has come of the answer yet. It says nothing of a task that does not wait.
    pub work_from: Option<UnixTime>,
}

impl TaskChange {
    /// The task's version afterwards: a change without events counts as one entry too.
    pub fn version(&self) -> u64 {
        self.expected + (self.events.len() as u64).max(1)
    }

    /// From when on somebody is to work on the task as it is then; `None` when it is over or waits for
    /// its client.
    pub fn worked_on_from(&self) -> Option<UnixTime> {
        let state = self.task.state();
        if state.is_interrupted() {
            return self.work_from;
        }
        (!state.is_terminal()).then_some(UnixTime::from_secs(0))
    }
}

/// Whether `first` can be a new task.
pub(super) fn check_new(first: &TaskChange) -> Result<(), StoreError> {
    StoreError::check_id(first.task.id())?;
    if first.expected != 0 {
        let expected = first.expected;
        return Err(StoreError::Conflict { expected, found: 0 });
    }
    Ok(())
}

/// An event with its number.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredEvent {
    /// Its number in its task.
    pub number: u64,
    /// What a stream shows.
    pub event: Arc<StreamResponse>,
}

/// The right to work on a task, until it runs out. Whoever runs a task's executor holds it.
///
/// It still runs in the second `until`, and no longer in the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// Which instance of the agent: a name that no other instance has, a new one at every start.
    pub instance: String,
    /// Until when.
    pub until: UnixTime,
}

/// Which tasks of an owner are wanted (A2A §3.1.4).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TaskQuery {
    /// Only of this conversation.
    pub context_id: Option<String>,
    /// Only in this state.
    pub state: Option<TaskState>,
    /// Only with a status that is not older (`>=`), milliseconds since 1970.
    pub not_before_ms: Option<i64>,
    /// At most this many; of 0 there is just the total.
    pub page_size: u32,
    /// Only those that come after this one.
    pub after: Option<TaskCursor>,
    /// The total that an earlier page of the same list told: a store that would have to count again
    /// gives it instead.
    pub total: Option<u64>,
}

/// A place in the list of tasks: newest status first, then by descending ID.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TaskCursor {
    /// When the status was set, milliseconds since 1970.
    pub status_ms: i64,
    /// The task's ID; IDs are compared byte by byte.
    pub id: String,
}

impl TaskCursor {
    /// The place of `task`. One whose status tells no time stands where 1970 begins.
    pub fn of(task: &Task) -> Self {
        Self {
            status_ms: status_ms(&task.status),
            id: task.id.clone(),
        }
    }
}

/// When the status was set, milliseconds since 1970; 0 when it does not tell.
pub(super) fn status_ms(status: &TaskStatus) -> i64 {
    status.timestamp.map_or(0, Timestamp::unix_millis)
}

/// A page of tasks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TaskPage {
    /// The tasks, newest status first.
    pub tasks: Vec<Arc<Task>>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<TaskCursor>,
    /// How many tasks there are on all pages.
    pub total: u64,
}

/// A task that nobody works on any more though somebody should.
#[derive(Clone, PartialEq, Debug)]
pub struct Orphan {
    /// Whose it is.
    pub owner: Owner,
    /// The task.
    pub stored: StoredTask,
}

/// Word that a task was changed, by whomever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskChanged {
    /// Which task.
    pub task_id: String,
    /// Its version afterwards; 0 when changes may have been missed, so every task is to be looked at.
    pub version: u64,
}

/// Keeps tasks. Every method that touches one takes its owner; somebody else's task looks exactly
/// like a missing one.
///
/// A store that several processes share serves several instances of one agent: what an instance
/// changes, the others see, and [`TaskStore::changes`] tells them.
#[async_trait]
pub trait TaskStore: Send + Sync + 'static {
    /// Keeps a new task, worked on under `lease` if one is given; gives its version. `first.expected`
    /// is 0, so its events are numbered from 1 and a task without any has version 1. One that is
    /// terminal already takes no lease.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Conflict`] when `first` was made for another version than
    /// 0, [`StoreError::TooLong`], [`StoreError::Full`], [`StoreError::OwnerFull`],
    /// [`StoreError::Unavailable`].
    async fn create(
        &self,
        owner: &Owner,
        first: &TaskChange,
        lease: Option<&Lease>,
    ) -> Result<u64, StoreError>;

    /// The task with this ID if it is `owner`'s; `None` if it is somebody else's or nobody's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Damaged`].
    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError>;

    /// Applies `change` to the task with the ID of `change.task` if it still has the version the change
    /// was made for; gives the new version. A task that becomes terminal is free of its lease.
    ///
    /// When this returns, the change is kept as well as the store can: for one that outlives the
    /// process, on disk.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has another, [`StoreError::NotFound`]; nothing has changed
    /// then. After [`StoreError::Unavailable`] it may have been kept or not: read the task again.
    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError>;

    /// Events with numbers above `after`, in order, at most `limit`; those of a task that is over
    /// are kept for [`EVENTS_KEPT`] at least. Numbers are missing where an entry was no event.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    async fn events(
        &self,
        owner: &Owner,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// A page of the owner's tasks. A task that is there from the first page to the last, unchanged,
    /// is on one of them, whatever is added meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list(&self, owner: &Owner, query: &TaskQuery) -> Result<TaskPage, StoreError>;

    /// Takes the task under `lease`, unless another instance's lease still runs at `now`; says
    /// whether it did. For the instance that holds it already, this prolongs it. A terminal task is
    /// never taken.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Unavailable`].
    async fn acquire(
        &self,
        owner: &Owner,
        id: &str,
        lease: &Lease,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Gives the task back, if `instance` holds it; one that is to be worked on is an orphan at once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn release(&self, owner: &Owner, id: &str, instance: &str) -> Result<(), StoreError>;

    /// Prolongs all leases of an instance, also one that ran out but was given to nobody else.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn renew(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Takes over tasks, at most `limit`, that are to be worked on at `now`
    /// ([`TaskChange::worked_on_from`]) while no lease on them runs: their instance died or gave them
    /// back. No task is given to two instances. One that cannot be read is left out.
    ///
    /// An agent calls this every few seconds; a store may use it to drop what it need not keep any
    /// more at `now`, such as events older than [`EVENTS_KEPT`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn take_orphans(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<Orphan>, StoreError>;

    /// Says that whoever worked with this store is done: an agent that was shut down calls it last. A
    /// store that holds a file or connections open closes them, unless it is used elsewhere too.
    async fn close(&self) {}

    /// Whether what is kept is there after a restart of the process; `None` when the store does not
    /// say. Only what an agent warns of at its start depends on it.
    fn outlives_process(&self) -> Option<bool> {
        None
    }

    /// Word of changes, in this process or another; `None` when no other process shares this store.
    fn changes(&self) -> Option<BoxStream<'static, TaskChanged>> {
        None
    }
}

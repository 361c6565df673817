//! Where push configurations are kept, each for the owner of its task, with how far it was told.

use async_trait::async_trait;

use super::{Lease, StoreError};
use crate::a2a::TaskPushNotificationConfig;
use crate::clock::UnixTime;
use crate::policy::Owner;

/// A configuration and how far its receiver was told.
#[derive(Clone, PartialEq, Debug)]
pub struct PushDelivery {
    /// To whom the task belongs.
    pub owner: Owner,
    /// The configuration, with its ID and task ID.
    pub config: TaskPushNotificationConfig,
    /// The number of the last event that was delivered.
    pub delivered: u64,
    /// How often the next one was tried in vain.
    pub attempts: u32,
    /// Which taking this is: the store's own number, which a later taking and a configuration that
    /// was set anew do not have.
    pub taken: u64,
}

/// The task and the ID of `config`, which are never empty: that is how the wire says that there is
/// none.
pub(super) fn named(config: &TaskPushNotificationConfig) -> Result<(&str, &str), StoreError> {
    let task = config.task_id.as_deref().unwrap_or_default();
    let id = config.id.as_deref().unwrap_or_default();
    if task.is_empty() || id.is_empty() {
        return Err(StoreError::NotFound);
    }
    StoreError::check_id(task)?;
    StoreError::check_id(id)?;
    Ok((task, id))
}

/// Keeps push configurations. Every method takes the owner of the task; somebody else's
/// configuration looks exactly like a missing one.
#[async_trait]
pub trait PushConfigStore: Send + Sync + 'static {
    /// Keeps `config`, which has an ID and a task ID, in place of an older one of the same ID. Events
    /// up to number `from` count as delivered; it is due at once, in case the task has later ones.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it has no ID or no task ID, [`StoreError::TooLong`],
    /// [`StoreError::Full`], [`StoreError::Unavailable`].
    async fn set(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), StoreError>;

    /// The configuration `id` of the task.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn get(
        &self,
        owner: &Owner,
        task_id: &str,
        id: &str,
    ) -> Result<Option<TaskPushNotificationConfig>, StoreError>;

    /// The configurations of the task with IDs above `after`, by ID byte by byte, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn list(
        &self,
        owner: &Owner,
        task_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TaskPushNotificationConfig>, StoreError>;

    /// Forgets the configuration; one that is not there is forgotten already.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn delete(&self, owner: &Owner, task_id: &str, id: &str) -> Result<(), StoreError>;

    /// Says that the task has a new event, so its configurations are due at `now`, except those
    /// that wait for another attempt.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn wake(&self, owner: &Owner, task_id: &str, now: UnixTime) -> Result<(), StoreError>;

    /// Makes every configuration due at `now` that may be behind its task. Called when an instance
    /// starts: one that died may have kept an event and not said so with [`PushConfigStore::wake`].
    /// A store that knows that a configuration was told of everything may leave that one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn wake_all(&self, now: UnixTime) -> Result<(), StoreError>;

    /// Takes configurations that are due at `now` under `lease`, at most `limit`, the longest due
    /// first; none that is held already, by this instance or another, until that lease ran out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn take_due(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<PushDelivery>, StoreError>;

    /// Gives `delivery` back with its `delivered` and `attempts` as they are now; it is due again at
    /// `next`. Without one it is due when the task has a new event, which is at once if it was woken
    /// while it was held. One that was deleted, set anew or taken again meanwhile stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn give_back(
        &self,
        lease: &Lease,
        delivery: &PushDelivery,
        next: Option<UnixTime>,
    ) -> Result<(), StoreError>;

    /// Says that whoever worked with this store is done: an agent that was shut down calls it last. A
    /// store that holds a file or connections open closes them, unless it is used elsewhere too.
    async fn close(&self) {}

    /// Whether what is kept is there after a restart of the process; `None` when the store does not
    /// say. Only what an agent warns of at its start depends on it.
    fn outlives_process(&self) -> Option<bool> {
        None
    }
}

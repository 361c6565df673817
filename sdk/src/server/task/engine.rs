//! The engine: which tasks this instance works on, and what it works with.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::executor::AgentExecutor;
use super::feed::Feeds;
use super::limits::TaskLimits;
use super::live::Live;
use super::places::Places;
use super::push_hook::PushHook;
use super::wording::{failed, stopping, unavailable};
use crate::a2a::{A2aError, Task, new_id};
use crate::client::Client;
use crate::clock::Clock;
use crate::policy::Owner;
use crate::server::store::{Lease, StoredTask, TaskStore};

/// How many tasks are worked on at once: a caller need not wait for its answer, so nothing else
/// bounds them.
pub(super) const MAX_LIVE: usize = 4096;
/// How long the right to work on a task lasts unless it is prolonged.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// What an engine works with.
pub(in crate::server) struct EngineParts {
    pub(in crate::server) executor: Arc<dyn AgentExecutor>,
    pub(in crate::server) store: Arc<dyn TaskStore>,
    /// None for an agent without an identity of its own.
    pub(in crate::server) client: Option<Client>,
    pub(in crate::server) clock: Arc<dyn Clock>,
    pub(in crate::server) push: Option<Arc<dyn PushHook>>,
    /// Whether a stream ends when its task waits for an authorization, too.
    pub(in crate::server) close_when_interrupted: bool,
    pub(in crate::server) limits: TaskLimits,
}

/// Runs the executor for calls that were let in, and keeps what comes of it.
pub(in crate::server) struct Engine {
    pub(super) parts: EngineParts,
    /// The name of this instance in leases.
    instance: String,
    live: Mutex<HashMap<String, Arc<Live>>>,
    pub(super) feeds: Arc<Feeds>,
    pub(super) places: Arc<Places>,
    stopping: AtomicBool,
    /// Until when our leases ran after they were prolonged last, seconds since 1970.
    pub(super) leased_until: AtomicU64,
    /// Told whenever a task is no longer worked on.
    pub(super) left: Notify,
}

impl Engine {
    pub(in crate::server) fn new(parts: EngineParts) -> Self {
        Self {
            feeds: Arc::new(Feeds::new(parts.limits.behind)),
            places: Arc::new(Places::new(parts.limits.streams)),
            parts,
            instance: new_id(),
            live: Mutex::default(),
            stopping: AtomicBool::new(false),
            leased_until: AtomicU64::default(),
            left: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn store(&self) -> &dyn TaskStore {
        &*self.parts.store
    }

    /// Nothing more is asked of the store.
    pub(in crate::server) async fn close(&self) {
        self.store().close().await;
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// The right to work on tasks from now on.
    pub(super) fn lease(&self) -> Lease {
        Lease {
            instance: self.instance.clone(),
            until: self.parts.clock.now().plus(LEASE),
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// What runs beside the calls for as long as the engine is there.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(in crate::server) fn start(self: &Arc<Self>) -> [JoinHandle<()>; 2] {
        [
            tokio::spawn(Self::keep_up(Arc::downgrade(self))),
            tokio::spawn(Self::follow(Arc::downgrade(self))),
        ]
    }

    /// The owner's task, when this instance works on it.
    pub(super) fn running(&self, owner: &Owner, id: &str) -> Option<Arc<Live>> {
        let found = self.lock().get(id).cloned();
        found.filter(|live| live.owner() == owner)
    }

    /// All tasks this instance works on.
    pub(super) fn all_running(&self) -> Vec<Arc<Live>> {
        self.lock().values().cloned().collect()
    }

    /// The owner's task as it is kept. A2A §13.1: somebody else's and a missing one look the same.
    pub(super) async fn find(&self, owner: &Owner, id: &str) -> Result<StoredTask, A2aError> {
        let kept = self.store().get(owner, id).await;
        let kept = kept.map_err(|error| unavailable(&error))?;
        kept.ok_or_else(A2aError::task_not_found)
    }

    /// Begins to work on a task for a client. `Ok(None)` when this instance does already.
    pub(super) fn enter(
        &self,
        owner: &Owner,
        task: Arc<Task>,
        known: bool,
    ) -> Result<Option<Arc<Live>>, A2aError> {
        let all = self.lock();
        let of_owner = || all.values().filter(|live| live.owner() == owner).count();
        share_for_one_more(all.len(), of_owner)?;
        self.place(all, owner, task, known)
    }

    /// Goes on with a task that was taken on before, whosever it is.
    pub(super) fn enter_again(
        &self,
        owner: &Owner,
        task: Arc<Task>,
    ) -> Result<Option<Arc<Live>>, A2aError> {
        self.place(self.lock(), owner, task, true)
    }

    fn place(
        &self,
        mut all: MutexGuard<'_, HashMap<String, Arc<Live>>>,
        owner: &Owner,
        task: Arc<Task>,
        known: bool,
    ) -> Result<Option<Arc<Live>>, A2aError> {
        if self.is_stopping() {
            return Err(stopping());
        }
        room_for_one_more(all.len())?;
        match all.entry(task.id.clone()) {
            Entry::Occupied(_) => Ok(None),
            Entry::Vacant(place) => {
                let live = Arc::new(Live::new(owner.clone(), task, known, self.parts.limits));
                place.insert(live.clone());
                Ok(Some(live))
            }
        }
    }

    /// Works on it no longer: gives it back when it goes on some day.
    pub(super) async fn leave(&self, live: &Live) {
        {
            // Whoever takes in changes of others might else take the lease anew.
            let _alone = live.writer.lock().await;
            if live.left() {
                let (owner, id) = (live.owner(), live.id());
                let given = self.store().release(owner, id, &self.instance).await;
                if let Err(error) = given {
                    tracing::warn!(
                        task = id,
                        reason = error.reason(),
                        "a task was not given back"
                    );
                }
            }
        }
        self.lock().remove(live.id());
        live.close();
        self.left.notify_waiters();
    }
}

fn room_for_one_more(tasks: usize) -> Result<(), A2aError> {
    if tasks < MAX_LIVE {
        return Ok(());
    }
    tracing::warn!(tasks, "too many tasks at once; a message is refused");
    Err(failed("The agent takes no more work at present"))
}

/// One owner has at most as many tasks as there are places left, so that nobody fills them all.
fn share_for_one_more(tasks: usize, of_owner: impl FnOnce() -> usize) -> Result<(), A2aError> {
    let left = MAX_LIVE.saturating_sub(tasks);
    // Counted only when it may matter.
    if left > tasks || left == 0 || of_owner() < left {
        return Ok(());
    }
    tracing::warn!(
        tasks,
        "too many tasks of one owner at once; a message is refused"
    );
    Err(failed("The agent takes no more work of yours at present"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_leaves_places_for_the_others() {
        let half = MAX_LIVE / 2;
        for (tasks, of_owner, want) in [
            (half - 1, half - 1, true),
            (half, half - 1, true),
            (half, half, false),
            (half, 0, true),
            (half + half / 2, half / 2 - 1, true),
            (half + half / 2, half / 2, false),
            (MAX_LIVE - 1, 0, true),
            (MAX_LIVE - 1, 1, false),
        ] {
            let shares = share_for_one_more(tasks, || of_owner);
            assert_eq!(shares.is_ok(), want, "{of_owner} of {tasks}");
        }
    }

    #[test]
    fn only_so_many_tasks_are_worked_on_at_once() {
        assert!(room_for_one_more(MAX_LIVE - 1).is_ok());
        assert!(room_for_one_more(MAX_LIVE).is_err());
    }
}

//! Where tasks are kept, each for its owner.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::a2a::Task;
use crate::policy::Owner;

/// Why a store could not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// No room for another task, and none that is over can be dropped.
    #[error("the task store holds {max} unfinished tasks and takes no more")]
    Full {
        /// How many it holds.
        max: usize,
    },
    /// The place where tasks are kept cannot be reached or does not work.
    #[error("the task store is unavailable: {what}")]
    Unavailable {
        /// What failed, without secrets.
        what: String,
    },
}

/// Keeps tasks. Every method takes the owner; somebody else's task looks exactly like a missing one.
#[async_trait]
pub trait TaskStore: Send + Sync + 'static {
    /// Keeps `task` for `owner`, in place of an older state of it.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be kept; nothing has changed then.
    async fn save(&self, owner: &Owner, task: &Task) -> Result<(), StoreError>;

    /// The task with this id if it is `owner`'s; `None` if it is somebody else's or nobody's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<Task>, StoreError>;
}

/// Tasks in this process's memory, gone with it. Bounded: the oldest that is over makes room.
#[derive(Debug)]
pub struct MemoryTaskStore {
    max: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: HashMap<(Owner, String), Task>,
    finished: VecDeque<(Owner, String)>,
}

impl MemoryTaskStore {
    /// A store for at most `max` tasks.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            inner: Mutex::default(),
        }
    }
}

impl Default for MemoryTaskStore {
    /// Room for 10,000 tasks.
    fn default() -> Self {
        Self::new(10_000)
    }
}

#[async_trait]
impl TaskStore for MemoryTaskStore {
    async fn save(&self, owner: &Owner, task: &Task) -> Result<(), StoreError> {
        let mut guard = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *guard;
        let key = (owner.clone(), task.id.clone());
        if !inner.tasks.contains_key(&key) && inner.tasks.len() >= self.max {
            let oldest = inner.finished.pop_front();
            let oldest = oldest.ok_or(StoreError::Full { max: self.max })?;
            inner.tasks.remove(&oldest);
        }
        let over = task.status.state.is_terminal();
        let before = inner.tasks.insert(key.clone(), task.clone());
        if over && !before.is_some_and(|t| t.status.state.is_terminal()) {
            inner.finished.push_back(key);
        }
        Ok(())
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<Task>, StoreError> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(inner.tasks.get(&(owner.clone(), id.to_owned())).cloned())
    }
}

/// The promises of [`TaskStore`], for every implementation to run.
pub mod conformance {
    use super::{Owner, Task, TaskStore};
    use crate::a2a::TaskState;

    /// Checks `store`, which is empty, with the owners `one` and `other` and a task that is running.
    ///
    /// # Panics
    /// When a promise is broken; the message names it.
    pub async fn check(store: &dyn TaskStore, one: &Owner, other: &Owner, task: Task) {
        let get = |owner, id: &str| {
            let id = id.to_owned();
            async move { store.get(owner, &id).await.expect("the store answers") }
        };
        assert_eq!(get(one, &task.id).await, None, "an empty store has no task");
        store.save(one, &task).await.expect("the task is kept");
        assert_eq!(
            get(one, &task.id).await.as_ref(),
            Some(&task),
            "a task comes back as it was kept"
        );
        assert_eq!(
            get(other, &task.id).await,
            None,
            "somebody else's task looks missing"
        );
        let mut theirs = task.clone();
        theirs.status.state = TaskState::Canceled;
        store.save(other, &theirs).await.expect("kept");
        assert_eq!(
            get(one, &task.id).await.as_ref(),
            Some(&task),
            "the same id of another owner changes nothing"
        );
        let mut later = task.clone();
        later.status.state = TaskState::Completed;
        store
            .save(one, &later)
            .await
            .expect("the newer state is kept");
        assert_eq!(
            get(one, &task.id).await,
            Some(later),
            "a newer state replaces the older"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::{TaskState, TaskStatus};
    use crate::clock::UnixTime;
    use crate::delegation::testing::{app_only, delegated};

    fn task(id: &str, state: TaskState) -> Task {
        Task::new(
            id,
            "context",
            TaskStatus::new(state, UnixTime::from_secs(1).into()),
        )
    }

    fn owners() -> (Owner, Owner) {
        (Owner::of(&delegated("work")), Owner::of(&app_only("work")))
    }

    #[tokio::test]
    async fn the_memory_store_keeps_the_promises() {
        let (one, other) = owners();
        let running = task("task-1", TaskState::Working);
        conformance::check(&MemoryTaskStore::default(), &one, &other, running).await;
    }

    #[tokio::test]
    async fn a_full_store_drops_the_oldest_that_is_over_and_else_refuses() {
        let (one, _) = owners();
        let store = MemoryTaskStore::new(2);
        for (id, state) in [("a", TaskState::Completed), ("b", TaskState::Working)] {
            store
                .save(&one, &task(id, state))
                .await
                .expect("there is room");
        }
        let third = task("c", TaskState::Working);
        store.save(&one, &third).await.expect("a makes room");
        assert_eq!(store.get(&one, "a").await, Ok(None));
        assert!(store.get(&one, "b").await.expect("answers").is_some());
        let fourth = task("d", TaskState::Working);
        let refused = store.save(&one, &fourth).await;
        assert_eq!(refused, Err(StoreError::Full { max: 2 }));
        let over = task("b", TaskState::Canceled);
        store
            .save(&one, &over)
            .await
            .expect("a newer state needs no room");
        store.save(&one, &fourth).await.expect("b makes room");
    }
}

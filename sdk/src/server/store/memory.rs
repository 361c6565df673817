//! Tasks in this process's memory.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::memory_index::{Kept, Owned};
use super::task_store::check_new;
use super::{
    EVENTS_KEPT, Lease, Orphan, StoreError, StoredEvent, StoredTask, TaskChange, TaskPage,
    TaskQuery, TaskStore,
};
use crate::a2a::TaskState;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::policy::Owner;

/// Tasks in this process's memory, gone with it. An agent has one unless it is told otherwise.
///
/// Bounded: when it is full, the task that was over first makes room, and of one task the newest
/// 10,000 events are kept.
///
/// ```
/// use std::sync::Arc;
/// use countersign::server::store::{MemoryTaskStore, TaskStore};
///
/// let store: Arc<dyn TaskStore> = Arc::new(MemoryTaskStore::with_tasks(100_000));
/// ```
#[derive(Debug)]
pub struct MemoryTaskStore {
    max_tasks: usize,
    inner: Mutex<Inner>,
}

impl MemoryTaskStore {
    /// A store for at most `max` tasks.
    pub fn with_tasks(max: usize) -> Self {
        Self {
            max_tasks: max,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No method leaves the tables half changed, whatever panicked while it held the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryTaskStore {
    /// Room for 10,000 tasks.
    fn default() -> Self {
        Self::with_tasks(10_000)
    }
}

#[derive(Debug, Default)]
struct Inner {
    owners: HashMap<Arc<Owner>, Owned>,
    tasks: usize,
    /// Those that are over, the first first, and when.
    over: VecDeque<(Name, UnixTime)>,
    /// How many of `over`, from the front, have no events any more.
    without_events: usize,
    /// Those that somebody should be working on.
    running: HashSet<Name>,
    /// Those with a lease, which may have run out.
    leased: HashSet<Name>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Name {
    owner: Arc<Owner>,
    id: Arc<str>,
}

impl Inner {
    fn get(&self, owner: &Owner, id: &str) -> Option<&Kept> {
        self.owners.get(owner)?.tasks.get(id)
    }

    fn get_mut(&mut self, owner: &Owner, id: &str) -> Option<&mut Kept> {
        self.owners.get_mut(owner)?.tasks.get_mut(id)
    }

    fn name(&self, owner: &Owner, id: &str) -> Option<Name> {
        let (owner, owned) = self.owners.get_key_value(owner)?;
        let (id, _) = owned.tasks.get_key_value(id)?;
        Some(Name {
            owner: Arc::clone(owner),
            id: Arc::clone(id),
        })
    }

    /// Notes what the state of a task means for work on it; `before` is the one it had.
    fn classify(&mut self, name: &Name, before: Option<TaskState>, state: TaskState) {
        if state.is_terminal() || state.is_interrupted() {
            self.running.remove(name);
        } else {
            self.running.insert(name.clone());
        }
        if state.is_terminal() {
            self.leased.remove(name);
            if let Some(kept) = self.get_mut(&name.owner, &name.id) {
                kept.lease = None;
            }
            if !before.is_some_and(TaskState::is_terminal) {
                self.over.push_back((name.clone(), SystemClock.now()));
            }
        }
    }

    /// Drops the task that was over first; whether there was one.
    fn make_room(&mut self) -> bool {
        while let Some((name, _)) = self.over.pop_front() {
            self.without_events = self.without_events.saturating_sub(1);
            let Some(owned) = self.owners.get_mut(&name.owner) else {
                continue;
            };
            let Entry::Occupied(kept) = owned.tasks.entry(Arc::clone(&name.id)) else {
                continue;
            };
            if !kept.get().stored.task.status.state.is_terminal() {
                continue;
            }
            let kept = kept.remove();
            owned.leave(&kept.stored.task, &name.id);
            if owned.tasks.is_empty() {
                self.owners.remove(&name.owner);
            }
            self.tasks -= 1;
            return true;
        }
        false
    }

    /// Drops the events of tasks that have been over for longer than is promised.
    fn drop_events(&mut self, now: UnixTime) {
        while let Some((name, since)) = self.over.get(self.without_events) {
            if now.since(*since) <= EVENTS_KEPT {
                break;
            }
            let name = name.clone();
            self.without_events += 1;
            if let Some(kept) = self.get_mut(&name.owner, &name.id)
                && kept.stored.task.status.state.is_terminal()
            {
                kept.events = VecDeque::new();
            }
        }
    }
}

#[async_trait]
impl TaskStore for MemoryTaskStore {
    fn outlives_process(&self) -> Option<bool> {
        Some(false)
    }

    async fn create(
        &self,
        owner: &Owner,
        first: &TaskChange,
        lease: Option<&Lease>,
    ) -> Result<u64, StoreError> {
        check_new(first)?;
        let inner = &mut *self.lock();
        if inner.get(owner, &first.task.id).is_some() {
            return Err(StoreError::Exists);
        }
        if inner.tasks >= self.max_tasks && !inner.make_room() {
            let max = self.max_tasks;
            return Err(StoreError::Full { max });
        }
        let name = Name {
            owner: match inner.owners.get_key_value(owner) {
                Some((owner, _)) => Arc::clone(owner),
                None => Arc::new(owner.clone()),
            },
            id: first.task.id.as_str().into(),
        };
        let kept = Kept::new(first, lease);
        let owned = inner.owners.entry(Arc::clone(&name.owner)).or_default();
        owned.enter(&first.task, &name.id);
        owned.tasks.insert(Arc::clone(&name.id), kept);
        inner.tasks += 1;
        if lease.is_some() {
            inner.leased.insert(name.clone());
        }
        inner.classify(&name, None, first.task.status.state);
        Ok(first.version())
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError> {
        Ok(self.lock().get(owner, id).map(|kept| kept.stored.clone()))
    }

    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError> {
        let inner = &mut *self.lock();
        let name = inner.name(owner, &change.task.id);
        let name = name.ok_or(StoreError::NotFound)?;
        let owned = inner.owners.get_mut(owner).ok_or(StoreError::NotFound)?;
        let kept = owned.tasks.get_mut(&name.id).ok_or(StoreError::NotFound)?;
        let (expected, found) = (change.expected, kept.stored.version);
        if expected != found {
            return Err(StoreError::Conflict { expected, found });
        }
        let before = Arc::clone(&kept.stored.task);
        kept.push(change);
        owned.leave(&before, &name.id);
        owned.enter(&change.task, &name.id);
        let state = change.task.status.state;
        inner.classify(&name, Some(before.status.state), state);
        Ok(change.version())
    }

    async fn events(
        &self,
        owner: &Owner,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let inner = self.lock();
        let kept = inner.get(owner, id).ok_or(StoreError::NotFound)?;
        let first = kept.events.partition_point(|event| event.number <= after);
        Ok(kept
            .events
            .iter()
            .skip(first)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn list(&self, owner: &Owner, query: &TaskQuery) -> Result<TaskPage, StoreError> {
        let inner = self.lock();
        let owned = inner.owners.get(owner);
        Ok(owned.map(|owned| owned.list(query)).unwrap_or_default())
    }

    async fn acquire(
        &self,
        owner: &Owner,
        id: &str,
        lease: &Lease,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let inner = &mut *self.lock();
        let name = inner.name(owner, id).ok_or(StoreError::NotFound)?;
        let kept = inner.get_mut(owner, id).ok_or(StoreError::NotFound)?;
        let is_over = kept.stored.task.status.state.is_terminal();
        if is_over || !kept.is_free(Some(&lease.instance), now) {
            return Ok(false);
        }
        kept.lease = Some(lease.clone());
        inner.leased.insert(name);
        Ok(true)
    }

    async fn release(&self, owner: &Owner, id: &str, instance: &str) -> Result<(), StoreError> {
        let inner = &mut *self.lock();
        let name = inner.name(owner, id);
        if let Some(kept) = inner.get_mut(owner, id)
            && kept
                .lease
                .as_ref()
                .is_some_and(|held| held.instance == instance)
        {
            kept.lease = None;
            name.map(|name| inner.leased.remove(&name));
        }
        Ok(())
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        let Inner { owners, leased, .. } = &mut *self.lock();
        for name in leased.iter() {
            let owned = owners.get_mut(&name.owner);
            if let Some(kept) = owned.and_then(|owned| owned.tasks.get_mut(&name.id))
                && let Some(held) = &mut kept.lease
                && held.instance == lease.instance
            {
                held.until = lease.until;
            }
        }
        Ok(())
    }

    async fn take_orphans(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<Orphan>, StoreError> {
        let inner = &mut *self.lock();
        inner.drop_events(now);
        let mut orphans = Vec::new();
        for name in &inner.running {
            if orphans.len() == limit {
                break;
            }
            let owned = inner.owners.get_mut(&name.owner);
            if let Some(kept) = owned.and_then(|owned| owned.tasks.get_mut(&name.id))
                && kept.is_free(None, now)
            {
                kept.lease = Some(lease.clone());
                inner.leased.insert(name.clone());
                orphans.push(Orphan {
                    owner: Owner::clone(&name.owner),
                    stored: kept.stored.clone(),
                });
            }
        }
        Ok(orphans)
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance;
    use super::*;
    use crate::a2a::{StreamResponse, Task, TaskStatus};
    use crate::delegation::testing::{app_only, delegated};
    use crate::server::store::memory_index::MAX_EVENTS;

    fn task(id: &str, state: TaskState) -> TaskChange {
        let status = TaskStatus::new(state, UnixTime::from_secs(1).into());
        TaskChange {
            expected: 0,
            task: Arc::new(Task::new(id, "context", status)),
            events: Vec::new(),
        }
    }

    fn owner() -> Owner {
        Owner::of(&delegated("work"))
    }

    #[tokio::test]
    async fn the_memory_store_keeps_the_promises() {
        conformance::check_tasks(async || MemoryTaskStore::default()).await;
    }

    #[tokio::test]
    async fn a_full_store_drops_the_task_that_was_over_first_and_else_refuses() {
        let (one, other) = (owner(), Owner::of(&app_only("work")));
        let store = MemoryTaskStore::with_tasks(3);
        for (id, state) in [
            ("a", TaskState::Working),
            ("b", TaskState::Completed),
            ("c", TaskState::Working),
        ] {
            let made = store.create(&one, &task(id, state), None).await;
            assert_eq!(made, Ok(1), "there is room");
        }
        let change = TaskChange {
            expected: 1,
            ..task("a", TaskState::Completed)
        };
        store
            .append(&one, &change)
            .await
            .expect("a is over after b");
        let new = task("d", TaskState::Working);
        store
            .create(&other, &new, None)
            .await
            .expect("b makes room");
        assert_eq!(store.get(&one, "b").await, Ok(None));
        assert!(store.get(&one, "a").await.expect("answers").is_some());
        let new = task("e", TaskState::Working);
        store
            .create(&other, &new, None)
            .await
            .expect("a makes room");
        assert_eq!(store.get(&one, "a").await, Ok(None));
        let refused = store
            .create(&one, &task("f", TaskState::Working), None)
            .await;
        assert_eq!(refused, Err(StoreError::Full { max: 3 }));
        let query = TaskQuery {
            page_size: 9,
            ..TaskQuery::default()
        };
        let page = store.list(&one, &query).await.expect("a page");
        assert_eq!((page.tasks.len(), page.total), (1, 1), "c is left");
    }

    #[tokio::test]
    async fn events_are_dropped_a_day_after_the_end() {
        let store = MemoryTaskStore::default();
        let mut over = task("a", TaskState::Completed);
        over.events = vec![Arc::new(StreamResponse::Task(Task::clone(&over.task)))];
        let mut running = task("b", TaskState::Working);
        running.events = over.events.clone();
        for first in [&over, &running] {
            let made = store.create(&owner(), first, None).await;
            assert_eq!(made, Ok(1));
        }
        let late = SystemClock.now().plus(EVENTS_KEPT * 2);
        let lease = Lease {
            instance: "one".to_owned(),
            until: late,
        };
        store.take_orphans(&lease, late, 9).await.expect("answers");
        for (id, want) in [("a", 0), ("b", 1)] {
            let events = store.events(&owner(), id, 0, 9).await;
            assert_eq!(events.expect("the task is there").len(), want, "{id}");
        }
    }

    #[tokio::test]
    async fn of_one_task_the_newest_events_are_kept() {
        let store = MemoryTaskStore::default();
        let mut new = task("a", TaskState::Working);
        let event = Arc::new(StreamResponse::Task(Task::clone(&new.task)));
        new.events = vec![event; MAX_EVENTS + 1];
        store.create(&owner(), &new, None).await.expect("room");
        let events = store.events(&owner(), "a", 0, usize::MAX).await;
        let events = events.expect("the task is there");
        assert_eq!(events.len(), MAX_EVENTS);
        assert_eq!(events[0].number, 2, "the first made room");
    }
}

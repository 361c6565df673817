//! Tasks in this process's memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::memory_index::{Kept, Owned};
use super::memory_over::{Name, Over};
use super::task_store::check_new;
use super::{
    EVENTS_KEPT, Lease, Orphan, StoreError, StoredEvent, StoredTask, TaskChange, TaskPage,
    TaskQuery, TaskStore,
};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::policy::Owner;

/// Tasks in this process's memory, gone with it. An agent has one unless it is told otherwise.
///
/// Bounded: when it is full, a task that is over makes room, the first of an owner that has a quarter
/// of them all, or else the first of all. An unfinished task makes none; one owner has at most as many
/// of those as there is room for more, so that nobody takes all, and is refused another. Of one task
/// the newest 10,000 events are kept, of 32 MiB.
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

/// Who has one in so many of all tasks makes room for new ones before others do.
const SHARE: usize = 4;

impl MemoryTaskStore {
    /// A store for at most `max` tasks; one owner alone may have half of them unfinished.
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
    over: Over,
    /// Those that somebody should be working on.
    running: HashSet<Name>,
    /// Those with a lease, which may have run out.
    leased: HashSet<Name>,
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

    /// Notes what a change means for work on the task.
    fn classify(&mut self, name: &Name, change: &TaskChange) {
        let state = change.task.state();
        if change.worked_on_from().is_none() {
            self.running.remove(name);
        } else {
            self.running.insert(name.clone());
        }
        let Some(owned) = self.owners.get_mut(&name.owner) else {
            return;
        };
        let Some(kept) = owned.tasks.get_mut(&name.id) else {
            return;
        };
        if state.is_terminal() {
            self.leased.remove(name);
            kept.lease = None;
            if kept.over.is_none() {
                let place = self.over.push(name.clone(), SystemClock.now());
                kept.over = Some(place);
                owned.over.insert(place);
            }
        } else if let Some(place) = kept.over.take() {
            owned.over.remove(&place);
            self.over.remove(place);
        }
    }

    /// Whether `owner` may have one more unfinished task, of `max` in all: at most as many as there
    /// are places left, so that nobody takes them all.
    fn share(&self, owner: &Owner, max: usize) -> Result<(), StoreError> {
        let unfinished = self.tasks - self.over.len();
        let left = max.saturating_sub(unfinished);
        if left == 0 {
            return Err(StoreError::Full { max });
        }
        let held = self.owners.get(owner).map_or(0, Owned::unfinished);
        if left > unfinished || held < left {
            return Ok(());
        }
        Err(StoreError::OwnerFull { held, left })
    }

    /// Drops a task that is over; whether there was one. Who has much makes room before others do.
    fn make_room(&mut self, owner: &Owner, max: usize) -> bool {
        let much = |owned: &&Owned| owned.tasks.len() >= max.div_ceil(SHARE);
        let own = self.owners.get(owner).filter(much);
        let richest = || {
            let rich = self.owners.values().filter(much);
            rich.filter(|owned| !owned.over.is_empty())
                .max_by_key(|owned| owned.tasks.len())
        };
        let own = own.filter(|owned| !owned.over.is_empty());
        let from = own.or_else(richest);
        let place = from.and_then(|owned| owned.over.first());
        let name = match place {
            Some(place) => self.over.get(*place),
            None => self.over.first(),
        };
        let Some(name) = name.cloned() else {
            return false;
        };
        self.drop_task(&name);
        true
    }

    fn drop_task(&mut self, name: &Name) {
        let Some(owned) = self.owners.get_mut(&name.owner) else {
            return;
        };
        let Some(kept) = owned.tasks.remove(&name.id) else {
            return;
        };
        owned.leave(&kept.task, &name.id);
        if let Some(place) = kept.over {
            owned.over.remove(&place);
            self.over.remove(place);
        }
        if owned.tasks.is_empty() {
            self.owners.remove(&name.owner);
        }
        self.tasks -= 1;
    }

    /// Drops the events of tasks that have been over for longer than is promised.
    fn drop_events(&mut self, now: UnixTime) {
        let is_old = |since| now.since(since) > EVENTS_KEPT;
        while let Some(name) = self.over.next_old(is_old) {
            if let Some(kept) = self.get_mut(&name.owner, &name.id) {
                kept.drop_events();
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
        if inner.get(owner, first.task.id()).is_some() {
            return Err(StoreError::Exists);
        }
        let max = self.max_tasks;
        if !first.task.state().is_terminal() {
            inner.share(owner, max)?;
        }
        if inner.tasks >= max && !inner.make_room(owner, max) {
            return Err(StoreError::Full { max });
        }
        let name = Name {
            owner: match inner.owners.get_key_value(owner) {
                Some((owner, _)) => Arc::clone(owner),
                None => Arc::new(owner.clone()),
            },
            id: first.task.id().into(),
        };
        let kept = Kept::new(first, lease);
        let owned = inner.owners.entry(Arc::clone(&name.owner)).or_default();
        owned.enter(&first.task, &name.id);
        owned.tasks.insert(Arc::clone(&name.id), kept);
        inner.tasks += 1;
        if lease.is_some() {
            inner.leased.insert(name.clone());
        }
        inner.classify(&name, first);
        Ok(first.version())
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError> {
        let found = self.lock().get(owner, id).map(Kept::moment);
        // Put together while others may go on.
        Ok(found.map(|(task, version)| StoredTask {
            task: task.whole(),
            version,
        }))
    }

    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError> {
        let inner = &mut *self.lock();
        let name = inner.name(owner, change.task.id());
        let name = name.ok_or(StoreError::NotFound)?;
        let owned = inner.owners.get_mut(owner).ok_or(StoreError::NotFound)?;
        let kept = owned.tasks.get_mut(&name.id).ok_or(StoreError::NotFound)?;
        let (expected, found) = (change.expected, kept.version);
        if expected != found {
            return Err(StoreError::Conflict { expected, found });
        }
        let before = kept.task.clone();
        kept.push(change);
        if !before.stands_with(&change.task) {
            owned.leave(&before, &name.id);
            owned.enter(&change.task, &name.id);
        }
        inner.classify(&name, change);
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
        let found = {
            let inner = self.lock();
            inner.owners.get(owner).map(|owned| owned.list(query))
        };
        Ok(found.unwrap_or_default().page())
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
        let is_over = kept.task.state().is_terminal();
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
                && kept.work_from.is_some_and(|from| from <= now)
            {
                kept.lease = Some(lease.clone());
                inner.leased.insert(name.clone());
                orphans.push(Orphan {
                    owner: Owner::clone(&name.owner),
                    stored: kept.stored(),
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
    use crate::a2a::{StreamResponse, Task, TaskState, TaskStatus};
    use crate::delegation::testing::{app_only, delegated};
    use crate::server::store::memory_index::{MAX_EVENT_BYTES, MAX_EVENTS};

    fn task(id: &str, state: TaskState) -> TaskChange {
        let status = TaskStatus::new(state, UnixTime::from_secs(1).into());
        TaskChange {
            expected: 0,
            task: Task::new(id, "context", status).into(),
            events: Vec::new(),
            work_from: None,
        }
    }

    fn owner() -> Owner {
        Owner::of(&delegated("work"))
    }

    #[tokio::test]
    async fn the_memory_store_keeps_the_promises() {
        conformance::check_tasks(async || MemoryTaskStore::default()).await;
    }

    fn others() -> [Owner; 4] {
        ["one", "two", "three", "four"].map(|name| owner().at_tenant(Some(name)))
    }

    #[tokio::test]
    async fn a_full_store_drops_the_task_that_was_over_first_and_else_refuses() {
        let [one, two, three, four] = others();
        let store = MemoryTaskStore::with_tasks(5);
        for (owner, id, state) in [
            (&one, "a", TaskState::Working),
            (&two, "b", TaskState::Completed),
            (&three, "c", TaskState::Working),
            (&four, "d", TaskState::Working),
            (&owner(), "e", TaskState::Working),
        ] {
            let made = store.create(owner, &task(id, state), None).await;
            assert_eq!(made, Ok(1), "there is room for {id}");
        }
        let change = TaskChange {
            expected: 1,
            ..task("a", TaskState::Completed)
        };
        store
            .append(&one, &change)
            .await
            .expect("a is over after b");
        let app = Owner::of(&app_only("work"));
        for (owner, id, gone) in [
            (&app, "f", (&two, "b")),
            (&app.clone().at_tenant(Some("x")), "g", (&one, "a")),
        ] {
            let new = task(id, TaskState::Working);
            store.create(owner, &new, None).await.expect("room is made");
            assert_eq!(store.get(gone.0, gone.1).await, Ok(None));
        }
        let new = task("h", TaskState::Working);
        let refused = store.create(&two, &new, None).await;
        assert_eq!(refused, Err(StoreError::Full { max: 5 }));
        assert!(store.get(&three, "c").await.expect("answers").is_some());
        assert_eq!(store.lock().owners.len(), 5, "of those who have one");
    }

    #[tokio::test]
    async fn one_owner_leaves_room_for_the_unfinished_tasks_of_others() {
        let store = MemoryTaskStore::with_tasks(100);
        let [greedy, other, ..] = others();
        let new = |n: usize| task(&n.to_string(), TaskState::InputRequired);
        for n in 0..50 {
            assert_eq!(store.create(&greedy, &new(n), None).await, Ok(1), "{n}");
        }
        let refused = store.create(&greedy, &new(50), None).await;
        let (held, left) = (50, 50);
        assert_eq!(refused, Err(StoreError::OwnerFull { held, left }));
        for n in 0..25 {
            assert_eq!(store.create(&other, &new(n), None).await, Ok(1), "{n}");
        }
        let refused = store.create(&other, &new(25), None).await;
        let (held, left) = (25, 25);
        assert_eq!(refused, Err(StoreError::OwnerFull { held, left }));
        let change = TaskChange {
            expected: 1,
            ..task("0", TaskState::Completed)
        };
        store.append(&greedy, &change).await.expect("it is over");
        let made = store.create(&other, &new(25), None).await;
        assert_eq!(made, Ok(1), "what is over takes no room");
        let over = task("over", TaskState::Completed);
        let made = store.create(&greedy, &over, None).await;
        assert_eq!(made, Ok(1), "nor what is over at once");
    }

    #[tokio::test]
    async fn who_has_much_makes_room_before_others_do() {
        let store = MemoryTaskStore::with_tasks(8);
        let [greedy, other, third, _] = others();
        let over = |n: usize| task(&n.to_string(), TaskState::Completed);
        for (owner, n) in [(&other, 0), (&third, 0)] {
            store.create(owner, &over(n), None).await.expect("room");
        }
        for n in 0..100 {
            store.create(&greedy, &over(n), None).await.expect("room");
        }
        assert!(store.get(&other, "0").await.expect("answers").is_some());
        let gone = store.get(&greedy, "93").await.expect("answers");
        assert_eq!(gone, None, "its own");
        // Others get the room that it has, too.
        store.create(&other, &over(1), None).await.expect("room");
        for (owner, id, there) in [
            (&third, "0", true),
            (&other, "0", true),
            (&greedy, "94", false),
        ] {
            let found = store.get(owner, id).await.expect("answers");
            assert_eq!(found.is_some(), there, "{id}");
        }
        let inner = store.lock();
        assert_eq!(
            (inner.tasks, inner.over.len()),
            (8, 8),
            "nothing stays of the rest"
        );
    }

    #[tokio::test]
    async fn events_are_dropped_a_day_after_the_end() {
        let store = MemoryTaskStore::default();
        let mut over = task("a", TaskState::Completed);
        over.events = vec![Arc::new(StreamResponse::Task(Task::clone(
            &over.task.whole(),
        )))];
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
        let event = Arc::new(StreamResponse::Task(Task::clone(&new.task.whole())));
        new.events = vec![event; MAX_EVENTS + 1];
        store.create(&owner(), &new, None).await.expect("room");
        let events = store.events(&owner(), "a", 0, usize::MAX).await;
        let events = events.expect("the task is there");
        assert_eq!(events.len(), MAX_EVENTS);
        assert_eq!(events[0].number, 2, "the first made room");
    }

    #[tokio::test]
    async fn of_one_task_so_many_bytes_of_events_are_kept() {
        let store = MemoryTaskStore::default();
        let said = crate::a2a::Message::agent(crate::a2a::Part::text("x".repeat(1 << 20)));
        let event = Arc::new(StreamResponse::Message(said));
        let mut change = task("a", TaskState::Working);
        store.create(&owner(), &change, None).await.expect("room");
        let most = (MAX_EVENT_BYTES >> 20) as u64;
        for version in 1..most + 10 {
            change.expected = version;
            change.events = vec![Arc::clone(&event)];
            store.append(&owner(), &change).await.expect("kept");
        }
        let events = store.events(&owner(), "a", 0, usize::MAX).await;
        let events = events.expect("the task is there");
        assert_eq!(
            events.len() as u64,
            most - 1,
            "and a little for what is around them"
        );
        let last = events.last().map(|event| event.number);
        assert_eq!(last, Some(most + 10), "the newest");
    }
}

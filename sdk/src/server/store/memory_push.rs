//! Push configurations in this process's memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::push_config_store::named;
use super::{Lease, PushConfigStore, PushDelivery, StoreError};
use crate::a2a::TaskPushNotificationConfig;
use crate::clock::UnixTime;
use crate::policy::Owner;

/// Push configurations in this process's memory, gone with it.
///
/// Bounded: when it is full, the one that had nothing to deliver for the longest time makes room.
///
/// ```
/// use std::sync::Arc;
/// use countersign::server::store::{MemoryPushConfigStore, PushConfigStore};
///
/// let store: Arc<dyn PushConfigStore> = Arc::new(MemoryPushConfigStore::with_configs(100_000));
/// ```
#[derive(Debug)]
pub struct MemoryPushConfigStore {
    max_configs: usize,
    inner: Mutex<Inner>,
}

impl MemoryPushConfigStore {
    /// A store for at most `max` configurations.
    pub fn with_configs(max: usize) -> Self {
        Self {
            max_configs: max,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No method leaves the tables half changed, whatever panicked while it held the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryPushConfigStore {
    /// Room for 10,000 configurations.
    fn default() -> Self {
        Self::with_configs(10_000)
    }
}

/// Owner, task and ID: in this order those of a task lie side by side.
type Name = (Owner, String, String);

#[derive(Debug, Default)]
struct Inner {
    configs: BTreeMap<Name, Kept>,
    /// Those that are to be taken at some time: when, then who came first.
    queue: BTreeSet<(UnixTime, u64, Name)>,
    /// Those that wait for an event, the one that waits longest first.
    idle: BTreeSet<(u64, Name)>,
    /// Counts the changes of any of them.
    count: u64,
}

#[derive(Debug)]
struct Kept {
    config: TaskPushNotificationConfig,
    delivered: u64,
    attempts: u32,
    standing: Standing,
    /// The count when it came to stand there.
    since: u64,
}

#[derive(Clone, Copy, Debug)]
enum Standing {
    /// Until its task has an event.
    Idle,
    /// Until this time.
    Due(UnixTime),
    /// Somebody delivers, until this time; whether there was an event since.
    Held { until: UnixTime, woken: bool },
}

/// A time that has come, whatever time it is.
const AT_ONCE: UnixTime = UnixTime::from_secs(0);

impl Standing {
    /// When it can be taken.
    fn takeable(self) -> Option<UnixTime> {
        match self {
            Self::Idle => None,
            Self::Due(at) => Some(at),
            Self::Held { until, .. } => Some(UnixTime::from_secs(until.secs().saturating_add(1))),
        }
    }
}

impl Inner {
    /// Lets the configuration stand there; gives the count.
    fn stand(&mut self, name: &Name, standing: Standing) -> u64 {
        self.count += 1;
        let count = self.count;
        let Some(kept) = self.configs.get_mut(name) else {
            return count;
        };
        let before = std::mem::replace(&mut kept.standing, standing);
        let since = std::mem::replace(&mut kept.since, count);
        self.strike(name, before, since);
        match standing.takeable() {
            Some(at) => self.queue.insert((at, count, name.clone())),
            None => self.idle.insert((count, name.clone())),
        };
        count
    }

    /// Takes it out of the order that it was in.
    fn strike(&mut self, name: &Name, standing: Standing, since: u64) {
        match standing.takeable() {
            Some(at) => self.queue.remove(&(at, since, name.clone())),
            None => self.idle.remove(&(since, name.clone())),
        };
    }

    fn remove(&mut self, name: &Name) {
        if let Some(kept) = self.configs.remove(name) {
            self.strike(name, kept.standing, kept.since);
        }
    }

    fn make_room(&mut self) -> bool {
        let Some((_, name)) = self.idle.first().cloned() else {
            return false;
        };
        self.remove(&name);
        true
    }

    /// Lets those that wait for an event be due at `now`.
    fn wake(&mut self, names: Vec<Name>, now: UnixTime) {
        for name in names {
            match self.configs.get_mut(&name).map(|kept| &mut kept.standing) {
                Some(Standing::Idle) => {
                    self.stand(&name, Standing::Due(now));
                }
                Some(Standing::Held { woken, .. }) => *woken = true,
                Some(Standing::Due(_)) | None => {}
            }
        }
    }

    /// Those of a task with IDs above `after`, by ID.
    fn of_task(
        &self,
        owner: &Owner,
        task_id: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&Name, &Kept)> {
        let name = |id: &str| (owner.clone(), task_id.to_owned(), id.to_owned());
        let first = match after {
            Some(after) => Bound::Excluded(name(after)),
            None => Bound::Included(name("")),
        };
        let of = name("");
        let all = self.configs.range((first, Bound::Unbounded));
        all.take_while(move |(name, _)| name.0 == of.0 && name.1 == of.1)
    }
}

#[async_trait]
impl PushConfigStore for MemoryPushConfigStore {
    fn outlives_process(&self) -> Option<bool> {
        Some(false)
    }

    async fn set(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), StoreError> {
        let (task, id) = named(config)?;
        let name = (owner.clone(), task.to_owned(), id.to_owned());
        let inner = &mut *self.lock();
        inner.remove(&name);
        if inner.configs.len() >= self.max_configs && !inner.make_room() {
            let max = self.max_configs;
            return Err(StoreError::Full { max });
        }
        let kept = Kept {
            config: config.clone(),
            delivered: from,
            attempts: 0,
            standing: Standing::Idle,
            since: 0,
        };
        inner.configs.insert(name.clone(), kept);
        inner.stand(&name, Standing::Due(AT_ONCE));
        Ok(())
    }

    async fn get(
        &self,
        owner: &Owner,
        task_id: &str,
        id: &str,
    ) -> Result<Option<TaskPushNotificationConfig>, StoreError> {
        let name = (owner.clone(), task_id.to_owned(), id.to_owned());
        let inner = self.lock();
        Ok(inner.configs.get(&name).map(|kept| kept.config.clone()))
    }

    async fn list(
        &self,
        owner: &Owner,
        task_id: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TaskPushNotificationConfig>, StoreError> {
        let inner = self.lock();
        let configs = inner.of_task(owner, task_id, after);
        let configs = configs.map(|(_, kept)| kept.config.clone());
        Ok(configs.take(limit).collect())
    }

    async fn delete(&self, owner: &Owner, task_id: &str, id: &str) -> Result<(), StoreError> {
        let name = (owner.clone(), task_id.to_owned(), id.to_owned());
        self.lock().remove(&name);
        Ok(())
    }

    async fn wake(&self, owner: &Owner, task_id: &str, now: UnixTime) -> Result<(), StoreError> {
        let inner = &mut *self.lock();
        let of_task = inner.of_task(owner, task_id, None);
        let names = of_task.map(|(name, _)| name.clone()).collect();
        inner.wake(names, now);
        Ok(())
    }

    async fn wake_all(&self, now: UnixTime) -> Result<(), StoreError> {
        let inner = &mut *self.lock();
        let names = inner.configs.keys().cloned().collect();
        inner.wake(names, now);
        Ok(())
    }

    async fn take_due(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<PushDelivery>, StoreError> {
        let inner = &mut *self.lock();
        let due = inner.queue.iter().take_while(|(at, _, _)| *at <= now);
        let due: Vec<Name> = due.take(limit).map(|(_, _, name)| name.clone()).collect();
        let mut deliveries = Vec::with_capacity(due.len());
        for name in due {
            let held = Standing::Held {
                until: lease.until,
                woken: false,
            };
            let taken = inner.stand(&name, held);
            if let Some(kept) = inner.configs.get(&name) {
                deliveries.push(PushDelivery {
                    owner: name.0,
                    config: kept.config.clone(),
                    delivered: kept.delivered,
                    attempts: kept.attempts,
                    taken,
                });
            }
        }
        Ok(deliveries)
    }

    async fn give_back(
        &self,
        _lease: &Lease,
        delivery: &PushDelivery,
        next: Option<UnixTime>,
    ) -> Result<(), StoreError> {
        let (task, id) = named(&delivery.config)?;
        let name = (delivery.owner.clone(), task.to_owned(), id.to_owned());
        let inner = &mut *self.lock();
        let Some(kept) = inner.configs.get_mut(&name) else {
            return Ok(());
        };
        let Standing::Held { woken, .. } = kept.standing else {
            return Ok(());
        };
        if kept.since != delivery.taken {
            return Ok(());
        }
        kept.delivered = delivery.delivered;
        kept.attempts = delivery.attempts;
        let standing = match next {
            Some(at) => Standing::Due(at),
            None if woken => Standing::Due(AT_ONCE),
            None => Standing::Idle,
        };
        inner.stand(&name, standing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance;
    use super::*;
    use crate::delegation::testing::delegated;

    #[tokio::test]
    async fn the_memory_store_keeps_the_promises() {
        conformance::check_push_configs(async || MemoryPushConfigStore::default()).await;
    }

    #[tokio::test]
    async fn a_full_store_drops_the_one_that_is_idle_for_longest_and_else_refuses() {
        let owner = Owner::of(&delegated("work"));
        let store = MemoryPushConfigStore::with_configs(2);
        let config = |id: &str| TaskPushNotificationConfig {
            id: Some(id.to_owned()),
            task_id: Some("t".to_owned()),
            ..TaskPushNotificationConfig::default()
        };
        for id in ["a", "b"] {
            store.set(&owner, &config(id), 0).await.expect("room");
        }
        let refused = store.set(&owner, &config("c"), 0).await;
        assert_eq!(refused, Err(StoreError::Full { max: 2 }), "both are due");
        let now = UnixTime::from_secs(1);
        let lease = Lease {
            instance: "one".to_owned(),
            until: now,
        };
        let due = store.take_due(&lease, now, 9).await.expect("answers");
        for delivery in due.iter().rev() {
            let told = store.give_back(&lease, delivery, None).await;
            assert_eq!(told, Ok(()));
        }
        store
            .set(&owner, &config("a"), 0)
            .await
            .expect("it is there");
        store
            .set(&owner, &config("c"), 0)
            .await
            .expect("b makes room");
        assert_eq!(store.get(&owner, "t", "b").await, Ok(None));
        assert!(
            store
                .get(&owner, "t", "a")
                .await
                .expect("answers")
                .is_some()
        );
    }
}

//! Taking changes to the store, and to subscribers only after it has them.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Engine;
use super::feed::{Feed, numbered};
use super::live::{Batch, Live};
use super::wording::{elsewhere, unavailable};
use crate::policy::Owner;
use crate::server::store::{StoreError, StoredEvent, StoredTask, TaskChange};

/// Pause before the first new attempt at a store that does not answer; doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How many events are read from the store at once.
const PAGE: usize = 256;

/// What became of an attempt to write.
enum Written {
    /// The store is at this version; whether it says that we work on the task.
    Yes { version: u64, leased: bool },
    /// Somebody else was first.
    Conflict,
}

impl Engine {
    /// Writes what is pending, all that there is by then at once, until there is nothing more.
    ///
    /// It must not be dropped half-way: a request that may be is to spawn it.
    pub(super) async fn flush(&self, live: &Live) {
        // Most often there is nobody else.
        let _alone = live.writer.lock().await;
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        let mut next = live.batch(self.parts.clock.now());
        while let Some(batch) = next {
            match self.write(live, &batch).await {
                Ok(Written::Yes { version, leased }) => {
                    live.wrote(&batch, version, leased);
                    self.tell(live.owner(), &batch.change, version).await;
                    (pause, tries) = (FIRST_PAUSE, 0);
                }
                Ok(Written::Conflict) => {
                    if let Err(error) = self.reload(live, Some(&batch)).await {
                        self.give_up(live, &error);
                    }
                }
                // It may be kept or not: the same is tried again, and a conflict with itself found.
                Err(StoreError::Unavailable { what }) if tries < max_tries(&batch) => {
                    tracing::warn!(task = live.id(), "the task store is unavailable: {what}");
                    tokio::time::sleep(pause).await;
                    (pause, tries) = (LAST_PAUSE.min(pause * 2), tries + 1);
                    next = (!live.is_lost()).then_some(batch);
                    continue;
                }
                Err(error) => self.give_up(live, &error),
            }
            next = live.batch(self.parts.clock.now());
        }
        live.all_written();
    }

    fn give_up(&self, live: &Live, error: &StoreError) {
        let error = unavailable(error);
        if let Some(feed) = self.feeds.get(live.id()) {
            feed.end(error.clone());
        }
        live.lose(error);
    }

    async fn write(&self, live: &Live, batch: &Batch) -> Result<Written, StoreError> {
        let (owner, change) = (live.owner(), &batch.change);
        let lease = batch.goes_on.then(|| self.lease());
        let leased = lease.is_some() && change.expected == 0;
        if leased {
            // Before the outcome is known, so that it is given back in any case.
            live.leased();
        }
        let written = if change.expected == 0 {
            self.store().create(owner, change, lease.as_ref()).await
        } else {
            self.store().append(owner, change).await
        };
        match written {
            Ok(version) => Ok(Written::Yes { version, leased }),
            Err(StoreError::Conflict { .. } | StoreError::Exists) => Ok(Written::Conflict),
            Err(error) => Err(error),
        }
    }

    /// Tells subscribers and receivers of pushes what the store has now.
    pub(super) async fn tell(&self, owner: &Owner, change: &TaskChange, version: u64) {
        let id = change.task.id();
        if let Some(feed) = self.feeds.get(id) {
            let events = numbered(change.expected, &change.events);
            if !feed.publish(change.expected, &events, version) {
                self.catch_up(&feed).await;
            }
        }
        if let Some(push) = &self.parts.push
            && !change.events.is_empty()
        {
            push.wake(owner, id).await;
        }
    }

    /// Takes in what somebody else, or an attempt of our own that seemed to fail, changed.
    async fn reload(&self, live: &Live, tried: Option<&Batch>) -> Result<(), StoreError> {
        let (owner, id) = (live.owner(), live.id());
        let stored = self.store().get(owner, id).await?;
        let stored = stored.ok_or(StoreError::NotFound)?;
        if let Some(batch) = tried.filter(|batch| is_ours(batch, &stored)) {
            live.wrote(batch, stored.version, live.is_leased());
        } else {
            let over = stored.task.status.state.is_terminal();
            if !over && live.is_leased() {
                let now = self.parts.clock.now();
                if !self.store().acquire(owner, id, &self.lease(), now).await? {
                    live.lose(elsewhere());
                    return Ok(());
                }
            }
            live.rebase(stored, self.parts.clock.now());
        }
        if let Some(feed) = self.feeds.get(id) {
            self.catch_up(&feed).await;
        }
        Ok(())
    }

    /// Somebody may have changed a task that we work on.
    pub(super) async fn sync(&self, live: &Live, version: u64) {
        let news = |live: &Live| {
            let kept = live.kept();
            let older = kept.is_some_and(|kept| version == 0 || kept.version < version);
            older && !live.is_lost()
        };
        if !news(live) {
            return;
        }
        {
            let _alone = live.writer.lock().await;
            // What we wrote ourselves is known by now.
            if !news(live) {
                return;
            }
            match self.store().get(live.owner(), live.id()).await {
                Ok(Some(stored)) if live.kept().is_some_and(|k| k.version == stored.version) => {}
                Ok(Some(_)) => {
                    if let Err(error) = self.reload(live, None).await {
                        tracing::warn!(task = live.id(), reason = error.reason(), "not reloaded");
                    }
                }
                Ok(None) => self.give_up(live, &StoreError::NotFound),
                Err(error) => {
                    tracing::warn!(task = live.id(), reason = error.reason(), "not reloaded");
                }
            }
        }
        self.flush(live).await;
    }

    /// Shows what the store has and the feed has not.
    pub(super) async fn catch_up(&self, feed: &Arc<Feed>) {
        let Some(mut known) = feed.version() else {
            return;
        };
        loop {
            let read = self.store().events(feed.owner(), feed.id(), known, PAGE);
            let events: Vec<StoredEvent> = match read.await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(task = feed.id(), reason = error.reason(), "events not read");
                    return;
                }
            };
            let Some(last) = events.last().map(|event| event.number) else {
                return;
            };
            feed.publish(known, &events, last);
            known = last;
        }
    }
}

/// A task that is kept is written until its lease is lost; a caller of a new one gets its error soon.
fn max_tries(batch: &Batch) -> u32 {
    if batch.change.expected > 0 {
        u32::MAX
    } else {
        2
    }
}

/// Whether the store has just what this batch makes of the task.
fn is_ours(batch: &Batch, stored: &StoredTask) -> bool {
    batch.change.version() == stored.version && *batch.change.task.whole() == *stored.task
}

//! What the executor and the client make of a task.

use std::sync::{Arc, MutexGuard};

use super::state::{Inner, Live};
use crate::a2a::{A2aError, Message, StreamResponse, TaskState, Timestamp};
use crate::clock::Clock;
use crate::policy::Owner;
use crate::server::store::{Change, StoredTask, TaskSnapshot};
use crate::server::task::context::{Ask, Deadlines, FollowUp};
use crate::server::task::follow::still_waits;
use crate::server::task::wording::{failed, status_event, timestamp};

/// How many messages may wait until the executor has heard them.
const MAX_UNHEARD: usize = 16;

/// A message that was given to an executor.
#[derive(Debug)]
pub(in crate::server::task) struct Offered {
    /// The number of that change.
    pub(in crate::server::task) ticket: u64,
    /// The version the task had before.
    pub(in crate::server::task) from: u64,
    /// The task with the message.
    pub(in crate::server::task) task: TaskSnapshot,
}

/// How an executor ended.
#[derive(Debug)]
pub(in crate::server::task) enum Ended {
    /// By itself.
    Returned(Result<(), A2aError>),
    Panicked,
    /// It did not heed that the task is over, or the task is no longer ours.
    Dropped,
}

impl Live {
    /// The executor's answer when it makes no task of the request. Gives `false` when the task was
    /// made known before, or an answer given.
    pub(in crate::server::task) fn reply(&self, message: Message, now: Timestamp) -> bool {
        let mut inner = self.lock();
        if inner.begun || inner.answer.is_some() || inner.is_closed() {
            return false;
        }
        // It waited before it answered: then it is in the store, and over with its answer.
        if inner.must_exist {
            let word = Some(message.clone());
            let event = status_event(&inner.task, TaskState::Completed, word, now);
            if let Err(full) = self.push(&mut inner, Change::Event(event)) {
                self.overflow(inner, full, now);
                return false;
            }
        }
        inner.answer = Some(message);
        drop(inner);
        self.driver.wake();
        true
    }

    /// Adds what streams show; gives `false` when the task is over already, or by this event, which
    /// has no room in it. The event is made of the task as it stands.
    pub(in crate::server::task) fn event(
        &self,
        clock: &dyn Clock,
        make: impl FnOnce(&TaskSnapshot) -> Arc<StreamResponse>,
    ) -> bool {
        let mut inner = self.lock();
        if inner.answer.is_some() || inner.is_closed() {
            return false;
        }
        inner.begun = true;
        let event = make(&inner.task);
        if let Err(full) = self.push(&mut inner, Change::Event(event)) {
            self.overflow(inner, full, timestamp(clock));
            return false;
        }
        let over = inner.task.state().is_terminal();
        drop(inner);
        self.driver.wake();
        if over {
            self.follow_ups.notify_waiters();
        }
        true
    }

    /// The executor made more than a task may hold: what it made before stays, and the task fails.
    fn overflow(&self, mut inner: MutexGuard<'_, Inner>, full: A2aError, now: Timestamp) {
        tracing::warn!(task = self.id(), "a task is full and fails: {full}");
        inner.fail(full, now);
        drop(inner);
        self.stop_executor();
    }

    /// The executor ended. Gives the message that it is called with again, if one came meanwhile.
    pub(in crate::server::task) fn ended(&self, how: Ended, now: Timestamp) -> Option<FollowUp> {
        let mut inner = self.lock();
        inner.listening = false;
        inner.running = false;
        if inner.is_closed() || inner.answer.is_some() {
            return None;
        }
        let error = match how {
            Ended::Returned(Ok(())) => {
                // One that came without its caller is taken up by the instance it came to.
                while let Some(next) = inner.inbox.pop_front() {
                    if next.is_ours() {
                        inner.settled = false;
                        inner.running = true;
                        return Some(next);
                    }
                    inner.unheard = still_waits(&inner.task.whole(), next.message());
                }
                if inner.settled {
                    if inner.unheard {
                        inner.push(Change::Unheard);
                    }
                    return None;
                }
                failed("The agent ended without an answer")
            }
            Ended::Returned(Err(error)) => error,
            Ended::Panicked | Ended::Dropped => failed("The agent failed"),
        };
        inner.fail(error, now);
        None
    }

    /// The executor waits for something: from now on the task is kept, and it can be given messages.
    /// Says whether there is something to write.
    pub(in crate::server::task) fn paused(&self) -> bool {
        let mut inner = self.lock();
        if inner.answer.is_none() {
            inner.must_exist = true;
            inner.listening = true;
        }
        inner.has_work()
    }

    /// Ends the task for a reason of its own; gives `false` when it is over already.
    pub(in crate::server::task) fn fail(&self, error: A2aError, now: Timestamp) -> bool {
        let mut inner = self.lock();
        if inner.is_closed() {
            return false;
        }
        inner.fail(error, now);
        drop(inner);
        self.stop_executor();
        true
    }

    /// Waits until every change so far is kept; gives `false` when that will not be.
    pub(in crate::server::task) async fn flushed(&self) -> bool {
        let made = {
            let inner = self.lock();
            inner.made
        };
        let mut progress = self.progress();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = progress.wait_for(|p| p.kept >= made || p.closed).await;
        progress.borrow().kept >= made
    }

    /// Begins with the task as the store has it.
    pub(in crate::server::task) fn start_from(&self, stored: StoredTask) {
        let mut inner = self.lock();
        let known = inner.kept.as_ref();
        if known.is_some_and(|known| known.version >= stored.version) {
            return;
        }
        inner.start_from(stored.into());
    }

    /// Whether the executor waits for the client, who may take any time.
    pub(in crate::server::task) fn is_waiting(&self) -> bool {
        let inner = self.lock();
        // One that has heard a message is at work on it, though it has not said so yet.
        let asked = inner.settled && inner.inbox.is_empty() && inner.pending.is_empty();
        asked && inner.listening && inner.task.state().is_interrupted()
    }

    /// The store is to have it before anything happens in it.
    pub(in crate::server::task) fn must_exist(&self) {
        self.lock().must_exist = true;
    }

    /// Whether its executor is done, so that it will soon be this instance's no longer.
    pub(in crate::server::task) fn is_leaving(&self) -> bool {
        let inner = self.lock();
        inner.lost || !inner.running
    }

    /// The executor gets a message.
    pub(in crate::server::task) fn begin_round(&self, deadlines: Deadlines) {
        self.lock().deadlines = deadlines;
    }

    /// The executor works for this one of the callers that share the task.
    pub(in crate::server::task) fn works_for(&self, caller: Option<Owner>) {
        self.lock().works_for = caller;
    }

    /// The client's message becomes part of the task.
    pub(in crate::server::task) fn said(&self, message: Message) {
        self.lock().push(Change::Said(message));
    }

    /// Whether a message that came so would be taken at this moment.
    pub(in crate::server::task) fn hears(&self, ask: &Ask) -> bool {
        self.lock().asked(|| ask.said_by()).is_some()
    }

    /// Gives a message to the executor that waits for it, or the message back when nobody waits.
    pub(in crate::server::task) fn offer(
        &self,
        message: FollowUp,
    ) -> Result<Offered, Box<FollowUp>> {
        let mut inner = self.lock();
        let Some(from) = inner.asked(|| message.said_by()) else {
            return Err(Box::new(message));
        };
        // Others may have come since there was room for it.
        let said = Change::Said(message.message().clone());
        if self.push(&mut inner, said).is_err() {
            return Err(Box::new(message));
        }
        inner.inbox.push_back(message);
        let offered = Offered {
            ticket: inner.made,
            from,
            task: inner.task.clone(),
        };
        drop(inner);
        self.follow_ups.notify_waiters();
        self.driver.wake();
        Ok(offered)
    }

    /// The next message of the client; `None` when the task is over.
    pub(in crate::server::task) async fn next_message(&self) -> Option<FollowUp> {
        loop {
            // Made before the look, so that what comes between is not missed.
            let came = self.follow_ups.notified();
            {
                let mut inner = self.lock();
                if inner.is_closed() {
                    return None;
                }
                if let Some(next) = inner.inbox.pop_front() {
                    inner.settled = false;
                    inner.deadlines = next.deadlines();
                    drop(inner);
                    // It may not be the driver that runs here.
                    self.driver.wake();
                    return Some(next);
                }
            }
            came.await;
        }
    }

    /// The client cancels; gives the number of that change, or `None` when the task is over already.
    pub(in crate::server::task) fn cancel(&self, now: Timestamp) -> Option<u64> {
        let mut inner = self.lock();
        if inner.is_closed() || inner.answer.is_some() {
            return None;
        }
        inner.begun = true;
        let event = status_event(&inner.task, TaskState::Canceled, None, now);
        inner.push(Change::Event(event));
        let ticket = inner.made;
        drop(inner);
        self.stop_executor();
        Some(ticket)
    }

    pub(super) fn stop_executor(&self) {
        self.cancelled.send_replace(true);
        self.follow_ups.notify_waiters();
        self.driver.wake();
    }
}

impl Inner {
    /// The version at which the executor asked for a message, if it can be given one of this caller.
    fn asked(&self, said_by: impl FnOnce() -> Option<Owner>) -> Option<u64> {
        // What one caller says must not be done with the authority of another.
        if self.works_for.is_some() && self.works_for != said_by() {
            return None;
        }
        if !self.listening || self.is_closed() || self.inbox.len() >= MAX_UNHEARD {
            return None;
        }
        // Only what the client can know is waited for.
        let unseen = self.pending.iter().any(|change| change.event().is_some());
        let kept = self.kept.as_ref().filter(|_| !unseen)?;
        kept.task.state().is_interrupted().then_some(kept.version)
    }
}

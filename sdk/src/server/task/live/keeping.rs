//! How much of a task the store has, and what others changed there.

use super::state::{Kept, Live};
use crate::a2a::{A2aError, Role, Task};
use crate::clock::UnixTime;
use crate::server::store::{Change, StoredTask, TaskChange};
use crate::server::task::begin::deadline_of;
use crate::server::task::context::{Deadlines, FinishBy, FollowUp};
use crate::server::task::progress::{Outcome, Progress};

/// What is to be written next.
#[derive(Debug)]
pub(in crate::server::task) struct Batch {
    pub(in crate::server::task) change: TaskChange,
    /// How many pending changes are in it.
    count: usize,
    /// The number of the last.
    last: u64,
    /// Whether the executor goes on after it.
    pub(in crate::server::task) goes_on: bool,
}

impl Live {
    /// What is to be written next, if anything is.
    pub(in crate::server::task) fn batch(&self, now: UnixTime) -> Option<Batch> {
        let inner = self.lock();
        if !inner.has_work() {
            return None;
        }
        let events = inner.pending.iter().filter_map(Change::event);
        let over = inner.task.state().is_terminal();
        Some(Batch {
            change: TaskChange {
                expected: inner.kept.as_ref().map_or(0, |kept| kept.version),
                task: inner.task.clone(),
                events: events.cloned().collect(),
                work_from: inner.work_from(now),
            },
            count: inner.pending.len(),
            last: inner.made,
            goes_on: inner.running && !over,
        })
    }

    /// The store has `batch` now.
    pub(in crate::server::task) fn wrote(&self, batch: &Batch, version: u64, leased: bool) {
        let mut inner = self.lock();
        inner.pending.drain(..batch.count);
        let task = batch.change.task.clone();
        inner.leased = (inner.leased || leased) && !task.state().is_terminal();
        inner.kept = Some(Kept { task, version });
        let (settled, begun) = (inner.settled_at, inner.begun);
        drop(inner);
        self.progress.send_if_modified(|progress| {
            progress.kept = batch.last;
            if settled <= batch.last {
                progress.settled = settled;
            }
            if begun && progress.outcome == Outcome::Open {
                progress.outcome = Outcome::Task;
            }
            true
        });
    }

    /// Says that everything there is was written, so that an answer without a task may be given.
    pub(in crate::server::task) fn all_written(&self) {
        let inner = self.lock();
        let alone = !inner.begun && (inner.answer.is_some() || inner.error.is_some());
        drop(inner);
        if alone {
            let alone = |progress: &mut Progress| {
                let open = progress.outcome == Outcome::Open;
                progress.outcome = Outcome::Alone;
                open
            };
            self.progress.send_if_modified(alone);
        }
    }

    /// Somebody else changed the task: puts what is pending on top of that. When it is over by that,
    /// what is pending is forgotten and the executor told.
    pub(in crate::server::task) fn rebase(&self, stored: StoredTask, now: UnixTime) {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let over = stored.task.status.state.is_terminal();
        if over {
            inner.pending.clear();
            inner.begun |= inner.answer.is_none();
            // It counts as a change, so that whoever waits is answered.
            inner.made += 1;
            inner.settled_at = inner.made;
            inner.leased = false;
        }
        let known = inner.kept.as_ref();
        let known = known.map_or(0, |kept| kept.task.whole().history.len());
        let said: Vec<FollowUp> = match over {
            true => Vec::new(),
            false => foreign_messages(&stored.task, known, now).collect(),
        };
        inner.start_from(stored.into());
        let heard = !said.is_empty();
        inner.inbox.extend(said);
        let (made, settled, begun) = (inner.made, inner.settled_at, inner.begun);
        drop(guard);
        if heard {
            self.follow_ups.notify_waiters();
        }
        if over {
            self.stop_executor();
            self.progress.send_modify(|progress| {
                progress.kept = made;
                progress.settled = settled;
                if begun && progress.outcome == Outcome::Open {
                    progress.outcome = Outcome::Task;
                }
            });
        }
    }

    /// It is no longer this instance's, or cannot be kept: the executor is dropped, nothing more is
    /// written, and whoever waits gets `error`.
    pub(in crate::server::task) fn lose(&self, error: A2aError) {
        let mut inner = self.lock();
        if inner.lost {
            return;
        }
        inner.lost = true;
        inner.error = Some(error);
        drop(inner);
        self.stop_executor();
        self.close();
    }

    /// It is worked on no longer; says whether its lease is to be given back.
    pub(in crate::server::task) fn left(&self) -> bool {
        let mut inner = self.lock();
        inner.lost = true;
        std::mem::take(&mut inner.leased)
    }

    /// Says that nothing more will come.
    pub(in crate::server::task) fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }
}

/// What another instance added to the history after the first `known` messages.
fn foreign_messages(task: &Task, known: usize, now: UnixTime) -> impl Iterator<Item = FollowUp> {
    let new = task.history.iter().skip(known);
    let said = new.filter(|message| message.role == Role::User);
    said.map(move |message| {
        // It was in time when it was taken; now it may not be any more.
        let work = deadline_of(message, now).unwrap_or_else(|_| Some(FinishBy::passed(now)));
        let deadlines = Deadlines { waits: None, work };
        FollowUp::foreign(message.clone(), deadlines)
    })
}

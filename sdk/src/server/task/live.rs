//! A task that this instance works on: what its executor made of it, and how much of that is kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use tokio::sync::{Notify, watch};

use super::change::{Change, settles};
use super::context::FollowUp;
use super::progress::{Outcome, Progress};
use super::wording::{failed, status_event};
use crate::a2a::{A2aError, Message, Part, Role, StreamResponse, Task, TaskState};
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::store::{StoredTask, TaskChange};

/// One task under way. Whoever changes it writes here; whoever holds `writer` takes it to the store;
/// nobody is shown what is not there yet.
#[derive(Debug)]
pub(super) struct Live {
    owner: Owner,
    id: String,
    inner: Mutex<Inner>,
    progress: watch::Sender<Progress>,
    cancelled: watch::Sender<bool>,
    follow_ups: Notify,
    driver: AtomicWaker,
    /// One at a time writes to the store.
    pub(super) writer: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    /// With every change applied. Shared with whoever reads it; copied when it changes meanwhile.
    task: Arc<Task>,
    /// Changes that are not kept yet, oldest first.
    pending: Vec<Change>,
    /// How many changes there were so far.
    made: u64,
    /// The last of them after which the task was over or waited for somebody.
    settled_at: u64,
    kept: Option<StoredTask>,
    /// Whether the store must have the task, though nothing happened in it.
    must_exist: bool,
    /// Whether the store says that this instance works on it.
    leased: bool,
    /// Whether it was made known as a task: until then the executor may still answer with a message.
    begun: bool,
    answer: Option<Message>,
    /// Why there is neither an answer nor a task, or why nothing more comes.
    error: Option<A2aError>,
    /// Whether the executor said something that settles since it got its last message.
    settled: bool,
    /// Whether the executor is not done yet.
    running: bool,
    /// Whether it waits and can be given a message.
    listening: bool,
    inbox: VecDeque<FollowUp>,
    /// Whether it is no longer this instance's: nothing is written any more.
    lost: bool,
}

/// What is to be written next.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) change: TaskChange,
    /// How many pending changes are in it.
    count: usize,
    /// The number of the last.
    last: u64,
    /// Whether the executor goes on after it.
    pub(super) goes_on: bool,
}

/// A message that was given to an executor.
#[derive(Debug)]
pub(super) struct Offered {
    /// The number of that change.
    pub(super) ticket: u64,
    /// The version the task had before.
    pub(super) from: u64,
    /// The task with the message.
    pub(super) task: Arc<Task>,
}

/// How an executor ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By itself.
    Returned(Result<(), A2aError>),
    Panicked,
    /// It did not heed that the task is over, or the task is no longer ours.
    Dropped,
}

impl Live {
    /// A task that is about to be worked on. One that is `known` to the client already cannot be
    /// answered with a message.
    pub(super) fn new(owner: Owner, task: Arc<Task>, known: bool) -> Self {
        Self {
            owner,
            id: task.id.clone(),
            inner: Mutex::new(Inner {
                task,
                pending: Vec::new(),
                made: 0,
                settled_at: 0,
                kept: None,
                must_exist: known,
                leased: false,
                begun: known,
                answer: None,
                error: None,
                settled: false,
                running: true,
                listening: false,
                inbox: VecDeque::new(),
                lost: false,
            }),
            progress: watch::Sender::new(Progress::default()),
            cancelled: watch::Sender::new(false),
            follow_ups: Notify::new(),
            driver: AtomicWaker::new(),
            writer: tokio::sync::Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds this lock; a poisoned one is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// As the executor sees it.
    pub(super) fn task(&self) -> Arc<Task> {
        self.lock().task.clone()
    }

    /// As everybody else sees it.
    pub(super) fn kept(&self) -> Option<StoredTask> {
        self.lock().kept.clone()
    }

    pub(super) fn error(&self) -> Option<A2aError> {
        self.lock().error.clone()
    }

    pub(super) fn take_answer(&self) -> Option<Message> {
        self.lock().answer.take()
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancelled.subscribe()
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().task.status.state.is_terminal()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lock().lost
    }

    pub(super) fn is_leased(&self) -> bool {
        self.lock().leased
    }

    pub(super) fn leased(&self) {
        self.lock().leased = true;
    }

    /// The driver of this task is woken when there is something to write.
    pub(super) fn register(&self, cx: &Context<'_>) {
        self.driver.register(cx.waker());
    }

    // -- what the executor makes ------------------------------------------------------------------

    /// The executor's answer when it makes no task of the request. Gives `false` when the task was
    /// made known before, or an answer given.
    pub(super) fn reply(&self, message: Message, now: UnixTime) -> bool {
        let mut inner = self.lock();
        if inner.begun || inner.answer.is_some() || inner.is_closed() {
            return false;
        }
        inner.answer = Some(message.clone());
        // It waited before it answered: then it is in the store, and over with its answer.
        if inner.must_exist {
            let event = status_event(&inner.task, TaskState::Completed, Some(message), now);
            inner.push(Change::Event(event));
        }
        drop(inner);
        self.driver.wake();
        true
    }

    /// Adds what streams show; gives `false` when the task is over already. The event is made of
    /// the task as it stands.
    pub(super) fn event(&self, make: impl FnOnce(&Task) -> Arc<StreamResponse>) -> bool {
        let mut inner = self.lock();
        if inner.answer.is_some() || inner.is_closed() {
            return false;
        }
        inner.begun = true;
        let event = make(&inner.task);
        inner.push(Change::Event(event));
        let over = inner.task.status.state.is_terminal();
        drop(inner);
        self.driver.wake();
        if over {
            self.follow_ups.notify_waiters();
        }
        true
    }

    /// The executor ended. Gives the message that it is called with again, if one came meanwhile.
    pub(super) fn ended(&self, how: Ended, now: UnixTime) -> Option<FollowUp> {
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
                }
                if inner.settled {
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
    pub(super) fn paused(&self) -> bool {
        let mut inner = self.lock();
        if inner.answer.is_none() {
            inner.must_exist = true;
            inner.listening = true;
        }
        inner.has_work()
    }

    /// Ends the task for a reason of its own; gives `false` when it is over already.
    pub(super) fn fail(&self, error: A2aError, now: UnixTime) -> bool {
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
    pub(super) async fn flushed(&self) -> bool {
        let made = {
            let inner = self.lock();
            inner.made
        };
        let mut progress = self.progress();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = progress.wait_for(|p| p.kept >= made || p.closed).await;
        progress.borrow().kept >= made
    }

    // -- what the client makes --------------------------------------------------------------------

    /// Begins with the task as the store has it.
    pub(super) fn start_from(&self, stored: StoredTask) {
        let mut inner = self.lock();
        let known = inner.kept.as_ref();
        if known.is_some_and(|known| known.version >= stored.version) {
            return;
        }
        let mut task = stored.task.clone();
        for change in &inner.pending {
            change.apply(Arc::make_mut(&mut task));
        }
        inner.task = task;
        inner.kept = Some(stored);
    }

    /// Whether the executor waits for the client, who may take any time.
    pub(super) fn is_waiting(&self) -> bool {
        let inner = self.lock();
        inner.listening && inner.task.status.state.is_interrupted() && inner.pending.is_empty()
    }

    /// The store is to have it before anything happens in it.
    pub(super) fn must_exist(&self) {
        self.lock().must_exist = true;
    }

    /// Whether its executor is done, so that it will soon be this instance's no longer.
    pub(super) fn is_leaving(&self) -> bool {
        let inner = self.lock();
        inner.lost || !inner.running
    }

    /// The client's message becomes part of the task.
    pub(super) fn said(&self, message: Message) {
        self.lock().push(Change::Said(message));
    }

    /// Gives a message to the executor that waits for it, or the message back when nobody waits.
    pub(super) fn offer(&self, message: FollowUp) -> Result<Offered, Box<FollowUp>> {
        let mut inner = self.lock();
        // Only what the client can know is waited for.
        let asked = inner.kept.as_ref().filter(|kept| {
            let unseen = inner.pending.iter().any(|change| change.event().is_some());
            kept.task.status.state.is_interrupted() && !unseen
        });
        let from = asked.map(|kept| kept.version);
        let Some(from) = from.filter(|_| inner.listening && !inner.is_closed()) else {
            return Err(Box::new(message));
        };
        inner.push(Change::Said(message.message().clone()));
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
    pub(super) async fn next_message(&self) -> Option<FollowUp> {
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
                    return Some(next);
                }
            }
            came.await;
        }
    }

    /// The client cancels; gives the number of that change, or `None` when the task is over already.
    pub(super) fn cancel(&self, now: UnixTime) -> Option<u64> {
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

    fn stop_executor(&self) {
        self.cancelled.send_replace(true);
        self.follow_ups.notify_waiters();
        self.driver.wake();
    }

    // -- what the store has -----------------------------------------------------------------------

    /// What is to be written next, if anything is.
    pub(super) fn batch(&self) -> Option<Batch> {
        let inner = self.lock();
        if !inner.has_work() {
            return None;
        }
        let events = inner.pending.iter().filter_map(Change::event);
        let over = inner.task.status.state.is_terminal();
        Some(Batch {
            change: TaskChange {
                expected: inner.kept.as_ref().map_or(0, |kept| kept.version),
                task: inner.task.clone(),
                events: events.cloned().collect(),
            },
            count: inner.pending.len(),
            last: inner.made,
            goes_on: inner.running && !over,
        })
    }

    /// The store has `batch` now.
    pub(super) fn wrote(&self, batch: &Batch, version: u64, leased: bool) {
        let mut inner = self.lock();
        inner.pending.drain(..batch.count);
        let task = batch.change.task.clone();
        inner.leased = (inner.leased || leased) && !task.status.state.is_terminal();
        inner.kept = Some(StoredTask { task, version });
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
    pub(super) fn all_written(&self) {
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
    pub(super) fn rebase(&self, stored: StoredTask) {
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
        let known = known.map_or(0, |kept| kept.task.history.len());
        let said: Vec<Message> = match over {
            true => Vec::new(),
            false => foreign_messages(&stored.task, known).cloned().collect(),
        };
        let mut task = stored.task.clone();
        for change in &inner.pending {
            change.apply(Arc::make_mut(&mut task));
        }
        inner.task = task;
        inner.kept = Some(stored);
        let heard = !said.is_empty();
        inner.inbox.extend(said.into_iter().map(FollowUp::foreign));
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
    pub(super) fn lose(&self, error: A2aError) {
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
    pub(super) fn left(&self) -> bool {
        let mut inner = self.lock();
        inner.lost = true;
        std::mem::take(&mut inner.leased)
    }

    /// Says that nothing more will come.
    pub(super) fn close(&self) {
        self.progress.send_modify(|progress| progress.closed = true);
    }
}

impl Inner {
    /// Whether nothing can be changed any more.
    fn is_closed(&self) -> bool {
        self.lost || self.task.status.state.is_terminal()
    }

    fn has_work(&self) -> bool {
        if self.lost {
            return false;
        }
        match self.kept {
            None => self.must_exist || self.begun,
            Some(_) => !self.pending.is_empty(),
        }
    }

    fn push(&mut self, change: Change) {
        self.made += 1;
        if change.event().is_some_and(|event| settles(event)) {
            self.settled_at = self.made;
            self.settled = true;
        }
        change.apply(Arc::make_mut(&mut self.task));
        self.pending.push(change);
    }

    /// A task that was begun fails; otherwise `error` is the answer, and what is kept fails too.
    fn fail(&mut self, error: A2aError, now: UnixTime) {
        if self.begun || self.must_exist {
            let word = Message::agent(Part::text(error.message()));
            let word = word.in_task(&self.task.id, &self.task.context_id);
            let event = status_event(&self.task, TaskState::Failed, Some(word), now);
            self.push(Change::Event(event));
        }
        if !self.begun {
            self.error = Some(error);
        }
    }
}

/// What another instance added to the history after the first `known` messages.
fn foreign_messages(task: &Task, known: usize) -> impl Iterator<Item = &Message> {
    let new = task.history.iter().skip(known);
    new.filter(|message| message.role == Role::User)
}

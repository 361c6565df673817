//! What is known of a task that this instance works on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::a2a::{A2aError, Message, Part, Task, TaskState, Timestamp};
use crate::client::RoundDeadline;
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::store::{Change, StoredTask, TaskSnapshot, settles};
use crate::server::task::context::{Deadlines, FollowUp};
use crate::server::task::follow::SEEN_TO;
use crate::server::task::limits::TaskLimits;
use crate::server::task::progress::Progress;
use crate::server::task::wording::status_event;

/// One task under way. Whoever changes it writes here; whoever holds `writer` takes it to the store;
/// nobody is shown what is not there yet.
#[derive(Debug)]
pub(in crate::server::task) struct Live {
    owner: Owner,
    id: String,
    limits: TaskLimits,
    inner: Mutex<Inner>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) cancelled: watch::Sender<bool>,
    pub(super) follow_ups: Notify,
    pub(super) driver: AtomicWaker,
    /// One at a time writes to the store.
    pub(in crate::server::task) writer: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
pub(super) struct Inner {
    /// With every change applied.
    pub(super) task: TaskSnapshot,
    /// Changes that are not kept yet, oldest first.
    pub(super) pending: Vec<Change>,
    /// How many changes there were so far.
    pub(super) made: u64,
    /// The last of them after which the task was over or waited for somebody.
    pub(super) settled_at: u64,
    pub(super) kept: Option<Kept>,
    /// Whether the store must have the task, though nothing happened in it.
    pub(super) must_exist: bool,
    /// Whether the store says that this instance works on it.
    pub(super) leased: bool,
    /// Whether it was made known as a task: until then the executor may still answer with a message.
    pub(super) begun: bool,
    pub(super) answer: Option<Message>,
    /// Why there is neither an answer nor a task, or why nothing more comes.
    pub(super) error: Option<A2aError>,
    /// Whether the executor said something that settles since it got its last message.
    pub(super) settled: bool,
    /// Whether the executor is not done yet.
    pub(super) running: bool,
    /// Whether it waits and can be given a message.
    pub(super) listening: bool,
    pub(super) inbox: VecDeque<FollowUp>,
    /// Those of the last message that the executor got.
    pub(super) deadlines: Deadlines,
    /// Whether the executor returned without having heard what came to another instance, which is to
    /// go on.
    pub(super) unheard: bool,
    /// Where callers share a task: the one for whom the executor works now.
    pub(super) works_for: Option<Owner>,
    /// Whether it is no longer this instance's: nothing is written any more.
    pub(super) lost: bool,
}

/// What the store has.
#[derive(Clone, Debug)]
pub(in crate::server::task) struct Kept {
    pub(in crate::server::task) task: TaskSnapshot,
    pub(in crate::server::task) version: u64,
}

impl From<StoredTask> for Kept {
    fn from(stored: StoredTask) -> Self {
        let StoredTask { task, version } = stored;
        let task = task.into();
        Self { task, version }
    }
}

impl Live {
    /// A task that is about to be worked on. One that is `known` to the client already cannot be
    /// answered with a message.
    pub(in crate::server::task) fn new(
        owner: Owner,
        task: Arc<Task>,
        known: bool,
        limits: TaskLimits,
    ) -> Self {
        Self {
            owner,
            limits,
            id: task.id.clone(),
            inner: Mutex::new(Inner {
                task: task.into(),
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
                deadlines: Deadlines::default(),
                unheard: false,
                works_for: None,
                lost: false,
            }),
            progress: watch::Sender::new(Progress::default()),
            cancelled: watch::Sender::new(false),
            follow_ups: Notify::new(),
            driver: AtomicWaker::new(),
            writer: tokio::sync::Mutex::new(()),
        }
    }

    /// Adds `change`, if there is room for it in the task.
    pub(super) fn push(&self, inner: &mut Inner, change: Change) -> Result<(), A2aError> {
        self.limits.take(&mut inner.task, &change)?;
        inner.push(change);
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds this lock; a poisoned one is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::server::task) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(in crate::server::task) fn id(&self) -> &str {
        &self.id
    }

    /// As the executor sees it.
    pub(in crate::server::task) fn task(&self) -> Arc<Task> {
        self.snapshot().whole()
    }

    /// The same, not put together.
    pub(in crate::server::task) fn snapshot(&self) -> TaskSnapshot {
        self.lock().task.clone()
    }

    /// As everybody else sees it.
    pub(in crate::server::task) fn kept(&self) -> Option<Kept> {
        self.lock().kept.clone()
    }

    pub(in crate::server::task) fn error(&self) -> Option<A2aError> {
        self.lock().error.clone()
    }

    pub(in crate::server::task) fn take_answer(&self) -> Option<Message> {
        self.lock().answer.take()
    }

    pub(in crate::server::task) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(in crate::server::task) fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancelled.subscribe()
    }

    pub(in crate::server::task) fn is_over(&self) -> bool {
        self.lock().task.state().is_terminal()
    }

    /// By when the present round is to be done.
    pub(in crate::server::task) fn deadlines(&self) -> Deadlines {
        self.lock().deadlines
    }

    pub(in crate::server::task) fn is_lost(&self) -> bool {
        self.lock().lost
    }

    pub(in crate::server::task) fn is_leased(&self) -> bool {
        self.lock().leased
    }

    pub(in crate::server::task) fn leased(&self) {
        self.lock().leased = true;
    }

    /// The driver of this task is woken when there is something to write.
    pub(in crate::server::task) fn register(&self, cx: &Context<'_>) {
        self.driver.register(cx.waker());
    }
}

impl RoundDeadline for Live {
    fn deadline(&self) -> Option<Instant> {
        self.deadlines().first().map(Into::into)
    }

    fn finish_by(&self) -> Option<Timestamp> {
        self.deadlines().work.map(|end| end.named)
    }
}

impl Inner {
    /// Whether nothing can be changed any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lost || self.task.state().is_terminal()
    }

    pub(super) fn has_work(&self) -> bool {
        if self.lost {
            return false;
        }
        match self.kept {
            None => self.must_exist || self.begun,
            Some(_) => !self.pending.is_empty(),
        }
    }

    /// Puts what is pending on top of what the store has.
    pub(super) fn start_from(&mut self, kept: Kept) {
        self.task = kept.task.clone();
        for change in &self.pending {
            self.task.apply(change.clone());
        }
        self.kept = Some(kept);
    }

    /// From when on it is to be worked on even while it waits: at once when the client has answered and
    /// the executor said nothing since, later when another instance sees to that.
    pub(super) fn work_from(&self, now: UnixTime) -> Option<UnixTime> {
        if self.unheard {
            return Some(now.plus(SEEN_TO));
        }
        let answered = !self.settled || !self.inbox.is_empty();
        answered.then_some(now)
    }

    pub(super) fn push(&mut self, change: Change) {
        self.made += 1;
        if change.event().is_some_and(|event| settles(event)) {
            self.settled_at = self.made;
            self.settled = true;
        }
        self.task.apply(change.clone());
        self.pending.push(change);
    }

    /// A task that was begun fails; otherwise `error` is the answer, and what is kept fails too.
    pub(super) fn fail(&mut self, error: A2aError, now: Timestamp) {
        if self.begun || self.must_exist {
            let word = Message::agent(Part::text(error.message()));
            let word = word.in_task(self.task.id(), self.task.context_id());
            let event = status_event(&self.task, TaskState::Failed, Some(word), now);
            self.push(Change::Event(event));
        }
        if !self.begun {
            self.error = Some(error);
        }
    }
}

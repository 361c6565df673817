//! A task while its executor runs: one order of events, any number of listeners.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::a2a::{
    A2aError, Artifact, Message, Part, StreamResponse, Struct, Task, TaskArtifactUpdateEvent,
    TaskState, TaskStatus, TaskStatusUpdateEvent,
};
use crate::clock::UnixTime;
use crate::policy::Owner;

/// One exchange with an agent that is under way.
///
/// Events are kept until the exchange ends, so a slow listener loses nothing and stalls nobody.
#[derive(Debug)]
pub(super) struct Live {
    owner: Owner,
    inner: Mutex<Inner>,
    /// How many events there are, and whether there will be more.
    progress: watch::Sender<Progress>,
    cancelled: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    /// Shared with whoever reads it; copied only when it changes while somebody does.
    task: Arc<Task>,
    /// Whether the task was made known: until then the executor may still answer with a message.
    announced: bool,
    /// Whether a message was given instead of a task.
    answered: bool,
    events: Vec<Arc<StreamResponse>>,
    /// Why there is neither an answer nor a task.
    error: Option<A2aError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) events: usize,
    /// The task is terminal or waits for somebody: a blocking call returns now.
    pub(super) settled: bool,
    /// There will be no more events.
    pub(super) closed: bool,
}

impl Live {
    pub(super) fn new(owner: Owner, task: Arc<Task>) -> Self {
        let start = Progress {
            events: 0,
            settled: false,
            closed: false,
        };
        Self {
            owner,
            inner: Mutex::new(Inner {
                task,
                announced: false,
                answered: false,
                events: Vec::new(),
                error: None,
            }),
            progress: watch::Sender::new(start),
            cancelled: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds this lock; a poisoned one is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(super) fn task(&self) -> Arc<Task> {
        self.lock().task.clone()
    }

    pub(super) fn is_announced(&self) -> bool {
        self.lock().announced
    }

    pub(super) fn event(&self, at: usize) -> Option<Arc<StreamResponse>> {
        self.lock().events.get(at).cloned()
    }

    /// Takes the answer out, when it is a message; for the one listener of a unary call.
    pub(super) fn take_answer(&self) -> Option<Message> {
        let mut inner = self.lock();
        if inner.announced || !inner.answered {
            return None;
        }
        let event = inner.events.pop()?;
        drop(inner);
        match Arc::unwrap_or_clone(event) {
            StreamResponse::Message(message) => Some(message),
            StreamResponse::Task(_)
            | StreamResponse::StatusUpdate(_)
            | StreamResponse::ArtifactUpdate(_) => None,
        }
    }

    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(super) fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancelled.subscribe()
    }

    pub(super) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    /// Makes the task known as the first event of the stream; later calls do nothing.
    pub(super) fn announce(&self) {
        let mut inner = self.lock();
        if !inner.announced {
            inner.announced = true;
            let snapshot = StreamResponse::Task(Task::clone(&inner.task));
            self.push(&mut inner, snapshot, false, false);
        }
    }

    /// The executor's answer when it makes no task of the request; the only event then.
    ///
    /// Gives `false` when the task was already announced or an answer was given.
    pub(super) fn reply(&self, message: Message) -> bool {
        let mut inner = self.lock();
        if inner.announced || inner.answered {
            return false;
        }
        inner.answered = true;
        self.push(&mut inner, StreamResponse::Message(message), true, true);
        true
    }

    /// Moves the task to `state`; gives `false` when it is already over.
    pub(super) fn status(&self, state: TaskState, message: Option<Message>, now: UnixTime) -> bool {
        self.announce();
        let mut inner = self.lock();
        if inner.task.status.state.is_terminal() {
            return false;
        }
        let mut status = TaskStatus::new(state, now.into());
        status.message = message;
        Arc::make_mut(&mut inner.task).status = status.clone();
        let update = TaskStatusUpdateEvent {
            task_id: inner.task.id.clone(),
            context_id: inner.task.context_id.clone(),
            status,
            metadata: Struct::new(),
        };
        let settled = state.is_terminal() || state.is_interrupted();
        let event = StreamResponse::StatusUpdate(update);
        self.push(&mut inner, event, settled, state.is_terminal());
        true
    }

    /// Adds an artifact; gives `false` when the task is already over.
    pub(super) fn artifact(&self, artifact: Artifact) -> bool {
        self.announce();
        let mut inner = self.lock();
        if inner.task.status.state.is_terminal() {
            return false;
        }
        let task = Arc::make_mut(&mut inner.task);
        task.artifacts.push(artifact.clone());
        let update = TaskArtifactUpdateEvent {
            task_id: inner.task.id.clone(),
            context_id: inner.task.context_id.clone(),
            artifact,
            append: false,
            last_chunk: true,
            metadata: Struct::new(),
        };
        self.push(
            &mut inner,
            StreamResponse::ArtifactUpdate(update),
            false,
            false,
        );
        true
    }

    pub(super) fn error(&self) -> Option<A2aError> {
        self.lock().error.clone()
    }

    /// Whether there is an answer, or a task that is over or waits for somebody.
    pub(super) fn is_settled(&self) -> bool {
        self.progress.borrow().settled
    }

    /// The executor could not go on: a task that was begun fails, otherwise `error` is the answer.
    pub(super) fn fail(&self, error: A2aError, now: UnixTime) {
        if self.is_announced() {
            let word = Message::agent(Part::text(error.message()));
            let task = self.task();
            let word = word.in_task(&task.id, &task.context_id);
            drop(task);
            self.status(TaskState::Failed, Some(word), now);
        } else {
            self.lock().error = Some(error);
            self.close();
        }
    }

    /// Says that no event will come any more.
    pub(super) fn close(&self) {
        self.progress.send_modify(|p| p.closed = true);
    }

    fn push(&self, inner: &mut Inner, event: StreamResponse, settled: bool, closed: bool) {
        inner.events.push(Arc::new(event));
        let events = inner.events.len();
        self.progress.send_modify(|p| {
            p.events = events;
            p.settled |= settled;
            p.closed |= closed;
        });
    }
}

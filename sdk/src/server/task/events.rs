//! Where an executor puts what happens.

use std::fmt;
use std::sync::Arc;

use super::live::Live;
use super::wording::{status_event, timestamp};
use crate::a2a::{
    Artifact, Message, Part, StreamResponse, Struct, Task, TaskArtifactUpdateEvent, TaskState,
    TaskStatus, TaskStatusUpdateEvent,
};
use crate::card::AuthorizationRequest;
use crate::clock::Clock;

/// Where an executor puts what happens. Cloning is cheap; all clones write to the same task.
///
/// Nothing of it is shown to anybody before it is kept in the task store. What an executor puts in
/// between two waits is kept together.
///
/// What has no room in the task ([`TaskLimits`](super::TaskLimits)) is not kept: the task fails, with
/// a word that names the limit, and all that was put in before stays. That call, and every later one,
/// gives `false`.
#[derive(Clone)]
pub struct EventQueue {
    pub(super) live: Arc<Live>,
    pub(super) clock: Arc<dyn Clock>,
}

impl EventQueue {
    /// Answers with one message and makes no task of the request.
    ///
    /// Gives `false`, and changes nothing, when a task was begun or an answer given before. After the
    /// executor waited for something there is a task in the store; it is completed with this message.
    pub fn reply(&self, answer: impl Into<Part>) -> bool {
        self.reply_with(Message::agent(answer.into()))
    }

    /// Answers with this message; see [`EventQueue::reply`].
    pub fn reply_with(&self, mut message: Message) -> bool {
        message.context_id = Some(self.live.snapshot().context_id().to_owned());
        self.live.reply(message, timestamp(&*self.clock))
    }

    /// Says that work has begun. Gives `false` when the task is already over.
    pub fn working(&self) -> bool {
        self.update(TaskState::Working, None)
    }

    /// Adds a whole artifact. Gives `false` when the task is already over.
    pub fn artifact(&self, artifact: Artifact) -> bool {
        self.artifact_piece(artifact, false, true)
    }

    /// Adds a piece of an artifact. With `append` it goes behind what was sent of the artifact of the
    /// same ID, otherwise it takes its place; `last_chunk` says that no piece follows. Gives `false`
    /// when the task is already over.
    pub fn artifact_piece(&self, artifact: Artifact, append: bool, last_chunk: bool) -> bool {
        self.live.event(&*self.clock, |task| {
            Arc::new(StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
                task_id: task.id().to_owned(),
                context_id: task.context_id().to_owned(),
                artifact,
                append,
                last_chunk,
                metadata: Struct::new(),
            }))
        })
    }

    /// Ends the task with success and, if given, a last word. Gives `false` when it is already over.
    pub fn complete(&self, last_word: Option<Part>) -> bool {
        self.update(TaskState::Completed, last_word)
    }

    /// Ends the task without success. Gives `false` when it is already over.
    pub fn fail(&self, why: impl Into<Part>) -> bool {
        self.update(TaskState::Failed, Some(why.into()))
    }

    /// Says that the agent will not do it. Gives `false` when the task is already over.
    pub fn reject(&self, why: impl Into<Part>) -> bool {
        self.update(TaskState::Rejected, Some(why.into()))
    }

    /// Asks the caller for more; the task waits. Gives `false` when it is already over.
    ///
    /// The answer comes from [`RequestContext::next_message`](super::RequestContext::next_message);
    /// if the executor returns instead, it is called again with it.
    pub fn input_required(&self, question: impl Into<Part>) -> bool {
        self.update(TaskState::InputRequired, Some(question.into()))
    }

    /// Asks for an authorization (A2A §7.6); the task waits. Gives `false` when it is already over.
    ///
    /// The answer is the client's next message, whose
    /// [`admitted`](super::FollowUp::admitted) call was made with a token for those scopes. An agent
    /// that was itself asked by an agent further on passes its request on.
    ///
    /// ```
    /// # use countersign::card::AuthorizationRequest;
    /// # use countersign::server::{EventQueue, RequestContext};
    /// async fn may_pay(ctx: &RequestContext, events: &EventQueue) -> bool {
    ///     let Ok(scopes) = "trip:pay".parse() else { return false };
    ///     events.auth_required(&AuthorizationRequest::new(scopes, "The train costs 80 euros"));
    ///     let answer = ctx.next_message().await;
    ///     let call = answer.as_ref().and_then(|answer| answer.admitted());
    ///     call.is_some_and(|call| call.caller().scopes().contains("trip:pay"))
    /// }
    /// ```
    pub fn auth_required(&self, request: &AuthorizationRequest) -> bool {
        let message = Message::agent(Part::text(request.reason.as_str()));
        self.status(TaskState::AuthRequired, Some(request.write_to(message)))
    }

    /// Moves the task to `state`. Gives `false` when it is already over.
    pub fn update(&self, state: TaskState, word: Option<Part>) -> bool {
        self.status(state, word.map(Message::agent))
    }

    /// Moves the task to `state` with this message. Gives `false` when it is already over.
    pub fn status(&self, state: TaskState, message: Option<Message>) -> bool {
        let now = timestamp(&*self.clock);
        self.live.event(&*self.clock, |task| {
            let message = message.map(|message| message.in_task(task.id(), task.context_id()));
            status_event(task, state, message, now)
        })
    }

    /// The same with free-form members for the event, which streams show and the task does not keep.
    pub fn status_with_metadata(
        &self,
        state: TaskState,
        message: Option<Message>,
        metadata: Struct,
    ) -> bool {
        let mut status = TaskStatus::new(state, timestamp(&*self.clock));
        self.live.event(&*self.clock, |task| {
            status.message = message.map(|message| message.in_task(task.id(), task.context_id()));
            Arc::new(StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
                task_id: task.id().to_owned(),
                context_id: task.context_id().to_owned(),
                status,
                metadata,
            }))
        })
    }

    /// The task with everything that was put in so far. It is put together at each call, so what is
    /// asked for after each piece of a long answer costs more with each.
    pub fn task(&self) -> Arc<Task> {
        self.live.task()
    }

    /// Waits until everything that was put in so far is kept and shown. Gives `false` when it will
    /// not be, because the task is no longer this instance's.
    ///
    /// An executor that makes events faster than the store takes them waits here now and then.
    pub async fn flushed(&self) -> bool {
        self.live.flushed().await
    }
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventQueue({})", self.live.id())
    }
}

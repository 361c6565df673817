//! What an agent does: the trait it implements and what it is given.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::live::Live;
use super::requester::Requester;
use crate::a2a::{A2aError, Artifact, ErrorKind, Message, Part, Task, TaskState};
use crate::audit::Admitted;
use crate::client::{Client, OnBehalfOf};
use crate::clock::Clock;

/// An agent's own code. It is reached only with a [`RequestContext`], which only an admitted call has.
///
/// ```
/// use countersign::a2a::A2aError;
/// use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
///
/// #[derive(Debug)]
/// struct Greeter;
///
/// #[async_trait]
/// impl AgentExecutor for Greeter {
///     async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
///         events.reply(format!("Hello, {}.", ctx.caller()));
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait AgentExecutor: Send + Sync + 'static {
    /// Does what the message asks and puts what happens into `events`.
    ///
    /// # Errors
    /// What it answers with when it cannot; a task that was begun becomes `TASK_STATE_FAILED`.
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError>;

    /// Told when the task is canceled; [`RequestContext::cancelled`] tells a running `execute` the same.
    ///
    /// # Errors
    /// Why the task cannot be canceled; it then goes on.
    async fn cancel(&self, task: &Task) -> Result<(), A2aError> {
        let _ = task;
        Ok(())
    }
}

/// One request that was let in: what is asked, by whom, and a client to call on with.
#[derive(Clone)]
pub struct RequestContext {
    pub(super) requester: Requester,
    pub(super) message: Message,
    pub(super) task: Arc<Task>,
    pub(super) client: Option<Client>,
    pub(super) cancelled: watch::Receiver<bool>,
}

impl RequestContext {
    /// Who calls, for whom and through whom: proved, unless the agent was started behind
    /// [`Agent::danger`](super::Agent::danger).
    pub fn caller(&self) -> &Requester {
        &self.requester
    }

    /// The message: what somebody says, which is never authority.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message's text parts, joined by newlines.
    pub fn text(&self) -> String {
        self.message.text()
    }

    /// The skill that was asked for and permitted, when the request named one.
    pub fn skill(&self) -> Option<&str> {
        self.requester.admitted()?.action().skill.as_deref()
    }

    /// The task as it was when this request came.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The record of this call's admission, with the evidence of every proof.
    ///
    /// # Errors
    /// `Unauthenticated`, when the caller was not proved.
    pub fn admitted(&self) -> Result<&Arc<Admitted>, A2aError> {
        self.requester.admitted().ok_or_else(nobody)
    }

    /// A client whose calls go on for the same person: each exchanges the caller's token for one
    /// bound to this agent, which the executor never sees.
    ///
    /// # Errors
    /// `Unauthenticated`, when the caller was not proved: nothing is done on behalf of nobody.
    pub fn on_behalf_of_caller(&self) -> Result<OnBehalfOf, A2aError> {
        let client = self.client.as_ref().ok_or_else(nobody)?;
        Ok(client.on_behalf_of(self.admitted()?.clone()))
    }

    /// A client whose calls are this agent's own, for nobody else.
    ///
    /// # Errors
    /// `Unauthenticated`, when the agent was started without an identity of its own.
    pub fn on_own_behalf(&self) -> Result<OnBehalfOf, A2aError> {
        self.client
            .as_ref()
            .map(Client::on_own_behalf)
            .ok_or_else(nobody)
    }

    /// Resolves when the task is canceled.
    pub async fn cancelled(&self) {
        let mut cancelled = self.cancelled.clone();
        // An error means that the task is over, so nobody can cancel it any more.
        if cancelled.wait_for(|yes| *yes).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn nobody() -> A2aError {
    let why = "This agent proves no caller and calls on behalf of nobody";
    A2aError::new(ErrorKind::Unauthenticated, why)
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RequestContext({}, task {})",
            self.caller(),
            self.task.id
        )
    }
}

/// Where an executor puts what happens. Cloning is cheap; all clones write to the same task.
#[derive(Clone)]
pub struct EventQueue {
    pub(super) live: Arc<Live>,
    pub(super) clock: Arc<dyn Clock>,
}

impl EventQueue {
    /// Answers with one message and makes no task of the request.
    ///
    /// Gives `false`, and changes nothing, when a task was begun or an answer given before.
    pub fn reply(&self, answer: impl Into<Part>) -> bool {
        let mut message = Message::agent(answer.into());
        message.context_id = Some(self.live.task().context_id.clone());
        self.live.reply(message)
    }

    /// Says that work has begun.
    pub fn working(&self) -> bool {
        self.update(TaskState::Working, None)
    }

    /// Adds an artifact. Gives `false` when the task is already over.
    pub fn artifact(&self, artifact: Artifact) -> bool {
        self.live.artifact(artifact)
    }

    /// Ends the task with success and, if given, a last word. Gives `false` when it is already over.
    pub fn complete(&self, last_word: Option<Part>) -> bool {
        self.update(TaskState::Completed, last_word)
    }

    /// Ends the task without success. Gives `false` when it is already over.
    pub fn fail(&self, why: impl Into<Part>) -> bool {
        self.update(TaskState::Failed, Some(why.into()))
    }

    /// Asks the caller for more; the task waits. Gives `false` when it is already over.
    pub fn input_required(&self, question: impl Into<Part>) -> bool {
        self.update(TaskState::InputRequired, Some(question.into()))
    }

    /// Moves the task to `state`. Gives `false` when it is already over.
    pub fn update(&self, state: TaskState, word: Option<Part>) -> bool {
        let message = word.map(|part| {
            let task = self.live.task();
            Message::agent(part).in_task(&task.id, &task.context_id)
        });
        self.live.status(state, message, self.clock.now())
    }
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventQueue({})", self.live.task().id)
    }
}

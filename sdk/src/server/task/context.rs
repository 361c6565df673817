//! What an executor is given.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::live::Live;
use crate::a2a::{A2aError, ErrorKind, Message, ServiceParameters, Task, Timestamp};
use crate::audit::Admitted;
use crate::client::{Client, OnBehalfOf};
use crate::clock::UnixTime;
use crate::policy::Owner;
use crate::server::Requester;

/// How a message came, besides the message.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) requester: Requester,
    pub(super) parameters: ServiceParameters,
    pub(super) output_modes: Vec<String>,
    pub(super) deadlines: Deadlines,
}

/// By when a round of work is to be done: that of the message that began it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Deadlines {
    /// When the client stops waiting.
    pub(super) waits: Option<Instant>,
    /// When the work is worth nothing any more.
    pub(super) work: Option<FinishBy>,
}

/// When work is worth nothing any more: as this process counts time, and as the message says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FinishBy {
    pub(super) at: Instant,
    pub(super) named: Timestamp,
}

impl FinishBy {
    /// The end of work that should have been done before `now`.
    pub(super) fn passed(now: UnixTime) -> Self {
        Self {
            at: Instant::now(),
            named: now.into(),
        }
    }
}

impl Deadlines {
    /// Whichever is first.
    pub(super) fn first(self) -> Option<Instant> {
        let work = self.work.map(|end| end.at);
        [self.waits, work].into_iter().flatten().min()
    }
}

impl Ask {
    /// The one caller that it came from, whoever else has the task too.
    pub(super) fn said_by(&self) -> Option<Owner> {
        let admitted = self.requester.admitted()?;
        Some(Owner::of(admitted.caller()))
    }
}

/// One request that was let in: what is asked, by whom, and a client to call on with.
#[derive(Clone)]
pub struct RequestContext {
    pub(super) ask: Ask,
    pub(super) message: Message,
    pub(super) task: Arc<Task>,
    pub(super) client: Option<Client>,
    pub(super) live: Arc<Live>,
}

impl RequestContext {
    /// Who calls, for whom and through whom: proved, unless the agent was started behind
    /// [`Agent::danger`](crate::server::Agent::danger).
    pub fn caller(&self) -> &Requester {
        &self.ask.requester
    }

    /// To whom the task belongs.
    pub fn owner(&self) -> &Owner {
        self.live.owner()
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
        self.ask.requester.admitted()?.action().skill.as_deref()
    }

    /// The task as it was when this request came.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The extensions that the client named (`A2A-Extensions`), in its order.
    pub fn extensions(&self) -> &[String] {
        &self.ask.parameters.extensions
    }

    /// The media types that the client takes, in its order; any, when it is empty.
    pub fn accepted_output_modes(&self) -> &[String] {
        &self.ask.output_modes
    }

    /// When the work is worth nothing any more, or the client, which waits, waits no longer:
    /// whichever is first. Calls made within the executor end with it by themselves, and the messages
    /// among them tell their agents by when the work is to be done.
    ///
    /// It is the deadline of the last message that the executor has got: after
    /// [`RequestContext::next_message`] that of the next, and none when that one has none.
    pub fn deadline(&self) -> Option<Instant> {
        self.live.deadlines().first()
    }

    /// The record of this call's admission, with the evidence of every proof.
    ///
    /// # Errors
    /// `Unauthenticated`, when the caller was not proved.
    pub fn admitted(&self) -> Result<&Arc<Admitted>, A2aError> {
        self.ask.requester.admitted().ok_or_else(nobody)
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
        own(self.client.as_ref())
    }

    /// The client's next message to this task, after the executor asked for it with
    /// [`EventQueue::input_required`](super::EventQueue::input_required) or
    /// [`EventQueue::auth_required`](super::EventQueue::auth_required). `None` when the task is over.
    pub async fn next_message(&self) -> Option<FollowUp> {
        self.live.next_message().await
    }

    /// Resolves when the task is canceled or its deadline has passed. An executor that goes on all the
    /// same is dropped 30 seconds later; when the agent stops, or another instance has the task, at
    /// once.
    pub async fn cancelled(&self) {
        cancelled(&self.live).await;
    }
}

/// A message of the client to a task that waits for it.
#[derive(Clone, Debug)]
pub struct FollowUp {
    message: Message,
    ask: Option<Ask>,
    deadlines: Deadlines,
}

impl FollowUp {
    pub(super) fn new(message: Message, ask: Ask) -> Self {
        Self {
            message,
            deadlines: ask.deadlines,
            ask: Some(ask),
        }
    }

    /// A message that came to another instance of this agent, which wrote it into the task.
    pub(super) fn foreign(message: Message, deadlines: Deadlines) -> Self {
        Self {
            message,
            ask: None,
            deadlines,
        }
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        self.deadlines
    }

    /// The caller that it came from, when it came to this instance.
    pub(super) fn said_by(&self) -> Option<Owner> {
        self.ask.as_ref()?.said_by()
    }

    pub(super) fn is_ours(&self) -> bool {
        self.ask.is_some()
    }

    pub(super) fn into_parts(self) -> (Message, Option<Ask>) {
        (self.message, self.ask)
    }

    /// The message: what somebody says, which is never authority.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message's text parts, joined by newlines.
    pub fn text(&self) -> String {
        self.message.text()
    }

    /// When the work on it is worth nothing any more, if it says so. The task fails then.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines.work.map(|end| end.at)
    }

    /// The record of its admission, with the token it was sent with. `None` when it came to another
    /// instance of this agent: tokens are never kept, so they do not come along.
    pub fn admitted(&self) -> Option<&Arc<Admitted>> {
        self.ask.as_ref()?.requester.admitted()
    }
}

/// A task that was interrupted by the end of the instance that worked on it.
#[derive(Clone)]
pub struct ResumeContext {
    pub(super) task: Arc<Task>,
    pub(super) client: Option<Client>,
    pub(super) live: Arc<Live>,
}

impl ResumeContext {
    /// The task as it is kept.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// To whom the task belongs.
    pub fn owner(&self) -> &Owner {
        self.live.owner()
    }

    /// A client whose calls are this agent's own, for nobody else.
    ///
    /// # Errors
    /// `Unauthenticated`, when the agent was started without an identity of its own.
    pub fn on_own_behalf(&self) -> Result<OnBehalfOf, A2aError> {
        own(self.client.as_ref())
    }

    /// The client's next message to this task; see [`RequestContext::next_message`].
    pub async fn next_message(&self) -> Option<FollowUp> {
        self.live.next_message().await
    }

    /// Resolves when the task is canceled; see [`RequestContext::cancelled`].
    pub async fn cancelled(&self) {
        cancelled(&self.live).await;
    }
}

fn own(client: Option<&Client>) -> Result<OnBehalfOf, A2aError> {
    client.map(Client::on_own_behalf).ok_or_else(nobody)
}

async fn cancelled(live: &Live) {
    let mut cancelled = live.cancelled();
    // The sender lives in `live`, so waiting cannot fail.
    let _ = cancelled.wait_for(|yes| *yes).await;
}

fn nobody() -> A2aError {
    let why = "This agent proves no caller and calls on behalf of nobody";
    A2aError::new(ErrorKind::Unauthenticated, why)
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (caller, id) = (self.caller(), &self.task.id);
        write!(f, "RequestContext({caller}, task {id})")
    }
}

impl fmt::Debug for ResumeContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResumeContext(task {})", self.task.id)
    }
}

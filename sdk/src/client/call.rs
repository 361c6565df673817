//! What a caller intends.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::about::About;
use super::answer::{self, Answer};
use super::attempt::Got;
use super::cards::ExtendedCards;
use super::connect::Client;
use super::current::CallScope;
use super::error::ClientError;
use super::follow::Following;
use super::peer::Peer;
use super::stream::EventStream;
use crate::a2a::{
    Message, Request, Response, SendMessageConfiguration, SendMessageRequest, Struct, Task,
    Timestamp, Version,
};
use crate::audit::Admitted;
use crate::card::{EXTENSION_URI, ProtocolBinding};
use crate::oauth::UserGrant;
use crate::token::Scopes;

/// For whom a call is made.
#[derive(Clone, Debug)]
pub(super) enum Authority {
    /// Nobody but the agent itself.
    Own,
    /// Whoever the admitted call was made for.
    Caller(Arc<Admitted>),
    /// A person who logged in for this agent.
    User(Arc<UserGrant>),
}

/// A client together with the authority its calls go on. It is a session too: an extended card that
/// was got in it takes the place of the public one for its calls.
#[derive(Clone, Debug)]
pub struct OnBehalfOf {
    client: Client,
    authority: Authority,
    extended: ExtendedCards,
}

impl OnBehalfOf {
    pub(super) fn new(client: Client, authority: Authority) -> Self {
        Self {
            client,
            authority,
            extended: ExtendedCards::default(),
        }
    }

    /// Begins a call to `peer`: a [`Peer`] or a [`RemoteAgent`](super::RemoteAgent).
    pub fn call(&self, peer: impl AsRef<Peer>) -> Call {
        let mut intent = Intent::new(peer.as_ref(), self.authority.clone());
        intent.extended = self.extended.clone();
        Call {
            client: self.client.clone(),
            intent,
            configuration: None,
            task: None,
            deadline: None,
            finish_by: None,
        }
    }
}

/// What a call is about, before anything is known of the peer.
#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) peer: Peer,
    pub(super) authority: Authority,
    pub(super) skill: Option<String>,
    pub(super) scopes: Option<Scopes>,
    pub(super) binding: Option<ProtocolBinding>,
    pub(super) version: Option<Version>,
    pub(super) extended: ExtendedCards,
}

impl Intent {
    pub(super) fn new(peer: &Peer, authority: Authority) -> Self {
        Self {
            peer: peer.clone(),
            authority,
            skill: None,
            scopes: None,
            binding: None,
            version: None,
            extended: ExtendedCards::default(),
        }
    }
}

/// A call that is being put together; the name of an operation makes it.
///
/// ```no_run
/// # async fn f(client: countersign::Client, booking: countersign::Peer)
/// # -> Result<(), countersign::client::ClientError> {
/// let on_behalf = client.on_own_behalf();
/// let answer = on_behalf.call(&booking).skill("reserve").send("Two nights in Lisbon").await?;
/// if let Some(task) = answer.task() {
///     let later = on_behalf.call(&booking).get_task(&task.id, None).await?;
///     println!("{}", later.status.state);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Call {
    pub(super) client: Client,
    pub(super) intent: Intent,
    pub(super) configuration: Option<SendMessageConfiguration>,
    pub(super) task: Option<(String, String)>,
    deadline: Option<Duration>,
    finish_by: Option<Timestamp>,
}

impl Call {
    /// Asks for this skill of the peer's card; its scopes are asked for too.
    pub fn skill(mut self, id: impl Into<String>) -> Self {
        self.intent.skill = Some(id.into());
        self
    }

    /// Asks for exactly these scopes instead of those that the card names.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.intent.scopes = Some(scopes);
        self
    }

    /// Uses this binding and no other. Default: the one that the agent prefers.
    pub fn binding(mut self, binding: ProtocolBinding) -> Self {
        self.intent.binding = Some(binding);
        self
    }

    /// Uses this version of the protocol and no other. 0.3 must be allowed besides:
    /// [`ClientBuilder::allow_v0_3`](super::ClientBuilder::allow_v0_3).
    pub fn version(mut self, version: Version) -> Self {
        self.intent.version = Some(version);
        self
    }

    /// How long this call may take until its answer, or its event stream, begins. Default: the
    /// client's. A call never outlasts the one it belongs to ([`CallScope`](super::CallScope)).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How the agent is to answer (A2A §3.2.2).
    pub fn configuration(mut self, configuration: SendMessageConfiguration) -> Self {
        self.configuration = Some(configuration);
        self
    }

    /// The message goes to this task, which waits for it. It is about the skill that the task was
    /// begun for, if the task says so and no other was named.
    pub fn in_task(mut self, task: &Task) -> Self {
        self.task = Some((task.id.clone(), task.context_id.clone()));
        let about = task.metadata.get(EXTENSION_URI);
        let begun_for = about.and_then(|ours| ours.get("skill")?.as_str());
        self.intent.skill = self.intent.skill.or_else(|| begun_for.map(str::to_owned));
        self
    }

    /// The agent's work on the message is worth nothing after this time: it may give up then, and
    /// its task fails. Unlike [`Call::deadline`] this is about the task, not about waiting here. A call
    /// that belongs to another one ([`CallScope`](super::CallScope)) says no later time than that one.
    pub fn finish_by(mut self, end: Timestamp) -> Self {
        self.finish_by = Some(end);
        self
    }

    fn request(&self, message: Message) -> SendMessageRequest {
        let mut message = match &self.task {
            Some((id, context)) => message.in_task(id, context),
            None => message,
        };
        let mut ours = Struct::new();
        if let Some(skill) = &self.intent.skill {
            ours.insert("skill".to_owned(), json!(skill));
        }
        // What is asked for is a part of the work that is under way here.
        let ends = [self.finish_by, CallScope::current().finish_by];
        if let Some(end) = ends.into_iter().flatten().min() {
            ours.insert("deadline".to_owned(), json!(end));
        }
        if !ours.is_empty() {
            message
                .metadata
                .insert(EXTENSION_URI.to_owned(), ours.into());
            if !message.extensions.iter().any(|uri| uri == EXTENSION_URI) {
                message.extensions.push(EXTENSION_URI.to_owned());
            }
        }
        SendMessageRequest {
            configuration: self.configuration.clone(),
            ..SendMessageRequest::new(message)
        }
    }

    /// SendMessage: waits until the agent answers or its task is over or interrupted. A message is
    /// never sent twice, whatever happens to its answer.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn send(self, message: impl Into<Message>) -> Result<Answer, ClientError> {
        let request = Request::SendMessage(self.request(message.into()));
        let operation = request.operation();
        match self.once(request).await? {
            Response::SendMessage(answer) => Ok(Answer(answer)),
            other => Err(answer::mismatch(operation, &other)),
        }
    }

    /// SendStreamingMessage: the events as they come.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn stream(self, message: impl Into<Message>) -> Result<EventStream, ClientError> {
        let request = Request::SendStreamingMessage(self.request(message.into()));
        self.events(request).await
    }

    /// Makes a call that is answered once.
    pub(super) async fn once(&self, request: Request) -> Result<Response, ClientError> {
        match self.made(request).await? {
            Got::Response(response) => Ok(response),
            Got::Events(_) | Got::Card(_) => Err(ClientError::Answer {
                what: "a stream where one answer should be".into(),
            }),
        }
    }

    /// Makes a call that is answered with a stream.
    pub(super) async fn events(self, request: Request) -> Result<EventStream, ClientError> {
        let about = About::of(&request);
        match self.made(request).await? {
            Got::Events(source) => {
                let scope = CallScope::current();
                let following = Following::new(self.client, self.intent, scope, about, source);
                Ok(EventStream::following(following))
            }
            Got::Response(_) | Got::Card(_) => Err(ClientError::Answer {
                what: "one answer where a stream should be".into(),
            }),
        }
    }

    pub(super) async fn made(&self, request: Request) -> Result<Got, ClientError> {
        let mut scope = CallScope::current();
        let within = self.deadline.unwrap_or(self.client.0.deadline);
        if let Some(end) = Instant::now().checked_add(within) {
            scope = scope.until(end);
        }
        let policy = self.client.0.retries;
        // Boxed: a call is large, and whoever awaits one should not be.
        Box::pin(self.client.call(&self.intent, request, &scope, &policy)).await
    }
}

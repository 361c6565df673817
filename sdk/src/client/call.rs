//! What a caller intends.

use std::sync::Arc;

use serde_json::json;

use super::answer::{self, Answer};
use super::connect::{Client, Peer};
use super::error::ClientError;
use super::stream::EventStream;
use crate::a2a::{
    CancelTaskRequest, GetTaskRequest, Message, Request, Response, SendMessageConfiguration,
    SendMessageRequest, Task,
};
use crate::audit::Admitted;
use crate::card::EXTENSION_URI;
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

/// A client together with the authority its calls go on.
#[derive(Clone, Debug)]
pub struct OnBehalfOf {
    client: Client,
    authority: Authority,
}

impl OnBehalfOf {
    pub(super) fn new(client: Client, authority: Authority) -> Self {
        Self { client, authority }
    }

    /// Begins a call to `peer`.
    pub fn call(&self, peer: &Peer) -> Call {
        Call {
            client: self.client.clone(),
            intent: Intent {
                peer: peer.clone(),
                authority: self.authority.clone(),
                skill: None,
                scopes: None,
            },
            configuration: None,
            task: None,
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
}

/// A call that is being put together; `send`, `stream`, `get_task` or `cancel_task` makes it.
#[derive(Clone, Debug)]
#[must_use]
pub struct Call {
    client: Client,
    intent: Intent,
    configuration: Option<SendMessageConfiguration>,
    task: Option<(String, String)>,
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

    /// How the agent is to answer (A2A §3.2.2).
    pub fn configuration(mut self, configuration: SendMessageConfiguration) -> Self {
        self.configuration = Some(configuration);
        self
    }

    /// The message goes to this task, which waits for it.
    pub fn in_task(mut self, task: &Task) -> Self {
        self.task = Some((task.id.clone(), task.context_id.clone()));
        self
    }

    fn request(&self, message: Message) -> SendMessageRequest {
        let mut message = match &self.task {
            Some((id, context)) => message.in_task(id, context),
            None => message,
        };
        if let Some(skill) = &self.intent.skill {
            let named = json!({ "skill": skill });
            message.metadata.insert(EXTENSION_URI.to_owned(), named);
            message.extensions.push(EXTENSION_URI.to_owned());
        }
        SendMessageRequest {
            configuration: self.configuration.clone(),
            ..SendMessageRequest::new(message)
        }
    }

    /// SendMessage: waits until the agent answers or its task is over or interrupted.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn send(self, message: impl Into<Message>) -> Result<Answer, ClientError> {
        let request = Request::SendMessage(self.request(message.into()));
        match self.client.unary(&self.intent, &request).await? {
            Response::SendMessage(answer) => Ok(Answer(answer)),
            other => Err(answer::mismatch(request.operation(), &other)),
        }
    }

    /// SendStreamingMessage: the events as they come.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn stream(self, message: impl Into<Message>) -> Result<EventStream, ClientError> {
        let request = Request::SendStreamingMessage(self.request(message.into()));
        self.client.streaming(&self.intent, &request).await
    }

    /// GetTask, with at most `history` messages of its history (all when `None`).
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn get_task(self, id: &str, history: Option<u32>) -> Result<Task, ClientError> {
        let request = GetTaskRequest {
            id: id.to_owned(),
            history_length: history.map(|n| i32::try_from(n).unwrap_or(i32::MAX)),
            ..GetTaskRequest::default()
        };
        self.task(Request::GetTask(request)).await
    }

    /// CancelTask.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused.
    pub async fn cancel_task(self, id: &str) -> Result<Task, ClientError> {
        let request = CancelTaskRequest {
            id: id.to_owned(),
            ..CancelTaskRequest::default()
        };
        self.task(Request::CancelTask(request)).await
    }

    async fn task(&self, request: Request) -> Result<Task, ClientError> {
        match self.client.unary(&self.intent, &request).await? {
            Response::Task(task) => Ok(task),
            other => Err(answer::mismatch(request.operation(), &other)),
        }
    }
}

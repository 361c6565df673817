//! Step 8: what the peer answered.

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;

use super::binding::Told;
use super::error::ClientError;
use crate::a2a::{Message, Operation, Response, SendMessageResponse, Task};
use crate::card::AuthorizationRequest;

/// The answer to a message: a message, or the task that was made of it.
#[derive(Clone, Debug)]
pub struct Answer(pub(super) SendMessageResponse);

impl Answer {
    /// The message, when the agent answered with one.
    pub fn message(&self) -> Option<&Message> {
        match &self.0 {
            SendMessageResponse::Message(message) => Some(message),
            SendMessageResponse::Task(_) => None,
        }
    }

    /// The task, when the agent made one.
    pub fn task(&self) -> Option<&Task> {
        match &self.0 {
            SendMessageResponse::Task(task) => Some(task),
            SendMessageResponse::Message(_) => None,
        }
    }

    /// The text a person would read: of the message, or of the task's artifacts and last word.
    pub fn text(&self) -> String {
        match &self.0 {
            SendMessageResponse::Message(message) => message.text(),
            SendMessageResponse::Task(task) => task.text(),
        }
    }
}

impl Answer {
    /// What the task waits for, when it waits for an authorization (A2A §7.6). It is answered with
    /// [`Call::authorize`](super::Call::authorize), if whoever the call is made for agrees; an agent
    /// that was called itself hands it on to its own caller.
    pub fn authorization_request(&self) -> Option<AuthorizationRequest> {
        AuthorizationRequest::of_task(self.task()?)
    }
}

/// The whole body, at most `max` bytes.
pub(super) async fn whole(body: Incoming, max: usize) -> Result<Bytes, ClientError> {
    Ok(collected(body, max).await?.to_bytes())
}

/// The whole answer, its body of at most `max` bytes.
pub(super) async fn told(
    response: http::Response<Incoming>,
    max: usize,
) -> Result<Told, ClientError> {
    let (head, body) = response.into_parts();
    let collected = collected(body, max).await?;
    Ok(Told {
        head,
        trailers: collected.trailers().cloned(),
        body: collected.to_bytes(),
    })
}

async fn collected(
    body: Incoming,
    max: usize,
) -> Result<http_body_util::Collected<Bytes>, ClientError> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected),
        Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooLong { max }),
        Err(_) => Err(ClientError::Truncated),
    }
}

/// The error for a binding that answered one operation with the answer to another; none of ours
/// does.
pub(super) fn mismatch(operation: Operation, got: &Response) -> ClientError {
    let got = match got {
        Response::SendMessage(_) => "a message or a task",
        Response::Task(_) => "a task",
        Response::ListTasks(_) => "a page of tasks",
        Response::TaskPushNotificationConfig(_) => "a push configuration",
        Response::ListTaskPushNotificationConfigs(_) => "a page of push configurations",
        Response::Empty => "nothing",
        Response::AgentCard(_) => "a card",
    };
    ClientError::Answer {
        what: format!("{operation} was answered with {got}"),
    }
}

//! Step 8: what the peer answered.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use super::error::ClientError;
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{
    EVENT_STREAM, JSON, Message, SendMessageResponse, StreamResponse, Task,
    sse::{Parser, SseLimits},
};
use crate::jose::JsonLimits;
use crate::token::Challenge;

/// The ID of every request: a connection carries one answer per request, so one is enough.
pub(super) const REQUEST_ID: u64 = 1;

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

/// The response if the peer let the call in.
pub(super) fn accepted(
    response: http::Response<Incoming>,
) -> Result<http::Response<Incoming>, ClientError> {
    if response.status() == StatusCode::OK {
        return Ok(response);
    }
    // A challenge that cannot be read is as good as none: the status says it all the same.
    let challenges = Challenge::from_headers(response.headers()).unwrap_or_default();
    let challenge = challenges.into_iter().next();
    Err(ClientError::Refused {
        status: response.status().as_u16(),
        challenge,
    })
}

/// The whole body, at most `max` bytes.
pub(super) async fn whole(body: Incoming, max: usize) -> Result<Bytes, ClientError> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooLong { max }),
        Err(_) => Err(ClientError::Truncated),
    }
}

/// The result in a JSON-RPC response.
pub(super) fn result<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    // The number of bytes was bounded while they were read.
    let limits = JsonLimits {
        bytes: body.len(),
        ..JsonLimits::default()
    };
    Ok(jsonrpc::parse_result(body, limits, &Id::from(REQUEST_ID))?)
}

/// The events of a streaming call, in the agent's order.
pub struct EventStream {
    /// The rest of the stream; none when it has ended, or never was one.
    rest: Option<(Incoming, Parser)>,
    ready: VecDeque<Result<StreamResponse, ClientError>>,
}

impl EventStream {
    pub(super) async fn of(
        response: http::Response<Incoming>,
        max: usize,
    ) -> Result<Self, ClientError> {
        let media = response.headers().get(CONTENT_TYPE);
        let media = media.and_then(|v| v.to_str().ok()).unwrap_or_default();
        let media = media
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let body = response.into_body();
        match media.as_str() {
            EVENT_STREAM => {
                let limits = SseLimits {
                    line: max,
                    event: max,
                };
                Ok(Self {
                    rest: Some((body, Parser::new(limits))),
                    ready: VecDeque::new(),
                })
            }
            // An error that came before the stream began is an ordinary JSON-RPC answer.
            JSON => Ok(Self {
                rest: None,
                ready: VecDeque::from([Ok(result(&whole(body, max).await?)?)]),
            }),
            _ => Err(ClientError::Answer {
                what: format!("content type {media:?}"),
            }),
        }
    }

    /// The next event; `None` when the agent ended the stream.
    ///
    /// # Errors
    /// [`ClientError::Agent`] when the agent ended with an error, [`ClientError::Truncated`] when
    /// the connection broke in between; there is nothing after an error.
    pub async fn next(&mut self) -> Option<Result<StreamResponse, ClientError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if event.is_err() {
                    self.ready.clear();
                    self.rest = None;
                }
                return Some(event);
            }
            let (mut body, parser) = self.rest.take()?;
            match body.frame().await {
                None => {
                    // An event without its blank line, or no close of the connection: not an end.
                    if parser.finish().is_err() {
                        self.ready.push_back(Err(ClientError::Truncated));
                    }
                }
                Some(Err(_)) => self.ready.push_back(Err(ClientError::Truncated)),
                Some(Ok(frame)) => self.take(frame.into_data().unwrap_or_default(), body, parser),
            }
        }
    }

    fn take(&mut self, piece: Bytes, body: Incoming, mut parser: Parser) {
        match parser.feed(&piece) {
            Ok(events) => {
                let parsed = events
                    .into_iter()
                    .map(|event| result(event.data.as_bytes()));
                self.ready.extend(parsed);
                self.rest = Some((body, parser));
            }
            Err(error) => self.ready.push_back(Err(ClientError::Answer {
                what: error.to_string(),
            })),
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ready, open) = (self.ready.len(), self.rest.is_some());
        write!(f, "EventStream({ready} ready, open: {open})")
    }
}

//! The events of a streaming call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::answer;
use super::binding::{Binding, EventReader, Ready};
use super::error::ClientError;
use super::follow::Following;
use crate::a2a::StreamResponse;

/// The events of a streaming call, in the agent's order.
///
/// When the connection breaks while a task is under way, or the agent ends the stream because the token
/// it was opened with has expired, the stream subscribes to the task again, with a token that is good
/// ([`RetryPolicy`](super::RetryPolicy)), and goes on. It then gives the task as it stands, as
/// [`StreamResponse::Task`], and after it only what is new. So a `Task` in a stream always stands
/// for everything before it: whoever puts artifacts together begins again with it, and has nothing
/// twice. What happened while nobody listened is in that task; the updates in between are not told.
///
/// Dropping it closes this stream and nothing else: the task goes on, and so do other streams. Only
/// when the call it belongs to was taken back ([`CallScope`](super::CallScope)) is the task canceled.
///
/// ```no_run
/// # async fn f(call: countersign::client::Call) -> Result<(), countersign::client::ClientError> {
/// let mut events = call.stream("Two nights in Lisbon").await?;
/// while let Some(event) = events.next().await {
///     println!("{:?}", event?.state());
/// }
/// # Ok(()) }
/// ```
pub struct EventStream(BoxStream<'static, Result<StreamResponse, ClientError>>);

impl EventStream {
    pub(super) fn following(following: Following) -> Self {
        Self(stream::unfold(following, Following::step).boxed())
    }

    /// The next event; `None` when the agent ended the stream.
    ///
    /// # Errors
    /// [`ClientError::Agent`] when the agent ended with an error, [`ClientError::Refused`] of status 401
    /// when the token expired and no new one was taken, [`ClientError::Truncated`] when
    /// the connection broke and the task could not be subscribed to again; there is nothing after
    /// an error.
    pub async fn next(&mut self) -> Option<Result<StreamResponse, ClientError>> {
        self.0.next().await
    }
}

impl Stream for EventStream {
    type Item = Result<StreamResponse, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

/// What one connection brings of a stream.
pub(super) struct Source {
    /// The rest of the stream; none when it has ended, or never was one.
    rest: Option<(Incoming, Box<dyn EventReader>)>,
    ready: Ready,
}

impl Source {
    /// The stream that this answer begins.
    pub(super) async fn of(
        binding: &dyn Binding,
        response: http::Response<Incoming>,
        max: usize,
    ) -> Result<Self, ClientError> {
        let (head, body) = response.into_parts();
        if let Some(reader) = binding.events(&head, max) {
            return Ok(Self {
                rest: Some((body, reader)),
                ready: Ready::new(),
            });
        }
        let response = http::Response::from_parts(head, body);
        let told = answer::told(response, max).await?;
        Ok(Self::only(binding.instead_of_events(&told)?))
    }

    /// A stream of one event.
    pub(super) fn only(event: StreamResponse) -> Self {
        Self {
            rest: None,
            ready: Ready::from([Ok(event)]),
        }
    }

    /// The next event; `None` at the end. Bytes must come every `idle`, keep-alives count.
    pub(super) async fn next(
        &mut self,
        idle: Duration,
    ) -> Option<Result<StreamResponse, ClientError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if event.is_err() {
                    self.ready.clear();
                    self.rest = None;
                }
                return Some(event);
            }
            let (body, reader) = self.rest.as_mut()?;
            let end = match tokio::time::timeout(idle, body.frame()).await {
                Err(_) => Some(Err(ClientError::Idle { after: idle })),
                Ok(None) => Some(reader.finish(None)),
                Ok(Some(Err(_))) => Some(Err(ClientError::Truncated)),
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) => {
                        reader.feed(&piece, &mut self.ready);
                        None
                    }
                    Err(frame) => Some(reader.finish(frame.trailers_ref())),
                },
            };
            if let Some(end) = end {
                self.rest = None;
                self.ready.extend(end.err().map(Err));
            }
        }
    }
}

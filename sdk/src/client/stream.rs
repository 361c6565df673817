//! The events of a streaming call.

use std::fmt;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::answer;
use super::binding::{Binding, EventReader, Ready};
use super::error::ClientError;
use crate::a2a::StreamResponse;

/// The events of a streaming call, in the agent's order.
pub struct EventStream {
    /// The rest of the stream; none when it has ended, or never was one.
    rest: Option<(Incoming, Box<dyn EventReader>)>,
    ready: Ready,
}

impl EventStream {
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
        let only = binding.instead_of_events(&answer::told(response, max).await?)?;
        Ok(Self {
            rest: None,
            ready: Ready::from([Ok(only)]),
        })
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
            let (mut body, mut reader) = self.rest.take()?;
            match body.frame().await {
                None => self.ready.extend(reader.finish(None).err().map(Err)),
                Some(Err(_)) => self.ready.push_back(Err(ClientError::Truncated)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => {
                        reader.feed(&piece, &mut self.ready);
                        self.rest = Some((body, reader));
                    }
                    Err(frame) => {
                        let trailers = frame.into_trailers().ok();
                        let end = reader.finish(trailers.as_ref());
                        self.ready.extend(end.err().map(Err));
                    }
                },
            }
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ready, open) = (self.ready.len(), self.rest.is_some());
        write!(f, "EventStream({ready} ready, open: {open})")
    }
}

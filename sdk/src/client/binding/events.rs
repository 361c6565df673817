//! Streams of server-sent events, for the two bindings that use them (A2A §9.4.2, §11.7).

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::response::Parts;

use super::form::{EventReader, Ready, protocol_error};
use crate::a2a::sse::{Parser, SseLimits};
use crate::a2a::{A2aError, EVENT_STREAM, StreamResponse};
use crate::client::error::ClientError;

/// Whether this head begins a stream of server-sent events.
pub(super) fn is_event_stream(head: &Parts) -> bool {
    let media = head.headers.get(CONTENT_TYPE);
    let media = media.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    head.status.is_success() && media.eq_ignore_ascii_case(EVENT_STREAM)
}

/// Reads server-sent events; the binding says what their data holds.
pub(super) struct SseReader<F> {
    /// None when the stream broke a rule.
    parser: Option<Parser>,
    event: F,
}

impl<F: Fn(&[u8]) -> Result<StreamResponse, A2aError>> SseReader<F> {
    /// A reader of events of at most `max` bytes, whose data `event` reads.
    pub(super) fn new(max: usize, event: F) -> Self {
        let limits = SseLimits {
            line: max,
            event: max,
        };
        Self {
            parser: Some(Parser::new(limits)),
            event,
        }
    }
}

impl<F> EventReader for SseReader<F>
where
    F: Fn(&[u8]) -> Result<StreamResponse, A2aError> + Send + Sync,
{
    fn feed(&mut self, piece: &[u8], ready: &mut Ready) {
        let Some(parser) = &mut self.parser else {
            return;
        };
        match parser.feed(piece) {
            Ok(events) => ready.extend(events.into_iter().map(|event| {
                let read = (self.event)(event.data.as_bytes());
                // An error in a stream has no headers of its own.
                read.map_err(|error| protocol_error(error, &HeaderMap::new()))
            })),
            Err(error) => {
                self.parser = None;
                ready.push_back(Err(ClientError::Answer {
                    what: error.to_string(),
                }));
            }
        }
    }

    fn finish(&mut self, _: Option<&HeaderMap>) -> Result<(), ClientError> {
        // An event without its blank line, or no close of the connection: not an end.
        match self.parser.take().map(Parser::finish) {
            Some(Err(_)) => Err(ClientError::Truncated),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

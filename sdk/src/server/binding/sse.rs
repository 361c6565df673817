//! Events as server-sent events, for the two bindings over plain HTTP (A2A §9.4.2, §11.7).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use super::super::handler::Events;
use crate::a2a::{A2aError, EVENT_STREAM, StreamResponse, sse};

/// How long a stream is silent at most. A comment then shows that both ends are still there: a
/// client that went away without a word is noticed, and no proxy takes the stream for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A line that readers skip (WHATWG HTML §9.2.6).
const COMMENT: &[u8] = b":\n\n";

/// The answer that streams `events`, each written by `write`.
pub(in crate::server) fn event_stream(
    events: Events,
    write: impl Fn(&Result<Arc<StreamResponse>, A2aError>) -> Vec<u8> + Send + 'static,
) -> Response {
    let written = events.map(move |event| sse::encode_event(&write(&event)));
    let body = Body::from_stream(kept_alive(written).map(Ok::<_, Infallible>));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// `written`, with a comment whenever nothing came for [`KEEP_ALIVE`].
fn kept_alive<T: Into<Bytes>>(
    written: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = Bytes> + Send {
    let written = Box::pin(written);
    stream::unfold(written, |mut written| async {
        let next = match timeout_at(Instant::now() + KEEP_ALIVE, written.next()).await {
            Ok(event) => event?.into(),
            Err(_) => Bytes::from_static(COMMENT),
        };
        Some((next, written))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_shows_every_15_seconds_that_it_is_there() {
        let events = stream::unfold(0u8, |n| async move {
            let silence = [0, 31, 14].get(usize::from(n))?;
            tokio::time::sleep(Duration::from_secs(*silence)).await;
            Some((vec![b'0' + n], n + 1))
        });
        let got: Vec<Bytes> = kept_alive(events).collect().await;
        let want: [&[u8]; 5] = [b"0", COMMENT, COMMENT, b"1", b"2"];
        assert_eq!(got, want);
    }
}

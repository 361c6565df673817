//! Answers made up, for the tests of the bindings.

use bytes::Bytes;
use http::HeaderMap;

use super::Told;

/// An answer with this status, these headers and this body.
pub(in crate::client) fn told(status: u16, headers: HeaderMap, body: &str) -> Told {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = status.try_into().expect("a status");
    head.headers = headers;
    Told {
        head,
        body: Bytes::copy_from_slice(body.as_bytes()),
        trailers: None,
    }
}

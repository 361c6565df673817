//! What an application may see and add before a request is signed, and see after its answer.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::ClientError;
use super::peer::Peer;
use crate::a2a::{Operation, Request};
use crate::card::is_free;

/// Looks at every request and its outcome.
///
/// `before` runs when the request is written and may add headers (on gRPC: metadata) or stop it;
/// signing comes after, over the final bytes, so what was added is part of what is sent, and the
/// proofs cannot be touched. Both run once for each attempt, in the order the interceptors were
/// added; for a stream `after` runs when it begins.
///
/// ```
/// use countersign::client::{BeforeCall, CallInterceptor, ClientError, async_trait};
///
/// #[derive(Debug)]
/// struct Tagged;
///
/// #[async_trait]
/// impl CallInterceptor for Tagged {
///     async fn before(&self, call: &mut BeforeCall<'_>) -> Result<(), ClientError> {
///         call.insert_header("x-cost-center", "42")
///     }
/// }
/// ```
#[async_trait]
pub trait CallInterceptor: Send + Sync + fmt::Debug {
    /// Before a request is authorized, signed and sent.
    ///
    /// # Errors
    /// Any error ends the call with it: [`ClientError::Intercepted`] says why.
    async fn before(&self, _call: &mut BeforeCall<'_>) -> Result<(), ClientError> {
        Ok(())
    }

    /// After its answer, or instead of it.
    async fn after(&self, _call: &AfterCall<'_>) {}
}

/// A request on its way out.
#[derive(Debug)]
pub struct BeforeCall<'a> {
    pub(super) peer: &'a Peer,
    pub(super) request: &'a Request,
    pub(super) headers: HeaderMap,
}

impl BeforeCall<'_> {
    /// Whom it is for.
    pub fn peer(&self) -> &Peer {
        self.peer
    }

    /// What is asked.
    pub fn operation(&self) -> Operation {
        self.request.operation()
    }

    /// The request.
    pub fn request(&self) -> &Request {
        self.request
    }

    /// What was added so far.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends this header along, on gRPC as metadata. It takes the place of one of the same name.
    ///
    /// # Errors
    /// [`ClientError::Header`] for a name that is a proof of ours, belongs to the protocol or to
    /// the connection, and for what is no header.
    pub fn insert_header(&mut self, name: &str, value: &str) -> Result<(), ClientError> {
        let wrong = || ClientError::Header {
            name: name.to_owned(),
        };
        let parsed = HeaderName::try_from(name).ok().filter(|_| is_free(name));
        let parsed = parsed.ok_or_else(wrong)?;
        let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        self.headers.insert(parsed, value);
        Ok(())
    }
}

/// A request that was answered, or was not.
#[derive(Debug)]
pub struct AfterCall<'a> {
    /// Whom it was for.
    pub peer: &'a Peer,
    /// What was asked.
    pub operation: Operation,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub error: Option<&'a ClientError>,
    /// How long it took, from the first step on.
    pub took: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::GetTaskRequest;

    #[test]
    fn what_proves_the_caller_is_out_of_reach() {
        let peer = Peer::new("https://a.example", "spiffe://a.example/agent/a").expect("a peer");
        let request = Request::GetTask(GetTaskRequest::default());
        let mut call = BeforeCall {
            peer: &peer,
            request: &request,
            headers: HeaderMap::new(),
        };
        for (name, value, good) in [
            ("X-Tag", "1", true),
            ("traceparent", "00-0af7", true),
            ("Authorization", "Bearer x", false),
            ("signature", "sig1=:a:", false),
            ("Signature-Input", "x", false),
            ("signature-agent", "x", false),
            ("content-digest", "x", false),
            ("Cookie", "a=b", false),
            ("a2a-version", "0.3", false),
            ("host", "b.example", false),
            ("transfer-encoding", "chunked", false),
            ("grpc-timeout", "1S", false),
            ("x tag", "1", false),
            ("x-tag", "a\nb", false),
        ] {
            assert_eq!(call.insert_header(name, value).is_ok(), good, "{name}");
        }
        assert_eq!(call.headers().len(), 2);
    }
}

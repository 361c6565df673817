//! What the pipeline asks of a binding.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};

use crate::a2a::{
    A2aError, EXTENSIONS_HEADER, ErrorKind, Operation, Request, Response, ServiceParameters,
    StreamResponse, VERSION_HEADER,
};
use crate::client::answer::mismatch;
use crate::client::error::ClientError;
use crate::jose::JsonLimits;
use crate::token::Challenge;

// Known when this is compiled: a name from a text is checked and copied for every request.
const VERSION_NAME: HeaderName = HeaderName::from_static(VERSION_HEADER);
const EXTENSIONS_NAME: HeaderName = HeaderName::from_static(EXTENSIONS_HEADER);

/// How many header fields a call has, with those that signing and the connection add.
const HEADERS: usize = 16;

/// A request in the form of a binding, not yet authorized and signed.
#[derive(Debug)]
pub(in crate::client) struct Outgoing {
    pub(in crate::client) method: Method,
    /// On the origin of the interface; the pipeline has checked that origin.
    pub(in crate::client) uri: Uri,
    /// Media types, version and extensions.
    pub(in crate::client) headers: HeaderMap,
    pub(in crate::client) body: Bytes,
    /// `HTTP_2` when nothing else will do.
    pub(in crate::client) version: Version,
}

impl Outgoing {
    /// A request to `uri` that carries the service parameters as headers (A2A §3.2.6).
    pub(in crate::client) fn new(
        method: Method,
        uri: Uri,
        parameters: &ServiceParameters,
        body: Vec<u8>,
    ) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        // Versions and URIs of extensions are printable; what is not has no place in a header.
        let version = parameters.version.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(version)) = version {
            headers.insert(VERSION_NAME, version);
        }
        if !parameters.extensions.is_empty()
            && let Ok(extensions) = HeaderValue::try_from(parameters.extensions.join(", "))
        {
            headers.insert(EXTENSIONS_NAME, extensions);
        }
        Self {
            method,
            uri,
            headers,
            body: body.into(),
            version: Version::default(),
        }
    }

    /// Over HTTP/2 and nothing else.
    #[cfg(feature = "grpc")]
    pub(in crate::client) fn over_http2(mut self) -> Self {
        self.version = Version::HTTP_2;
        self
    }

    /// With one more header.
    pub(in crate::client) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}

/// An answer that is there as a whole.
#[derive(Debug)]
pub(in crate::client) struct Told {
    pub(in crate::client) head: Parts,
    pub(in crate::client) body: Bytes,
    /// What came behind the body.
    #[allow(dead_code, reason = "only gRPC has its status there")]
    pub(in crate::client) trailers: Option<HeaderMap>,
}

/// One binding of one version of the protocol.
pub(in crate::client) trait Binding: Send + Sync {
    /// The request at `interface`, the URL in the card. `left` is how long the caller waits.
    ///
    /// # Errors
    /// [`ClientError::NotInBinding`] when this binding cannot say it.
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        left: Option<Duration>,
    ) -> Result<Outgoing, ClientError>;

    /// The same in another form, where the agent refused the first with a status that says it does
    /// not know that form.
    fn otherwise(
        &self,
        _request: &Request,
        _interface: &Uri,
        _parameters: &ServiceParameters,
        _refused: StatusCode,
    ) -> Option<Outgoing> {
        None
    }

    /// The answer to `operation`, which answers once.
    ///
    /// # Errors
    /// [`ClientError::Refused`] and its like when the peer turned the call away (see [`refusal`]),
    /// [`ClientError::Agent`] for an error of the protocol.
    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError>;

    /// The JSON text of the extended card, as its signatures were made over it.
    ///
    /// # Errors
    /// As [`Binding::read`].
    fn card(&self, told: &Told) -> Result<Vec<u8>, ClientError> {
        let operation = Operation::GetExtendedAgentCard;
        match self.read(operation, told)? {
            // ProtoJSON of a card that came in another form; what that form lost, the signature
            // does not cover either, or it does not verify.
            Response::AgentCard(card) => Ok(serde_json::to_vec(&card).unwrap_or_default()),
            other => Err(mismatch(operation, &other)),
        }
    }

    /// A reader of the stream that this head begins, each event of at most `max` bytes; none when
    /// it begins no stream: then the answer is read as a whole and goes to
    /// [`Binding::instead_of_events`].
    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>>;

    /// What an answer that is no stream says to a streaming operation: nearly always an error.
    ///
    /// # Errors
    /// As [`Binding::read`].
    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError>;
}

/// What was read of a stream and not given out yet. An error is the last item.
pub(in crate::client) type Ready = VecDeque<Result<StreamResponse, ClientError>>;

/// Reads one stream, piece by piece.
pub(in crate::client) trait EventReader: Send + Sync {
    /// Takes the next piece and puts the events that it completes behind `ready`.
    fn feed(&mut self, piece: &[u8], ready: &mut Ready);

    /// The body is over.
    ///
    /// # Errors
    /// [`ClientError::Truncated`] when it ended in the middle of an event, and the status of a
    /// binding that puts it into `trailers`.
    fn finish(&mut self, trailers: Option<&HeaderMap>) -> Result<(), ClientError>;
}

/// The error for a call that was turned away with this HTTP status, before the protocol saw it.
pub(in crate::client) fn refusal(status: StatusCode, headers: &HeaderMap) -> ClientError {
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        return ClientError::Busy {
            status: status.as_u16(),
            retry_after: retry_after(headers),
        };
    }
    // A challenge that cannot be read is as good as none: the status says it all the same.
    let challenges = Challenge::from_headers(headers).unwrap_or_default();
    // The one that names an error tells more than those that only offer a scheme.
    let telling = challenges.iter().position(|c| c.error().is_some());
    let challenge = challenges.into_iter().nth(telling.unwrap_or(0));
    let insufficient = |c: &Challenge| c.error() == Some("insufficient_scope");
    match challenge {
        // RFC 6750 §3.1, RFC 9470 §3: what is missing is named, so more can be asked for.
        Some(challenge) if insufficient(&challenge) => ClientError::InsufficientScope {
            status: status.as_u16(),
            needed: challenge.scope().unwrap_or_default(),
            challenge,
        },
        challenge => ClientError::Refused {
            status: status.as_u16(),
            challenge,
        },
    }
}

/// Whether a status says all there is to say, whatever stands in the body.
pub(in crate::client) fn speaks_for_itself(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// The error for an error of the protocol. A2A has no code for who was not let in, so
/// implementations use codes of their own: those mean what the HTTP status would.
pub(in crate::client) fn protocol_error(error: A2aError, headers: &HeaderMap) -> ClientError {
    match error.kind() {
        ErrorKind::Unauthenticated => refusal(StatusCode::UNAUTHORIZED, headers),
        ErrorKind::PermissionDenied => refusal(StatusCode::FORBIDDEN, headers),
        _ => ClientError::Agent(error),
    }
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is not taken: it needs both clocks right.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The URL of `path_and_query` (begins with `/`) below `interface`.
///
/// # Errors
/// [`ClientError::PeerUrl`] when the two make no URL.
pub(in crate::client) fn below(interface: &Uri, path_and_query: &str) -> Result<Uri, ClientError> {
    let url = interface.to_string();
    // The interface's own query, if any, has no place behind a longer path.
    let base = url.split(['?', '#']).next().unwrap_or_default();
    let url = format!("{}{path_and_query}", base.trim_end_matches('/'));
    let parsed = url.parse();
    parsed.map_err(|_| ClientError::PeerUrl { url })
}

/// The number of bytes was bounded while they were read.
pub(in crate::client) fn answer_limits(body: &[u8]) -> JsonLimits {
    JsonLimits {
        bytes: body.len(),
        ..JsonLimits::default()
    }
}

//! Why a notification is not taken.

use axum::response::{IntoResponse as _, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use crate::httpsig::{ReplayError, SignatureError};
use crate::id::SpiffeId;
use crate::jose::JsonError;

/// Why a notification is not taken. The sender sees the status only.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwelcome {
    #[error("the content type is no JSON of A2A")]
    MediaType,
    #[error("the body is longer than {max} bytes")]
    TooLong { max: usize },
    #[error("the body broke off or came too slowly")]
    Broken,
    #[error("there is no token, more than one, or one that was never given out")]
    Token,
    #[error("the connection proves no agent")]
    NoPeer,
    #[error("{found} sends what is expected of {expected}")]
    Peer { expected: SpiffeId, found: SpiffeId },
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("the body is no event: {0}")]
    Event(#[from] JsonError),
    #[error("it is about a task that is not waited for under this token")]
    Task,
    #[error("it is not waited for any more")]
    Ended,
    #[error("it could not be taken now")]
    NotTaken,
}

impl Unwelcome {
    /// The fixed word for logs.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::MediaType => "notification.media_type",
            Self::TooLong { .. } => "body.too_long",
            Self::Broken => "body.truncated",
            Self::Token => "notification.token",
            Self::NoPeer => "peer.none",
            Self::Peer { .. } => "peer.not_expected",
            Self::Signature(error) => error.reason(),
            Self::Replay(error) => error.reason(),
            Self::Event(_) => "notification.event",
            Self::Task => "notification.task",
            Self::Ended => "notification.ended",
            Self::NotTaken => "notification.not_taken",
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken | Self::Event(_) => StatusCode::BAD_REQUEST,
            Self::Signature(SignatureError::Malformed { .. } | SignatureError::TooLarge { .. }) => {
                StatusCode::BAD_REQUEST
            }
            Self::Token | Self::NoPeer | Self::Signature(SignatureError::Missing { .. }) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Peer { .. } | Self::Signature(_) => StatusCode::FORBIDDEN,
            Self::Replay(ReplayError::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            // As for calls: Web Bot Auth names 429 for a nonce used twice.
            Self::Replay(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Task => StatusCode::NOT_FOUND,
            Self::Ended => StatusCode::GONE,
            Self::NotTaken => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn to_response(&self) -> Response {
        let mut response = self.status().into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2: with a challenge.
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

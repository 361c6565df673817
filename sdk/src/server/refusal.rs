//! Why a call was not let in, and the little that the peer learns of it.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::a2a::jsonrpc::Id;
use crate::a2a::{A2aError, ErrorKind};
use crate::audit::{AuditError, Text};
use crate::delegation::DelegationError;
use crate::httpsig::{ReplayError, SignatureError};
use crate::id::SpiffeId;
use crate::oauth::OAuthError;
use crate::policy::Denial;
use crate::token::{Challenge, TokenError};

/// Why a call was not let in: the error of the step that refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No certificate was proved on this connection.
    #[error("the connection proved no certificate")]
    NoPeer,
    /// The policy knows no agent of this name.
    #[error("the policy admits no agent {id}")]
    Peer {
        /// Who called.
        id: SpiffeId,
    },
    /// The body is larger than allowed.
    #[error("the body has over {max} bytes")]
    BodyTooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// The body did not come in time.
    #[error("the body was not there within {within:?}")]
    BodyTimeout {
        /// The limit.
        within: Duration,
    },
    /// The body ended before it was whole.
    #[error("the body ended before it was whole")]
    BodyTruncated,
    /// The request signature (step 2).
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The nonce (step 3).
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The token (step 4).
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The issuer's keys could not be had (step 4).
    #[error("the issuer's keys: {0}")]
    IssuerKeys(#[from] OAuthError),
    /// The chain of actors (step 5).
    #[error(transparent)]
    Delegation(#[from] DelegationError),
    /// The request is not one of the protocol.
    #[error(transparent)]
    Protocol(#[from] A2aError),
    /// The policy (step 6).
    #[error(transparent)]
    Policy(#[from] Denial),
    /// The record could not be kept (step 7), so nothing was done.
    #[error("the audit record: {0}")]
    Audit(#[from] AuditError),
}

impl Refusal {
    /// The fixed word for the audit record.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoPeer => "peer.none",
            Self::Peer { .. } => "peer.not_admitted",
            Self::BodyTooLong { .. } => "body.too_long",
            Self::BodyTimeout { .. } => "body.timeout",
            Self::BodyTruncated => "body.truncated",
            Self::Signature(error) => error.reason(),
            Self::Replay(error) => error.reason(),
            Self::Token(error) => error.reason(),
            Self::IssuerKeys(_) => "token.issuer_keys",
            Self::Delegation(error) => error.reason(),
            Self::Protocol(error) => error.reason(),
            Self::Policy(denial) => denial.reason(),
            Self::Audit(error) => error.reason(),
        }
    }

    /// The text, fit for the operator's log: it may quote what the caller sent.
    pub(super) fn shown(&self) -> Text {
        self.to_string().into()
    }

    /// The HTTP status that the peer sees.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoPeer | Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTruncated => StatusCode::BAD_REQUEST,
            Self::Signature(SignatureError::Malformed { .. } | SignatureError::TooLarge { .. }) => {
                StatusCode::BAD_REQUEST
            }
            Self::Replay(ReplayError::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            // RFC 9421 §5.2 leaves the status open; Web Bot Auth names 429 for a nonce used twice.
            Self::Replay(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Peer { .. } | Self::Signature(_) | Self::Delegation(_) | Self::Policy(_) => {
                StatusCode::FORBIDDEN
            }
            Self::IssuerKeys(_) | Self::Audit(_) => StatusCode::SERVICE_UNAVAILABLE,
            // JSON-RPC 2.0 over HTTP: errors of the protocol come with 200.
            Self::Protocol(_) => StatusCode::OK,
        }
    }

    /// The challenge that tells an honest client what to bring (RFC 6750 §3).
    pub fn challenge(&self) -> Option<Challenge> {
        match self {
            Self::NoPeer => Some(Challenge::bearer()),
            Self::Token(error) => Some(error.challenge()),
            Self::Policy(denial) => denial.challenge(),
            _ => None,
        }
    }

    /// The protocol's error with the same meaning, where it has one.
    pub(super) fn to_a2a(&self) -> Option<A2aError> {
        let status = self.status();
        let kind = match status {
            StatusCode::UNAUTHORIZED => ErrorKind::Unauthenticated,
            StatusCode::FORBIDDEN => ErrorKind::PermissionDenied,
            _ => return None,
        };
        Some(A2aError::new(
            kind,
            status.canonical_reason().unwrap_or("Refused"),
        ))
    }

    /// The name of the gRPC status (google.rpc.Code) that goes with the HTTP status.
    pub(super) fn grpc_status(&self) -> &'static str {
        match self.status() {
            StatusCode::UNAUTHORIZED => "UNAUTHENTICATED",
            StatusCode::FORBIDDEN => "PERMISSION_DENIED",
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => "RESOURCE_EXHAUSTED",
            StatusCode::REQUEST_TIMEOUT => "DEADLINE_EXCEEDED",
            StatusCode::SERVICE_UNAVAILABLE => "UNAVAILABLE",
            StatusCode::BAD_REQUEST => "INVALID_ARGUMENT",
            _ => "UNKNOWN",
        }
    }

    /// Adds what tells an honest client what to bring: the same headers in every binding.
    pub(super) fn add_challenge(&self, headers: &mut HeaderMap) {
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge.to_header());
        }
        // RFC 9421 §5.1: what a signature would have to cover.
        if let Self::Signature(SignatureError::Missing { .. }) = self {
            let wanted = HeaderValue::from_static(
                "sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-type\" \
                 \"content-digest\" \"authorization\" \"signature-agent\";key=\"sig1\")\
                 ;created;expires;keyid;nonce;tag=\"web-bot-auth\"",
            );
            headers.insert("accept-signature", wanted);
        }
    }

    /// What the peer is told: the status, a challenge, one word; never which check failed.
    pub fn to_response(&self) -> Response {
        if let Self::Protocol(error) = self {
            return Json(error.to_json_rpc(&Id::Null)).into_response();
        }
        let status = self.status();
        let word = status.canonical_reason().unwrap_or("Refused");
        let mut response = (status, Json(json!({ "error": word }))).into_response();
        self.add_challenge(response.headers_mut());
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        self.to_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_sent_makes_no_line_of_the_operators_log() {
        // Whichever error quotes what was sent: the log does not depend on its author's care.
        let error = A2aError::invalid_param("message.role", "ROLE\nINFO served");
        assert!(error.to_string().contains('\n'), "{error}");
        let shown = Refusal::from(error).shown();
        assert!(shown.as_str().contains("INFO served"), "{shown}");
        assert!(!shown.as_str().contains('\n'), "{shown}");
    }
}

//! Why there is no token.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::clock::UnixTime;
use crate::crypto::CertThumbprint;
use crate::tls::TlsError;
use crate::token::Scopes;
use crate::workload::WorkloadError;

/// Why a token could not be got. No variant carries a token or text of the server's own making.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OAuthError {
    /// We have no certificate that is valid now, so nothing could be bound to it.
    #[error("no valid certificate of our own: {0}")]
    NoIdentity(#[source] Arc<WorkloadError>),
    /// The authorization server could not be reached, or is not who it should be.
    #[error("the authorization server: {0}")]
    Connection(#[source] Arc<TlsError>),
    /// The answer could not be read to its end.
    #[error("the answer of the authorization server broke off or is over {max} bytes")]
    Body {
        /// The limit in bytes.
        max: usize,
    },
    /// The authorization server took too long.
    #[error("the authorization server gave no answer within {after:?}")]
    Deadline {
        /// How long it had.
        after: Duration,
    },
    /// The address of the authorization server cannot be used.
    #[error("the authorization server's {what} is not usable")]
    Address {
        /// Which part.
        what: &'static str,
    },
    /// The metadata names another issuer than the one configured (RFC 8414 §3.3).
    #[error("the metadata is of {found:?}, configured is {wanted:?}")]
    Issuer {
        /// What the document says.
        found: String,
        /// What is configured.
        wanted: String,
    },
    /// The metadata lacks a member or names an address at another server.
    #[error("the metadata's {member} is missing or points elsewhere")]
    Metadata {
        /// Which member.
        member: &'static str,
    },
    /// The document of keys cannot be read or holds no usable key.
    #[error("the issuer's key set is malformed or has no usable key")]
    Keys,
    /// The server refused the request and named a code (RFC 6749 §5.2).
    #[error("refused with {error} ({status})")]
    Refused {
        /// The code.
        error: String,
        /// The status of the answer.
        status: StatusCode,
    },
    /// The server answered with an error that is not OAuth's.
    #[error("answered with status {status}")]
    Status {
        /// The status of the answer.
        status: StatusCode,
    },
    /// The answer is not what RFC 6749 §5.1 or RFC 8693 §2.2.1 demands.
    #[error("the answer's {what} is missing or not what is demanded")]
    Answer {
        /// Which part.
        what: &'static str,
    },
    /// The new token is not bound to our certificate.
    #[error("the new token is bound to {found:?}, our certificate is {own}")]
    BindingLost {
        /// Its `cnf.x5t#S256`; empty when it has none.
        found: String,
        /// Our certificate.
        own: CertThumbprint,
    },
    /// The new token does not tell through whom: the actors are not us and who acted before us.
    #[error("the new token's act chain is wrong: {what}")]
    ChainLost {
        /// What is wrong.
        what: &'static str,
    },
    /// Another claim of the new token is not what was asked for.
    #[error("the new token's {claim} is {found:?}, {wanted:?} was asked for")]
    Claim {
        /// Which claim.
        claim: &'static str,
        /// Its value; empty when it is not a text.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// The new token grants more than was asked for, or the answer contradicts the token.
    #[error("asked for {asked:?}, the new token grants {granted:?}")]
    ScopeWidened {
        /// What was asked for.
        asked: Scopes,
        /// What it grants.
        granted: Scopes,
    },
    /// The new token lives longer than the one it was exchanged for.
    #[error("the new token lives until {expires}, the old one until {until}")]
    Outlives {
        /// Its end.
        expires: UnixTime,
        /// The end of the subject token.
        until: UnixTime,
    },
    /// What should be exchanged has expired, or the new token had when it came.
    #[error("expired at {expires}, it is {now}")]
    Expired {
        /// When it ended.
        expires: UnixTime,
        /// The time now.
        now: UnixTime,
    },
}

impl OAuthError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoIdentity(_) => "oauth.no_identity",
            Self::Connection(_) => "oauth.connection",
            Self::Body { .. } => "oauth.body",
            Self::Deadline { .. } => "oauth.deadline",
            Self::Address { .. } => "oauth.address",
            Self::Issuer { .. } => "oauth.issuer",
            Self::Metadata { .. } => "oauth.metadata",
            Self::Keys => "oauth.keys",
            Self::Refused { .. } => "oauth.refused",
            Self::Status { .. } => "oauth.status",
            Self::Answer { .. } => "oauth.answer",
            Self::BindingLost { .. } => "oauth.binding_lost",
            Self::ChainLost { .. } => "oauth.chain_lost",
            Self::Claim { .. } => "oauth.claim",
            Self::ScopeWidened { .. } => "oauth.scope_widened",
            Self::Outlives { .. } => "oauth.outlives_subject",
            Self::Expired { .. } => "oauth.expired",
        }
    }

    /// The code with which the authorization server refused, if it is it that refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => Some(error),
            _ => None,
        }
    }
}

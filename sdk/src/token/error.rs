//! Why a token was refused.

use super::{Challenge, ScopeError};
use crate::clock::UnixTime;
use crate::crypto::CertThumbprint;
use crate::jose::{JsonError, JwsError};

/// Why an access token was refused. No variant carries the token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no `Authorization` header.
    #[error("the request carries no access token")]
    Missing,
    /// There is more than one `Authorization` header.
    #[error("the request has {count} Authorization headers, one is allowed")]
    Repeated {
        /// How many there are.
        count: usize,
    },
    /// The scheme is not `Bearer`.
    #[error("the Authorization header does not have the scheme Bearer")]
    Scheme,
    /// The token is empty or has a character outside RFC 6750's `b64token`.
    #[error("the token is empty or holds a character that is not allowed")]
    Character,
    /// The token is longer than allowed.
    #[error("the token has {len} bytes, {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The token is not a signed JWT that verifies.
    #[error("the token is not a signed JWT that verifies: {0}")]
    Jws(#[source] JwsError),
    /// The header's `typ` is not `at+jwt`.
    #[error("the token has typ {typ:?}, it must be \"at+jwt\"")]
    Type {
        /// What it says; empty when it says nothing.
        typ: String,
    },
    /// The claims are not a JSON object within the limits.
    #[error("the token's claims cannot be read: {0}")]
    Json(#[source] JsonError),
    /// The claims are JSON, but not an object.
    #[error("the token's claims are not an object")]
    NotObject,
    /// A required claim is missing.
    #[error("the token has no claim {claim:?}")]
    ClaimMissing {
        /// Which.
        claim: &'static str,
    },
    /// A claim has the wrong JSON type, or is empty.
    #[error("the token's claim {claim:?} is malformed")]
    ClaimShape {
        /// Which.
        claim: &'static str,
    },
    /// The claim `scope` is not a list of scope tokens.
    #[error("the token's claim \"scope\" is malformed: {0}")]
    Scope(#[source] ScopeError),
    /// The issuer has published no such key; it may be newer than our copy of the set.
    #[error("the issuer has no key {kid:?} for this token")]
    UnknownKey {
        /// What the header names; nothing when it names none and there are several to choose from.
        kid: Option<String>,
    },
    /// Another issuer than the one whose keys were used.
    #[error("the token is issued by {found:?}, expected is {expected:?}")]
    Issuer {
        /// What the token says.
        found: String,
        /// Whose keys were used.
        expected: String,
    },
    /// The token is for somebody else.
    #[error("the token is for {found:?}, we are {expected:?}")]
    Audience {
        /// What the token says.
        found: String,
        /// Our own name.
        expected: String,
    },
    /// The token names no audience or several; any of several could replay it at the others.
    #[error("the token names {count} audiences, exactly one is allowed")]
    AudienceCount {
        /// How many.
        count: usize,
    },
    /// The token has expired.
    #[error("the token expired at {expires}, it is {now}")]
    Expired {
        /// Its `exp`.
        expires: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The token is not valid yet.
    #[error("the token is valid from {not_before}, it is {now}")]
    NotYetValid {
        /// Its `nbf`.
        not_before: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The token says it was issued in the future.
    #[error("the token was issued at {issued}, it is {now}")]
    IssuedInFuture {
        /// Its `iat`.
        issued: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The token is bound to no certificate: whoever finds it could use it.
    #[error("the token is not bound to a certificate")]
    Unbound,
    /// The token is bound to another certificate than the peer's.
    #[error("the token is bound to the certificate {bound_to}, the peer's is {presented_by}")]
    NotBound {
        /// `cnf.x5t#S256`.
        bound_to: CertThumbprint,
        /// The peer's certificate.
        presented_by: CertThumbprint,
    },
    /// The claims were verified for another token than the one presented.
    #[error("these claims belong to another token")]
    OtherToken,
}

impl TokenError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "token.missing",
            Self::Repeated { .. } | Self::Scheme | Self::Character => "token.malformed",
            Self::TooLong { .. } | Self::Jws(JwsError::TooLong { .. }) => "token.too_long",
            Self::Jws(JwsError::Form | JwsError::Header(_)) => "token.malformed",
            Self::Jws(JwsError::Algorithm { .. } | JwsError::KeyAlgorithm { .. }) => {
                "token.algorithm"
            }
            Self::Jws(JwsError::Critical { .. }) => "token.critical",
            Self::Jws(JwsError::Signature) => "token.signature",
            Self::Type { .. } => "token.type",
            Self::Json(_) | Self::NotObject => "token.malformed",
            Self::ClaimMissing { .. } => "token.claim_missing",
            Self::ClaimShape { .. } => "token.claim_shape",
            Self::Scope(_) => "token.scope",
            Self::UnknownKey { .. } => "token.unknown_key",
            Self::Issuer { .. } => "token.issuer",
            Self::Audience { .. } | Self::AudienceCount { .. } => "token.audience",
            Self::Expired { .. } => "token.expired",
            Self::NotYetValid { .. } => "token.not_yet_valid",
            Self::IssuedInFuture { .. } => "token.issued_in_future",
            Self::Unbound => "token.unbound",
            Self::NotBound { .. } => "token.not_bound",
            Self::OtherToken => "token.other_token",
        }
    }

    /// What the peer is told, with status 401 (RFC 6750 §3).
    ///
    /// A request without any token gets no error code; everything else is `invalid_token`, so that
    /// the peer does not learn which check failed.
    pub fn challenge(&self) -> Challenge {
        match self {
            Self::Missing => Challenge::bearer(),
            _ => Challenge::invalid_token(),
        }
    }
}

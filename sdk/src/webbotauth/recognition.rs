//! What is known about who signed a request.

use std::sync::Arc;

use crate::discovery::DiscoveryError;
use crate::httpsig::{
    Outcome, Refused, ReplayError, SignatureClaims, SignatureError, VerifiedMessage,
};

/// What became of a request's signature: an extension of the request that [`Recognize`] lets
/// through. With the feature `server` it is an extractor of axum.
///
/// ```
/// use countersign::webbotauth::Recognition;
/// fn greeting(recognition: &Recognition) -> String {
///     match recognition {
///         Recognition::Verified(who) => match who.agent() {
///             Some(directory) => format!("hello, {directory}"),
///             None => format!("hello, {}", who.signature().key()),
///         },
///         _ => "hello, whoever you are".to_owned(),
///     }
/// }
/// ```
///
/// [`Recognize`]: super::Recognize
#[derive(Clone, Debug)]
pub enum Recognition {
    /// The signature holds, and was not used before, where that is looked at.
    Verified(Arc<Recognized>),
    /// The signature holds, and its nonce was used before or could not be recorded. Such a request
    /// is let through by [`Mode::Observe`](super::Mode::Observe) only.
    Spent(Arc<Recognized>, ReplayError),
    /// The request is at fault. It is let through by [`Mode::Observe`](super::Mode::Observe) only.
    Invalid(Arc<Refused>),
    /// Nothing is known against the request, and nothing in its favour.
    Unverified(Arc<Unverified>),
}

impl Recognition {
    /// `verified`, `spent`, `invalid` or `unverified`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Spent(..) => "spent",
            Self::Invalid(_) => "invalid",
            Self::Unverified(_) => "unverified",
        }
    }

    /// The fixed word of the broken rule; `None` when it is verified.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Verified(_) => None,
            Self::Spent(_, error) => Some(error.reason()),
            Self::Invalid(refused) => Some(refused.error().reason()),
            Self::Unverified(unverified) => Some(unverified.error().reason()),
        }
    }

    /// Who signed, when the signature holds and is fresh.
    pub fn verified(&self) -> Option<&Recognized> {
        match self {
            Self::Verified(who) => Some(who),
            _ => None,
        }
    }

    /// The URL of the key directory that answers for the signer: [`Recognized::agent`] of a verified
    /// request.
    pub fn agent(&self) -> Option<&str> {
        self.verified().and_then(Recognized::agent)
    }

    pub(super) fn refused(
        claims: Option<SignatureClaims>,
        error: SignatureError,
        discovery: Option<DiscoveryError>,
    ) -> Self {
        match Outcome::of(claims, Err(error)) {
            Outcome::Invalid(refused) => Self::Invalid(refused.into()),
            Outcome::Unverified(refused) => Self::Unverified(Arc::new(Unverified {
                refused: *refused,
                discovery,
            })),
            // No outcome of an error.
            Outcome::Verified(message) => Self::Verified(Arc::new(Recognized {
                message: *message,
                agent: None,
                stale: false,
                fresh: false,
            })),
        }
    }

    pub(super) fn error(&self) -> Option<&SignatureError> {
        match self {
            Self::Verified(_) | Self::Spent(..) => None,
            Self::Invalid(refused) => Some(refused.error()),
            Self::Unverified(unverified) => Some(unverified.error()),
        }
    }
}

/// Who signed a request.
#[derive(Clone, Debug)]
pub struct Recognized {
    pub(super) message: VerifiedMessage,
    pub(super) agent: Option<String>,
    pub(super) stale: bool,
    pub(super) fresh: bool,
}

impl Recognized {
    /// The evidence: key, covered components, times.
    pub fn signature(&self) -> &VerifiedMessage {
        &self.message
    }

    /// Whose request it is: the URL of the directory where the key was found, normalised, without
    /// the query. `None` when the key was held here; the signer is then known by
    /// [`VerifiedMessage::key`].
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// Whether that directory is older than it should be, because it cannot be fetched now.
    pub fn stale(&self) -> bool {
        self.stale
    }

    /// Whether a replay store vouches that the nonce is new.
    pub fn fresh(&self) -> bool {
        self.fresh
    }

    /// Whether the body was compared with a covered digest. A body that no digest covers may be
    /// anybody's.
    pub fn covers_body(&self) -> bool {
        self.message.covers_body()
    }
}

/// A request whose signature could not be judged, and why.
#[derive(Clone, Debug)]
pub struct Unverified {
    refused: Refused,
    discovery: Option<DiscoveryError>,
}

impl Unverified {
    /// Why not.
    pub fn error(&self) -> &SignatureError {
        self.refused.error()
    }

    /// What the signature said of itself, if there was one. Nobody has checked it.
    pub fn claims(&self) -> Option<&SignatureClaims> {
        self.refused.claims()
    }

    /// Why the key was not found, when it was looked for in a directory.
    pub fn discovery(&self) -> Option<&DiscoveryError> {
        self.discovery.as_ref()
    }
}

#[cfg(feature = "server")]
impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Recognition {
    type Rejection = http::StatusCode;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _: &S,
    ) -> Result<Self, http::StatusCode> {
        let known = parts.extensions.get::<Self>().cloned();
        // Only the layer puts it there: a route without the layer recognises nobody and says so.
        known.ok_or(http::StatusCode::INTERNAL_SERVER_ERROR)
    }
}

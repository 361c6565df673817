//! The token that passed every check.

use std::sync::Arc;

use serde_json::Value;

use super::{Scopes, SignedClaims};
use crate::clock::{Skew, UnixTime};
use crate::crypto::CertThumbprint;
use crate::secret::Secret;

/// What a token is checked against at every request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRules {
    /// Our own name as tokens give it: the one audience that is accepted, compared byte for byte.
    pub audience: String,
    /// How far the issuer's clock may be from ours.
    pub skew: Skew,
}

/// A token that is for us, valid now and bound to the certificate of the peer that presented it:
/// the evidence of the token step.
///
/// It cannot be sent on: the only use of its text is to be exchanged for another token. Debug does
/// not show it.
#[derive(Debug)]
pub struct VerifiedToken {
    claims: Arc<SignedClaims>,
    bound_to: CertThumbprint,
    text: Secret,
}

impl VerifiedToken {
    pub(super) fn new(claims: Arc<SignedClaims>, bound_to: CertThumbprint, text: Secret) -> Self {
        Self {
            claims,
            bound_to,
            text,
        }
    }

    /// Who issued it.
    pub fn issuer(&self) -> &str {
        self.claims.issuer()
    }

    /// For whom: a user, or the agent itself.
    pub fn subject(&self) -> &str {
        self.claims.subject()
    }

    /// The client it was issued to.
    pub fn client_id(&self) -> &str {
        self.claims.client_id()
    }

    /// Its identifier, unique at its issuer.
    pub fn jti(&self) -> &str {
        self.claims.jti()
    }

    /// What it grants.
    pub fn scopes(&self) -> &Scopes {
        self.claims.scopes()
    }

    /// The first second at which it is no longer valid.
    pub fn expires(&self) -> UnixTime {
        self.claims.expires()
    }

    /// The claim `act` as it stands there; [`crate::delegation`] reads it.
    pub fn act(&self) -> Option<&Value> {
        self.claims.act()
    }

    /// Our own name, as the token gives it.
    pub fn audience(&self) -> &str {
        self.claims.audience()
    }

    /// The certificate that presented it.
    pub fn bound_to(&self) -> CertThumbprint {
        self.bound_to
    }

    /// All its claims, for a record that outlives the token.
    pub fn claims(&self) -> &Arc<SignedClaims> {
        &self.claims
    }

    /// The token's text, as the `subject_token` of an exchange (RFC 8693 §2.1) and nowhere else.
    #[allow(
        dead_code,
        reason = "used by the token exchange, which is built only with the network features"
    )]
    pub(crate) fn subject_token(&self) -> &Secret {
        &self.text
    }
}

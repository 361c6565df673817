//! Tokens that were got, and that only this crate can put on the wire.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, sha256};
use crate::secret::Secret;
use crate::token::Scopes;

/// An access token for one audience, bound to our own certificate (RFC 8705 §3).
///
/// Got by [`OAuth::app_token`](super::OAuth::app_token) or an exchange, and checked then: the
/// binding is ours, the outermost actor is us. Its text goes into one header and nowhere else;
/// Debug does not show it. Cloning is cheap.
#[derive(Clone)]
pub struct BoundToken(Arc<Parts>);

struct Parts {
    header: HeaderValue,
    audience: Box<str>,
    scopes: Scopes,
    expires: UnixTime,
    certificate: CertThumbprint,
}

impl BoundToken {
    /// Prepares the header once. `None` when the token has characters that no header can hold.
    pub(crate) fn new(
        token: &Secret,
        audience: &str,
        scopes: Scopes,
        expires: UnixTime,
        certificate: CertThumbprint,
    ) -> Option<Self> {
        let text = Secret::new(format!("Bearer {}", token.expose()));
        let mut header = HeaderValue::from_str(text.expose()).ok()?;
        header.set_sensitive(true);
        Some(Self(Arc::new(Parts {
            header,
            audience: audience.into(),
            scopes,
            expires,
            certificate,
        })))
    }

    /// The value of the `Authorization` header (RFC 6750 §2.1), marked as sensitive.
    #[allow(
        dead_code,
        reason = "used by the client's pipeline, which is built only with the feature client"
    )]
    pub(crate) fn authorization_header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// Whether it is the very token that `other` is, not one like it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The one audience it is for.
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// What it grants.
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// The first second at which it is no longer valid.
    pub fn expires(&self) -> UnixTime {
        self.0.expires
    }

    /// The certificate it is bound to; over a connection with another one it is refused.
    pub fn certificate(&self) -> CertThumbprint {
        self.0.certificate
    }
}

impl fmt::Debug for BoundToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundToken")
            .field("audience", &self.0.audience)
            .field("scopes", &self.0.scopes)
            .field("expires", &self.0.expires)
            .field("certificate", &self.0.certificate)
            .finish_non_exhaustive()
    }
}

/// What a user's login gave an agent: to be exchanged for a token for another agent, no more.
///
/// Cloning is cheap; Debug does not show the token.
#[derive(Clone, Debug)]
pub struct UserGrant(Arc<GrantParts>);

#[derive(Debug)]
struct GrantParts {
    token: Secret,
    digest: [u8; 32],
    user: Box<str>,
    scopes: Scopes,
    expires: UnixTime,
}

impl UserGrant {
    pub(super) fn new(token: Secret, user: &str, scopes: Scopes, expires: UnixTime) -> Self {
        Self(Arc::new(GrantParts {
            digest: sha256(token.expose().as_bytes()),
            token,
            user: user.into(),
            scopes,
            expires,
        }))
    }

    /// Who logged in.
    pub fn user(&self) -> &str {
        &self.0.user
    }

    /// What the user granted.
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// The first second at which it is no longer valid.
    pub fn expires(&self) -> UnixTime {
        self.0.expires
    }

    pub(super) fn token(&self) -> &Secret {
        &self.0.token
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.0.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_shows_its_text() {
        let secret = || Secret::new("aaa.bbb.ccc".into());
        let scopes: Scopes = "trips:read".parse().expect("scopes");
        let end = UnixTime::from_secs(9);
        let certificate = CertThumbprint::of(b"certificate");
        let bound = BoundToken::new(
            &secret(),
            "spiffe://a.test/b",
            scopes.clone(),
            end,
            certificate,
        );
        let bound = bound.expect("a header");
        assert_eq!(bound.authorization_header(), "Bearer aaa.bbb.ccc");
        assert!(bound.authorization_header().is_sensitive());
        let grant = UserGrant::new(secret(), "alice", scopes, end);
        let shown = format!("{bound:?} {grant:?}");
        assert!(!shown.contains("bbb"), "{shown}");
    }
}

//! Tokens and certificates that no rule allows, for demonstrations and tests.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use serde_json::Value;

use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, VerifyingKey};
use crate::id::SpiffeId;
use crate::jose::{JsonLimits, ParsedJws, parse_json};
use crate::oauth::BoundToken;
use crate::secret::Secret;
use crate::token::{MAX_TOKEN_BYTES, Scopes};

use super::AuthorityError;
use super::ca::Validity;
use super::mint::TOKEN_TYP;
use super::service::Service;

/// Signs anything with the keys of an [`Authority`](super::Authority) of this process.
///
/// It exists to show what happens to a token that is signed correctly and says what it must not: a
/// chain the wrong way round, the certificate of another, an end in the past. Only
/// [`Authority::danger`](super::Authority::danger) makes one, only the embedded development
/// authority has it, and no request from outside reaches it.
///
/// ```no_run
/// # fn f(authority: &countersign::authority::Authority)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// use serde_json::json;
/// let inverted = authority.danger().token(&json!({
///     "iss": authority.issuer(), "sub": "alice", "aud": "spiffe://travel.example/agent/booking",
///     "act": {"sub": "front-desk", "act": {"sub": "planner"}},
/// }))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Forge(Arc<Service>);

impl Forge {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self(service)
    }

    /// Exactly these claims, signed as an access token (`at+jwt`).
    ///
    /// # Errors
    /// [`AuthorityError::Own`] when the provider cannot sign.
    pub fn token(&self, claims: &Value) -> Result<Secret, AuthorityError> {
        self.token_of_type(TOKEN_TYP, claims)
    }

    /// Exactly these claims, signed under any `typ`.
    ///
    /// # Errors
    /// As [`Forge::token`].
    pub fn token_of_type(&self, typ: &str, claims: &Value) -> Result<Secret, AuthorityError> {
        let signed = self.0.mint.sign(typ, claims);
        signed.map_err(|_| AuthorityError::Own { what: "token" })
    }

    /// Remembers, from now on, the last token issued for each audience: what a thief would have.
    pub fn watch(&self) {
        self.0.mint.watched().get_or_insert_default();
    }

    /// The last genuine token for `audience` since [`Forge::watch`].
    pub fn watched(&self, audience: &SpiffeId) -> Option<Secret> {
        let watched = self.0.mint.watched();
        watched.as_ref()?.get(audience.as_str()).cloned()
    }

    /// A token with the claims of `token`, but for those that `changes` names; `null` takes one out.
    ///
    /// # Errors
    /// As [`Forge::token`], and for a text that is no token.
    pub fn reissue(&self, token: &Secret, changes: &Value) -> Result<Secret, AuthorityError> {
        let own = AuthorityError::Own { what: "token" };
        let jws = ParsedJws::parse(token.expose(), MAX_TOKEN_BYTES).map_err(|_| own.clone())?;
        let claims = parse_json(jws.unverified_payload(), JsonLimits::default());
        let Ok(Value::Object(mut claims)) = claims else {
            return Err(own);
        };
        for (name, value) in changes.as_object().into_iter().flatten() {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
        self.token(&Value::Object(claims))
    }

    /// A token that a client of ours will send, whatever it says: what is told about it here is all
    /// that the client looks at.
    ///
    /// # Errors
    /// [`AuthorityError::Own`] when the token cannot stand in a header.
    pub fn bound_token(
        &self,
        token: &Secret,
        audience: &str,
        scopes: Scopes,
        expires: UnixTime,
        certificate: CertThumbprint,
    ) -> Result<BoundToken, AuthorityError> {
        let bound = BoundToken::new(token, audience, scopes, expires, certificate);
        bound.ok_or(AuthorityError::Own { what: "token" })
    }

    /// A certificate for any name, key and time, in date or not.
    ///
    /// # Errors
    /// [`AuthorityError::Own`] when it cannot be made.
    pub fn certificate(
        &self,
        id: &SpiffeId,
        key: &VerifyingKey,
        not_before: UnixTime,
        not_after: UnixTime,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let validity = Validity {
            not_before,
            not_after,
        };
        let issued = self.0.authority.issue_for(id, key, validity);
        issued.map_err(|_| AuthorityError::Own {
            what: "certificate",
        })
    }
}

impl fmt::Debug for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Forge({})", self.0.id)
    }
}

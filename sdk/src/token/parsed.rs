//! A token taken apart; its signature is the next step.

use std::fmt;

use serde_json::{Map, Value};

use super::{SignedClaims, TokenError};
use crate::crypto::{Algorithm, VerifyingKey};
use crate::jose::{JsonLimits, JwkSet, ParsedJws, parse_json};

/// An access token in JWT form whose issuer and key can be looked up; nothing in it is proved.
pub struct ParsedToken<'a> {
    jws: ParsedJws<'a>,
    algorithm: Algorithm,
    claims: Map<String, Value>,
    issuer: String,
    digest: [u8; 32],
}

impl<'a> ParsedToken<'a> {
    pub(super) fn parse(text: &'a str, digest: [u8; 32], max: usize) -> Result<Self, TokenError> {
        let jws = ParsedJws::parse(text, max).map_err(TokenError::Jws)?;
        let algorithm = jws.header().algorithm().map_err(TokenError::Jws)?;
        // RFC 9068 §4: any other typ, or none, is refused, so that no other JWT of the same issuer
        // (an ID token, a client assertion) passes for an access token.
        let typ = jws.header().typ.as_deref().unwrap_or_default();
        let is_access_token = ["at+jwt", "application/at+jwt"]
            .iter()
            .any(|want| typ.eq_ignore_ascii_case(want));
        if !is_access_token {
            return Err(TokenError::Type {
                typ: typ.to_owned(),
            });
        }
        let limits = JsonLimits {
            bytes: max,
            ..JsonLimits::default()
        };
        let value = parse_json(jws.unverified_payload(), limits).map_err(TokenError::Json)?;
        let Value::Object(mut claims) = value else {
            return Err(TokenError::NotObject);
        };
        let issuer = super::claims::take_text(&mut claims, "iss")?;
        Ok(Self {
            jws,
            algorithm,
            claims,
            issuer,
            digest,
        })
    }

    /// The issuer it claims to come from: to look up that issuer's keys, nothing else.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key it claims to be signed with.
    pub fn kid(&self) -> Option<&str> {
        self.jws.header().kid.as_deref()
    }

    /// Checks all that depends neither on time nor on the peer: issuer, key, signature, and that
    /// every required claim is there and well formed (RFC 9068 §2.2).
    ///
    /// `keys` are those published by `issuer`, which the caller has chosen to trust. A token that
    /// names no key is taken only when there is exactly one of its algorithm.
    ///
    /// # Errors
    /// [`TokenError`] naming the broken rule; [`TokenError::UnknownKey`] may pass with fresher keys.
    pub fn verify(self, keys: &JwkSet, issuer: &str) -> Result<SignedClaims, TokenError> {
        // RFC 9068 §4: iss must be exactly the issuer that the keys were taken from.
        if self.issuer != issuer {
            return Err(TokenError::Issuer {
                found: self.issuer,
                expected: issuer.to_owned(),
            });
        }
        let key = self.choose(keys).ok_or_else(|| TokenError::UnknownKey {
            kid: self.kid().map(str::to_owned),
        })?;
        self.jws.verify(key).map_err(TokenError::Jws)?;
        SignedClaims::read(self.issuer, self.claims, self.digest)
    }

    fn choose<'k>(&self, keys: &'k JwkSet) -> Option<&'k VerifyingKey> {
        match self.kid() {
            Some(kid) => keys.by_kid(kid),
            None => {
                let mut fitting = keys.keys().filter(|key| key.algorithm() == self.algorithm);
                let first = fitting.next();
                first.filter(|_| fitting.next().is_none())
            }
        }
    }
}

impl fmt::Debug for ParsedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedToken")
            .field("issuer", &self.issuer)
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

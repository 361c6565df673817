//! Writing tokens down and signing them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, KeyError, SigningKey, random};
use crate::jose::{Header, JwkSet, encode_base64url, sign_compact};
use crate::secret::Secret;
use crate::svid::PeerIdentity;
use crate::token::Scopes;

use super::exchange::Exchanged;

/// RFC 9068 §2.1.
pub(super) const TOKEN_TYP: &str = "at+jwt";

/// The one key that signs tokens, and the issuer that it speaks for.
#[derive(Debug)]
pub(super) struct Mint {
    pub(super) issuer: String,
    pub(super) ttl: Duration,
    key: SigningKey,
    keys: JwkSet,
    /// The last token for each audience; nothing unless a test or a demonstration watches.
    watched: Mutex<Option<HashMap<String, Secret>>>,
}

/// What a token says beyond issuer, times and number.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) audience: String,
    pub(super) scopes: Scopes,
    pub(super) certificate: CertThumbprint,
    pub(super) act: Option<Value>,
    pub(super) may_act: Option<Value>,
    /// The token ends here at the latest.
    pub(super) not_after: Option<UnixTime>,
}

impl Claims {
    /// A token by which `peer` speaks for itself, without any scope.
    pub(super) fn of(peer: &PeerIdentity, audience: String) -> Self {
        Self {
            subject: peer.id().to_string(),
            client_id: peer.id().to_string(),
            audience,
            scopes: Scopes::default(),
            certificate: peer.certificate(),
            act: None,
            may_act: None,
            not_after: None,
        }
    }

    /// The same for whoever an exchange speaks for.
    pub(super) fn exchanged(&mut self, granted: Exchanged) {
        self.subject = granted.subject;
        self.act = Some(granted.act);
        self.scopes = granted.scopes;
        self.not_after = Some(granted.not_after);
    }
}

/// A signed token and what the log may say of it.
#[derive(Debug)]
pub(super) struct Minted {
    pub(super) token: Secret,
    pub(super) jti: String,
    pub(super) expires: UnixTime,
}

impl Mint {
    pub(super) fn new(issuer: String, ttl: Duration, key: SigningKey) -> Self {
        Self {
            issuer,
            ttl,
            keys: JwkSet::of([key.verifying_key()]),
            key,
            watched: Mutex::default(),
        }
    }

    /// The public half, as it is published.
    pub(super) fn keys(&self) -> &JwkSet {
        &self.keys
    }

    /// Signs an access token (RFC 9068 §2.2).
    pub(super) fn mint(&self, claims: &Claims, now: UnixTime) -> Result<Minted, KeyError> {
        let jti = encode_base64url(&random::<16>());
        let mut expires = now.plus(self.ttl);
        if let Some(end) = claims.not_after {
            expires = expires.min(end);
        }
        let mut payload = json!({
            "iss": self.issuer,
            "sub": claims.subject,
            "aud": claims.audience,
            "client_id": claims.client_id,
            "iat": now,
            "exp": expires,
            "jti": jti,
            // RFC 8705 §3.1.
            "cnf": { "x5t#S256": claims.certificate },
        });
        // RFC 9068 §2.2.3: a token without scope has no such claim.
        if !claims.scopes.is_empty() {
            payload["scope"] = json!(claims.scopes);
        }
        if let Some(act) = &claims.act {
            payload["act"] = act.clone();
        }
        if let Some(may_act) = &claims.may_act {
            payload["may_act"] = may_act.clone();
        }
        let token = self.sign(TOKEN_TYP, &payload)?;
        if let Some(watched) = &mut *self.watched() {
            watched.insert(claims.audience.clone(), token.clone());
        }
        Ok(Minted {
            token,
            jti,
            expires,
        })
    }

    /// The tokens that are remembered, if any are.
    pub(super) fn watched(&self) -> MutexGuard<'_, Option<HashMap<String, Secret>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs any payload under any type.
    pub(super) fn sign(&self, typ: &str, payload: &Value) -> Result<Secret, KeyError> {
        let header = Header::for_key(self.key.verifying_key(), typ);
        sign_compact(&header, payload, &self.key).map(Secret::new)
    }
}

//! Tokens for the unit tests of this room and of those above.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{PresentedToken, SignedClaims, TokenError, TokenRules, VerifiedToken};
use crate::clock::{Skew, UnixTime};
use crate::crypto::{Algorithm, CertThumbprint, SigningKey};
use crate::jose::{Header, JwkSet, sign_compact};
use crate::svid::PeerIdentity;

pub(crate) const ISSUER: &str = "https://authority.test";
pub(crate) const BOOKING: &str = "spiffe://travel.test/agent/booking";
pub(crate) const PAYMENTS: &str = "spiffe://travel.test/agent/payments";
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// An issuer and one peer, and the claims of a good token of that peer.
pub(crate) struct World {
    pub(crate) issuer_key: SigningKey,
    pub(crate) peer_key: Arc<SigningKey>,
    pub(crate) peer: PeerIdentity,
    pub(crate) rules: TokenRules,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl World {
    pub(crate) fn good() -> Self {
        let peer_key = SigningKey::generate(Algorithm::Ed25519).expect("generates");
        let issuer_key = SigningKey::generate(Algorithm::EcdsaP256Sha256).expect("generates");
        let certificate = b"certificate of booking";
        let header = Header::for_key(issuer_key.verifying_key(), "at+jwt");
        Self {
            peer: PeerIdentity::unproved(BOOKING, certificate, peer_key.verifying_key().clone()),
            rules: TokenRules {
                audience: PAYMENTS.to_owned(),
                skew: Skew::default(),
            },
            header: serde_json::to_value(header).expect("JSON"),
            claims: json!({
                "iss": ISSUER, "sub": "alice", "aud": PAYMENTS, "client_id": BOOKING,
                "jti": "token-1", "scope": "payments.charge payments.read",
                "iat": NOW.secs(), "nbf": NOW.secs(), "exp": NOW.secs() + 300,
                "cnf": {"x5t#S256": CertThumbprint::of(certificate)},
                "act": {"sub": BOOKING, "iss": ISSUER},
            }),
            issuer_key,
            peer_key: Arc::new(peer_key),
        }
    }

    pub(crate) fn present(&self) -> PresentedToken {
        let header: Header = serde_json::from_value(self.header.clone()).expect("a header");
        let text = sign_compact(&header, &self.claims, &self.issuer_key).expect("signs");
        PresentedToken::from_text(&text).expect("well formed")
    }

    pub(crate) fn keys(&self) -> JwkSet {
        JwkSet::of([self.issuer_key.verifying_key()])
    }

    pub(crate) fn claims_of(
        &self,
        presented: &PresentedToken,
    ) -> Result<Arc<SignedClaims>, TokenError> {
        let parsed = presented.parse(super::MAX_TOKEN_BYTES)?;
        parsed.verify(&self.keys(), ISSUER).map(Arc::new)
    }

    pub(crate) fn check_at(&self, now: UnixTime) -> Result<VerifiedToken, TokenError> {
        let presented = self.present();
        let claims = self.claims_of(&presented)?;
        claims.check(presented, &self.rules, &self.peer, now)
    }

    pub(crate) fn check(&self) -> Result<VerifiedToken, TokenError> {
        self.check_at(NOW)
    }
}

//! A good card in a good world, for the tests of this room and of those above.

use std::time::Duration;

use bytes::Bytes;
use countersign_fixtures::ca::{self, Ca, Leaf};
use serde_json::{Value, json};

use super::{CardBuilder, Enforced, OAuthEnforced, SignedCard, TrustedKeys, VerifiedCard};
use crate::a2a::{AgentCard, AgentSkill};
use crate::clock::UnixTime;
use crate::crypto::SigningKey;
use crate::svid::{PeerIdentity, TrustBundle, TrustBundles, Usage, verify_svid};

pub(crate) const BOOKING: &str = "spiffe://travel.example/agent/booking";

pub(super) fn now() -> UnixTime {
    UnixTime::from_secs(ca::now())
}

pub(super) fn bundle(ca: &Ca) -> TrustBundle {
    let domain = ca.domain().parse().expect("a domain");
    TrustBundle::new(domain, vec![ca.root().clone()]).expect("a bundle")
}

/// A workload with its certificate.
pub(super) struct Agent {
    pub(super) issued: ca::Issued,
    pub(super) key: SigningKey,
    pub(super) peer: PeerIdentity,
}

impl Agent {
    pub(super) fn of(ca: &Ca, leaf: &Leaf) -> Self {
        let issued = ca.issue(leaf);
        let key = SigningKey::from_pkcs8(&issued.pkcs8).expect("a key");
        let bundles = TrustBundles::from(bundle(ca));
        let peer = verify_svid(&issued.chain, &bundles, Usage::Server, now()).expect("an SVID");
        Self { issued, key, peer }
    }

    pub(super) fn named(ca: &Ca, path: &str) -> Self {
        Self::of(ca, &Leaf::of(&ca.id(path)))
    }
}

pub(super) fn enforced() -> Enforced {
    Enforced {
        mtls: true,
        oauth: Some(OAuthEnforced {
            issuer: "https://as.example".into(),
            token_url: "https://as.example/token".into(),
            metadata_url: "https://as.example/.well-known/oauth-authorization-server".into(),
            scopes: [
                ("booking:reserve".to_owned(), "Reserve a room".to_owned()),
                (
                    "booking:cancel".to_owned(),
                    "Cancel a reservation".to_owned(),
                ),
            ]
            .into(),
        }),
        signature_profile: Some("a2a".into()),
        agent: BOOKING.parse().expect("an ID"),
        audience: BOOKING.into(),
        skills: [("reserve".to_owned(), vec!["booking:reserve".to_owned()])].into(),
    }
}

pub(super) fn builder() -> CardBuilder {
    CardBuilder::new("Booking", "Books hotels", "1.0.0")
        .interface("https://booking.example/a2a")
        .skill(AgentSkill::new("reserve", "Reserve", "Reserves a room").tagged(["hotel"]))
        .provider("Example Travel", "https://travel.example")
}

pub(crate) fn card() -> AgentCard {
    builder().build(&enforced()).expect("a card")
}

/// The header of a signature by `agent`, as [`sign_card`](super::sign_card) writes it.
pub(super) fn header(agent: &Agent) -> Value {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let x5c: Vec<_> = agent
        .issued
        .chain
        .iter()
        .map(|c| STANDARD.encode(c))
        .collect();
    let key = agent.key.verifying_key();
    json!({"alg": key.algorithm().jose_name(), "kid": key.thumbprint(), "typ": "JOSE", "x5c": x5c})
}

/// One authority, the booking agent and its signed card.
pub(crate) struct World {
    pub(super) ca: Ca,
    pub(super) booking: Agent,
    pub(super) keys: TrustedKeys,
}

impl World {
    pub(crate) fn new() -> Self {
        let ca = Ca::new("travel.example");
        let booking = Agent::named(&ca, "/agent/booking");
        let keys = TrustedKeys::bundles(bundle(&ca).into());
        Self { ca, booking, keys }
    }

    pub(super) fn published(&self) -> Value {
        let bytes = super::sign_card(&card(), &self.booking.key, &self.booking.issued.chain);
        serde_json::from_slice(&bytes.expect("signed")).expect("JSON")
    }

    pub(super) fn verify(&self, document: &Value) -> Result<VerifiedCard, super::CardError> {
        let bytes = Bytes::from(document.to_string());
        SignedCard::received(bytes, self.booking.peer.clone()).verify(&self.keys, now())
    }

    /// The verified card with this content, whatever it is.
    pub(crate) fn verified(&self, card: &AgentCard) -> VerifiedCard {
        let document = serde_json::to_value(card).expect("JSON");
        let header = header(&self.booking);
        let signed = super::sign::sign_unchecked(document, &self.booking.key, &header);
        self.verify(&signed.expect("signed")).expect("verified")
    }
}

pub(super) fn hour() -> Duration {
    Duration::from_secs(3600)
}

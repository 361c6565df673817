//! From a card as received to a card that is proved (A2A §8.4.3).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rustls_pki_types::CertificateDer;
use serde::Deserialize as _;
use serde_json::Value;

use super::extension::expect;
use super::{CardError, CountersignParams, SignatureFault, TrustedKeys, canonical_form};
use crate::a2a::{AgentCard, AgentCardSignature};
use crate::clock::UnixTime;
use crate::crypto::{VerifyingKey, sha256};
use crate::id::SpiffeId;
use crate::jose::{Header, JsonLimits, decode_base64url, encode_base64url, parse_json};
use crate::svid::{PeerIdentity, Usage, verify_svid};

/// The largest card, in bytes.
pub(super) const CARD_MAX: usize = 256 << 10;
/// The most signatures that are looked at.
const SIGNATURES_MAX: usize = 16;

/// A card as it came from a peer. Nothing in it can be read before [`SignedCard::verify`].
#[derive(Clone)]
pub struct SignedCard {
    bytes: Bytes,
    served_by: PeerIdentity,
}

impl fmt::Debug for SignedCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, peer) = (self.bytes.len(), self.served_by.id());
        write!(f, "SignedCard({len} bytes from {peer})")
    }
}

/// A card whose signature verifies under a trusted key of the very agent that served it.
#[derive(Clone, Debug)]
pub struct VerifiedCard {
    card: AgentCard,
    agent: SpiffeId,
    extension: Option<CountersignParams>,
    not_after: Option<UnixTime>,
    digest: [u8; 32],
}

impl VerifiedCard {
    /// The card, without its signatures.
    pub fn card(&self) -> &AgentCard {
        &self.card
    }

    /// Whose card it is.
    pub fn agent(&self) -> &SpiffeId {
        &self.agent
    }

    /// What it declares of identity, when it does.
    pub fn extension(&self) -> Option<&CountersignParams> {
        self.extension.as_ref()
    }

    /// The last second at which the signing certificate is valid, the card's own end in a cache;
    /// none for a pinned key without an end.
    pub fn not_after(&self) -> Option<UnixTime> {
        self.not_after
    }

    /// SHA-256 of the bytes as received.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl SignedCard {
    /// The body of an answer, and the peer that gave it.
    pub fn received(bytes: Bytes, served_by: PeerIdentity) -> Self {
        Self { bytes, served_by }
    }

    /// Checks that one of the signatures was made over this card, with a trusted key, by the agent
    /// that served it. Further signatures that do not verify are ignored: they may be for others.
    ///
    /// # Errors
    /// [`CardError::Unsigned`], [`CardError::Signature`] when none verifies,
    /// [`CardError::NotPeers`] when one does but it is another agent's; further errors when it is
    /// no card within the limits (256 KiB, 16 signatures).
    pub fn verify(self, keys: &TrustedKeys, now: UnixTime) -> Result<VerifiedCard, CardError> {
        let limits = JsonLimits {
            bytes: CARD_MAX,
            ..JsonLimits::default()
        };
        let mut document = parse_json(&self.bytes, limits).map_err(CardError::Json)?;
        let signatures = take_signatures(&mut document)?;
        let payload = canonical_form(document.clone())?;
        let proof = prove(&signatures, &payload, self.served_by.id(), keys, now)?;
        let card = AgentCard::deserialize(document)
            .map_err(|error| CardError::Shape(error.to_string()))?;
        let extension = CountersignParams::of(&card)?;
        if let Some(params) = &extension {
            expect("agent", params.agent.as_str(), proof.agent.as_str())?;
            // A card that asks for a token for somebody else is after that token.
            expect("audience", &params.audience, proof.agent.as_str())?;
        }
        Ok(VerifiedCard {
            card,
            agent: proof.agent,
            extension,
            not_after: proof.not_after,
            digest: sha256(&self.bytes),
        })
    }
}

fn take_signatures(document: &mut Value) -> Result<Vec<AgentCardSignature>, CardError> {
    let members = document
        .as_object_mut()
        .ok_or_else(|| CardError::Shape("not an object".into()))?;
    let listed = match members.remove("signatures") {
        None | Some(Value::Null) => return Err(CardError::Unsigned),
        Some(listed) => listed,
    };
    let (count, max) = (listed.as_array().map_or(0, Vec::len), SIGNATURES_MAX);
    if count > max {
        return Err(CardError::TooManySignatures { count, max });
    }
    let signatures = Vec::<AgentCardSignature>::deserialize(listed)
        .map_err(|error| CardError::Shape(format!("signatures: {error}")))?;
    if signatures.is_empty() {
        return Err(CardError::Unsigned);
    }
    Ok(signatures)
}

/// Who made a signature that verifies.
struct Proof {
    agent: SpiffeId,
    not_after: Option<UnixTime>,
}

fn prove(
    signatures: &[AgentCardSignature],
    payload: &[u8],
    peer: &SpiffeId,
    keys: &TrustedKeys,
    now: UnixTime,
) -> Result<Proof, CardError> {
    let (mut stranger, mut first_fault) = (None, None);
    for (place, signature) in signatures.iter().enumerate() {
        match check(signature, payload, peer, keys, now) {
            Ok(proof) if proof.agent == *peer => return Ok(proof),
            Ok(proof) => stranger = stranger.or(Some(proof.agent)),
            Err(fault) => first_fault = first_fault.or(Some(CardError::Signature { place, fault })),
        }
    }
    match (stranger, first_fault) {
        // A genuine card of another agent: copied, or served from the wrong place.
        (Some(signer), _) => Err(CardError::NotPeers {
            signer,
            peer: peer.clone(),
        }),
        (None, Some(error)) => Err(error),
        (None, None) => Err(CardError::Unsigned),
    }
}

fn check(
    signature: &AgentCardSignature,
    payload: &[u8],
    peer: &SpiffeId,
    keys: &TrustedKeys,
    now: UnixTime,
) -> Result<Proof, SignatureFault> {
    let header = decode_base64url(&signature.protected)
        .and_then(|json| Header::parse(&json))
        .map_err(SignatureFault::Header)?;
    let kid = header.kid.clone().filter(|kid| !kid.is_empty());
    let kid = kid.ok_or(SignatureFault::NoKid)?;
    // A signature made for a token or an enrolment is none for a card.
    if let Some(typ) = header
        .typ
        .as_deref()
        .filter(|t| !t.eq_ignore_ascii_case("JOSE"))
    {
        let typ = typ.chars().take(64).collect();
        return Err(SignatureFault::Type { typ });
    }
    let made = decode_base64url(&signature.signature).map_err(|_| SignatureFault::Mismatch)?;
    let input = signing_input(&signature.protected, payload);
    let verify = |key: &VerifyingKey| verify_with(key, &header, input.as_bytes(), &made);

    let certified = header.x5c.as_deref().map(|x5c| certified(x5c, keys, now));
    let fault = match certified {
        Some(Ok(owner)) => match verify(owner.key()) {
            Ok(()) => {
                return Ok(Proof {
                    agent: owner.id().clone(),
                    not_after: Some(owner.not_after()),
                });
            }
            Err(fault) => fault,
        },
        Some(Err(fault)) => fault,
        None => SignatureFault::UnknownKey { kid: kid.clone() },
    };
    by_pin(&kid, peer, keys, now, verify).unwrap_or(Err(fault))
}

/// The outcome with the pinned keys of this name; none when there is no such key.
fn by_pin(
    kid: &str,
    peer: &SpiffeId,
    keys: &TrustedKeys,
    now: UnixTime,
    verify: impl Fn(&VerifyingKey) -> Result<(), SignatureFault>,
) -> Option<Result<Proof, SignatureFault>> {
    // The peer's own pins first: a key pinned to two agents then counts for the one that serves.
    let (own, others): (Vec<_>, Vec<_>) = keys.pins().iter().partition(|(_, id)| id == peer);
    let mut last = None;
    for (set, agent) in own.into_iter().chain(others) {
        let Some((jwk, key)) = set.find(kid) else {
            continue;
        };
        let until = jwk.exp.map(UnixTime::from_secs);
        // A2A §8.4.3: an expired key must not verify.
        let checked = match until {
            Some(until) if until < now => {
                let kid = kid.to_owned();
                Err(SignatureFault::PinExpired { kid, until, now })
            }
            _ => verify(key),
        };
        let proof = checked.map(|()| Proof {
            agent: agent.clone(),
            not_after: until,
        });
        if proof.is_ok() {
            return Some(proof);
        }
        last = Some(proof);
    }
    last
}

/// The owner of the certificate chain in the header, when the bundle of its trust domain vouches
/// for it. RFC 7515 §4.1.6: base64 with padding, leaf first.
fn certified(
    x5c: &[String],
    keys: &TrustedKeys,
    now: UnixTime,
) -> Result<PeerIdentity, SignatureFault> {
    let decode = |text: &String| {
        let der = STANDARD.decode(text).map_err(|_| SignatureFault::ChainForm);
        der.map(CertificateDer::from)
    };
    let chain = x5c.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
    verify_svid(&chain, keys.trust(), Usage::Signing, now).map_err(SignatureFault::Chain)
}

fn verify_with(
    key: &VerifyingKey,
    header: &Header,
    input: &[u8],
    signature: &[u8],
) -> Result<(), SignatureFault> {
    let named = header.algorithm().map_err(SignatureFault::Header)?;
    if named != key.algorithm() {
        return Err(SignatureFault::KeyAlgorithm {
            alg: named.jose_name(),
            key: key.algorithm().jose_name(),
        });
    }
    key.verify(input, signature)
        .map_err(|_| SignatureFault::Mismatch)
}

/// RFC 7515 §5.1: the protected header and the payload, each base64url.
pub(super) fn signing_input(protected: &str, payload: &[u8]) -> String {
    format!("{protected}.{}", encode_base64url(payload))
}

#[cfg(test)]
mod tests {
    use countersign_fixtures::ca::{Authority, Ca, Kind, Leaf};
    use serde_json::json;

    use super::super::sign::sign_unchecked;
    use super::super::testing::{Agent, BOOKING, World, bundle, card, header, hour, now};
    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::jose::{Jwk, JwkSet};

    fn refused(world: &World, document: &Value) -> &'static str {
        world
            .verify(document)
            .expect_err("must be refused")
            .reason()
    }

    #[test]
    fn a_signed_card_verifies_and_says_whose_it_is() {
        for kind in [Kind::Ed25519, Kind::P256] {
            let mut world = World::new();
            let leaf = Leaf {
                kind,
                ..Leaf::of(BOOKING)
            };
            world.booking = Agent::of(&world.ca, &leaf);
            let document = world.published();
            let verified = world.verify(&document).expect("verified");
            assert_eq!(verified.agent().as_str(), BOOKING);
            assert_eq!(*verified.card(), card());
            let params = verified.extension().expect("the extension");
            assert_eq!(params.agent, *verified.agent());
            assert_eq!(
                verified.not_after(),
                Some(UnixTime::from_secs(leaf.not_after))
            );
            let bytes = document.to_string();
            assert_eq!(*verified.digest(), sha256(bytes.as_bytes()));
        }
    }

    #[test]
    fn white_space_and_member_order_do_not_matter() {
        let world = World::new();
        let pretty = serde_json::to_string_pretty(&world.published()).expect("JSON");
        let card = SignedCard::received(pretty.into(), world.booking.peer.clone());
        assert!(card.verify(&world.keys, now()).is_ok());
    }

    /// Every place of the document, as JSON pointers.
    fn places(value: &Value, at: &str, out: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    places(value, &format!("{at}/{name}"), out);
                }
            }
            Value::Array(items) => {
                for (n, value) in items.iter().enumerate() {
                    places(value, &format!("{at}/{n}"), out);
                }
            }
            _ => {}
        }
        if !at.is_empty() {
            out.push(at.to_owned());
        }
    }

    fn remove(document: &mut Value, place: &str) {
        let (parent, name) = place.rsplit_once('/').expect("a place");
        match document.pointer_mut(parent).expect("a parent") {
            Value::Object(members) => {
                let name = name.replace("~1", "/").replace("~0", "~");
                members.remove(&name);
            }
            Value::Array(items) => {
                items.remove(name.parse().expect("an index"));
            }
            other => panic!("{other} has no members"),
        }
    }

    #[test]
    fn whatever_is_changed_or_removed_the_card_is_refused() {
        let world = World::new();
        let good = world.published();
        let mut all = Vec::new();
        places(&good, "", &mut all);
        let content: Vec<_> = all
            .into_iter()
            .filter(|place| !place.starts_with("/signatures"))
            .collect();
        assert!(content.len() > 50, "{content:?}");
        for place in content {
            let mut changed = good.clone();
            *changed.pointer_mut(&place).expect("a place") = json!("tampered");
            assert_eq!(refused(&world, &changed), "card.signature", "{place}");
            let mut removed = good.clone();
            remove(&mut removed, &place);
            assert_eq!(refused(&world, &removed), "card.signature", "no {place}");
        }
        for (name, value) in [("later", json!("")), ("documentationUrl", json!(""))] {
            let mut added = good.clone();
            added[name] = value;
            assert_eq!(refused(&world, &added), "card.signature", "{name}");
        }
    }

    #[test]
    fn a_mutual_tls_requirement_cannot_be_stripped() {
        let world = World::new();
        let mut document = world.published();
        for at in 0..2 {
            remove(
                &mut document,
                &format!("/securityRequirements/{at}/schemes/mtls"),
            );
        }
        remove(&mut document, "/securitySchemes/mtls");
        assert_eq!(refused(&world, &document), "card.signature");
        // Also not where the card was signed by somebody who left the list empty.
        let mut empty = serde_json::to_value(card()).expect("JSON");
        empty["securitySchemes"]["mtls"] = json!({"mtlsSecurityScheme": {}});
        empty["securityRequirements"] = json!([{"schemes": {"mtls": {"list": []}}}]);
        let signed = sign_unchecked(empty, &world.booking.key, &header(&world.booking));
        let signed = signed.expect("signed");
        assert!(world.verify(&signed).is_ok());
        for place in [
            "/securityRequirements/0/schemes/mtls",
            "/securityRequirements/0",
            "/securityRequirements",
            "/securitySchemes/mtls/mtlsSecurityScheme",
        ] {
            let mut stripped = signed.clone();
            remove(&mut stripped, place);
            assert_eq!(refused(&world, &stripped), "card.signature", "{place}");
        }
    }

    #[test]
    fn what_counts_as_absent_may_be_added() {
        let world = World::new();
        let mut document = world.published();
        document["iconUrl"] = Value::Null;
        document["skills"][0]["examples"] = json!([]);
        document["supportedInterfaces"][0]["tenant"] = json!("");
        let verified = world.verify(&document).expect("verified");
        assert_eq!(*verified.card(), card());
    }

    #[test]
    fn a_card_without_signatures_is_refused() {
        let world = World::new();
        for signatures in [json!([]), Value::Null] {
            let mut document = world.published();
            document["signatures"] = signatures;
            assert_eq!(refused(&world, &document), "card.unsigned");
        }
        let unsigned = serde_json::to_value(card()).expect("JSON");
        assert_eq!(refused(&world, &unsigned), "card.unsigned");
    }

    #[test]
    fn a_genuine_card_of_another_agent_is_refused() {
        let world = World::new();
        let planner = Agent::named(&world.ca, "/agent/planner");
        let bytes = Bytes::from(world.published().to_string());
        let copied = SignedCard::received(bytes, planner.peer.clone());
        let error = copied.verify(&world.keys, now()).expect_err("copied");
        assert_eq!(error.reason(), "card.not_peers");
        assert!(error.to_string().contains("/agent/planner"), "{error}");
        // Nor may the planner sign a card that says it is the booking agent.
        let document = serde_json::to_value(card()).expect("JSON");
        let signed = sign_unchecked(document, &planner.key, &header(&planner)).expect("signed");
        let bytes = Bytes::from(signed.to_string());
        let posing = SignedCard::received(bytes, planner.peer.clone());
        let error = posing.verify(&world.keys, now()).expect_err("posing");
        assert_eq!(error.reason(), "card.extension");
    }

    #[test]
    fn only_keys_of_the_policy_count() {
        let world = World::new();
        let stranger = Ca::new("travel.example");
        let same_name = Agent::named(&stranger, "/agent/booking");
        let foreign = Agent::named(&Ca::new("other.example"), "/agent/booking");
        let good = header(&world.booking);
        let key = &world.booking.key;
        let own = SigningKey::generate(Algorithm::Ed25519).expect("a key");
        let document = || serde_json::to_value(card()).expect("JSON");
        let with = |name: &str, value: Value| {
            let mut header = good.clone();
            header[name] = value;
            header
        };
        let without = |name: &str| {
            let mut header = good.clone();
            header.as_object_mut().expect("an object").remove(name);
            header
        };
        let embedded = {
            let mut header = without("x5c");
            header["jwk"] = serde_json::to_value(Jwk::of(own.verifying_key())).expect("JSON");
            header["jku"] = json!("https://travel.example/keys");
            header
        };
        for (name, key, header, want) in [
            (
                "chain to another root of the same name",
                &same_name.key,
                header(&same_name),
                "card.untrusted_key",
            ),
            (
                "chain of another trust domain",
                &foreign.key,
                header(&foreign),
                "card.untrusted_key",
            ),
            ("key behind jku and jwk", &own, embedded, "card.unknown_key"),
            (
                "somebody else's chain",
                &own,
                good.clone(),
                "card.signature",
            ),
            (
                "empty chain",
                key,
                with("x5c", json!([])),
                "card.untrusted_key",
            ),
            (
                "chain that is not base64",
                key,
                with("x5c", json!(["-_"])),
                "card.signature_chain",
            ),
            ("no kid", key, without("kid"), "card.signature_kid"),
            (
                "empty kid",
                key,
                with("kid", json!("")),
                "card.signature_kid",
            ),
            (
                "no algorithm",
                key,
                with("alg", json!("none")),
                "card.signature_header",
            ),
            (
                "HMAC",
                key,
                with("alg", json!("HS256")),
                "card.signature_header",
            ),
            (
                "the other algorithm",
                key,
                with("alg", json!("ES256")),
                "card.key_algorithm",
            ),
            (
                "an extension that must be understood",
                key,
                with("crit", json!(["b64"])),
                "card.signature_header",
            ),
            (
                "made for a token",
                key,
                with("typ", json!("at+jwt")),
                "card.signature_type",
            ),
        ] {
            let signed = sign_unchecked(document(), key, &header).expect("signed");
            assert_eq!(refused(&world, &signed), want, "{name}");
        }
        let signed = sign_unchecked(document(), key, &without("typ")).expect("signed");
        assert!(world.verify(&signed).is_ok(), "typ is optional");
    }

    #[test]
    fn a_card_ends_with_its_certificate() {
        let world = World::new();
        let bytes = Bytes::from(world.published().to_string());
        let card = SignedCard::received(bytes, world.booking.peer.clone());
        let until = world.booking.peer.not_after();
        assert!(card.clone().verify(&world.keys, until).is_ok());
        let late = UnixTime::from_secs(until.secs() + 1);
        let error = card.verify(&world.keys, late).expect_err("expired");
        assert_eq!(error.reason(), "card.key_expired");
    }

    #[test]
    fn withdrawn_trust_ends_the_card_too() {
        let world = World::new();
        let bytes = Bytes::from(world.published().to_string());
        let card = SignedCard::received(bytes, world.booking.peer.clone());
        let error = card.verify(&TrustedKeys::default(), now());
        assert_eq!(error.expect_err("withdrawn").reason(), "card.untrusted_key");
    }

    #[test]
    fn a_chain_through_an_intermediate_verifies() {
        let mut world = World::new();
        let below = world.ca.below(&Authority::of("issuing"));
        world.booking = Agent::named(&below, "/agent/booking");
        assert!(world.verify(&world.published()).is_ok());
    }

    fn pinned(world: &World, exp: Option<u64>) -> TrustedKeys {
        let mut jwk = serde_json::to_value(Jwk::of(world.booking.key.verifying_key()));
        if let (Ok(jwk), Some(exp)) = (&mut jwk, exp) {
            jwk["exp"] = json!(exp);
        }
        let document = json!({"keys": [jwk.expect("JSON")]});
        let set = JwkSet::from_value(&document).expect("a set");
        TrustedKeys::default().pin(set, BOOKING.parse().expect("an ID"))
    }

    #[test]
    fn a_pinned_key_needs_no_chain_and_ends_at_its_end() {
        let world = World::new();
        let signed = super::super::sign_card(&card(), &world.booking.key, &[]).expect("signed");
        let card = SignedCard::received(signed.into(), world.booking.peer.clone());
        let end = now().plus(hour());
        for (keys, at, want) in [
            (pinned(&world, None), now(), Ok(None)),
            (pinned(&world, Some(end.secs())), end, Ok(Some(end))),
            (
                pinned(&world, Some(end.secs())),
                UnixTime::from_secs(end.secs() + 1),
                Err("card.key_expired"),
            ),
            (TrustedKeys::default(), now(), Err("card.unknown_key")),
            (
                TrustedKeys::bundles(bundle(&world.ca).into()),
                now(),
                Err("card.unknown_key"),
            ),
        ] {
            let got = card.clone().verify(&keys, at);
            let got = got
                .map(|card| card.not_after())
                .map_err(|error| error.reason());
            assert_eq!(got, want);
        }
    }

    #[test]
    fn a_key_pinned_to_another_agent_is_that_agents() {
        let world = World::new();
        let set = JwkSet::of([world.booking.key.verifying_key()]);
        let planner = "spiffe://travel.example/agent/planner";
        let keys = TrustedKeys::default().pin(set, planner.parse().expect("an ID"));
        let signed = super::super::sign_card(&card(), &world.booking.key, &[]).expect("signed");
        let card = SignedCard::received(signed.into(), world.booking.peer.clone());
        let error = card.verify(&keys, now()).expect_err("another agent's key");
        assert_eq!(error.reason(), "card.not_peers");
    }

    #[test]
    fn further_signatures_are_ignored_up_to_a_limit() {
        let world = World::new();
        let mut document = world.published();
        let good = document["signatures"][0].clone();
        let garbage = json!({"protected": "!", "signature": "AA"});
        for (count, want) in [
            (SIGNATURES_MAX, None),
            (SIGNATURES_MAX + 1, Some("card.too_many_signatures")),
        ] {
            let mut signatures = vec![garbage.clone(); count - 1];
            signatures.push(good.clone());
            document["signatures"] = json!(signatures);
            let reason = world.verify(&document).err().map(|error| error.reason());
            assert_eq!(reason, want, "{count}");
        }
        // The peer's own signature counts beside another agent's.
        let planner = Agent::named(&world.ca, "/agent/planner");
        let mut document = world.published();
        let own = document["signatures"].take();
        let unsigned = serde_json::to_value(card()).expect("JSON");
        let both = sign_unchecked(unsigned, &planner.key, &header(&planner)).expect("signed");
        document["signatures"] = json!([both["signatures"][0], own[0]]);
        assert!(world.verify(&document).is_ok());
        document["signatures"] = json!([garbage, both["signatures"][0]]);
        assert_eq!(refused(&world, &document), "card.not_peers");
    }

    #[test]
    fn what_is_no_card_within_the_limits_is_refused() {
        let world = World::new();
        let read = |text: String| {
            let card = SignedCard::received(text.into(), world.booking.peer.clone());
            card.verify(&world.keys, now()).map(|_| ())
        };
        let good = world.published().to_string();
        let padded = |len: usize| {
            let spaces = " ".repeat(len - good.len());
            format!("{good}{spaces}")
        };
        assert!(read(padded(CARD_MAX)).is_ok());
        let twice = good.replacen('{', r#"{"name":"Other","#, 1);
        let nested = format!(r#"{{"x":{}0{}}}"#, "[".repeat(64), "]".repeat(64));
        for (text, want) in [
            (padded(CARD_MAX + 1), "card.json"),
            (twice, "card.json"),
            (nested, "card.json"),
            (String::new(), "card.json"),
            ("[]".into(), "card.shape"),
            (r#"{"signatures":{}}"#.into(), "card.shape"),
            (r#"{"signatures":[3]}"#.into(), "card.shape"),
        ] {
            let error = read(text.clone()).expect_err("must be refused");
            assert_eq!(error.reason(), want, "{}", &text[..text.len().min(80)]);
        }
    }

    #[test]
    fn the_identity_extension_must_fit_the_signature() {
        let world = World::new();
        let params = "/capabilities/extensions/0/params";
        type Change = fn(&mut Value);
        for (name, change, want) in [
            (
                "another trust domain",
                (|p| p["trustDomain"] = json!("other.example")) as Change,
                "card.extension",
            ),
            (
                "another agent",
                |p| p["agent"] = json!("spiffe://travel.example/agent/planner"),
                "card.extension",
            ),
            (
                "a token for another agent",
                |p| p["audience"] = json!("spiffe://travel.example/agent/payments"),
                "card.extension",
            ),
            (
                "no agent",
                |p| *p = json!({"audience": "x"}),
                "card.extension_shape",
            ),
            (
                "an agent without a path",
                |p| p["agent"] = json!("spiffe://travel.example"),
                "card.extension_shape",
            ),
        ] {
            let mut document = serde_json::to_value(card()).expect("JSON");
            change(document.pointer_mut(params).expect("the params"));
            let header = header(&world.booking);
            let signed = sign_unchecked(document, &world.booking.key, &header).expect("signed");
            assert_eq!(refused(&world, &signed), want, "{name}");
        }
        let mut document = serde_json::to_value(card()).expect("JSON");
        let twice = document["capabilities"]["extensions"][0].clone();
        document["capabilities"]["extensions"] = json!([twice, twice]);
        let header = header(&world.booking);
        let signed = sign_unchecked(document, &world.booking.key, &header).expect("signed");
        assert_eq!(refused(&world, &signed), "card.extension_shape");
        let mut document = serde_json::to_value(card()).expect("JSON");
        document["capabilities"] = json!({"streaming": true});
        let signed = sign_unchecked(document, &world.booking.key, &header).expect("signed");
        let verified = world.verify(&signed).expect("a card without the extension");
        assert_eq!(verified.extension(), None);
    }

    #[test]
    fn a_card_with_a_scheme_of_an_unknown_kind_still_verifies() {
        let world = World::new();
        let mut document = serde_json::to_value(card()).expect("JSON");
        document["securitySchemes"]["later"] = json!({"laterSecurityScheme": {"x": ""}});
        let header = header(&world.booking);
        let signed = sign_unchecked(document, &world.booking.key, &header).expect("signed");
        let verified = world.verify(&signed).expect("verified");
        assert_eq!(verified.card().security_schemes.len(), 3);
    }

    #[test]
    fn nothing_of_an_unverified_card_is_shown() {
        let world = World::new();
        let bytes = Bytes::from(world.published().to_string());
        let len = bytes.len();
        let card = SignedCard::received(bytes, world.booking.peer.clone());
        let shown = format!("{card:?}");
        assert_eq!(shown, format!("SignedCard({len} bytes from {BOOKING})"));
    }
}

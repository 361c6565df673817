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
    let mut fault = match certified {
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
    // The peer's own pins first: a key pinned to two agents then counts for the one that serves.
    let (own, others): (Vec<_>, Vec<_>) = keys.pins().iter().partition(|(_, id)| id == peer);
    for (set, agent) in own.into_iter().chain(others) {
        let Some((jwk, key)) = set.find(&kid) else {
            continue;
        };
        let until = jwk.exp.map(UnixTime::from_secs);
        // A2A §8.4.3: an expired key must not verify.
        if let Some(until) = until.filter(|until| *until < now) {
            let kid = kid.clone();
            fault = SignatureFault::PinExpired { kid, until, now };
            continue;
        }
        match verify(key) {
            Ok(()) => {
                return Ok(Proof {
                    agent: agent.clone(),
                    not_after: until,
                });
            }
            Err(why) => fault = why,
        }
    }
    Err(fault)
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

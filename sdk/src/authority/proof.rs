//! Proof that whoever asks for a certificate holds the key it will name.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::crypto::VerifyingKey;
use crate::jose::{JsonError, JsonLimits, JwkError, JwsError, ParsedJws, parse_typed};
use crate::workload::{PROOF_TYP, Proof};

/// How far `iat` may lie from now, either way.
pub(super) const PROOF_WINDOW: Duration = Duration::from_secs(60);
/// The longest proof, in bytes.
const PROOF_MAX: usize = 4 << 10;

/// Why a proof was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProofError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    #[error("the proof is of type {typ:?}, {PROOF_TYP} is demanded")]
    Typ { typ: Option<String> },
    #[error("the payload is malformed: {0}")]
    Payload(#[from] JsonError),
    #[error(transparent)]
    Key(#[from] JwkError),
    #[error("made for {aud:?}, this is {me}")]
    Audience { aud: String, me: String },
    #[error("made at {iat}, it is {now}")]
    Time { iat: UnixTime, now: UnixTime },
    #[error("the proof has no jti")]
    Jti,
}

impl ProofError {
    /// A fixed word for the broken rule.
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.reason(),
            Self::Typ { .. } => "proof.typ",
            Self::Payload(error) => error.reason(),
            Self::Key(error) => error.reason(),
            Self::Audience { .. } => "proof.audience",
            Self::Time { .. } => "proof.time",
            Self::Jti => "proof.jti",
        }
    }
}

/// What a proof has shown.
#[derive(Debug)]
pub(super) struct Proved {
    /// The key that signed it.
    pub(super) key: VerifyingKey,
    /// Who asks, when the proof says so.
    pub(super) agent: Option<String>,
}

/// The key that signed `proof`, which was made just now and for `authority`.
pub(super) fn prove(proof: &str, authority: &str, now: UnixTime) -> Result<Proved, ProofError> {
    let jws = ParsedJws::parse(proof, PROOF_MAX)?;
    let typ = jws.header().typ.clone();
    if typ.as_deref() != Some(PROOF_TYP) {
        return Err(ProofError::Typ { typ });
    }
    let limits = JsonLimits {
        depth: 4,
        bytes: PROOF_MAX,
    };
    let payload: Proof = parse_typed(jws.unverified_payload(), limits)?;
    // The key in the payload is the one to be proved: what it signs can speak for nothing else.
    let key = payload.jwk.key()?;
    jws.verify(&key)?;
    if payload.aud != authority {
        return Err(ProofError::Audience {
            aud: payload.aud,
            me: authority.to_owned(),
        });
    }
    let iat = UnixTime::from_secs(payload.iat);
    if iat.since(now) > PROOF_WINDOW || now.since(iat) > PROOF_WINDOW {
        return Err(ProofError::Time { iat, now });
    }
    if payload.jti.is_empty() {
        return Err(ProofError::Jti);
    }
    let agent = payload.agent;
    Ok(Proved { key, agent })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::crypto::{Algorithm, SigningKey};
    use crate::jose::{Header, Jwk, sign_compact};

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);
    const ME: &str = "spiffe://travel.example/authority";

    fn payload(key: &SigningKey) -> Value {
        json!({
            "jwk": Jwk::of(key.verifying_key()), "aud": ME, "iat": NOW, "jti": "one",
        })
    }

    fn outcome(payload: &Value, typ: &str, key: &SigningKey) -> &'static str {
        let header = Header::for_key(key.verifying_key(), typ);
        let proof = sign_compact(&header, payload, key).expect("signs");
        match prove(&proof, ME, NOW) {
            Ok(proved) if proved.key == *key.verifying_key() => "proved",
            Ok(_) => "another key",
            Err(error) => error.reason(),
        }
    }

    #[test]
    fn each_changed_member_is_refused() {
        let key = SigningKey::generate(Algorithm::EcdsaP256Sha256).expect("generates");
        let other = SigningKey::generate(Algorithm::EcdsaP256Sha256).expect("generates");
        let good = payload(&key);
        assert_eq!(outcome(&good, PROOF_TYP, &key), "proved");
        assert_eq!(outcome(&good, "JWT", &key), "proof.typ");
        assert_eq!(outcome(&good, PROOF_TYP, &other), "jws.signature");
        let iat = |by: i64| json!(NOW.secs().saturating_add_signed(by));
        for (member, value, want) in [
            (
                "aud",
                json!("spiffe://other.example/authority"),
                "proof.audience",
            ),
            ("aud", json!([ME]), "json.shape"),
            ("iat", iat(60), "proved"),
            ("iat", iat(61), "proof.time"),
            ("iat", iat(-60), "proved"),
            ("iat", iat(-61), "proof.time"),
            ("jti", json!(""), "proof.jti"),
            ("jti", Value::Null, "json.shape"),
            ("jwk", json!({"kty": "oct"}), "jwk.kind"),
            ("jwk", json!({"kty": "oct", "k": "AAAA"}), "jwk.private"),
        ] {
            let mut changed = good.clone();
            changed[member] = value;
            assert_eq!(outcome(&changed, PROOF_TYP, &key), want, "{changed}");
        }
    }
}

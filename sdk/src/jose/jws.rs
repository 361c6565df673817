//! JSON Web Signatures in compact form (RFC 7515), for tokens and cards.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JsonError, JsonLimits, parse_json};
use crate::crypto::{Algorithm, KeyError, SigningKey, VerifyingKey};

/// Why a compact JWS was refused.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// Longer than the limit.
    #[error("the JWS has {len} bytes, {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Not three base64url parts.
    #[error("the JWS is not three base64url parts")]
    Form,
    /// The header is not a JSON object with a text `alg`.
    #[error("the JWS header is malformed: {0}")]
    Header(#[source] JsonError),
    /// The algorithm is not on the list.
    #[error("the JWS names the algorithm {alg:?}, which is not on the list")]
    Algorithm {
        /// What it names.
        alg: String,
    },
    /// The header demands an extension (`crit`, `b64`, `zip`) we do not implement.
    #[error("the JWS header has {member:?}, which is not supported")]
    Critical {
        /// The member.
        member: &'static str,
    },
    /// The algorithm does not belong to the key.
    #[error("the JWS names {alg}, the key is for {key}")]
    KeyAlgorithm {
        /// What the header names.
        alg: &'static str,
        /// What the key is for.
        key: &'static str,
    },
    /// The signature does not verify.
    #[error("the JWS signature does not verify")]
    Signature,
}

impl JwsError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "jws.too_long",
            Self::Form => "jws.form",
            Self::Header(_) => "jws.header",
            Self::Algorithm { .. } => "jws.algorithm",
            Self::Critical { .. } => "jws.critical",
            Self::KeyAlgorithm { .. } => "jws.key_algorithm",
            Self::Signature => "jws.signature",
        }
    }
}

/// The header members that are used; all others are ignored, `crit`, `b64` and `zip` refuse.
///
/// Keys that a header carries or points to (`jwk`, `jku`, `x5u`) are never followed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The algorithm's JOSE name.
    pub alg: String,
    /// Media type of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// Which key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Certificate chain, base64 DER, leaf first (RFC 7515 §4.1.6). Evidence only after it was
    /// checked against a trust bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
}

impl Header {
    /// A header for `key`, with its thumbprint as `kid`.
    pub fn for_key(key: &VerifyingKey, typ: &str) -> Self {
        Self {
            alg: key.algorithm().jose_name().into(),
            typ: Some(typ.into()),
            kid: Some(key.thumbprint().to_string()),
            x5c: None,
        }
    }

    /// Reads a decoded protected header.
    ///
    /// # Errors
    /// [`JwsError::Header`], [`JwsError::Critical`] or [`JwsError::Algorithm`].
    pub fn parse(json: &[u8]) -> Result<Self, JwsError> {
        let value = parse_json(
            json,
            JsonLimits {
                depth: 8,
                bytes: 64 << 10,
            },
        );
        let value = value.map_err(JwsError::Header)?;
        // RFC 7515 §4.1.11: an extension that must be understood and is not makes it invalid.
        for member in ["crit", "b64", "zip"] {
            if value.get(member).is_some() {
                return Err(JwsError::Critical { member });
            }
        }
        let header = Self::deserialize(value).map_err(|e| JwsError::Header(JsonError::Shape(e)))?;
        header.algorithm()?;
        Ok(header)
    }

    /// The algorithm, from the closed list.
    ///
    /// # Errors
    /// [`JwsError::Algorithm`] for any other, `none` and HMAC among them.
    pub fn algorithm(&self) -> Result<Algorithm, JwsError> {
        match self.alg.as_str() {
            // RFC 9864 §2.2 renames EdDSA over Ed25519; both names are in use.
            "EdDSA" | "Ed25519" => Ok(Algorithm::Ed25519),
            "ES256" => Ok(Algorithm::EcdsaP256Sha256),
            _ => Err(JwsError::Algorithm {
                alg: self.alg.clone(),
            }),
        }
    }
}

/// A compact JWS taken apart; nothing in it is proved yet.
#[derive(Debug)]
pub struct ParsedJws<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> ParsedJws<'a> {
    /// Takes `text` apart, reading at most `max` bytes.
    ///
    /// # Errors
    /// [`JwsError`] naming the broken rule.
    pub fn parse(text: &'a str, max: usize) -> Result<Self, JwsError> {
        if text.len() > max {
            return Err(JwsError::TooLong {
                len: text.len(),
                max,
            });
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Form)?;
        Ok(Self {
            header: Header::parse(&decode_base64url(header)?)?,
            signing_input,
            payload: decode_base64url(payload)?,
            signature: decode_base64url(signature)?,
        })
    }

    /// The header: what the sender claims, to choose a key by.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload before anything was checked: to find the issuer by, nothing else.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Checks the signature and gives the payload out.
    ///
    /// # Errors
    /// [`JwsError::KeyAlgorithm`] when header and key disagree, [`JwsError::Signature`].
    pub fn verify(self, key: &VerifyingKey) -> Result<Vec<u8>, JwsError> {
        let named = self.header.algorithm()?;
        if named != key.algorithm() {
            return Err(JwsError::KeyAlgorithm {
                alg: named.jose_name(),
                key: key.algorithm().jose_name(),
            });
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(self.payload)
    }
}

/// Signs `payload` as a compact JWS.
///
/// # Errors
/// [`KeyError::Provider`] when the provider fails.
pub fn sign_compact(
    header: &Header,
    payload: &Value,
    key: &SigningKey,
) -> Result<String, KeyError> {
    let header = serde_json::to_vec(header).map_err(|_| KeyError::Provider)?;
    let mut out = encode_base64url(&header);
    out.push('.');
    out.push_str(&encode_base64url(payload.to_string().as_bytes()));
    let signature = key.sign(out.as_bytes())?;
    out.push('.');
    out.push_str(&encode_base64url(signature.as_bytes()));
    Ok(out)
}

/// base64url without padding (RFC 7515 §2).
pub fn encode_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of base64url without padding; anything else is an error.
///
/// # Errors
/// [`JwsError::Form`].
pub fn decode_base64url(text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key() -> SigningKey {
        SigningKey::generate(Algorithm::Ed25519).expect("generates")
    }

    fn token(header: &Value) -> String {
        format!("{}.e30.AA", encode_base64url(header.to_string().as_bytes()))
    }

    #[test]
    fn a_signed_payload_comes_back_only_with_its_key() {
        let key = key();
        let header = Header::for_key(key.verifying_key(), "at+jwt");
        let text = sign_compact(&header, &json!({"a": 1}), &key).expect("signs");
        let jws = ParsedJws::parse(&text, 4096).expect("parses");
        let payload = jws.verify(key.verifying_key()).expect("verifies");
        assert_eq!(payload, br#"{"a":1}"#);
        let other = self::key();
        let jws = ParsedJws::parse(&text, 4096).expect("parses");
        let refused = jws.verify(other.verifying_key());
        assert_eq!(refused.map_err(|e| e.reason()), Err("jws.signature"));
    }

    #[test]
    fn headers_that_weaken_are_refused() {
        for (header, want) in [
            (json!({"alg": "none"}), "jws.algorithm"),
            (json!({"alg": "HS256"}), "jws.algorithm"),
            (json!({"alg": "eddsa"}), "jws.algorithm"),
            (json!({"alg": "EdDSA", "crit": ["exp"]}), "jws.critical"),
            (json!({"alg": "EdDSA", "b64": false}), "jws.critical"),
            (json!({"alg": "EdDSA", "zip": "DEF"}), "jws.critical"),
            (json!({"typ": "at+jwt"}), "jws.header"),
            (json!({"alg": ["EdDSA"]}), "jws.header"),
        ] {
            let text = token(&header);
            let got = ParsedJws::parse(&text, 4096).map_err(|e| e.reason());
            assert_eq!(got.err(), Some(want), "{header}");
        }
    }

    #[test]
    fn an_algorithm_of_another_key_is_refused_before_the_signature() {
        let key = key();
        let text = token(&json!({"alg": "ES256"}));
        let jws = ParsedJws::parse(&text, 4096).expect("parses");
        let refused = jws.verify(key.verifying_key());
        assert_eq!(refused.map_err(|e| e.reason()), Err("jws.key_algorithm"));
    }

    #[test]
    fn length_and_form_have_exact_edges() {
        let text = token(&json!({"alg": "EdDSA"}));
        assert!(ParsedJws::parse(&text, text.len()).is_ok());
        let long = ParsedJws::parse(&text, text.len() - 1).map_err(|e| e.reason());
        assert_eq!(long.err(), Some("jws.too_long"));
        for bad in ["", "a", "a.b", "e30.e30.!!", "e30=.e30.AA"] {
            assert!(ParsedJws::parse(bad, 4096).is_err(), "{bad}");
        }
    }
}

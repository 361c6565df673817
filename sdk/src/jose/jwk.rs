//! Public keys as JSON (RFC 7517, RFC 8037).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{decode_base64url, encode_base64url};
use crate::crypto::{Algorithm, KeyThumbprint, VerifyingKey};

/// Why a JWK is not a usable public key.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JwkError {
    /// Not an Ed25519 or P-256 key.
    #[error("the JWK has kty {kty:?} and crv {crv:?}; only OKP/Ed25519 and EC/P-256 are taken")]
    Kind {
        /// Its `kty`.
        kty: String,
        /// Its `crv`.
        crv: String,
    },
    /// A coordinate is missing, not base64url, or of the wrong length.
    #[error("the JWK member {member:?} is missing or malformed")]
    Coordinate {
        /// `x` or `y`.
        member: &'static str,
    },
    /// The coordinates are no point of the curve.
    #[error("the JWK is not a point of its curve")]
    Point,
    /// It carries a private part, which must never be published.
    #[error("the JWK carries a private key")]
    Private,
}

impl JwkError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "jwk.kind",
            Self::Coordinate { .. } => "jwk.coordinate",
            Self::Point => "jwk.point",
            Self::Private => "jwk.private",
        }
    }
}

/// One key of a set, as written. [`Jwk::key`] turns it into a key that can verify.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Jwk {
    /// Key type.
    pub kty: String,
    /// Curve.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub crv: String,
    /// First coordinate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate, base64url; elliptic curves of `EC` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus of an RSA key, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Public exponent of an RSA key, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Private part: present only in a mistake, and then the key is refused.
    #[serde(default, skip_serializing)]
    d: Option<serde::de::IgnoredAny>,
    /// Shared secret: the same.
    #[serde(default, skip_serializing)]
    k: Option<serde::de::IgnoredAny>,
    /// Key ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What the key is for: `sig`, `x509-svid`, ...
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// Algorithm, in the names of RFC 7518 or of RFC 9421; read leniently, never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// Not before, seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Expires, seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
}

impl Jwk {
    /// The JWK of `key`, with its thumbprint as `kid` and `use` `sig`.
    pub fn of(key: &VerifyingKey) -> Self {
        let raw = key.as_bytes();
        let (kty, crv, x, y) = match key.algorithm() {
            Algorithm::Ed25519 => ("OKP", "Ed25519", raw, None),
            Algorithm::EcdsaP256Sha256 => ("EC", "P-256", &raw[1..33], Some(&raw[33..])),
        };
        Self {
            kty: kty.into(),
            crv: crv.into(),
            x: Some(encode_base64url(x)),
            y: y.map(encode_base64url),
            kid: Some(key.thumbprint().to_string()),
            use_: Some("sig".into()),
            ..Self::default()
        }
    }

    /// Whether it has a private part, or is a shared secret: then it should not have been shown.
    pub fn is_private(&self) -> bool {
        self.d.is_some() || self.k.is_some()
    }

    /// The key that this JWK describes, for tokens and cards.
    ///
    /// # Errors
    /// [`JwkError`] naming the member that is wrong.
    pub fn key(&self) -> Result<VerifyingKey, JwkError> {
        if self.is_private() {
            return Err(JwkError::Private);
        }
        let coordinate = |member, value: &Option<String>| {
            let bytes = value
                .as_deref()
                .and_then(|text| decode_base64url(text).ok());
            bytes
                .filter(|bytes| bytes.len() == 32)
                .ok_or(JwkError::Coordinate { member })
        };
        match (self.kty.as_str(), self.crv.as_str()) {
            ("OKP", "Ed25519") => {
                let raw = coordinate("x", &self.x)?;
                VerifyingKey::ed25519(&raw).map_err(|_| JwkError::Point)
            }
            ("EC", "P-256") => {
                let (x, y) = (coordinate("x", &self.x)?, coordinate("y", &self.y)?);
                let point = [&[4][..], &x, &y].concat();
                VerifyingKey::p256(&point).map_err(|_| JwkError::Point)
            }
            _ => Err(JwkError::Kind {
                kty: self.kty.clone(),
                crv: self.crv.clone(),
            }),
        }
    }
}

/// A set of keys (RFC 7517 §5). Members of kinds we do not use are kept out, not refused.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<(Jwk, VerifyingKey)>,
}

impl JwkSet {
    /// The keys in this JSON document that we can verify with.
    ///
    /// # Errors
    /// `None` when there is no array `keys`.
    pub fn from_value(document: &Value) -> Option<Self> {
        let listed = document.get("keys")?.as_array()?;
        // RFC 7517 §5: JWKs with an unknown kty or missing members are ignored.
        let keys = listed.iter().filter_map(|value| {
            let jwk = Jwk::deserialize(value).ok()?;
            let key = jwk.key().ok()?;
            Some((jwk, key))
        });
        Some(Self {
            keys: keys.collect(),
        })
    }

    /// A set of these keys.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> Self {
        Self {
            keys: keys.into_iter().map(|k| (Jwk::of(k), k.clone())).collect(),
        }
    }

    /// The key with this `kid`.
    pub fn by_kid(&self, kid: &str) -> Option<&VerifyingKey> {
        let found = self
            .keys
            .iter()
            .find(|(jwk, _)| jwk.kid.as_deref() == Some(kid));
        found.map(|(_, key)| key)
    }

    /// The key with this `kid`, with what the set says about it.
    pub fn find(&self, kid: &str) -> Option<(&Jwk, &VerifyingKey)> {
        let mut keys = self.keys.iter();
        let found = keys.find(|(jwk, _)| jwk.kid.as_deref() == Some(kid))?;
        Some((&found.0, &found.1))
    }

    /// The key with this thumbprint, whatever its `kid`.
    pub fn by_thumbprint(&self, thumbprint: KeyThumbprint) -> Option<&VerifyingKey> {
        let mut keys = self.keys.iter().map(|(_, key)| key);
        keys.find(|key| key.thumbprint() == thumbprint)
    }

    /// All usable keys.
    pub fn keys(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter().map(|(_, key)| key)
    }

    /// How many usable keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The document, to be published.
    pub fn to_value(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(|(jwk, _)| jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;
    use serde_json::json;

    #[test]
    fn a_key_survives_its_json_form() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let key = SigningKey::generate(algorithm).expect("generates");
            let set = JwkSet::of([key.verifying_key()]);
            let read = JwkSet::from_value(&set.to_value()).expect("a set");
            let thumbprint = key.verifying_key().thumbprint();
            assert_eq!(read.by_thumbprint(thumbprint), Some(key.verifying_key()));
            assert!(read.by_kid(&thumbprint.to_string()).is_some());
        }
    }

    #[test]
    fn bad_keys_are_refused_by_the_member_that_is_wrong() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let cases = [
            (json!({"kty":"OKP","crv":"Ed25519","x":x}), "fine"),
            (
                json!({"kty":"OKP","crv":"Ed25519","x":x,"d":x}),
                "jwk.private",
            ),
            (json!({"kty":"OKP","crv":"X25519","x":x}), "jwk.kind"),
            (json!({"kty":"RSA","n":"AQAB","e":"AQAB"}), "jwk.kind"),
            (json!({"kty":"OKP","crv":"Ed25519"}), "jwk.coordinate"),
            (
                json!({"kty":"OKP","crv":"Ed25519","x":format!("{x}=")}),
                "jwk.coordinate",
            ),
            (json!({"kty":"EC","crv":"P-256","x":x,"y":x}), "jwk.point"),
        ];
        for (value, want) in cases {
            let jwk = Jwk::deserialize(&value).expect("readable");
            let got = jwk.key().map_or_else(|e| e.reason(), |_| "fine");
            assert_eq!(got, want, "{value}");
        }
    }
}

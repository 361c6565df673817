//! Thumbprints of keys (RFC 7638) and of certificates (RFC 8705 §3.1).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sha256;

/// A text is not the base64url form of a SHA-256 thumbprint (43 characters, no padding).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a base64url SHA-256 thumbprint")]
pub struct ThumbprintError;

macro_rules! thumbprint {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The thumbprint with these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            /// base64url without padding.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 43];
                match URL_SAFE_NO_PAD.encode_slice(self.0, &mut text) {
                    Ok(_) => f.write_str(&String::from_utf8_lossy(&text)),
                    Err(_) => Err(fmt::Error),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ThumbprintError;

            fn from_str(text: &str) -> Result<Self, ThumbprintError> {
                let mut bytes = [0; 32];
                match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
                    Ok(32) => Ok(Self(bytes)),
                    _ => Err(ThumbprintError),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

thumbprint!(
    KeyThumbprint,
    "SHA-256 of a public key's canonical JWK (RFC 7638 §3.2): the `keyid` of a request signature."
);
thumbprint!(
    CertThumbprint,
    "SHA-256 of a certificate's DER: `cnf.x5t#S256` of a bound token (RFC 8705 §3.1)."
);

impl CertThumbprint {
    /// The thumbprint of the certificate with this DER.
    pub fn of(der: &[u8]) -> Self {
        Self(sha256(der))
    }
}

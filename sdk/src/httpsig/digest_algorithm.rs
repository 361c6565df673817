//! The algorithms of RFC 9530 that prove something.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::{Hasher, sha256, sha512};

/// A digest algorithm for HTTP fields. The others of the registry are obsolete: whoever wants to can
/// make a second body with the same digest (RFC 9530 §5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DigestAlgorithm {
    /// `sha-256`.
    Sha256,
    /// `sha-512`.
    Sha512,
}

impl DigestAlgorithm {
    /// Both, the one that is preferred without a word first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Its name in the registry (RFC 9530 §5).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    /// The value of `Content-Digest` for this body, or of `Repr-Digest` for this representation.
    ///
    /// ```
    /// use countersign::httpsig::DigestAlgorithm;
    /// let field = DigestAlgorithm::Sha256.field(br#"{"hello": "world"}"#);
    /// assert_eq!(field, "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
    /// ```
    pub fn field(self, data: &[u8]) -> String {
        match self {
            Self::Sha256 => self.member(&sha256(data)),
            Self::Sha512 => self.member(&sha512(data)),
        }
    }

    /// The member with this digest.
    pub(super) fn member(self, digest: &[u8]) -> String {
        format!("{self}=:{}:", STANDARD.encode(digest))
    }

    pub(super) fn hasher(self) -> Hasher {
        match self {
            Self::Sha256 => Hasher::sha256(),
            Self::Sha512 => Hasher::sha512(),
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

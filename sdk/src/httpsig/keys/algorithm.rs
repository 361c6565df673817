//! The closed list of algorithms for HTTP message signatures.

use std::fmt;

use crate::crypto::Algorithm;

/// An algorithm of the HTTP Signature Algorithms registry (RFC 9421 §3.3, §6.2). The list is
/// closed; tokens and cards have a shorter one, [`Algorithm`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HttpAlgorithm {
    /// Ed25519 (RFC 9421 §3.3.6).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, signature as r ‖ s, 64 bytes (§3.3.4).
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384, signature as r ‖ s, 96 bytes (§3.3.5).
    EcdsaP384Sha384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes (§3.3.1).
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (§3.3.2).
    RsaV15Sha256,
    /// HMAC with SHA-256 (§3.3.3): whoever can verify can sign, too.
    HmacSha256,
}

impl HttpAlgorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
        Self::HmacSha256,
    ];

    /// The name in the registry, and the value of the parameter `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => Algorithm::Ed25519.http_name(),
            Self::EcdsaP256Sha256 => Algorithm::EcdsaP256Sha256.http_name(),
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
            Self::HmacSha256 => "hmac-sha256",
        }
    }

    /// The algorithm with this name in the registry.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether verifiers need the same secret as the signer.
    pub const fn is_shared_secret(self) -> bool {
        matches!(self, Self::HmacSha256)
    }

    /// The algorithm that a JWK's `alg` means: a JOSE name or one of the registry.
    pub(super) fn from_jwk_alg(alg: &str) -> Option<Self> {
        match alg {
            // RFC 9864 §2.2 renames EdDSA over Ed25519; both names are in use.
            "EdDSA" | "Ed25519" => Some(Self::Ed25519),
            "ES256" => Some(Self::EcdsaP256Sha256),
            "ES384" => Some(Self::EcdsaP384Sha384),
            "PS512" => Some(Self::RsaPssSha512),
            "RS256" => Some(Self::RsaV15Sha256),
            "HS256" => Some(Self::HmacSha256),
            other => Self::from_name(other),
        }
    }
}

impl From<Algorithm> for HttpAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ed25519 => Self::Ed25519,
            Algorithm::EcdsaP256Sha256 => Self::EcdsaP256Sha256,
        }
    }
}

impl fmt::Display for HttpAlgorithm {
    /// The name in the registry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_registrys_and_closed() {
        let names = HttpAlgorithm::ALL.map(HttpAlgorithm::name);
        let registered = [
            "ed25519",
            "ecdsa-p256-sha256",
            "ecdsa-p384-sha384",
            "rsa-pss-sha512",
            "rsa-v1_5-sha256",
            "hmac-sha256",
        ];
        assert_eq!(names, registered);
        for name in names {
            assert_eq!(HttpAlgorithm::from_name(name).map(|a| a.name()), Some(name));
        }
        for other in ["", "none", "Ed25519", "EdDSA", "rsa-v1_5-sha1", "hs2019"] {
            assert_eq!(HttpAlgorithm::from_name(other), None, "{other}");
        }
    }
}

//! Signing and verifying keys: Ed25519 and ECDSA P-256, nothing else.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{KeyThumbprint, sha256};

/// The algorithms this crate signs and verifies with. The list is closed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256, signature as r ‖ s.
    EcdsaP256Sha256,
}

impl Algorithm {
    /// The name in the HTTP Signature Algorithms registry (RFC 9421 §6.2).
    pub const fn http_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        }
    }

    /// The JOSE `alg` (RFC 8037 §3.1, RFC 7518 §3.1).
    pub const fn jose_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::EcdsaP256Sha256 => "ES256",
        }
    }
}

/// Why a key could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The private key is not a PKCS#8 Ed25519 or P-256 key.
    #[error("the private key is not an Ed25519 or P-256 key in PKCS#8")]
    Private,
    /// The public key is not an Ed25519 or P-256 key.
    #[error("the public key is not an Ed25519 or P-256 key")]
    Public,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// The provider could not make a key or a signature.
    #[error("the cryptographic provider failed")]
    Provider,
}

/// A signature of either algorithm: 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A private key. Debug output shows the thumbprint of its public half only. Cloning is cheap, and
/// the key is wiped with the last of the clones.
///
/// ```
/// use countersign::crypto::{Algorithm, SigningKey};
/// let key = SigningKey::generate(Algorithm::Ed25519)?;
/// let signature = key.sign(b"text")?;
/// key.verifying_key().verify(b"text", signature.as_bytes())?;
/// # Ok::<(), countersign::crypto::KeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Private>);

struct Private {
    pair: Pair,
    public: VerifyingKey,
    pkcs8: Zeroizing<Vec<u8>>,
    random: SystemRandom,
}

impl SigningKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`KeyError::Provider`] when the provider cannot make one.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::Ed25519 => {
                Ed25519KeyPair::generate_pkcs8v1(&random).map_err(|_| KeyError::Provider)?
            }
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map_err(|_| KeyError::Provider)?
            }
        };
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// The key in this PKCS#8 document (DER).
    ///
    /// # Errors
    /// [`KeyError::Private`] when it holds neither an Ed25519 nor a P-256 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (pair, public) = if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            let public = VerifyingKey::ed25519(pair.public_key().as_ref())?;
            (Pair::Ed25519(pair), public)
        } else {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                .map_err(|_| KeyError::Private)?;
            let public = VerifyingKey::p256(pair.public_key().as_ref())?;
            (Pair::P256(pair), public)
        };
        Ok(Self(Arc::new(Private {
            pair,
            public,
            pkcs8: Zeroizing::new(der.to_vec()),
            random: SystemRandom::new(),
        })))
    }

    /// The algorithm this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.0.public.algorithm()
    }

    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.public
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`KeyError::Provider`] when the provider fails.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, KeyError> {
        let made = match &self.0.pair {
            Pair::Ed25519(pair) => pair.try_sign(message).map_err(|_| KeyError::Provider)?,
            Pair::P256(pair) => pair
                .sign(&self.0.random, message)
                .map_err(|_| KeyError::Provider)?,
        };
        let bytes = made.as_ref().try_into().map_err(|_| KeyError::Provider)?;
        Ok(Signature(bytes))
    }

    /// The PKCS#8 document: for the TLS stack and for files this process owns.
    pub fn expose_pkcs8(&self) -> &[u8] {
        &self.0.pkcs8
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.0.public.thumbprint())
    }
}

/// A public key, parsed once; cloning is cheap.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Parsed>);

struct Parsed {
    algorithm: Algorithm,
    raw: Box<[u8]>,
    key: ParsedPublicKey,
    thumbprint: KeyThumbprint,
}

/// SubjectPublicKeyInfo up to the key itself (RFC 8410 §4).
const ED25519_SPKI: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// SubjectPublicKeyInfo up to the uncompressed point (RFC 5480 §2).
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl VerifyingKey {
    /// The Ed25519 key with these 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Public`] when they are not a point of the curve.
    pub fn ed25519(raw: &[u8]) -> Result<Self, KeyError> {
        if raw.len() != 32 {
            return Err(KeyError::Public);
        }
        let key = ParsedPublicKey::new(&ED25519, raw).map_err(|_| KeyError::Public)?;
        let jwk = format!(
            r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(raw)
        );
        Ok(Self::parsed(Algorithm::Ed25519, raw, key, &jwk))
    }

    /// The P-256 key with this uncompressed point (`04 ‖ x ‖ y`, 65 bytes).
    ///
    /// # Errors
    /// [`KeyError::Public`] when it is not a point of the curve.
    pub fn p256(point: &[u8]) -> Result<Self, KeyError> {
        if point.len() != 65 || point[0] != 4 {
            return Err(KeyError::Public);
        }
        let key =
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyError::Public)?;
        let jwk = format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            URL_SAFE_NO_PAD.encode(&point[1..33]),
            URL_SAFE_NO_PAD.encode(&point[33..])
        );
        Ok(Self::parsed(Algorithm::EcdsaP256Sha256, point, key, &jwk))
    }

    /// The key in this SubjectPublicKeyInfo (DER), as certificates carry it.
    ///
    /// # Errors
    /// [`KeyError::Public`] for any other kind of key or encoding.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        if let Some(raw) = der.strip_prefix(ED25519_SPKI) {
            Self::ed25519(raw)
        } else if let Some(point) = der.strip_prefix(P256_SPKI) {
            Self::p256(point)
        } else {
            Err(KeyError::Public)
        }
    }

    /// SubjectPublicKeyInfo (DER).
    pub fn to_spki(&self) -> Vec<u8> {
        let head = match self.0.algorithm {
            Algorithm::Ed25519 => ED25519_SPKI,
            Algorithm::EcdsaP256Sha256 => P256_SPKI,
        };
        [head, &self.0.raw].concat()
    }

    fn parsed(algorithm: Algorithm, raw: &[u8], key: ParsedPublicKey, jwk: &str) -> Self {
        Self(Arc::new(Parsed {
            algorithm,
            raw: raw.into(),
            key,
            // RFC 7638 §3.2: the required members only, in lexicographic order, no white space.
            thumbprint: KeyThumbprint::from_bytes(sha256(jwk.as_bytes())),
        }))
    }

    /// The algorithm this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The key itself: 32 bytes of Ed25519, or the uncompressed point of P-256.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.raw
    }

    /// The JWK thumbprint (RFC 7638).
    pub fn thumbprint(&self) -> KeyThumbprint {
        self.0.thumbprint
    }

    /// Checks that `signature` over `message` was made with the private half of this key.
    ///
    /// # Errors
    /// [`KeyError::Signature`] when it was not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.0
            .key
            .verify_sig(message, signature)
            .map_err(|_| KeyError::Signature)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.thumbprint == other.0.thumbprint
    }
}
impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "VerifyingKey({} {})",
            self.0.algorithm.http_name(),
            self.0.thumbprint
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_signs_what_it_verifies_and_nothing_else() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let key = SigningKey::generate(algorithm).expect("generates");
            let again = SigningKey::from_pkcs8(key.expose_pkcs8()).expect("reads its own");
            let signature = again.sign(b"message").expect("signs");
            let public = VerifyingKey::from_spki(&key.verifying_key().to_spki()).expect("reads");
            assert_eq!(public.algorithm(), algorithm);
            assert_eq!(public.verify(b"message", signature.as_bytes()), Ok(()));
            assert_eq!(
                public.verify(b"massage", signature.as_bytes()),
                Err(KeyError::Signature)
            );
            assert_eq!(
                public.verify(b"message", &signature.as_bytes()[..63]),
                Err(KeyError::Signature)
            );
            assert!(!format!("{key:?}").contains("pkcs8"));
        }
    }

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_8037_a_3() {
        let raw = URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .expect("decodes");
        let key = VerifyingKey::ed25519(&raw).expect("a key");
        assert_eq!(
            key.thumbprint().to_string(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn anything_but_the_two_kinds_of_key_is_refused() {
        assert_eq!(
            VerifyingKey::from_spki(&[0x30, 0x00]).map(drop),
            Err(KeyError::Public)
        );
        assert_eq!(
            VerifyingKey::p256(&[4; 65]).map(drop),
            Err(KeyError::Public)
        );
        assert_eq!(
            SigningKey::from_pkcs8(b"nonsense").map(drop),
            Err(KeyError::Private)
        );
    }
}

//! Keys that verify message signatures.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, ParsedPublicKey};

use super::der::{BIT_STRING, OID, Reader, SEQUENCE, write};
use super::error::shortened;
use super::pkcs8::{EC, P384, RSA, RSA_PSS};
use super::rsa::RsaPublic;
use super::{HttpAlgorithm, HttpKeyError, SharedSecret};
use crate::crypto::{KeyThumbprint, VerifyingKey, sha256};
use crate::jose::encode_base64url;

/// A key that verifies message signatures, for exactly one algorithm. It is parsed once, and
/// cloning is cheap.
///
/// ```
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::{HttpAlgorithm, HttpVerifyingKey};
///
/// // The key of a peer, or one from a file:
/// let peer = SigningKey::generate(Algorithm::Ed25519)?;
/// let key = HttpVerifyingKey::from(peer.verifying_key());
/// assert_eq!(key.algorithm(), HttpAlgorithm::Ed25519);
/// assert!(HttpVerifyingKey::from_pem("no key").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpVerifyingKey(Kind);

#[derive(Clone)]
enum Kind {
    /// Ed25519 and P-256.
    Core(VerifyingKey),
    P384(Arc<P384Key>),
    Rsa(Arc<RsaKey>),
    Secret(SharedSecret),
}

struct P384Key {
    point: [u8; 97],
    key: ParsedPublicKey,
    thumbprint: KeyThumbprint,
}

struct RsaKey {
    numbers: RsaPublic,
    algorithm: HttpAlgorithm,
    /// Whether its SubjectPublicKeyInfo or PKCS#8 forbids the other algorithm.
    pss_only: bool,
    key: ParsedPublicKey,
    thumbprint: KeyThumbprint,
}

/// What a key consists of, to be written down.
pub(super) enum Material<'a> {
    Core(&'a VerifyingKey),
    P384(&'a [u8; 97]),
    Rsa(&'a RsaPublic),
    Secret,
}

impl HttpVerifyingKey {
    /// The P-384 key with this uncompressed point (`04 ‖ x ‖ y`, 97 bytes).
    ///
    /// # Errors
    /// [`HttpKeyError::Numbers`] when it is not a point of the curve.
    pub fn p384(point: &[u8]) -> Result<Self, HttpKeyError> {
        let algorithm = HttpAlgorithm::EcdsaP384Sha384;
        let wrong = HttpKeyError::Numbers { algorithm };
        let point: [u8; 97] = point.try_into().map_err(|_| wrong.clone())?;
        if point[0] != 4 {
            return Err(wrong);
        }
        let key = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).map_err(|_| wrong)?;
        let (x, y) = (
            encode_base64url(&point[1..49]),
            encode_base64url(&point[49..]),
        );
        // RFC 7638 §3.2: the required members only, in lexicographic order, no white space.
        let jwk = format!(r#"{{"crv":"P-384","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = KeyThumbprint::from_bytes(sha256(jwk.as_bytes()));
        Ok(Self(Kind::P384(Arc::new(P384Key {
            point,
            key,
            thumbprint,
        }))))
    }

    /// The RSA key with this modulus and exponent (big-endian), for `rsa-pss-sha512`;
    /// [`Self::with_algorithm`] gives the one for `rsa-v1_5-sha256`.
    ///
    /// # Errors
    /// [`HttpKeyError::RsaSize`] and [`HttpKeyError::RsaExponent`] outside of the limits.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, HttpKeyError> {
        let numbers = RsaPublic::new(modulus, exponent)?;
        Self::from_rsa(numbers, HttpAlgorithm::RsaPssSha512, false)
    }

    pub(super) fn from_rsa(
        numbers: RsaPublic,
        algorithm: HttpAlgorithm,
        pss_only: bool,
    ) -> Result<Self, HttpKeyError> {
        let key = numbers.parse(algorithm)?;
        let thumbprint = numbers.thumbprint();
        Ok(Self(Kind::Rsa(Arc::new(RsaKey {
            numbers,
            algorithm,
            pss_only,
            key,
            thumbprint,
        }))))
    }

    /// The key in this SubjectPublicKeyInfo (DER). An RSA key is for `rsa-pss-sha512`, see
    /// [`Self::with_algorithm`].
    ///
    /// # Errors
    /// [`HttpKeyError`] when it is no such structure, or a kind of key that is not taken.
    pub fn from_spki(der: &[u8]) -> Result<Self, HttpKeyError> {
        if let Ok(core) = VerifyingKey::from_spki(der) {
            return Ok(Self::from(core));
        }
        let wrong = HttpKeyError::Der {
            wanted: "SubjectPublicKeyInfo",
        };
        let (algorithm, parameters, bits) = read_spki(der).ok_or(wrong.clone())?;
        match (algorithm, parameters) {
            (EC, P384) => Self::p384(bits),
            // RFC 3279 §2.3.1: NULL. RFC 4055 §1.2: none means no restriction but PSS itself.
            (RSA, [5, 0]) | (RSA_PSS, []) => {
                let numbers = RsaPublic::from_pkcs1(bits).ok_or(wrong)??;
                Self::from_rsa(numbers, HttpAlgorithm::RsaPssSha512, algorithm == RSA_PSS)
            }
            _ => Err(super::pkcs8::unknown_kind(algorithm, parameters)),
        }
    }

    /// SubjectPublicKeyInfo (DER); `None` of a shared secret.
    pub fn to_spki(&self) -> Option<Vec<u8>> {
        let (oid, parameters, key) = match &self.0 {
            Kind::Core(key) => return Some(key.to_spki()),
            Kind::P384(key) => (EC, P384, key.point.to_vec()),
            Kind::Rsa(key) if key.pss_only => (RSA_PSS, &[][..], key.numbers.to_pkcs1()),
            Kind::Rsa(key) => (RSA, &[5, 0][..], key.numbers.to_pkcs1()),
            Kind::Secret(_) => return None,
        };
        let algorithm = write(SEQUENCE, &[&write(OID, &[oid]), parameters]);
        let key = write(BIT_STRING, &[&[0], &key]);
        Some(write(SEQUENCE, &[&algorithm, &key]).to_vec())
    }

    /// The same key for this algorithm: an RSA key can be for either of two, all others are for
    /// the one they have.
    ///
    /// # Errors
    /// [`HttpKeyError::Algorithm`] when the key cannot be used with it.
    pub fn with_algorithm(&self, algorithm: HttpAlgorithm) -> Result<Self, HttpKeyError> {
        let fits = matches!(
            algorithm,
            HttpAlgorithm::RsaPssSha512 | HttpAlgorithm::RsaV15Sha256
        );
        match &self.0 {
            _ if self.algorithm() == algorithm => Ok(self.clone()),
            // RFC 4055 §1.2: a key that says it is for PSS is for nothing else.
            Kind::Rsa(key) if fits && !key.pss_only => {
                Self::from_rsa(key.numbers.clone(), algorithm, false)
            }
            _ => Err(HttpKeyError::Algorithm {
                named: shortened(algorithm.name()),
                key: self.algorithm(),
            }),
        }
    }

    /// The algorithm that this key verifies.
    pub fn algorithm(&self) -> HttpAlgorithm {
        match &self.0 {
            Kind::Core(key) => key.algorithm().into(),
            Kind::P384(_) => HttpAlgorithm::EcdsaP384Sha384,
            Kind::Rsa(key) => key.algorithm,
            Kind::Secret(_) => HttpAlgorithm::HmacSha256,
        }
    }

    /// The JWK thumbprint (RFC 7638); of a shared secret its [`SharedSecret::id`].
    pub fn thumbprint(&self) -> KeyThumbprint {
        match &self.0 {
            Kind::Core(key) => key.thumbprint(),
            Kind::P384(key) => key.thumbprint,
            Kind::Rsa(key) => key.thumbprint,
            Kind::Secret(secret) => secret.id(),
        }
    }

    /// Checks that `signature` over `message` was made with the private half of this key, and with
    /// this key's algorithm.
    ///
    /// # Errors
    /// [`HttpKeyError::Signature`] when it was not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), HttpKeyError> {
        let parsed = match &self.0 {
            Kind::Core(key) => {
                let verified = key.verify(message, signature);
                return verified.map_err(|_| HttpKeyError::Signature);
            }
            Kind::Secret(secret) => return secret.verify(message, signature),
            Kind::P384(key) => &key.key,
            Kind::Rsa(key) => &key.key,
        };
        parsed
            .verify_sig(message, signature)
            .map_err(|_| HttpKeyError::Signature)
    }

    pub(super) fn material(&self) -> Material<'_> {
        match &self.0 {
            Kind::Core(key) => Material::Core(key),
            Kind::P384(key) => Material::P384(&key.point),
            Kind::Rsa(key) => Material::Rsa(&key.numbers),
            Kind::Secret(_) => Material::Secret,
        }
    }
}

/// The algorithm's identifier, its parameters, and the key.
fn read_spki(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut outer = Reader::new(Reader::only(der, SEQUENCE)?);
    let mut algorithm = Reader::new(outer.take(SEQUENCE)?);
    let oid = algorithm.take(OID)?;
    let bits = outer.take(BIT_STRING)?.strip_prefix(&[0])?;
    outer.is_empty().then_some((oid, algorithm.rest(), bits))
}

impl From<VerifyingKey> for HttpVerifyingKey {
    fn from(key: VerifyingKey) -> Self {
        Self(Kind::Core(key))
    }
}

impl From<&VerifyingKey> for HttpVerifyingKey {
    fn from(key: &VerifyingKey) -> Self {
        Self(Kind::Core(key.clone()))
    }
}

impl From<&Self> for HttpVerifyingKey {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl From<SharedSecret> for HttpVerifyingKey {
    fn from(secret: SharedSecret) -> Self {
        Self(Kind::Secret(secret))
    }
}

impl PartialEq for HttpVerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm() == other.algorithm() && self.thumbprint() == other.thumbprint()
    }
}
impl Eq for HttpVerifyingKey {}

impl fmt::Debug for HttpVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, thumbprint) = (self.algorithm(), self.thumbprint());
        write!(f, "HttpVerifyingKey({algorithm} {thumbprint})")
    }
}

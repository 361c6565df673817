//! Private keys in this process that sign messages.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA512,
    RsaEncoding,
};

use super::pkcs8::{EC, ED25519, P256, P384, Pkcs8, RSA, RSA_PSS, unknown_kind};
use super::rsa::RsaPublic;
use super::{HttpAlgorithm, HttpKeyError, HttpVerifyingKey, MessageSignature, SharedSecret};
use crate::crypto::{Algorithm, SigningKey};

/// A private key, or a shared secret, that signs messages with exactly one algorithm. Debug output
/// shows the algorithm and the thumbprint of its public half only. Cloning is cheap.
///
/// ```
/// use countersign::httpsig::{HttpAlgorithm, HttpSigningKey};
/// let key = HttpSigningKey::generate(HttpAlgorithm::EcdsaP384Sha384)?;
/// let signature = key.sign(b"text")?;
/// key.verifying_key().verify(b"text", signature.as_bytes())?;
/// # Ok::<(), countersign::httpsig::HttpKeyError>(())
/// ```
#[derive(Clone)]
pub struct HttpSigningKey {
    pair: Pair,
    public: HttpVerifyingKey,
}

#[derive(Clone)]
enum Pair {
    Core(SigningKey),
    P384(Arc<EcdsaKeyPair>),
    Rsa(Arc<rsa::KeyPair>),
    Secret(SharedSecret),
}

impl HttpSigningKey {
    /// A fresh key; RSA keys have 3072 bits, secrets 64 bytes.
    ///
    /// # Errors
    /// [`HttpKeyError::Provider`] when the provider cannot make one.
    pub fn generate(algorithm: HttpAlgorithm) -> Result<Self, HttpKeyError> {
        let failed = |_| HttpKeyError::Provider;
        let core = |algorithm| {
            let key = SigningKey::generate(algorithm);
            key.map(Self::from).map_err(|_| HttpKeyError::Provider)
        };
        match algorithm {
            HttpAlgorithm::Ed25519 => core(Algorithm::Ed25519),
            HttpAlgorithm::EcdsaP256Sha256 => core(Algorithm::EcdsaP256Sha256),
            HttpAlgorithm::EcdsaP384Sha384 => Self::p384(
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?,
            ),
            HttpAlgorithm::RsaPssSha512 | HttpAlgorithm::RsaV15Sha256 => {
                let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map_err(failed)?;
                Self::from_rsa(pair, false)?.with_algorithm(algorithm)
            }
            HttpAlgorithm::HmacSha256 => {
                Ok(SharedSecret::new(crate::crypto::random::<64>().to_vec())?.into())
            }
        }
    }

    /// The key in this PKCS#8 document (DER). An RSA key is for `rsa-pss-sha512`, see
    /// [`Self::with_algorithm`].
    ///
    /// # Errors
    /// [`HttpKeyError`] when it is no such document, or holds a kind of key that is not taken.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, HttpKeyError> {
        let wrong = HttpKeyError::Der { wanted: "PKCS#8" };
        let document = Pkcs8::read(der).ok_or(wrong.clone())?;
        let numbers = |algorithm| HttpKeyError::Numbers { algorithm };
        match (document.algorithm, document.parameters) {
            (ED25519, []) => Ok(Self::from(
                SigningKey::from_pkcs8(der).map_err(|_| numbers(HttpAlgorithm::Ed25519))?,
            )),
            (EC, P256) => Ok(Self::from(
                SigningKey::from_pkcs8(der).map_err(|_| numbers(HttpAlgorithm::EcdsaP256Sha256))?,
            )),
            (EC, P384) => Self::p384(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, der)
                    .map_err(|_| numbers(HttpAlgorithm::EcdsaP384Sha384))?,
            ),
            (RSA, [5, 0]) | (RSA_PSS, []) => Self::rsa(document.key, document.algorithm == RSA_PSS),
            (algorithm, parameters) => Err(unknown_kind(algorithm, parameters)),
        }
    }

    /// The key in RSAPrivateKey (RFC 8017 §A.1.2).
    pub(super) fn rsa(pkcs1: &[u8], pss_only: bool) -> Result<Self, HttpKeyError> {
        // The limits first, so that the error names them.
        RsaPublic::of_private(pkcs1).ok_or(HttpKeyError::Der { wanted: "PKCS#8" })??;
        let algorithm = HttpAlgorithm::RsaPssSha512;
        let pair =
            rsa::KeyPair::from_der(pkcs1).map_err(|_| HttpKeyError::Numbers { algorithm })?;
        Self::from_rsa(pair, pss_only)
    }

    fn from_rsa(pair: rsa::KeyPair, pss_only: bool) -> Result<Self, HttpKeyError> {
        let numbers = RsaPublic::from_pkcs1(pair.public_key().as_ref());
        let numbers = numbers.ok_or(HttpKeyError::Provider)??;
        let algorithm = HttpAlgorithm::RsaPssSha512;
        Ok(Self {
            public: HttpVerifyingKey::from_rsa(numbers, algorithm, pss_only)?,
            pair: Pair::Rsa(Arc::new(pair)),
        })
    }

    fn p384(pair: EcdsaKeyPair) -> Result<Self, HttpKeyError> {
        Ok(Self {
            public: HttpVerifyingKey::p384(pair.public_key().as_ref())?,
            pair: Pair::P384(Arc::new(pair)),
        })
    }

    /// The same key for this algorithm: an RSA key can be for either of two, all others are for
    /// the one they have.
    ///
    /// # Errors
    /// [`HttpKeyError::Algorithm`] when the key cannot be used with it.
    pub fn with_algorithm(self, algorithm: HttpAlgorithm) -> Result<Self, HttpKeyError> {
        let public = self.public.with_algorithm(algorithm)?;
        Ok(Self { public, ..self })
    }

    /// The algorithm this key signs with.
    pub fn algorithm(&self) -> HttpAlgorithm {
        self.public.algorithm()
    }

    /// The key that verifies: the public half, or the shared secret itself.
    pub fn verifying_key(&self) -> &HttpVerifyingKey {
        &self.public
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`HttpKeyError::Provider`] when the provider fails.
    pub fn sign(&self, message: &[u8]) -> Result<MessageSignature, HttpKeyError> {
        let failed = |_| HttpKeyError::Provider;
        match &self.pair {
            Pair::Core(key) => {
                let made = key.sign(message).map_err(|_| HttpKeyError::Provider)?;
                Ok(MessageSignature::from_bytes(made.as_bytes()))
            }
            Pair::P384(pair) => {
                let made = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(MessageSignature::from_bytes(made.as_ref()))
            }
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match self.algorithm() {
                    HttpAlgorithm::RsaV15Sha256 => &RSA_PKCS1_SHA256,
                    _ => &RSA_PSS_SHA512,
                };
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut made)
                    .map_err(failed)?;
                Ok(made.into())
            }
            Pair::Secret(secret) => Ok(MessageSignature::from_bytes(&secret.sign(message))),
        }
    }
}

impl From<SigningKey> for HttpSigningKey {
    fn from(key: SigningKey) -> Self {
        Self {
            public: key.verifying_key().into(),
            pair: Pair::Core(key),
        }
    }
}

impl From<&SigningKey> for HttpSigningKey {
    fn from(key: &SigningKey) -> Self {
        Self::from(key.clone())
    }
}

impl From<Arc<SigningKey>> for HttpSigningKey {
    fn from(key: Arc<SigningKey>) -> Self {
        Self::from(&*key)
    }
}

impl From<&Arc<SigningKey>> for HttpSigningKey {
    fn from(key: &Arc<SigningKey>) -> Self {
        Self::from(&**key)
    }
}

impl From<&Self> for HttpSigningKey {
    fn from(key: &Self) -> Self {
        key.clone()
    }
}

impl From<SharedSecret> for HttpSigningKey {
    fn from(secret: SharedSecret) -> Self {
        Self {
            public: secret.clone().into(),
            pair: Pair::Secret(secret),
        }
    }
}

impl fmt::Debug for HttpSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (algorithm, thumbprint) = (self.algorithm(), self.public.thumbprint());
        write!(f, "HttpSigningKey({algorithm} {thumbprint})")
    }
}

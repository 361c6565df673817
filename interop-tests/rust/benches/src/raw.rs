//! The cryptography alone.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use countersign::crypto::SigningKey;
use countersign::httpsig::{Origin, RequestView, signature_base};

use crate::Signed;
use crate::library::HOST;

/// aws-lc-rs with the same key, over the same signature base.
#[derive(Debug)]
pub struct Raw {
    pair: Ed25519KeyPair,
    public: ParsedPublicKey,
    base: Vec<u8>,
    signature: Vec<u8>,
}

impl Raw {
    /// For the base of a request that was signed.
    pub fn new(key: &SigningKey, signed: Signed) -> Self {
        let pair = Ed25519KeyPair::from_pkcs8(key.expose_pkcs8()).expect("a key");
        let public = ParsedPublicKey::new(&ED25519, key.verifying_key().as_bytes());
        let (parts, _) = signed.into_parts();
        let input = parts.headers["signature-input"].to_str().expect("text");
        let member = input.strip_prefix("sig1=").expect("our label");
        let origin = Origin::https(HOST);
        let base = signature_base(&RequestView::new(&parts, &origin).into(), member);
        let base = base.expect("a base").into_bytes();
        let signature = pair.sign(&base).as_ref().to_vec();
        Self {
            public: public.expect("a key"),
            pair,
            base,
            signature,
        }
    }

    /// How many bytes are signed.
    pub fn bytes(&self) -> usize {
        self.base.len()
    }

    /// One signature.
    pub fn sign(&self) -> impl Sized + use<> {
        self.pair.sign(std::hint::black_box(&self.base))
    }

    /// One verification.
    ///
    /// # Panics
    /// When it does not hold.
    pub fn verify(&self) {
        let base = std::hint::black_box(&self.base);
        let verified = self.public.verify_sig(base, &self.signature);
        verified.expect("verifies");
    }
}

//! http-msgsign, with the signatures of aws-lc-rs.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, ParsedPublicKey};
use countersign::crypto::SigningKey;
use http_msgsign::components::Derive;
use http_msgsign::errors::VerificationError;
use http_msgsign::{RequestSign as _, SignatureParams, SignerKey, VerifierKey, params};

use crate::library::{LABEL, Library, NONCE, Signed, keyid};

pub(crate) struct HttpMsgsign {
    key: Key,
    params: SignatureParams,
}

struct Key {
    pair: Ed25519KeyPair,
    public: ParsedPublicKey,
    id: String,
}

impl HttpMsgsign {
    pub(crate) fn new(key: &SigningKey) -> Self {
        let params = SignatureParams::builder()
            .add_derive(Derive::Method, params![])
            .add_derive(Derive::Authority, params![])
            .add_derive(Derive::Path, params![])
            .add_header("content-digest", params![])
            .add_header("signature-agent", params![key(LABEL)])
            .gen_created()
            .set_nonce(NONCE)
            .set_key_id(keyid(key))
            .set_algorithm("ed25519")
            .build();
        let public = ParsedPublicKey::new(&ED25519, key.verifying_key().as_bytes());
        Self {
            key: Key {
                pair: Ed25519KeyPair::from_pkcs8(key.expose_pkcs8()).expect("a key"),
                public: public.expect("a key"),
                id: keyid(key),
            },
            params: params.expect("parameters"),
        }
    }
}

impl SignerKey for Key {
    const ALGORITHM: &'static str = "ed25519";

    fn key_id(&self) -> String {
        self.id.clone()
    }

    fn sign(&self, target: &[u8]) -> Vec<u8> {
        self.pair.sign(target).as_ref().to_vec()
    }
}

impl VerifierKey for Key {
    const ALGORITHM: &'static str = "ed25519";

    fn key_id(&self) -> String {
        self.id.clone()
    }

    fn verify(&self, target: &[u8], signature: &[u8]) -> Result<(), VerificationError> {
        let verified = self.public.verify_sig(target, signature);
        verified.map_err(|_| VerificationError::FailedVerifySignature)
    }
}

impl Library for HttpMsgsign {
    fn name(&self) -> &'static str {
        "http-msgsign 0.1"
    }

    fn note(&self) -> &'static str {
        "without expires, with which it does not verify its own"
    }

    fn sign(&self, request: Signed) -> Signed {
        let signed = at_once(request.sign(&self.key, LABEL, &self.params));
        signed.expect("signs")
    }

    fn verify(&self, request: Signed) -> (Signed, bool) {
        match at_once(request.verify_sign(&self.key, LABEL)) {
            Ok(request) => (request, true),
            Err(_) => (Signed::default(), false),
        }
    }
}

/// The result of what never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

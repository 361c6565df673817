//! actpub-httpsig.

use actpub_httpsig::{
    Component, Ed25519PublicKey, Ed25519SigningKey, Rfc9421Signer, SigningKey as TheirKey,
    VerifyingKey, rfc9421_verify,
};
use countersign::crypto::SigningKey;

use crate::library::{LIFE, Library, NONCE, Signed, TAG, keyid, now};

pub(crate) struct Actpub {
    key: TheirKey,
    public: VerifyingKey,
    keyid: String,
    components: Vec<Component>,
}

impl Actpub {
    pub(crate) fn new(key: &SigningKey) -> Self {
        let components = [
            "@method",
            "@authority",
            "@path",
            "content-digest",
            "signature-agent",
        ];
        let components: Result<Vec<_>, _> = components
            .iter()
            .map(|name| Component::parse(name))
            .collect();
        let own = Ed25519SigningKey::from_pkcs8_der(key.expose_pkcs8());
        let public = Ed25519PublicKey::from_bytes(key.verifying_key().as_bytes());
        Self {
            key: TheirKey::Ed25519(own.expect("a key")),
            public: VerifyingKey::Ed25519(public.expect("a key")),
            keyid: keyid(key),
            components: components.expect("components"),
        }
    }
}

impl Library for Actpub {
    fn name(&self) -> &'static str {
        "actpub-httpsig 0.2.3"
    }

    fn note(&self) -> &'static str {
        "the whole signature-agent, for want of ;key"
    }

    fn sign(&self, mut request: Signed) -> Signed {
        let seconds = |time: u64| i64::try_from(time).expect("a time");
        let signer = Rfc9421Signer::new(&self.key, &self.keyid)
            .with_components(self.components.clone())
            .with_created(seconds(now().secs()))
            .with_expires(seconds(now().plus(LIFE).secs()))
            .with_nonce(NONCE)
            .with_tag(TAG);
        signer.sign(&mut request).expect("signs");
        request
    }

    fn verify(&self, request: Signed) -> (Signed, bool) {
        let verified = rfc9421_verify(&request, |_| Ok(self.public.clone()));
        (request, verified.is_ok())
    }
}

//! httpsig-hyper.

use countersign::crypto::SigningKey;
use httpsig_hyper::prelude::message_component::HttpMessageComponentId;
use httpsig_hyper::prelude::{AlgorithmName, HttpSignatureParams, PublicKey, SecretKey};
use httpsig_hyper::{MessageSignatureReqSync as _, prelude};

use crate::library::{LABEL, LIFE, Library, NONCE, Signed, TAG, keyid, now, seed};

pub(crate) struct HttpsigHyper {
    secret: SecretKey,
    public: PublicKey,
    params: HttpSignatureParams,
    keyid: String,
}

impl HttpsigHyper {
    pub(crate) fn new(key: &SigningKey) -> Self {
        let components = [
            "@method",
            "@authority",
            "@path",
            "content-digest",
            "\"signature-agent\";key=\"sig1\"",
        ];
        let components: Result<Vec<_>, prelude::HttpSigError> = components
            .iter()
            .map(|id| HttpMessageComponentId::try_from(*id))
            .collect();
        let mut params = HttpSignatureParams::try_new(&components.expect("identifiers"));
        let params = params.as_mut().expect("parameters");
        let keyid = keyid(key);
        params
            .set_created(now().secs())
            .set_expires(now().plus(LIFE).secs())
            .set_keyid(&keyid)
            .set_nonce(NONCE)
            .set_tag(TAG);
        let (algorithm, raw) = (AlgorithmName::Ed25519, key.verifying_key().as_bytes());
        Self {
            secret: SecretKey::from_bytes(&algorithm, &seed(key)).expect("a key"),
            public: PublicKey::from_bytes(&algorithm, raw).expect("a key"),
            params: params.clone(),
            keyid,
        }
    }
}

impl Library for HttpsigHyper {
    fn name(&self) -> &'static str {
        "httpsig-hyper 0.0.26"
    }

    fn sign(&self, mut request: Signed) -> Signed {
        let signed = request.set_message_signature_sync(&self.params, &self.secret, Some(LABEL));
        signed.expect("signs");
        request
    }

    fn verify(&self, request: Signed) -> (Signed, bool) {
        let verified = request.verify_message_signature_sync(&self.public, Some(&self.keyid));
        (request, verified.is_ok())
    }
}

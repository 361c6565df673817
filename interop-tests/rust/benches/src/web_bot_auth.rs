//! web-bot-auth.

use countersign::crypto::SigningKey;
use indexmap::IndexMap;
use sfv::SerializeValue as _;
use web_bot_auth::WebBotAuthVerifier;
use web_bot_auth::components::{
    CoveredComponent, DerivedComponent, HTTPField, HTTPFieldParameters, HTTPFieldParametersSet,
};
use web_bot_auth::keyring::{Algorithm, KeyRing};
use web_bot_auth::message_signatures::{MessageSigner, SignedMessage, UnsignedMessage};

use crate::library::{HOST, LIFE, Library, NONCE, Signed, TAG, keyid, seed, value};

pub(crate) struct WebBotAuth {
    signer: MessageSigner,
    seed: [u8; 32],
    ring: KeyRing,
}

impl WebBotAuth {
    pub(crate) fn new(key: &SigningKey) -> Self {
        let mut ring = KeyRing::default();
        let public = key.verifying_key().as_bytes().to_vec();
        assert!(ring.import_raw(keyid(key), Algorithm::Ed25519, public));
        Self {
            signer: MessageSigner {
                keyid: keyid(key),
                nonce: NONCE.to_owned(),
                tag: TAG.to_owned(),
            },
            seed: seed(key),
            ring,
        }
    }
}

impl Library for WebBotAuth {
    fn name(&self) -> &'static str {
        "web-bot-auth 0.7"
    }

    fn note(&self) -> &'static str {
        "no look at the times"
    }

    fn sign(&self, request: Signed) -> Signed {
        let mut message = Message(request);
        let (algorithm, seed) = (Algorithm::Ed25519, &self.seed);
        self.signer
            .generate_signature_headers_content(&mut message, LIFE, algorithm, seed)
            .expect("signs");
        message.0
    }

    fn verify(&self, request: Signed) -> (Signed, bool) {
        let message = Message(request);
        let verified = WebBotAuthVerifier::parse(&message);
        let holds = verified.is_ok_and(|found| found.verify(&self.ring, None).is_ok());
        (message.0, holds)
    }
}

/// The crate leaves to its user what the value of a component is.
struct Message(Signed);

fn field(name: &str, parameters: Vec<HTTPFieldParameters>) -> CoveredComponent {
    CoveredComponent::HTTP(HTTPField {
        name: name.to_owned(),
        parameters: HTTPFieldParametersSet(parameters),
    })
}

impl SignedMessage for Message {
    fn lookup_component(&self, component: &CoveredComponent) -> Vec<String> {
        match component {
            CoveredComponent::Derived(DerivedComponent::Method { .. }) => {
                vec![self.0.method().to_string()]
            }
            CoveredComponent::Derived(DerivedComponent::Authority { .. }) => vec![HOST.to_owned()],
            CoveredComponent::Derived(DerivedComponent::Path { .. }) => {
                vec![self.0.uri().path().to_owned()]
            }
            CoveredComponent::Derived(_) => Vec::new(),
            CoveredComponent::HTTP(HTTPField { name, parameters }) => {
                let lines = self.0.headers().get_all(name).iter();
                let lines = lines.filter_map(|line| line.to_str().ok());
                match parameters.0.as_slice() {
                    [] => lines.map(str::to_owned).collect(),
                    [HTTPFieldParameters::Key(member)] => {
                        let text = lines.collect::<Vec<_>>().join(", ");
                        let read = sfv::Parser::new(&text).parse_dictionary();
                        let item = read.ok().and_then(|mut read| read.shift_remove(&**member));
                        match item {
                            Some(sfv::ListEntry::Item(item)) => vec![item.serialize_value()],
                            _ => Vec::new(),
                        }
                    }
                    _ => Vec::new(),
                }
            }
        }
    }
}

impl UnsignedMessage for Message {
    fn fetch_components_to_cover(&self) -> IndexMap<CoveredComponent, String> {
        let member = vec![HTTPFieldParameters::Key("sig1".to_owned())];
        let covered = [
            CoveredComponent::Derived(DerivedComponent::Method { req: false }),
            CoveredComponent::Derived(DerivedComponent::Authority { req: false }),
            CoveredComponent::Derived(DerivedComponent::Path { req: false }),
            field("content-digest", vec![]),
            field("signature-agent", member),
        ];
        let with_value = |component| {
            let value = self.lookup_component(&component).pop().expect("a value");
            (component, value)
        };
        covered.into_iter().map(with_value).collect()
    }

    fn register_header_contents(&mut self, signature_input: String, signature_header: String) {
        let fields = self.0.headers_mut();
        fields.insert("signature-input", value(&format!("sig1={signature_input}")));
        fields.insert("signature", value(&format!("sig1={signature_header}")));
    }
}

//! One request, as our types have it and as web-bot-auth asks for it.

use std::time::Duration;

use countersign::clock::{Clock as _, Skew, SystemClock, UnixTime};
use countersign::crypto::{Algorithm as OurAlgorithm, SigningKey};
use countersign::httpsig::{
    Origin, Profile, RequestView, Revision, Signer, VerifiedMessage, content_digest,
    signature_base, verify_message,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request};
use indexmap::IndexMap;
use sfv::SerializeValue as _;
use web_bot_auth::WebBotAuthVerifier;
use web_bot_auth::components::{
    CoveredComponent, DerivedComponent, HTTPField, HTTPFieldParameters, HTTPFieldParametersSet,
};
use web_bot_auth::keyring::{Algorithm, KeyRing};
use web_bot_auth::message_signatures::{MessageSigner, SignedMessage, UnsignedMessage};

pub(crate) const BODY: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"GetTask"}"#;
pub(crate) const LIFE: Duration = Duration::from_secs(60);
const HOST: &str = "booking.example";

/// What is signed for, and how it names the agent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    A2a,
    Ietf01,
    Meunier02,
    Legacy,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::A2a, Self::Ietf01, Self::Meunier02, Self::Legacy];

    pub(crate) fn profile(self) -> Profile {
        match self {
            Self::A2a => Profile::a2a(),
            Self::Ietf01 => Profile::web_bot_auth(Revision::Ietf01),
            Self::Meunier02 => Profile::web_bot_auth(Revision::Meunier02),
            Self::Legacy => Profile::web_bot_auth(Revision::Legacy),
        }
    }

    pub(crate) fn url(self) -> &'static str {
        match self {
            Self::A2a | Self::Ietf01 => "https://planner.example/keys",
            Self::Meunier02 | Self::Legacy => "https://planner.example",
        }
    }

    fn agent(self) -> String {
        match self {
            Self::Legacy => format!("\"{}\"", self.url()),
            _ => format!("sig1=\"{}\"", self.url()),
        }
    }

    /// The components that web-bot-auth signs.
    fn covered(self) -> Vec<CoveredComponent> {
        let member = match self {
            Self::Legacy => vec![],
            _ => vec![HTTPFieldParameters::Key("sig1".to_owned())],
        };
        vec![
            CoveredComponent::Derived(DerivedComponent::Method { req: false }),
            CoveredComponent::Derived(DerivedComponent::Authority { req: false }),
            CoveredComponent::Derived(DerivedComponent::Path { req: false }),
            CoveredComponent::Derived(DerivedComponent::Query { req: false }),
            field("content-type", vec![]),
            field("content-digest", vec![]),
            field("signature-agent", member),
        ]
    }
}

pub(crate) fn field(name: &str, parameters: Vec<HTTPFieldParameters>) -> CoveredComponent {
    CoveredComponent::HTTP(HTTPField {
        name: name.to_owned(),
        parameters: HTTPFieldParametersSet(parameters),
    })
}

/// A request on its way, and the key it is signed with.
pub(crate) struct Sent {
    pub(crate) kind: Kind,
    pub(crate) key: SigningKey,
    pub(crate) parts: Parts,
    pub(crate) host: &'static str,
    pub(crate) body: &'static [u8],
}

impl Sent {
    pub(crate) fn unsigned(kind: Kind) -> Self {
        let request = Request::post("/a2a?tenant=eu").header("content-type", "application/json");
        Self {
            kind,
            key: SigningKey::generate(OurAlgorithm::Ed25519).expect("a key"),
            parts: request.body(()).expect("a request").into_parts().0,
            host: HOST,
            body: BODY,
        }
    }

    pub(crate) fn by_us(kind: Kind) -> Self {
        Self::by_us_at(kind, now())
    }

    pub(crate) fn by_us_at(kind: Kind, at: UnixTime) -> Self {
        let mut sent = Self::unsigned(kind);
        sent.sign(kind.profile(), kind.url(), at);
        sent
    }

    /// Signs with ours.
    pub(crate) fn sign(&mut self, profile: Profile, url: &str, at: UnixTime) {
        let key = SigningKey::from_pkcs8(self.key.expose_pkcs8()).expect("a key");
        let signer = Signer::new(key, url, profile).expect("a signer");
        let origin = Origin::https(HOST);
        signer
            .sign(&mut self.parts, &origin, BODY, at, [7; 16])
            .expect("signs");
    }

    /// Signs what the message is now, as its `Signature-Input` says.
    pub(crate) fn sign_again(&mut self) {
        let input = self.text("signature-input").to_owned();
        let member = input.strip_prefix("sig1=").expect("our label");
        self.sign_member(member);
    }

    /// Signs as a member of `Signature-Input` says, right or wrong.
    pub(crate) fn sign_member(&mut self, member: &str) {
        let origin = Origin::https(self.host);
        let view = RequestView::new(&self.parts, &origin).into();
        let base = signature_base(&view, member).expect("a base");
        let made = self.key.sign(base.as_bytes()).expect("signs");
        let made = sfv::BareItem::ByteSequence(made.as_bytes().to_vec());
        let made = sfv::Item::new(made).serialize_value();
        self.set("signature-input", &format!("sig1={member}"));
        self.set("signature", &format!("sig1={made}"));
    }

    /// Signed by web-bot-auth.
    pub(crate) fn by_them(kind: Kind) -> Self {
        let mut sent = Self::unsigned(kind);
        sent.set("content-digest", &content_digest(BODY));
        sent.set("signature-agent", &kind.agent());
        let signer = MessageSigner {
            keyid: sent.keyid(),
            nonce: "AAECAwQFBgcICQoLDA0ODw==".to_owned(),
            tag: "web-bot-auth".to_owned(),
        };
        let seed = seed(&sent.key);
        signer
            .generate_signature_headers_content(&mut sent, LIFE, Algorithm::Ed25519, &seed)
            .expect("signs");
        sent
    }

    pub(crate) fn keyid(&self) -> String {
        self.key.verifying_key().thumbprint().to_string()
    }

    /// A key ring of web-bot-auth with our key.
    pub(crate) fn ring(&self) -> KeyRing {
        let public = self.key.verifying_key().as_bytes().to_vec();
        let mut ring = KeyRing::default();
        assert!(ring.import_raw(self.keyid(), Algorithm::Ed25519, public));
        ring
    }

    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a value");
        self.parts
            .headers
            .insert(HeaderName::from_static(name), value);
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.parts.headers[name].to_str().expect("text")
    }

    /// Changes a field, which has `from`, at its first place.
    pub(crate) fn replace(&mut self, name: &'static str, from: &str, to: &str) {
        let old = self.text(name);
        assert!(old.contains(from), "{name} has no {from}: {old}");
        let new = old.replacen(from, to, 1);
        self.set(name, &new);
    }

    /// What web-bot-auth says to it.
    pub(crate) fn by_their_judgement(&self) -> Result<(), String> {
        let verifier = WebBotAuthVerifier::parse(self).map_err(|error| error.to_string())?;
        let verified = verifier.verify(&self.ring(), None);
        verified.map(drop).map_err(|error| error.to_string())
    }

    /// What we say to it: the word of the rule that it breaks.
    pub(crate) fn by_our_judgement(&self) -> Result<VerifiedMessage, &'static str> {
        self.judged_under(&self.kind.profile())
    }

    pub(crate) fn judged_under(&self, profile: &Profile) -> Result<VerifiedMessage, &'static str> {
        let origin = Origin::https(self.host);
        let view = RequestView::new(&self.parts, &origin).into();
        let key = self.key.verifying_key();
        let (body, skew) = (self.body, Skew::default());
        verify_message(&view, body, key, profile, now(), skew).map_err(|error| error.reason())
    }

    /// The lines of a field, as they stand in the message.
    fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.parts.headers.get_all(name).iter();
        lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect()
    }

    fn member(&self, name: &str, member: &str) -> Option<String> {
        let lines = self.lines(name).join(", ");
        let dictionary = sfv::Parser::new(&lines).parse_dictionary().ok()?;
        match dictionary.get(member)? {
            sfv::ListEntry::Item(item) => Some(item.serialize_value()),
            sfv::ListEntry::InnerList(_) => None,
        }
    }

    fn derived(&self, component: &DerivedComponent) -> Option<String> {
        let uri = &self.parts.uri;
        match component {
            DerivedComponent::Method { req: false } => Some(self.parts.method.to_string()),
            DerivedComponent::Authority { req: false } => Some(self.host.to_owned()),
            DerivedComponent::Path { req: false } => Some(uri.path().to_owned()),
            DerivedComponent::Query { req: false } => {
                Some(format!("?{}", uri.query().unwrap_or_default()))
            }
            _ => None,
        }
    }
}

/// The crate leaves to its user what the value of a component is.
impl SignedMessage for Sent {
    fn lookup_component(&self, component: &CoveredComponent) -> Vec<String> {
        match component {
            CoveredComponent::Derived(derived) => self.derived(derived).into_iter().collect(),
            CoveredComponent::HTTP(field) => match field.parameters.0.as_slice() {
                [] => self.lines(&field.name),
                [HTTPFieldParameters::Key(member)] => {
                    self.member(&field.name, member).into_iter().collect()
                }
                _ => Vec::new(),
            },
        }
    }
}

impl UnsignedMessage for Sent {
    fn fetch_components_to_cover(&self) -> IndexMap<CoveredComponent, String> {
        let covered = self.kind.covered().into_iter();
        covered
            .map(|component| {
                let [value] = self.lookup_component(&component).try_into().expect("one");
                (component, value)
            })
            .collect()
    }

    fn register_header_contents(&mut self, signature_input: String, signature_header: String) {
        self.set("signature-input", &format!("sig1={signature_input}"));
        self.set("signature", &format!("sig1={signature_header}"));
    }
}

/// The 32 bytes of an Ed25519 key (RFC 8410 §7): after the head of the octet string within.
fn seed(key: &SigningKey) -> [u8; 32] {
    const HEAD: [u8; 4] = [0x04, 0x22, 0x04, 0x20];
    let pkcs8 = key.expose_pkcs8();
    let mut windows = pkcs8.windows(HEAD.len());
    let at = windows
        .position(|bytes| bytes == HEAD)
        .expect("the head of the seed");
    let seed = &pkcs8[at + HEAD.len()..][..32];
    seed.try_into().expect("32 bytes")
}

pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}

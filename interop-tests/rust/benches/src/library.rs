//! What a library is asked for.

use std::time::Duration;

use countersign::clock::{Clock as _, SystemClock, UnixTime};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::httpsig::content_digest;
use http::{HeaderValue, Request};

use crate::{actpub, http_msgsign, httpsig_hyper, ours, web_bot_auth};

/// A request with its body.
pub type Signed = Request<String>;

pub(crate) const HOST: &str = "booking.example";
pub(crate) const BODY: &str = "{\"hello\": \"world\"}";
pub(crate) const TAG: &str = "web-bot-auth";
pub(crate) const NONCE: &str = "BwcHBwcHBwcHBwcHBwcHBw==";
pub(crate) const LABEL: &str = "sig1";
pub(crate) const LIFE: Duration = Duration::from_secs(3600);

/// A library that is measured.
pub trait Library {
    /// Its name and version.
    fn name(&self) -> &'static str;

    /// Where it does not do all that is asked for.
    fn note(&self) -> &'static str {
        ""
    }

    /// Adds `Signature-Input` and `Signature`.
    fn sign(&self, request: Signed) -> Signed;

    /// Whether the signature holds.
    fn verify(&self, request: Signed) -> (Signed, bool);
}

/// All of them, with one key.
pub fn libraries(key: &SigningKey) -> Vec<Box<dyn Library>> {
    assert_eq!(key.algorithm(), Algorithm::Ed25519);
    vec![
        Box::new(ours::Ours::five_components(key)),
        Box::new(ours::Ours::between_agents(key)),
        Box::new(httpsig_hyper::HttpsigHyper::new(key)),
        Box::new(web_bot_auth::WebBotAuth::new(key)),
        Box::new(http_msgsign::HttpMsgsign::new(key)),
        Box::new(actpub::Actpub::new(key)),
    ]
}

/// The request that is signed. In absolute form, which some need to see its authority.
pub fn request() -> Signed {
    let request = Request::post("https://booking.example/a2a/v1")
        .header("host", HOST)
        .header("content-type", "application/json")
        .header("content-digest", content_digest(BODY.as_bytes()))
        .header("signature-agent", "sig1=\"https://planner.example/keys\"")
        .header("user-agent", "countersign");
    let mut request = request.body(BODY.to_owned()).expect("a request");
    request.headers_mut().reserve(8);
    request
}

pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}

pub(crate) fn keyid(key: &SigningKey) -> String {
    key.verifying_key().thumbprint().to_string()
}

/// The 32 secret bytes of an Ed25519 key (RFC 8410 §7).
pub(crate) fn seed(key: &SigningKey) -> [u8; 32] {
    const HEAD: [u8; 4] = [0x04, 0x22, 0x04, 0x20];
    let pkcs8 = key.expose_pkcs8();
    let at = pkcs8.windows(HEAD.len()).position(|bytes| bytes == HEAD);
    let at = at.expect("the head of the seed") + HEAD.len();
    pkcs8[at..at + 32].try_into().expect("32 bytes")
}

pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a value")
}

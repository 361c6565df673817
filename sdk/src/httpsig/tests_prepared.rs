//! Signing elsewhere: what was prepared is what is sent.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{HeaderValue, Request};

use super::*;
use crate::clock::{Skew, UnixTime};

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const BODY: &[u8] = br#"{"id":1}"#;
const DIRECTORY: &str = "https://planner.example/.well-known/http-message-signatures-directory";

fn parts() -> Parts {
    let request = Request::post("/a2a?tenant=1")
        .header("content-type", "application/json")
        .header("authorization", "Bearer abc.def.ghi")
        .header("x-trace", "1")
        .body(());
    request.expect("a request").into_parts().0
}

fn origin() -> Origin {
    Origin::https("booking.example")
}

/// A signer that is somewhere else: it answers when it is asked for the second time.
#[derive(Debug)]
struct Elsewhere {
    key: HttpSigningKey,
    says: HttpVerifyingKey,
    fails: bool,
}

impl MessageSigner for Elsewhere {
    fn verifying_key(&self) -> &HttpVerifyingKey {
        &self.says
    }

    fn sign<'a>(&'a self, base: &'a [u8]) -> Signing<'a> {
        let mut asked = false;
        Signing::later(async move {
            std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut asked, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            if self.fails {
                return Err(SignerError::unavailable(std::io::Error::other("no line")));
            }
            Ok(self.key.sign(base)?)
        })
    }
}

/// Runs to the end; everything here is ready when it is asked again.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

fn key(algorithm: HttpAlgorithm) -> HttpSigningKey {
    HttpSigningKey::generate(algorithm).expect("a key")
}

fn verify(parts: &Parts, key: &HttpVerifyingKey) -> &'static str {
    let verifier = Verifier::new(Profile::a2a(), origin(), Skew::ZERO);
    let verified = verifier.verify_with_key(parts, BODY, key, NOW);
    verified.map_or_else(|error| error.reason(), |_| "fine")
}

#[test]
fn a_key_elsewhere_signs_as_one_in_this_process() {
    for algorithm in HttpAlgorithm::ALL {
        let key = key(algorithm);
        let elsewhere = Arc::new(Elsewhere {
            says: key.verifying_key().clone(),
            key: key.clone(),
            fails: false,
        });
        let signer = ExternalSigner::new(elsewhere, DIRECTORY, Profile::a2a());
        if algorithm.is_shared_secret() {
            let refused = signer.map_err(|error| error.reason());
            assert_eq!(refused.err(), Some("signature.algorithm_refused"));
            continue;
        }
        let (signer, origin) = (signer.expect("a signer"), origin());
        let mut there = parts();
        // Dropped, it signs nothing.
        drop(signer.sign(&mut there, &origin, BODY, NOW, [7; 16]));
        assert!(!there.headers.contains_key("signature"));
        wait(signer.sign(&mut there, &origin, BODY, NOW, [7; 16])).expect("signs");
        assert_eq!(verify(&there, key.verifying_key()), "fine", "{algorithm}");

        let here = Signer::new(&key, DIRECTORY, Profile::a2a()).expect("a signer");
        let mut one = parts();
        here.sign(&mut one, &origin, BODY, NOW, [7; 16])
            .expect("signs");
        assert_eq!(verify(&one, key.verifying_key()), "fine", "{algorithm}");

        let mut two = parts();
        let external = ExternalSigner::from(here);
        wait(external.sign(&mut two, &origin, BODY, NOW, [7; 16])).expect("signs");
        assert_eq!(verify(&two, key.verifying_key()), "fine", "{algorithm}");
        assert_eq!(
            one.headers["signature-input"],
            two.headers["signature-input"]
        );
    }
}

#[test]
fn what_a_signer_elsewhere_answers_is_verified() {
    let (right, other) = (key(HttpAlgorithm::Ed25519), key(HttpAlgorithm::Ed25519));
    for (key, fails, want) in [
        (&right, false, "fine"),
        (&other, false, "signature.invalid"),
        (&right, true, "signer.unavailable"),
    ] {
        let elsewhere = Arc::new(Elsewhere {
            key: key.clone(),
            says: right.verifying_key().clone(),
            fails,
        });
        let signer = ExternalSigner::new(elsewhere, DIRECTORY, Profile::a2a()).expect("a signer");
        let mut parts = parts();
        let signed = wait(signer.sign(&mut parts, &origin(), BODY, NOW, [7; 16]));
        assert_eq!(signed.map_or_else(|e| e.reason(), |()| "fine"), want);
        assert_eq!(parts.headers.contains_key("signature"), want == "fine");
    }
}

#[test]
fn a_message_that_changed_after_it_was_prepared_is_not_signed() {
    type Change = fn(&mut Parts, &mut Origin, &mut Vec<u8>);
    let key = key(HttpAlgorithm::EcdsaP384Sha384);
    let signer = Signer::new(&key, DIRECTORY, Profile::a2a()).expect("a signer");
    let cases: [(&str, Change, &str); 9] = [
        ("nothing", |_, _, _| (), "fine"),
        (
            "a field that is not covered",
            |parts, _, _| {
                parts
                    .headers
                    .insert("x-trace", HeaderValue::from_static("2"));
            },
            "fine",
        ),
        (
            "the method",
            |parts, _, _| parts.method = http::Method::PUT,
            "signature.changed",
        ),
        (
            "the path",
            |parts, _, _| parts.uri = http::Uri::from_static("/b?tenant=1"),
            "signature.changed",
        ),
        (
            "the host",
            |_, origin, _| *origin = Origin::https("other.example"),
            "signature.changed",
        ),
        (
            "a covered field",
            |parts, _, _| {
                let other = HeaderValue::from_static("Bearer abc.def.other");
                parts.headers.insert("authorization", other);
            },
            "signature.changed",
        ),
        (
            "a covered field that is gone",
            |parts, _, _| {
                parts.headers.remove("authorization");
            },
            "signature.changed",
        ),
        (
            "the body",
            |_, _, body| body.push(b' '),
            "signature.changed",
        ),
        ("no body", |_, _, body| body.clear(), "signature.changed"),
    ];
    for (name, change, want) in cases {
        let (mut parts, mut origin, mut body) = (parts(), origin(), BODY.to_vec());
        let prepared = signer.prepare(&mut parts, &origin, &body, NOW, [7; 16]);
        let prepared = prepared.expect("prepares");
        assert_eq!(prepared.verifying_key(), key.verifying_key());
        let signature = key.sign(prepared.base()).expect("signs");
        change(&mut parts, &mut origin, &mut body);
        let attached = prepared.attach(&mut parts, &origin, &body, &signature);
        assert_eq!(
            attached.map_or_else(|e| e.reason(), |()| "fine"),
            want,
            "{name}"
        );
        assert_eq!(
            parts.headers.contains_key("signature"),
            want == "fine",
            "{name}"
        );
    }
}

#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let key = key(HttpAlgorithm::RsaPssSha512);
    let origin = origin();
    for (named, want) in [
        ("rsa-pss-sha512", "fine"),
        ("rsa-v1_5-sha256", "signature.algorithm"),
        ("hmac-sha256", "signature.algorithm"),
        ("PS512", "signature.algorithm"),
        ("", "signature.algorithm"),
    ] {
        let mut parts = parts();
        let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
        let path = ComponentId::parse("\"@path\"").expect("an identifier");
        let alg = ParamValue::Text(named.to_owned());
        let params = SignatureParams::new().with("alg", alg);
        let fields = sign_message(&view, &key, "a", &[path], &params).expect("signs");
        parts
            .headers
            .append("signature-input", fields.signature_input);
        parts.headers.append("signature", fields.signature);
        let view = RequestView::new(&parts, &origin).into();
        let profile = Profile::rfc9421();
        let verified = verify_message(&view, b"", key.verifying_key(), &profile, NOW, Skew::ZERO);
        assert_eq!(
            verified.map_or_else(|e| e.reason(), |_| "fine"),
            want,
            "{named}"
        );
    }
}

#[test]
fn keys_that_everybody_has_sign_no_message() {
    let vectors = include_str!("../../../fixtures/vectors/rfc9421/rfc9421_vectors.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).expect("JSON");
    let published = vectors["keys"]["test-key-ed25519"].to_string();
    let published = HttpSigningKey::from_jwk(published.as_bytes()).expect("a key");
    let (parts, origin) = (parts(), origin());
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let path = [ComponentId::parse("\"@path\"").expect("an identifier")];
    let own = key(HttpAlgorithm::Ed25519);
    let secret = key(HttpAlgorithm::HmacSha256);
    let tagged = |tag: &str| SignatureParams::new().tag(tag);
    let tolerant = || tagged("example").danger().accept_public_test_keys();
    for (key, params, want) in [
        (&own, tagged("example"), "fine"),
        (&published, tagged("example"), "signature.test_key"),
        (&published, tolerant(), "fine"),
        (&secret, tagged("example"), "fine"),
        (
            &secret,
            tagged("web-bot-auth"),
            "signature.algorithm_refused",
        ),
        (
            &secret,
            tagged("wimse-workload-to-workload"),
            "signature.algorithm_refused",
        ),
        (
            &secret,
            tagged("http-message-signatures-directory"),
            "signature.algorithm_refused",
        ),
    ] {
        let signed = sign_message(&view, key, "a", &path, &params);
        assert_eq!(signed.map_or_else(|e| e.reason(), |_| "fine"), want);
        let prepared = prepare_message(&view, key.verifying_key(), "a", &path, &params);
        assert_eq!(prepared.map_or_else(|e| e.reason(), |_| "fine"), want);
    }
}

//! What one side signs, the other verifies; what was changed, neither takes.

use crate::message::{Kind, Sent};

type Change = fn(&mut Sent);

/// Each changes one thing that a signature covers.
const CHANGES: [(&str, Change); 13] = [
    ("another method", |sent| {
        sent.parts.method = http::Method::PUT
    }),
    ("another host", |sent| sent.host = "other.example"),
    ("another path", |sent| {
        sent.parts.uri = http::Uri::from_static("/a2b?tenant=eu");
    }),
    ("another query", |sent| {
        sent.parts.uri = http::Uri::from_static("/a2a?tenant=us");
    }),
    ("another digest", |sent| {
        let digest = countersign::httpsig::content_digest(b"other");
        sent.set("content-digest", &digest);
    }),
    ("another agent", |sent| {
        sent.replace("signature-agent", "planner.example", "planner.invalid");
    }),
    ("no agent", |sent| {
        sent.parts.headers.remove("signature-agent");
    }),
    ("a later end", |sent| {
        sent.replace("signature-input", ";expires=1", ";expires=2");
    }),
    ("another nonce", |sent| {
        sent.replace("signature-input", ";nonce=\"", ";nonce=\"A");
    }),
    ("another parameter", |sent| {
        sent.replace("signature-input", ";tag=", ";extra;tag=");
    }),
    ("one component less", |sent| {
        sent.replace("signature-input", "\"@method\" ", "");
    }),
    ("another order of components", |sent| {
        sent.replace(
            "signature-input",
            "\"@method\" \"@authority\"",
            "\"@authority\" \"@method\"",
        );
    }),
    ("another signature", |sent| {
        let old = sent.text("signature").to_owned();
        let first = old.as_bytes()["sig1=:".len()];
        let other = if first == b'A' { "sig1=:B" } else { "sig1=:A" };
        sent.replace("signature", &old[.."sig1=:".len() + 1], other);
    }),
];

fn both_take_it_until_it_is_changed(signed: fn(Kind) -> Sent) {
    for kind in Kind::ALL {
        let sent = signed(kind);
        assert_eq!(sent.by_their_judgement(), Ok(()), "{kind:?}");
        let verified = sent.by_our_judgement();
        let verified = verified.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(verified.signature_agent(), Some(kind.url()), "{kind:?}");
        for (what, change) in CHANGES {
            let mut changed = signed(kind);
            change(&mut changed);
            assert!(changed.by_their_judgement().is_err(), "{kind:?}: {what}");
            assert!(changed.by_our_judgement().is_err(), "{kind:?}: {what}");
        }
    }
}

#[test]
fn they_verify_what_we_sign_until_it_is_changed() {
    both_take_it_until_it_is_changed(Sent::by_us);
}

#[test]
fn we_verify_what_they_sign_until_it_is_changed() {
    both_take_it_until_it_is_changed(Sent::by_them);
}

#[test]
fn a_key_of_somebody_else_verifies_neither() {
    for signed in [Sent::by_us, Sent::by_them] {
        for kind in Kind::ALL {
            let mut sent = signed(kind);
            let old = sent.keyid();
            sent.key = Sent::unsigned(kind).key;
            assert!(sent.by_their_judgement().is_err(), "{kind:?}");
            assert_eq!(sent.by_our_judgement().err(), Some("signature.owner"));
            // It does not help to say that it is that key.
            let new = sent.keyid();
            sent.replace("signature-input", &old, &new);
            assert!(sent.by_their_judgement().is_err(), "{kind:?}");
            assert_eq!(sent.by_our_judgement().err(), Some("signature.invalid"));
        }
    }
}

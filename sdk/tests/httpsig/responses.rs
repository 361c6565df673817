//! Responses that answer one request and no other.

use countersign::clock::Skew;
use countersign::httpsig::{
    HttpAlgorithm, HttpSigningKey, MessageView, Origin, Profile, RequestView, ResponseView, Signer,
    sign_response, verify_message,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use crate::generator::{BODY, KEYS, Kind, NOW};

/// A signed response, and the request it answers.
struct Answer {
    profile: Profile,
    key: HttpSigningKey,
    parts: Parts,
    origin: Origin,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A request like any other, signed with this nonce.
fn request(kind: Kind, nonce: u8) -> Parts {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let request = Request::post("/a2a?page=2").header("content-type", "application/json");
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    let url = if kind.has_agent() { KEYS } else { "" };
    let signer = Signer::new(key, url, kind.profile()).expect("a signer");
    let origin = Origin::https("booking.example");
    signer
        .sign(&mut parts, &origin, BODY, NOW, [nonce; 16])
        .expect("signs");
    parts
}

fn good(kind: Kind) -> Answer {
    let mut answer = Answer {
        profile: kind.profile().responses(),
        key: HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key"),
        parts: request(kind, 1),
        origin: Origin::https("booking.example"),
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: b"{\"done\":true}".to_vec(),
    };
    let json = HeaderValue::from_static("application/json");
    answer.headers.insert("content-type", json);
    let token = HeaderValue::from_static("a.b.c");
    answer.headers.insert("workload-identity-token", token);
    let view = RequestView::new(&answer.parts, &answer.origin);
    let response = (answer.status, &mut answer.headers, &answer.body[..]);
    let signed = sign_response(&answer.key, &answer.profile, response, &view, NOW, [9; 16]);
    signed.expect("signs");
    answer
}

impl Answer {
    fn reason(&self) -> &'static str {
        let request = RequestView::new(&self.parts, &self.origin);
        let view: MessageView<'_> =
            ResponseView::new(self.status, &self.headers, Some(request)).into();
        let key = self.key.verifying_key();
        let verified = verify_message(&view, &self.body, key, &self.profile, NOW, Skew::ZERO);
        verified.map_or_else(|error| error.reason(), |_| "fine")
    }
}

#[test]
fn a_response_answers_its_request_and_no_other() {
    type Change = fn(&mut Answer);
    let cases: [(&str, Change, &str, &str); 9] = [
        ("nothing", |_| (), "fine", "fine"),
        (
            "status",
            |a| a.status = StatusCode::CREATED,
            "signature.invalid",
            "signature.invalid",
        ),
        (
            "body",
            |a| a.body.push(b' '),
            "signature.digest",
            "signature.digest",
        ),
        (
            "content type",
            |a| {
                drop(
                    a.headers
                        .insert("content-type", HeaderValue::from_static("text/plain")),
                )
            },
            "signature.invalid",
            "signature.invalid",
        ),
        (
            "method of the request",
            |a| a.parts.method = Method::PUT,
            "signature.invalid",
            "signature.invalid",
        ),
        (
            "query of the request",
            |a| a.parts.uri = "/a2a?page=3".parse().expect("a URI"),
            "signature.invalid",
            "signature.invalid",
        ),
        (
            "body of the request",
            |a| {
                drop(
                    a.parts
                        .headers
                        .insert("content-digest", HeaderValue::from_static("sha-256=:AAAA:")),
                )
            },
            "signature.invalid",
            "signature.invalid",
        ),
        (
            "the same request once more",
            |a| a.parts = request(Kind::A2a, 2),
            "signature.invalid",
            "signature.tag",
        ),
        (
            "no digest",
            |a| drop(a.headers.remove("content-digest")),
            "signature.digest_missing",
            "signature.digest_missing",
        ),
    ];
    for (name, change, a2a, wimse) in cases {
        for (kind, want) in [(Kind::A2a, a2a), (Kind::Ietf01, a2a), (Kind::Wimse, wimse)] {
            let mut answer = good(kind);
            change(&mut answer);
            assert_eq!(answer.reason(), want, "{name}: {kind:?}");
        }
    }
    let mut answer = good(Kind::Wimse);
    answer.parts = request(Kind::Wimse, 2);
    assert_eq!(answer.reason(), "signature.other_request");
}

#[test]
fn a_response_is_not_taken_for_a_request_nor_for_one_without_its_request() {
    for kind in [Kind::A2a, Kind::Wimse] {
        let answer = good(kind);
        let view: MessageView<'_> = ResponseView::new(answer.status, &answer.headers, None).into();
        let key = answer.key.verifying_key();
        let verified = verify_message(&view, &answer.body, key, &answer.profile, NOW, Skew::ZERO);
        let reason = verified.map_or_else(|error| error.reason(), |_| "fine");
        assert_eq!(reason, "signature.component_refused", "{kind:?}");
        let mut parts = request(kind, 1);
        parts.headers = answer.headers.clone();
        let view: MessageView<'_> = RequestView::new(&parts, &answer.origin).into();
        let profile = kind.profile();
        let verified = verify_message(&view, &answer.body, key, &profile, NOW, Skew::ZERO);
        assert!(verified.is_err(), "{kind:?}");
    }
}

#[test]
fn a_response_to_an_unsigned_request_is_still_tied_to_what_was_asked() {
    let mut answer = good(Kind::A2a);
    let (parts, ()) = Request::get("/tasks")
        .body(())
        .expect("a request")
        .into_parts();
    answer.parts = parts;
    answer.headers.remove("signature");
    answer.headers.remove("signature-input");
    let view = RequestView::new(&answer.parts, &answer.origin);
    let response = (answer.status, &mut answer.headers, &answer.body[..]);
    sign_response(&answer.key, &answer.profile, response, &view, NOW, [9; 16]).expect("signs");
    assert_eq!(answer.reason(), "fine");
    answer.parts.uri = "/other".parse().expect("a URI");
    assert_eq!(answer.reason(), "signature.invalid");
    // WIMSE has nothing to repeat then.
    let wimse = Profile::wimse().responses();
    let view = RequestView::new(&answer.parts, &answer.origin);
    let response = (answer.status, &mut answer.headers, &answer.body[..]);
    let signed = sign_response(&answer.key, &wimse, response, &view, NOW, [9; 16]);
    assert_eq!(
        signed.map_err(|error| error.reason()),
        Err("signature.missing")
    );
}

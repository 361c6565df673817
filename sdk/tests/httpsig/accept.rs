//! Asking for a signature, and giving the one asked for.

use std::time::Duration;

use countersign::clock::Skew;
use countersign::httpsig::{
    AcceptSignature, ComponentId, HttpAlgorithm, HttpSigningKey, MessageView, Origin, ParamValue,
    Profile, RequestView, Wish, vary_by_accept_signature, verify_message,
};
use http::{HeaderMap, HeaderValue, Request};

use crate::generator::NOW;

const LIFE: Duration = Duration::from_secs(60);

fn read(field: &str) -> Result<Vec<AcceptSignature>, &'static str> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(field).expect("a value");
    headers.insert("accept-signature", value);
    AcceptSignature::read(&headers).map_err(|error| error.reason())
}

#[test]
fn what_a_profile_asks_for_is_what_it_takes() {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let profile = Profile::builder("own")
        .tag("own")
        .label("mine")
        .cover_target()
        .max_life(LIFE)
        .keyid()
        .nonce()
        .build()
        .expect("a profile");
    let asked = AcceptSignature::of(&profile).expect("a wish");
    let nonce = Wish::Exactly(ParamValue::Text("theirs".to_owned()));
    let field = asked.wanting("nonce", nonce).to_header().expect("a value");
    let field = field.to_str().expect("text");
    let want = "mine=(\"@method\" \"@authority\" \"@path\" \"@query\");created;tag=\"own\"\
                ;expires;keyid;nonce=\"theirs\"";
    assert_eq!(field, want);
    let wanted = read(field).expect("it is read");

    let (mut parts, ()) = Request::get("/tasks?page=2")
        .body(())
        .expect("a request")
        .into_parts();
    let origin = Origin::https("booking.example");
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let fields = wanted[0]
        .answer(&view, &key, NOW, LIFE, [7; 16])
        .expect("signs");
    parts
        .headers
        .append("signature-input", fields.signature_input);
    parts.headers.append("signature", fields.signature);
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let public = key.verifying_key();
    let verified = verify_message(&view, b"", public, &profile, NOW, Skew::ZERO);
    let verified = verified.expect("it verifies");
    assert_eq!(
        (verified.label(), verified.nonce()),
        ("mine", Some("theirs"))
    );
    let covered: Vec<String> = wanted[0]
        .components()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(verified.covered(), covered);
}

#[test]
fn nothing_else_than_what_is_asked_for_is_signed() {
    let key = HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key");
    let keyid = key.verifying_key().thumbprint();
    let (parts, ()) = Request::get("/tasks")
        .body(())
        .expect("a request")
        .into_parts();
    let origin = Origin::https("booking.example");
    let view: MessageView<'_> = RequestView::new(&parts, &origin).into();
    let cases = [
        ("a=(\"@method\");created".to_owned(), "fine"),
        (format!("a=();keyid=\"{keyid}\""), "fine"),
        ("a=();keyid=\"another\"".to_owned(), "signature.asked"),
        ("a=();alg=\"ed25519\"".to_owned(), "fine"),
        ("a=();alg=\"hmac-sha256\"".to_owned(), "signature.asked"),
        ("a=();tag".to_owned(), "signature.asked"),
        ("a=(\"x-absent\")".to_owned(), "signature.component_absent"),
        ("a=(\"@status\")".to_owned(), "signature.component_refused"),
        (
            "a=(\"@method\" \"@method\")".to_owned(),
            "signature.component_repeated",
        ),
        ("a=(\"Upper\")".to_owned(), "signature.component_refused"),
        ("a=1".to_owned(), "signature.malformed"),
        ("a=(".to_owned(), "signature.malformed"),
        ("a=();x=1.5".to_owned(), "signature.malformed"),
    ];
    for (field, want) in cases {
        let answer = read(&field).and_then(|wanted| {
            let made = wanted[0].answer(&view, &key, NOW, LIFE, [7; 16]);
            made.map_err(|error| error.reason())
        });
        assert_eq!(
            answer.map_or_else(|reason| reason, |_| "fine"),
            want,
            "{field}"
        );
    }
    assert_eq!(
        AcceptSignature::read(&HeaderMap::new()).map(|wanted| wanted.len()),
        Ok(0)
    );
    let repeated = ComponentId::parse("\"@method\"").expect("an identifier");
    assert!(AcceptSignature::new("a", vec![repeated.clone(), repeated]).is_err());
}

#[test]
fn an_answer_varies_once() {
    let mut headers = HeaderMap::new();
    headers.insert("vary", HeaderValue::from_static("accept, Accept-Encoding"));
    for _ in 0..2 {
        vary_by_accept_signature(&mut headers).expect("there is room");
    }
    let all: Vec<_> = headers.get_all("vary").iter().collect();
    assert_eq!(all, ["accept, Accept-Encoding", "accept-signature"]);
    let mut headers = HeaderMap::new();
    headers.insert("vary", HeaderValue::from_static("*"));
    vary_by_accept_signature(&mut headers).expect("there is room");
    assert_eq!(headers.get_all("vary").iter().count(), 1);
}

//! Public test vectors of RFC 9421 and of Web Bot Auth, read as data.

use std::path::Path;

use countersign::clock::{Skew, UnixTime};
use countersign::crypto::{SigningKey, VerifyingKey};
use countersign::httpsig::{
    ComponentId, FieldType, MessageView, Origin, Profile, RequestView, ResponseView, Revision,
    SignatureError, Tolerance, VerifiedMessage, content_digest, signature_base, verify_message,
};
use countersign::jose::{Jwk, decode_base64url};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use serde::Deserialize as _;
use serde_json::Value;

/// A time at which every vector without an expiry, and those that end in 2124, hold.
const NOW: UnixTime = UnixTime::from_secs(1_735_690_000);

fn vectors(path: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors");
    let text = std::fs::read(root.join(path)).expect("the vectors are there");
    serde_json::from_slice(&text).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Public half of a test key; the private one is in the vectors too.
fn public(jwk: &Value) -> VerifyingKey {
    let mut jwk = jwk.clone();
    if let Some(members) = jwk.as_object_mut() {
        members.remove("d");
    }
    let jwk = Jwk::deserialize(jwk).expect("a JWK");
    jwk.key().expect("a key")
}

fn fields(listed: &Value) -> HeaderMap {
    let mut map = HeaderMap::new();
    for field in list(listed) {
        let name = field[0].as_str().expect("a name").to_ascii_lowercase();
        let name = HeaderName::try_from(name).expect("a name");
        // RFC 9112 §5.2: whoever receives a folded line unfolds it before anything reads it.
        let value = field[1].as_str().expect("a value").replace("\r\n    ", " ");
        map.append(name, HeaderValue::from_str(&value).expect("a value"));
    }
    map
}

/// A message of the vectors, with the request it answers.
struct Message {
    request: Option<(Parts, Origin)>,
    response: Option<(StatusCode, HeaderMap)>,
    trailers: HeaderMap,
    body: Vec<u8>,
}

impl Message {
    fn of(value: &Value, related: &Value) -> Self {
        let response = (value["type"] == "response").then(|| {
            let status = value["status"].as_u64().and_then(|s| u16::try_from(s).ok());
            let status = StatusCode::from_u16(status.expect("a status")).expect("a status");
            (status, fields(&value["headers"]))
        });
        let request = if response.is_some() { related } else { value };
        Self {
            request: (!request.is_null()).then(|| parts(request)),
            response,
            trailers: fields(&value["trailers"]),
            body: value["body"].as_str().unwrap_or_default().into(),
        }
    }

    fn headers(&mut self) -> &mut HeaderMap {
        match (&mut self.response, &mut self.request) {
            (Some((_, headers)), _) => headers,
            (None, Some((parts, _))) => &mut parts.headers,
            (None, None) => panic!("neither a request nor a response"),
        }
    }

    fn view(&self) -> MessageView<'_> {
        let request = self.request.as_ref();
        let request = request.map(|(parts, origin)| RequestView::new(parts, origin));
        match &self.response {
            Some((status, headers)) => ResponseView::new(*status, headers, request)
                .with_trailers(&self.trailers)
                .into(),
            None => request.expect("a request").into(),
        }
    }
}

fn parts(value: &Value) -> (Parts, Origin) {
    let url = text(value, "url");
    let uri: http::Uri = url.parse().expect("a URI");
    let scheme = uri.scheme_str().expect("a scheme");
    let host = fields(&value["headers"]);
    let host = host.get("host").and_then(|host| host.to_str().ok());
    // Behind a proxy the message says another host than its URL.
    let authority = host.or(uri.authority().map(|a| a.as_str()));
    let origin = format!("{scheme}://{}", authority.expect("an authority"));
    let method = value["method"].as_str().unwrap_or("GET");
    let request = Request::builder().method(method).uri(uri).body(());
    let (mut parts, ()) = request.expect("a request").into_parts();
    parts.headers = fields(&value["headers"]);
    (parts, origin.parse().expect("an origin"))
}

fn verify(
    message: &Message,
    key: &VerifyingKey,
    profile: Profile,
    now: UnixTime,
) -> Result<VerifiedMessage, SignatureError> {
    let profile = profile.danger().accept_public_test_keys();
    verify_message(
        &message.view(),
        &message.body,
        key,
        &profile,
        now,
        Skew::ZERO,
    )
}

/// Adds the signature of a vector to its message.
fn add_signature(message: &mut Message, vector: &Value) {
    for (name, from) in [
        ("signature-input", "signature_input"),
        ("signature", "signature"),
    ] {
        let value = format!("{}={}", text(vector, "label"), text(vector, from));
        let value = HeaderValue::from_str(&value).expect("a value");
        message.headers().append(name, value);
    }
}

#[test]
fn every_signature_base_of_rfc_9421_is_built_to_the_byte() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let signed = list(&vectors["signed"]);
    assert_eq!(signed.len(), 21);
    for vector in signed {
        let message = Message::of(&vector["message"], &vector["request"]);
        let base = signature_base(&message.view(), text(vector, "signature_input"));
        let base = base.unwrap_or_else(|error| panic!("{}: {error}", vector["id"]));
        assert_eq!(base, text(vector, "signature_base"), "{}", vector["id"]);
    }
}

#[test]
fn every_ed25519_and_p256_signature_of_rfc_9421_is_judged_as_printed() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let mut judged = Vec::new();
    for vector in list(&vectors["signed"]) {
        let (id, alg) = (text(vector, "id"), text(vector, "alg"));
        if !["ed25519", "ecdsa-p256-sha256"].contains(&alg) {
            continue;
        }
        let mut message = Message::of(&vector["message"], &vector["request"]);
        add_signature(&mut message, vector);
        let key = public(&vectors["keys"][text(vector, "keyid")]);
        assert_eq!(key.algorithm().http_name(), alg, "{id}");
        let label = text(vector, "label");
        let profile = Profile::rfc9421().with_label(label).expect("a label");
        let verified = verify(&message, &key, profile.clone(), NOW);
        let reason = verified.as_ref().map_or_else(|e| e.reason(), |_| "fine");
        let valid = vector["valid"] == true;
        assert_eq!(
            reason,
            if valid { "fine" } else { "signature.invalid" },
            "{id}"
        );
        if valid {
            // A key whose private half is printed in the RFC is worth nothing outside of tests.
            let view = message.view();
            let refused = verify_message(&view, &message.body, &key, &profile, NOW, Skew::ZERO);
            assert_eq!(
                refused.map_err(|e| e.reason()).err(),
                Some("signature.test_key")
            );
        }
        judged.push(id.to_owned());
    }
    for id in [
        "B.2.4",
        "B.2.6",
        "2.4.1",
        "2.4.2",
        "4.3.client",
        "B.3",
        "B.4.1",
        "B.4.4",
    ] {
        assert!(judged.iter().any(|judged| judged == id), "{id}");
    }
    assert_eq!(judged.len(), 14);
}

#[test]
fn a_body_that_its_signature_covers_may_not_change() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    for id in ["B.2.4", "4.3.client"] {
        let mut signed = list(&vectors["signed"]).iter();
        let vector = signed.find(|vector| vector["id"] == id).expect("a vector");
        let mut message = Message::of(&vector["message"], &vector["request"]);
        add_signature(&mut message, vector);
        let key = public(&vectors["keys"][text(vector, "keyid")]);
        let verified = verify(&message, &key, Profile::rfc9421(), NOW).expect(id);
        assert!(verified.covers_body(), "{id}");
        message.body.push(b' ');
        let refused = verify(&message, &key, Profile::rfc9421(), NOW);
        assert_eq!(
            refused.map_err(|e| e.reason()).err(),
            Some("signature.digest"),
            "{id}"
        );
    }
}

#[test]
fn components_have_the_values_and_errors_of_rfc_9421() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let types = [("example-dict", FieldType::Dictionary)];
    let (mut values, mut errors) = (0, 0);
    for vector in list(&vectors["base_only"]) {
        let message = Message::of(&vector["message"], &Value::Null);
        let view = message.view().with_field_types(&types);
        for (id, want) in vector["components"].as_object().expect("an object") {
            let value = ComponentId::parse(id).and_then(|id| view.value(&id));
            assert_eq!(value.as_deref(), Ok(want.as_str().expect("text")), "{id}");
            values += 1;
        }
        for id in list(&vector["errors"]) {
            let id = id.as_str().expect("an identifier");
            let value = ComponentId::parse(id).and_then(|id| view.value(&id));
            assert!(value.is_err(), "{id}: {value:?}");
            errors += 1;
        }
    }
    assert_eq!((values, errors), (35, 11));
}

#[test]
fn ed25519_signatures_are_made_as_printed() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let jwk = &vectors["keys"]["test-key-ed25519"];
    let seed = decode_base64url(text(jwk, "d")).expect("a seed");
    // RFC 8410 §7: the seed in PKCS#8.
    let head = [
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let key = SigningKey::from_pkcs8(&[&head[..], &seed].concat()).expect("a key");
    let mut signed = list(&vectors["signed"]).iter();
    let vector = signed.find(|v| v["id"] == "B.2.6").expect("a vector");
    let made = key.sign(text(vector, "signature_base").as_bytes());
    let printed = text(vector, "signature").trim_matches(':');
    let printed = printed.replace('+', "-").replace('/', "_");
    let printed = decode_base64url(printed.trim_end_matches('=')).expect("bytes");
    assert_eq!(made.expect("signs").as_bytes()[..], printed);
}

/// A request of the Web Bot Auth vectors.
fn bot(vector: &Value, label: &str, input: &str, signature: &str) -> Message {
    let url = text(vector, "target_url");
    let request = serde_json::json!({ "type": "request", "method": "GET", "url": url });
    let mut message = Message::of(&request, &Value::Null);
    let mut add = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("a value");
        message.headers().append(name, value);
    };
    add("signature-input", &format!("{label}={input}"));
    add("signature", &format!("{label}={signature}"));
    if let Some(agent) = vector["signature_agent"].as_str() {
        add("signature-agent", agent);
    }
    message
}

/// Web Bot Auth with everything that its earlier revisions had.
fn earlier_drafts() -> Profile {
    let all = [
        Tolerance::BareSignatureAgent,
        Tolerance::ForeignMember,
        Tolerance::NoSignatureAgent,
    ];
    all.into_iter()
        .fold(Profile::web_bot_auth(Revision::Ietf01), Profile::tolerate)
}

fn reason(result: Result<VerifiedMessage, SignatureError>) -> &'static str {
    result.map_or_else(|e| e.reason(), |_| "fine")
}

#[test]
fn the_vectors_of_cloudflares_implementation_verify() {
    let mut judged = 0;
    // The first have a life of an hour and the bare string, the second end in 2124 and have a
    // member that is not called like the label.
    for (file, in_profile) in [("v1", "fine"), ("v2", "signature.life")] {
        let file = format!("cloudflare-web-bot-auth/web_bot_auth_architecture_{file}.json");
        for vector in list(&vectors(&file)) {
            if vector["key"]["kty"] != "OKP" {
                continue;
            }
            let key = public(&vector["key"]);
            let label = text(vector, "label");
            let without = |name| text(vector, name).strip_prefix(&format!("{label}="));
            let input = without("signature_input").expect("a label");
            let signature = without("signature").expect("a label");
            let message = bot(vector, label, input, signature);
            let generic = verify(&message, &key, Profile::rfc9421(), NOW);
            assert_eq!(generic.expect(&file).label(), label);
            let earlier = earlier_drafts();
            assert_eq!(
                reason(verify(&message, &key, earlier, NOW)),
                in_profile,
                "{file}"
            );
            let late = UnixTime::from_secs(4_889_289_601);
            let generic = verify(&message, &key, Profile::rfc9421(), late);
            assert_eq!(reason(generic), "signature.expired");
            let early = UnixTime::from_secs(1_735_689_599);
            let generic = verify(&message, &key, Profile::rfc9421(), early);
            assert_eq!(reason(generic), "signature.not_yet");
            judged += 1;
        }
    }
    assert_eq!(judged, 4);
}

#[test]
fn the_vectors_of_the_web_bot_auth_drafts_verify() {
    let rfc = vectors("rfc9421/rfc9421_vectors.json");
    let key = public(&rfc["keys"]["test-key-ed25519"]);
    let drafts = vectors("webbotauth-draft/webbotauth_draft_vectors.json");
    let mut judged = Vec::new();
    for vector in list(&drafts["vectors"]) {
        if text(vector, "alg") != "ed25519" || vector["request"].is_object() {
            continue;
        }
        let (label, input) = (text(vector, "label"), text(vector, "signature_input"));
        let mut message = bot(vector, label, input, text(vector, "signature"));
        let base = signature_base(&message.view(), input).expect("a base");
        assert_eq!(base, text(vector, "signature_base"), "{}", vector["id"]);
        assert_eq!(
            reason(verify(&message, &key, Profile::rfc9421(), NOW)),
            "fine"
        );
        // An hour is within the profile's day; the year 2124 is not.
        let in_profile = if input.contains("4889289600") {
            "signature.life"
        } else {
            "fine"
        };
        let earlier = earlier_drafts();
        assert_eq!(reason(verify(&message, &key, earlier, NOW)), in_profile);
        message.headers().remove("signature-agent");
        let refused = reason(verify(&message, &key, Profile::rfc9421(), NOW));
        assert_eq!(refused, "signature.component_absent");
        judged.push(text(vector, "id"));
    }
    let all = [
        "ietf-01-editors-copy/ed25519/sig2",
        "meunier-02/ed25519/agent2",
        "legacy-string/ed25519",
    ];
    assert_eq!(judged, all);
}

#[test]
fn the_directory_response_of_the_draft_verifies() {
    let rfc = vectors("rfc9421/rfc9421_vectors.json");
    let key = public(&rfc["keys"]["test-key-ed25519"]);
    let drafts = vectors("webbotauth-draft/webbotauth_draft_vectors.json");
    let mut all = list(&drafts["vectors"]).iter();
    let vector = all.find(|v| v["request"].is_object()).expect("a vector");
    let body = text(vector, "body");
    assert_eq!(
        content_digest(body.as_bytes()),
        text(vector, "content_digest")
    );
    let response = serde_json::json!({
        "type": "response",
        "status": 200,
        "headers": [["Content-Digest", text(vector, "content_digest")]],
        "body": body,
    });
    let mut message = Message::of(&response, &vector["request"]);
    add_signature(&mut message, vector);
    let base = signature_base(&message.view(), text(vector, "signature_input"));
    assert_eq!(base.as_deref(), Ok(text(vector, "signature_base")));
    let verified = verify(&message, &key, Profile::rfc9421(), NOW).expect("it verifies");
    assert!(verified.covers_body());
    assert_eq!(
        verified.covered(),
        ["\"@authority\";req", "\"content-digest\""]
    );
    message.body.pop();
    assert_eq!(
        reason(verify(&message, &key, Profile::rfc9421(), NOW)),
        "signature.digest"
    );
}

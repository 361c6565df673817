//! Public test vectors of RFC 9421 and of Web Bot Auth, read as data.

use std::path::Path;

use countersign::clock::{Skew, UnixTime};
use countersign::httpsig::{
    AcceptSignature, AgentKind, ComponentId, FieldType, HttpAlgorithm, HttpSigningKey,
    HttpVerifyingKey, MessageView, Origin, ParamValue, PresentedSignature, Profile, RequestView,
    ResponseView, Revision, SignatureError, Tolerance, VerifiedMessage, Wish, content_digest,
    signature_base, verify_message,
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

/// A test key, whose private half is in the vectors too.
fn private(jwk: &Value) -> HttpSigningKey {
    HttpSigningKey::from_jwk(jwk.to_string().as_bytes()).expect("a key")
}

/// What verifies with it.
fn public(jwk: &Value) -> HttpVerifyingKey {
    private(jwk).verifying_key().clone()
}

/// The key of a vector, for the vector's algorithm.
fn key_of(keys: &Value, vector: &Value) -> HttpSigningKey {
    let algorithm = HttpAlgorithm::from_name(text(vector, "alg")).expect("an algorithm");
    let key = private(&keys[text(vector, "keyid")]);
    key.with_algorithm(algorithm).expect("it fits")
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
    key: &HttpVerifyingKey,
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
fn every_signature_of_rfc_9421_is_judged_as_printed() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let (mut good, mut bad) = (0, 0);
    for vector in list(&vectors["signed"]) {
        let (id, alg) = (text(vector, "id"), text(vector, "alg"));
        let mut message = Message::of(&vector["message"], &vector["request"]);
        add_signature(&mut message, vector);
        let key = key_of(&vectors["keys"], vector).verifying_key().clone();
        assert_eq!(key.algorithm().name(), alg, "{id}");
        let label = text(vector, "label");
        let profile = Profile::rfc9421().with_label(label).expect("a label");
        // One of them ends, and holds for the last time at this second.
        let now = if id == "4.3.proxy.proxy_sig" {
            UnixTime::from_secs(1_618_884_540)
        } else {
            NOW
        };
        let verified = verify(&message, &key, profile.clone(), now);
        let reason = verified.as_ref().map_or_else(|e| e.reason(), |_| "fine");
        if vector["valid"] == true {
            assert_eq!(reason, "fine", "{id}");
            // A key whose private half is printed in the RFC is worth nothing outside of tests.
            let view = message.view();
            let refused = verify_message(&view, &message.body, &key, &profile, now, Skew::ZERO);
            let refused = refused.map_err(|e| e.reason()).err();
            assert_eq!(refused, Some("signature.test_key"), "{id}");
            good += 1;
        } else {
            assert_eq!(reason, "signature.invalid", "{id}");
            bad += 1;
        }
    }
    assert_eq!((good, bad), (17, 4));
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
fn signatures_without_chance_are_made_as_printed() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    for (id, algorithm) in [
        ("B.2.5", HttpAlgorithm::HmacSha256),
        ("B.2.6", HttpAlgorithm::Ed25519),
        ("4.3.proxy.proxy_sig", HttpAlgorithm::RsaV15Sha256),
    ] {
        let mut signed = list(&vectors["signed"]).iter();
        let vector = signed.find(|v| v["id"] == id).expect("a vector");
        let key = key_of(&vectors["keys"], vector);
        assert_eq!(key.algorithm(), algorithm);
        let made = key.sign(text(vector, "signature_base").as_bytes());
        let printed = text(vector, "signature").trim_matches(':');
        let printed = printed.replace('+', "-").replace('/', "_");
        let printed = decode_base64url(printed.trim_end_matches('=')).expect("bytes");
        assert_eq!(made.expect("signs").as_bytes(), printed, "{id}");
    }
}

#[test]
fn public_keys_are_read_as_others_wrote_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors");
    let folder = root.join("rfc9421/remitly-httpsig-go");
    let read = |name: &str| {
        let pem = std::fs::read_to_string(folder.join(name)).expect("a file");
        HttpVerifyingKey::from_pem(&pem)
    };
    for (name, algorithm) in [
        ("test-key-ecc-p256.pub", HttpAlgorithm::EcdsaP256Sha256),
        ("test-key-ecc-p384.pub", HttpAlgorithm::EcdsaP384Sha384),
        ("test-key-ed25519.pub", HttpAlgorithm::Ed25519),
        ("test-key-rsa-pss.pub", HttpAlgorithm::RsaPssSha512),
    ] {
        assert_eq!(read(name).expect(name).algorithm(), algorithm);
    }
    let keys = &vectors("rfc9421/rfc9421_vectors.json")["keys"];
    let same = public(&keys["test-key-rsa-pss"]);
    assert_eq!(read("test-key-rsa-pss.pub"), Ok(same));
    let older = read("test-key-rsa.pub").expect_err("it is not SubjectPublicKeyInfo");
    assert_eq!(older.reason(), "key.pem");
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

fn reason(result: Result<VerifiedMessage, SignatureError>) -> &'static str {
    result.map_or_else(|e| e.reason(), |_| "fine")
}

/// What each profile and tolerance makes of a Web Bot Auth signature.
fn judged(message: &Message, key: &HttpVerifyingKey) -> Vec<&'static str> {
    let long = |revision| Profile::web_bot_auth(revision).tolerate(Tolerance::LongLife);
    let profiles = [
        long(Revision::Ietf01),
        long(Revision::Ietf01).tolerate(Tolerance::ForeignMember),
        long(Revision::Ietf01).tolerate(Tolerance::BareSignatureAgent),
        long(Revision::Meunier02),
        long(Revision::Legacy),
        long(Revision::Legacy).tolerate(Tolerance::NoSignatureAgent),
    ];
    let each = profiles.map(|profile| reason(verify(message, key, profile, NOW)));
    each.into_iter().collect()
}

/// The answers for each form of `Signature-Agent`, in the order of [`judged`].
const MISSING: &str = "signature.component_missing";
const OWN_MEMBER: [&str; 6] = ["fine", "fine", "fine", "fine", MISSING, MISSING];
const OTHER_MEMBER: [&str; 6] = [MISSING, "fine", MISSING, MISSING, MISSING, MISSING];
const BARE: [&str; 6] = [MISSING, MISSING, "fine", MISSING, "fine", "fine"];
const NONE: [&str; 6] = [
    "signature.agent_missing",
    "signature.agent_missing",
    "signature.agent_missing",
    "signature.agent_missing",
    "signature.agent_missing",
    "fine",
];

#[test]
fn the_vectors_of_cloudflares_implementation_verify() {
    let mut seen = 0;
    for (file, with_agent) in [("v1", BARE), ("v2", OTHER_MEMBER)] {
        let file = format!("cloudflare-web-bot-auth/web_bot_auth_architecture_{file}.json");
        for vector in list(&vectors(&file)) {
            let key = public(&vector["key"]);
            let label = text(vector, "label");
            let without = |name| text(vector, name).strip_prefix(&format!("{label}="));
            let input = without("signature_input").expect("a label");
            let signature = without("signature").expect("a label");
            let message = bot(vector, label, input, signature);
            let generic = verify(&message, &key, Profile::rfc9421(), NOW);
            assert_eq!(generic.expect(&file).label(), label);
            let want = if vector["signature_agent"].is_string() {
                with_agent
            } else {
                NONE
            };
            assert_eq!(judged(&message, &key), want, "{file} {label}");
            // An hour is within the profile's day; the year 2124 is not.
            let tolerant = Profile::web_bot_auth(Revision::Legacy)
                .tolerate(Tolerance::NoSignatureAgent)
                .tolerate(Tolerance::BareSignatureAgent);
            let strict = reason(verify(&message, &key, tolerant, NOW));
            let lives_long = input.contains("4889289600");
            assert_eq!(strict == "signature.life", lives_long, "{file}: {strict}");
            let late = UnixTime::from_secs(4_889_289_601);
            let generic = verify(&message, &key, Profile::rfc9421(), late);
            assert_eq!(reason(generic), "signature.expired");
            let early = UnixTime::from_secs(1_735_689_599);
            let generic = verify(&message, &key, Profile::rfc9421(), early);
            assert_eq!(reason(generic), "signature.not_yet");
            seen += 1;
        }
    }
    assert_eq!(seen, 8);
}

#[test]
fn signature_agents_are_read_as_cloudflares_implementation_reads_them() {
    let file = vectors("cloudflare-web-bot-auth/web_bot_auth_signature_agent_v1.json");
    let profile = Profile::web_bot_auth(Revision::Meunier02);
    let strict = Profile::web_bot_auth(Revision::Ietf01);
    for vector in list(&file) {
        let entry = &vector["entries"][0];
        let label = text(entry, "label");
        let (parts, ()) = Request::get("https://example.com/")
            .header("signature-agent", text(vector, "header"))
            .header(
                "signature-input",
                format!("{label}=(\"signature-agent\";key=\"{label}\");tag=\"web-bot-auth\""),
            )
            .body(())
            .expect("a request")
            .into_parts();
        let origin = Origin::https("example.com");
        let view = RequestView::new(&parts, &origin).into();
        let presented = PresentedSignature::choose(&view, &profile).expect("it is there");
        let agent = presented.signature_agent().expect("an agent");
        assert_eq!(agent.url(), text(entry, "uri"));
        let kind = match agent.kind() {
            AgentKind::Directory => "directory",
            AgentKind::Jwks => "jwks_uri",
            AgentKind::Card => "cimd",
        };
        assert_eq!(kind, text(entry, "type"));
        // The working group's draft has no parameters.
        let presented = PresentedSignature::choose(&view, &strict).expect("it is there");
        assert_eq!(presented.signature_agent().is_some(), kind == "directory");
    }
}

#[test]
fn the_vectors_of_the_web_bot_auth_drafts_verify() {
    let rfc = vectors("rfc9421/rfc9421_vectors.json");
    let drafts = vectors("webbotauth-draft/webbotauth_draft_vectors.json");
    let mut seen = Vec::new();
    for vector in list(&drafts["vectors"]) {
        if vector["request"].is_object() {
            continue;
        }
        let (id, alg) = (text(vector, "id"), text(vector, "alg"));
        let name = if alg == "ed25519" {
            "ed25519"
        } else {
            "rsa-pss"
        };
        let key = public(&rfc["keys"][format!("test-key-{name}")]);
        let (label, input) = (text(vector, "label"), text(vector, "signature_input"));
        let mut message = bot(vector, label, input, text(vector, "signature"));
        let base = signature_base(&message.view(), input).expect("a base");
        assert_eq!(base, text(vector, "signature_base"), "{id}");
        let generic = reason(verify(&message, &key, Profile::rfc9421(), NOW));
        assert_eq!(generic, "fine", "{id}");
        let want = match id.split('/').next() {
            Some("ietf-01-editors-copy") => OWN_MEMBER,
            Some("meunier-02") => OTHER_MEMBER,
            _ => BARE,
        };
        assert_eq!(judged(&message, &key), want, "{id}");
        message.headers().remove("signature-agent");
        let refused = reason(verify(&message, &key, Profile::rfc9421(), NOW));
        assert_eq!(refused, "signature.component_absent");
        seen.push(id);
    }
    let all = [
        "ietf-01-editors-copy/ed25519/sig2",
        "ietf-01-editors-copy/rsa-pss/sig2",
        "meunier-02/ed25519/agent2",
        "legacy-string/ed25519",
        "legacy-string/rsa-pss",
    ];
    assert_eq!(seen, all);
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

/// A message as the WIMSE draft prints it: start line, fields, body.
fn printed(file: &str, request: Option<&Message>) -> Message {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/wimse");
    let printed = std::fs::read_to_string(root.join(file)).expect("the vectors are there");
    let (head, body) = printed.split_once("\n\n").expect("an empty line");
    let mut lines = head.lines();
    let start: Vec<&str> = lines.next().expect("a start line").split(' ').collect();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a field");
        let name = HeaderName::try_from(name.to_ascii_lowercase()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    let related = request.and_then(|message| message.request.as_ref());
    let mut message = Message {
        request: related.map(|(parts, origin)| {
            let (mut copy, ()) = Request::new(()).into_parts();
            copy.method = parts.method.clone();
            copy.uri = parts.uri.clone();
            copy.headers = parts.headers.clone();
            (copy, origin.clone())
        }),
        response: None,
        trailers: HeaderMap::new(),
        body: body.into(),
    };
    if start[0].starts_with("HTTP/") {
        message.response = Some((start[1].parse().expect("a status"), headers));
    } else {
        let request = Request::builder().method(start[0]).uri(start[1]).body(());
        let (mut parts, ()) = request.expect("a request").into_parts();
        let host = headers["host"].to_str().expect("a host").to_owned();
        parts.headers = headers;
        message.request = Some((parts, Origin::https(host)));
    }
    message
}

/// The key that the message's own token confirms. The token is not verified here: that is done
/// before anybody looks at the signature.
fn confirmed_key(headers: &HeaderMap) -> HttpVerifyingKey {
    let token = headers["workload-identity-token"]
        .to_str()
        .expect("a token");
    let claims = token.split('.').nth(1).expect("claims");
    let claims = decode_base64url(claims).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    let jwk = Jwk::deserialize(&claims["cnf"]["jwk"]).expect("a JWK");
    HttpVerifyingKey::from_jwk(&jwk).expect("a key")
}

#[test]
fn the_request_and_the_response_of_the_wimse_draft_verify() {
    let now = UnixTime::from_secs(1_785_155_800);
    let request = printed("sigs-request.txt", None);
    let key = confirmed_key(request.view().headers());
    let profile = Profile::wimse();
    let verified = verify(&request, &key, profile.clone(), now).expect("it verifies");
    assert_eq!(
        (verified.label(), verified.nonce()),
        ("wimse", Some("abcd1111"))
    );
    let asks = verified.parameter("wimse-sign-response");
    assert_eq!(asks, Some(ParamValue::Flag));

    let mut response = printed("sigs-response.txt", Some(&request));
    let key = confirmed_key(response.view().headers());
    let answers = profile.responses();
    let verified = verify(&response, &key, answers.clone(), now).expect("it verifies");
    assert!(verified.covers_body());

    // To another request it is no answer.
    let mut other = printed("sigs-request.txt", None);
    let input = other.headers()["signature-input"].to_str().expect("text");
    let input = input.replace("abcd1111", "abcd1112");
    let input = HeaderValue::from_str(&input).expect("a value");
    other.headers().insert("signature-input", input);
    let (parts, origin) = other.request.expect("a request");
    response.request = Some((parts, origin));
    let refused = reason(verify(&response, &key, answers, now));
    assert_eq!(refused, "signature.other_request");

    // Sent to another service, the request is not for it.
    let mut elsewhere = printed("sigs-request.txt", None);
    if let Some((_, origin)) = &mut elsewhere.request {
        *origin = Origin::https("svcc.example.com");
    }
    let key = confirmed_key(elsewhere.view().headers());
    let refused = reason(verify(&elsewhere, &key, Profile::wimse(), now));
    assert_eq!(refused, "signature.audience");
    let named = Profile::wimse().with_audience("https://svcb.example.com/gimme-ice-cream");
    assert_eq!(reason(verify(&elsewhere, &key, named, now)), "fine");
}

#[test]
fn the_accept_signature_of_rfc_9421_is_read_and_written_back() {
    let vectors = vectors("rfc9421/rfc9421_vectors.json");
    let printed = text(&vectors["accept_signature"][0], "field");
    let mut headers = HeaderMap::new();
    headers.insert(
        "accept-signature",
        HeaderValue::from_str(printed).expect("a value"),
    );
    let read = AcceptSignature::read(&headers).expect("it is read");
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].to_header().expect("it is written"), printed);
    assert_eq!(read[0].params()[1], ("created".to_owned(), Wish::Any));
}

/// Where a case of the structured field tests goes in: as an inner list of `Signature-Input`, as
/// the dictionary behind `;key`, and as the field behind `;sf`.
#[test]
fn structured_fields_are_read_and_written_as_their_tests_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = root.join("../fixtures/vectors/structured-field-tests");
    let strict = ComponentId::parse("\"x-case\";sf").expect("an identifier");
    let (mut cases, mut written, mut refused) = (0, 0, 0);
    for entry in std::fs::read_dir(root).expect("the vectors are there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let file = std::fs::read(&path).expect("a file");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        for case in list(&file) {
            cases += 1;
            let name = format!("{}: {}", path.display(), case["name"]);
            let kind = match text(case, "header_type") {
                "item" => FieldType::Item,
                "list" => FieldType::List,
                _ => FieldType::Dictionary,
            };
            let (mut parts, ()) = Request::new(()).into_parts();
            let mut whole = true;
            for line in list(&case["raw"]) {
                let line = line.as_str().expect("text");
                // What no field value can hold never comes here, and tabs around a value are no
                // part of it (RFC 9110 §5.5).
                let inside = line.trim_matches([' ', '\t']);
                whole &= line.matches('\t').count() == inside.matches('\t').count();
                match HeaderValue::from_bytes(line.as_bytes()) {
                    Ok(line) => drop(parts.headers.append("x-case", line)),
                    Err(_) => whole = false,
                }
            }
            if !whole {
                let may_fail = case["must_fail"] == true || case["can_fail"] == true;
                assert!(may_fail, "{name}");
                refused += 1;
                continue;
            }
            let origin = Origin::https("example.com");
            let types = [("x-case", kind)];
            let view =
                MessageView::from(RequestView::new(&parts, &origin)).with_field_types(&types);
            let value = view.value(&strict);
            if case["must_fail"] == true {
                assert!(value.is_err(), "{name}: {value:?}");
                refused += 1;
                continue;
            }
            let Ok(value) = value else {
                assert!(case["can_fail"] == true, "{name}: {value:?}");
                refused += 1;
                continue;
            };
            let canonical = match &case["canonical"] {
                Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
                _ => list(&case["raw"])
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>(),
            };
            assert_eq!(value, canonical.join(", "), "{name}");
            written += 1;
        }
    }
    assert_eq!((cases, written + refused), (1591, 1591));
    assert!(written > 700 && refused > 400, "{written} {refused}");
}

//! The a2a profile from end to end: a good request, one change, one reason.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Request};

use super::replay::conformance::wait;
use super::*;
use crate::clock::{Skew, UnixTime};
use crate::crypto::{Algorithm, SigningKey};
use crate::svid::PeerIdentity;

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const BODY: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"7"}}"#;
const DIRECTORY: &str = "https://planner.example/.well-known/http-message-signatures-directory";

/// Everything a verification looks at.
struct Call {
    key: Arc<SigningKey>,
    parts: Parts,
    body: Vec<u8>,
    owner: PeerIdentity,
    profile: Profile,
    origin: Origin,
    skew: Skew,
    now: UnixTime,
}

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.secs().saturating_add_signed(secs))
}

fn peer(key: &SigningKey) -> PeerIdentity {
    let id = "spiffe://example.org/planner";
    PeerIdentity::unproved(id, b"certificate", key.verifying_key().clone())
}

fn parts() -> Parts {
    let request = Request::post("https://Booking.Example:443/a2a?tenant=1")
        .header("host", "attacker.example")
        .header("content-type", "application/json")
        .header("authorization", "Bearer abc.def.ghi")
        .header("a2a-version", "1.0")
        .body(());
    request.expect("a request").into_parts().0
}

fn good_with(algorithm: Algorithm) -> Call {
    let key = Arc::new(SigningKey::generate(algorithm).expect("a key"));
    let mut call = Call {
        owner: peer(&key),
        key,
        parts: parts(),
        body: BODY.to_vec(),
        profile: Profile::a2a(),
        origin: Origin::https("booking.example"),
        skew: Skew::default(),
        now: NOW,
    };
    call.sign(Profile::a2a());
    call
}

fn good() -> Call {
    good_with(Algorithm::Ed25519)
}

/// The identifiers a foreign signer covers, and parameters in another order than ours.
const FOREIGN: &str = r#""@target-uri" "@method" "content-type" "content-digest" "authorization" "a2a-version" "signature-agent";key="py""#;

impl Call {
    fn sign(&mut self, profile: Profile) {
        let signer = Signer::new(self.key.clone(), DIRECTORY, profile).expect("a signer");
        let origin = Origin::https("booking.example");
        let signed = signer.sign(&mut self.parts, &origin, &self.body, NOW, [7; 16]);
        signed.expect("it signs");
    }

    /// Signs as another implementation does, under the label `py`.
    fn sign_foreign(&mut self, components: &str, params: &str) {
        self.parts.headers.remove("signature-input");
        self.parts.headers.remove("signature");
        let agent = format!("py=\"{DIRECTORY}\"");
        self.set("signature-agent", &agent);
        self.add_signature("py", components, params);
    }

    fn add_signature(&mut self, label: &str, components: &str, params: &str) {
        let keyid = self.key.verifying_key().thumbprint().to_string();
        let member = format!("({components}){}", params.replace("KEYID", &keyid));
        let view = RequestView::new(&self.parts, &self.origin).into();
        let base = signature_base(&view, &member).unwrap_or_default();
        let made = self.key.sign(base.as_bytes()).expect("signs");
        let mut signature = format!("{label}=").into_bytes();
        fields::write_bytes(made.as_bytes(), &mut signature);
        let value = HeaderValue::from_bytes(&signature).expect("a value");
        self.parts.headers.append("signature", value);
        let input = HeaderValue::from_str(&format!("{label}={member}")).expect("a value");
        self.parts.headers.append("signature-input", input);
    }

    fn set(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a value");
        self.parts.headers.insert(name, value);
    }

    fn edit(&mut self, name: &'static str, from: &str, to: &str) {
        let value = self.parts.headers[name].to_str().expect("text").to_owned();
        assert!(value.contains(from), "{value}");
        self.set(name, &value.replacen(from, to, 1));
    }

    fn verify(&self) -> Result<VerifiedRequest, SignatureError> {
        let verifier = Verifier::new(self.profile.clone(), self.origin.clone(), self.skew);
        verifier.verify(&self.parts, &self.body, &self.owner, self.now)
    }

    fn reason(&self) -> &'static str {
        self.verify().map_or_else(|e| e.reason(), |_| "fine")
    }
}

const PARAMS: &str =
    r#";tag="web-bot-auth";nonce="n";keyid="KEYID";expires=1735689660;created=1735689600"#;

#[test]
fn what_we_sign_we_verify_and_the_evidence_says_what_was_covered() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
        let call = good_with(algorithm);
        let verified = call.verify().expect("it verifies");
        assert_eq!(verified.label(), "sig1");
        assert_eq!(verified.keyid(), call.key.verifying_key().thumbprint());
        assert_eq!(verified.owner().id(), call.owner.id());
        assert_eq!(verified.nonce(), "BwcHBwcHBwcHBwcHBwcHBw==");
        assert_eq!((verified.created(), verified.expires()), (at(0), at(60)));
        assert_eq!(verified.signature_agent(), Some(DIRECTORY));
        let covered = [
            "\"@method\"",
            "\"@authority\"",
            "\"@path\"",
            "\"@query\"",
            "\"content-type\"",
            "\"content-digest\"",
            "\"authorization\"",
            "\"a2a-version\"",
            "\"signature-agent\";key=\"sig1\"",
        ];
        assert_eq!(verified.covered(), covered);
    }
}

#[test]
fn the_wire_form_is_the_one_of_web_bot_auth() {
    let call = good();
    let field = |name| call.parts.headers[name].to_str().expect("text");
    let keyid = call.key.verifying_key().thumbprint();
    let input = format!(
        "sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-type\" \
         \"content-digest\" \"authorization\" \"a2a-version\" \"signature-agent\";key=\"sig1\")\
         ;created=1735689600;expires=1735689660;keyid=\"{keyid}\"\
         ;nonce=\"BwcHBwcHBwcHBwcHBwcHBw==\";tag=\"web-bot-auth\""
    );
    assert_eq!(field("signature-input"), input);
    assert_eq!(field("signature-agent"), format!("sig1=\"{DIRECTORY}\""));
    assert_eq!(field("content-digest"), content_digest(BODY));
    let signature = field("signature");
    assert!(signature.starts_with("sig1=:") && signature.ends_with("==:"));
    // It is one of Web Bot Auth, and one of RFC 9421.
    for profile in [Profile::web_bot_auth(Revision::Ietf01), Profile::rfc9421()] {
        assert_eq!(Call { profile, ..good() }.reason(), "fine");
    }
}

#[test]
fn a_request_without_a_body_has_no_digest() {
    let mut call = good();
    call.body.clear();
    call.parts.method = Method::GET;
    call.sign(Profile::a2a());
    assert!(!call.parts.headers.contains_key("content-digest"));
    assert_eq!(call.reason(), "fine");
    call.body.push(b'x');
    assert_eq!(call.reason(), "signature.digest_missing");
}

#[test]
fn signing_again_replaces_the_first_signature() {
    let mut call = good();
    call.set("authorization", "Bearer new");
    assert_eq!(call.reason(), "signature.invalid");
    call.sign(Profile::a2a());
    assert_eq!(call.reason(), "fine");
}

#[test]
fn every_change_after_signing_is_noticed() {
    type Change = fn(&mut Call);
    let cases: [(&str, Change, &str); 22] = [
        ("nothing", |_| (), "fine"),
        (
            "method",
            |c| c.parts.method = Method::PUT,
            "signature.invalid",
        ),
        (
            "path",
            |c| c.parts.uri = "/a2b?tenant=1".parse().expect("a URI"),
            "signature.invalid",
        ),
        (
            "query",
            |c| c.parts.uri = "/a2a?tenant=2".parse().expect("a URI"),
            "signature.invalid",
        ),
        (
            "no query",
            |c| c.parts.uri = "/a2a".parse().expect("a URI"),
            "signature.invalid",
        ),
        (
            "origin form",
            |c| c.parts.uri = "/a2a?tenant=1".parse().expect("a URI"),
            "fine",
        ),
        ("host field", |c| c.set("host", "other.example"), "fine"),
        (
            "our authority",
            |c| c.origin = Origin::https("payments.example"),
            "signature.invalid",
        ),
        (
            "content type",
            |c| c.set("content-type", "text/plain"),
            "signature.invalid",
        ),
        (
            "token",
            |c| c.set("authorization", "Bearer other"),
            "signature.invalid",
        ),
        (
            "no token",
            |c| drop(c.parts.headers.remove("authorization")),
            "signature.component_absent",
        ),
        (
            "second token",
            |c| {
                c.parts
                    .headers
                    .append("authorization", HeaderValue::from_static("Bearer b"));
            },
            "signature.invalid",
        ),
        (
            "version",
            |c| c.set("a2a-version", "2.0"),
            "signature.invalid",
        ),
        (
            "agent",
            |c| c.set("signature-agent", "sig1=\"https://a.example/\""),
            "signature.invalid",
        ),
        (
            "created",
            |c| c.edit("signature-input", "=1735689600", "=1735689601"),
            "signature.invalid",
        ),
        (
            "expires",
            |c| c.edit("signature-input", "=1735689660", "=1735689661"),
            "signature.invalid",
        ),
        (
            "nonce",
            |c| c.edit("signature-input", "BwcH", "CwcH"),
            "signature.invalid",
        ),
        (
            "parameter more",
            |c| c.edit("signature-input", ";created", ";x=1;created"),
            "signature.invalid",
        ),
        (
            "component less",
            |c| {
                c.parts.headers.remove("a2a-version");
                c.edit("signature-input", " \"a2a-version\"", "");
            },
            "signature.invalid",
        ),
        (
            "signature",
            |c| c.edit("signature", "sig1=:", "sig1=:AAAA"),
            "signature.invalid",
        ),
        ("body", |c| c.body.push(b' '), "signature.digest"),
        (
            "digest and body",
            |c| {
                c.body.push(b' ');
                let digest = content_digest(&c.body);
                c.set("content-digest", &digest);
            },
            "signature.invalid",
        ),
    ];
    for (name, change, want) in cases {
        let mut call = good();
        change(&mut call);
        assert_eq!(call.reason(), want, "{name}");
    }
}

#[test]
fn malformed_and_unfitting_signatures_have_their_reasons() {
    type Change = fn(&mut Call);
    let cases: [(&str, Change, &str); 25] = [
        (
            "no input",
            |c| drop(c.parts.headers.remove("signature-input")),
            "signature.missing",
        ),
        (
            "no signature",
            |c| drop(c.parts.headers.remove("signature")),
            "signature.missing",
        ),
        (
            "other label",
            |c| c.edit("signature", "sig1", "sig2"),
            "signature.missing",
        ),
        (
            "text as signature",
            |c| c.set("signature", "sig1=\"AAAA\""),
            "signature.malformed",
        ),
        (
            "list as signature",
            |c| c.set("signature", "sig1=(:AAAA:)"),
            "signature.malformed",
        ),
        (
            "two signatures",
            |c| c.set("signature", "sig1=:AAAA:, sig1=:AAAA:"),
            "signature.malformed",
        ),
        (
            "short signature",
            |c| c.set("signature", "sig1=:AAAA:"),
            "signature.invalid",
        ),
        (
            "no dictionary",
            |c| c.set("signature", "sig1=:"),
            "signature.malformed",
        ),
        (
            "input is no dictionary",
            |c| c.edit("signature-input", "sig1=(", "sig1=(("),
            "signature.malformed",
        ),
        (
            "input has a label twice",
            |c| {
                let again = c.parts.headers["signature-input"].clone();
                c.parts.headers.append("signature-input", again);
            },
            "signature.malformed",
        ),
        (
            "parameter twice",
            |c| c.edit("signature-input", ";created", ";keyid=\"a\";created"),
            "signature.malformed",
        ),
        (
            "created is text",
            |c| c.edit("signature-input", "1735689600", "\"1735689600\""),
            "signature.malformed",
        ),
        (
            "created is negative",
            |c| c.edit("signature-input", "1735689600", "-1"),
            "signature.malformed",
        ),
        (
            "nonce is a token",
            |c| {
                c.edit(
                    "signature-input",
                    "nonce=\"BwcHBwcHBwcHBwcHBwcHBw==\"",
                    "nonce=a",
                )
            },
            "signature.malformed",
        ),
        (
            "component twice",
            |c| c.edit("signature-input", "\"@path\"", "\"@path\" \"@path\""),
            "signature.component_repeated",
        ),
        (
            "upper case",
            |c| c.edit("signature-input", "\"content-type\"", "\"Content-Type\""),
            "signature.component_refused",
        ),
        (
            "unknown component",
            |c| c.edit("signature-input", "\"@path\"", "\"@paths\""),
            "signature.component_refused",
        ),
        (
            "unknown flag",
            |c| c.edit("signature-input", "\"a2a-version\"", "\"a2a-version\";x"),
            "signature.component_refused",
        ),
        (
            "req on a request",
            |c| {
                c.edit(
                    "signature-input",
                    "\"a2a-version\"",
                    "\"a2a-version\" \"date\";req",
                )
            },
            "signature.component_refused",
        ),
        (
            "status of a request",
            |c| {
                c.edit(
                    "signature-input",
                    "\"a2a-version\"",
                    "\"a2a-version\" \"@status\"",
                )
            },
            "signature.component_refused",
        ),
        (
            "other tag",
            |c| c.edit("signature-input", "web-bot-auth", "other"),
            "signature.tag",
        ),
        (
            "alg of the key",
            |c| c.edit("signature-input", ";tag", ";alg=\"ed25519\";tag"),
            "signature.invalid",
        ),
        (
            "other alg",
            |c| c.edit("signature-input", ";tag", ";alg=\"ecdsa-p256-sha256\";tag"),
            "signature.algorithm",
        ),
        (
            "keyid of nobody",
            |c| c.edit("signature-input", "keyid=\"", "keyid=\"A"),
            "signature.owner",
        ),
        (
            "other peer",
            |c| c.owner = peer(&SigningKey::generate(Algorithm::Ed25519).expect("a key")),
            "signature.owner",
        ),
    ];
    for (name, change, want) in cases {
        let mut call = good();
        change(&mut call);
        assert_eq!(call.reason(), want, "{name}");
    }
}

#[test]
fn foreign_signers_may_order_and_label_as_they_like() {
    let mut call = good();
    call.sign_foreign(FOREIGN, PARAMS);
    assert_eq!(call.verify().expect("it verifies").label(), "py");
    // Another signature, even a broken one with rules of its own, is no business of ours.
    call.add_signature("proxy", r#""@method""#, r#";tag="other""#);
    let strange = "ttrp=(\"@method\";tp \"X\" 7);tag=\"ttrp\"";
    let strange = HeaderValue::from_static(strange);
    call.parts.headers.append("signature-input", strange);
    assert_eq!(call.verify().expect("it verifies").label(), "py");
}

#[test]
fn two_signatures_that_could_be_meant_are_refused() {
    let mut call = good();
    call.add_signature("two", r#""@method""#, PARAMS);
    assert_eq!(call.reason(), "signature.ambiguous");
}

#[test]
fn each_component_of_the_profile_is_demanded() {
    let all = FOREIGN;
    let whole = all.replace("\"@target-uri\"", r#""@authority" "@path" "@query""#);
    let cases = [
        (all.to_owned(), "fine"),
        (whole.clone(), "fine"),
        (
            whole.replace("\"@authority\" ", ""),
            "signature.component_missing",
        ),
        (
            whole.replace("\"@path\" ", ""),
            "signature.component_missing",
        ),
        (
            whole.replace("\"@query\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"@target-uri\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"@target-uri\"", "\"@request-target\""),
            "signature.component_missing",
        ),
        (
            all.replace("\"@method\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"content-type\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"content-type\"", "\"content-type\";bs"),
            "signature.component_missing",
        ),
        (
            all.replace("\"content-digest\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"authorization\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace("\"a2a-version\" ", ""),
            "signature.component_missing",
        ),
        (
            all.replace(" \"signature-agent\";key=\"py\"", ""),
            "signature.component_missing",
        ),
        (
            all.replace(";key=\"py\"", ""),
            "signature.component_missing",
        ),
        (
            all.replace(";key=\"py\"", ";key=\"sig1\""),
            "signature.component_missing",
        ),
        (
            all.replace(";key=\"py\"", ";key=\"py\";tr"),
            "signature.component_missing",
        ),
        (
            format!("{all} \"signature-agent\""),
            "signature.component_missing",
        ),
        (
            format!("{all} \"signature\";key=\"x\""),
            "signature.component_missing",
        ),
        (
            format!("{all} \"signature\""),
            "signature.component_refused",
        ),
        (
            format!("{all} \"signature-input\";key=\"x\""),
            "signature.component_absent",
        ),
        (format!("{all} \"absent\""), "signature.component_absent"),
    ];
    for (components, want) in cases {
        let mut call = good();
        call.sign_foreign(&components, PARAMS);
        assert_eq!(call.reason(), want, "{components}");
    }
    let mut call = good();
    call.set("a2a-extensions", "urn:later");
    assert_eq!(call.reason(), "signature.component_missing");
    call.sign(Profile::a2a());
    assert_eq!(call.reason(), "fine");
}

#[test]
fn each_parameter_of_the_profile_is_demanded() {
    let long = |n: usize| PARAMS.replace("\"n\"", &format!("\"{}\"", "n".repeat(n)));
    let life = |secs: u64| PARAMS.replace("1735689660", &(NOW.secs() + secs).to_string());
    let cases = [
        (PARAMS.to_owned(), "fine"),
        (format!("{PARAMS};alg=\"ed25519\""), "fine"),
        (format!("{PARAMS};new;x=1.5;y=:AAAA:;z=a;d=@1;f=?0"), "fine"),
        (
            PARAMS.replace(";created=1735689600", ""),
            "signature.parameter_missing",
        ),
        (
            PARAMS.replace(";expires=1735689660", ""),
            "signature.parameter_missing",
        ),
        (
            PARAMS.replace(";keyid=\"KEYID\"", ""),
            "signature.parameter_missing",
        ),
        (PARAMS.replace(";nonce=\"n\"", ""), "signature.nonce"),
        (long(0), "signature.nonce"),
        (long(256), "fine"),
        (long(257), "signature.nonce"),
        (PARAMS.replace(";tag=\"web-bot-auth\"", ""), "signature.tag"),
        (life(1), "fine"),
        (life(0), "signature.life"),
        (life(300), "fine"),
        (life(301), "signature.life"),
    ];
    for (params, want) in cases {
        let mut call = good();
        call.sign_foreign(FOREIGN, &params);
        assert_eq!(call.reason(), want, "{params}");
    }
}

#[test]
fn times_have_exact_edges() {
    let five = Skew::new(Duration::from_secs(5)).expect("a skew");
    let cases = [
        (Skew::ZERO, -1, "signature.not_yet"),
        (Skew::ZERO, 0, "fine"),
        (Skew::ZERO, 60, "fine"),
        (Skew::ZERO, 61, "signature.expired"),
        (five, -6, "signature.not_yet"),
        (five, -5, "fine"),
        (five, 65, "fine"),
        (five, 66, "signature.expired"),
    ];
    for (skew, secs, want) in cases {
        let call = Call {
            skew,
            now: at(secs),
            ..good()
        };
        assert_eq!(call.reason(), want, "{secs} with {skew:?}");
    }
}

#[test]
fn a_life_ends_at_a_day_whatever_is_configured() {
    let day = Profile::MAX_LIFE;
    let more = day + Duration::from_secs(1);
    assert!(Profile::a2a().with_max_life(day).is_ok());
    assert!(Profile::a2a().with_max_life(more).is_err());
    assert!(Profile::a2a().with_life(day).is_ok());
    assert!(Profile::a2a().with_life(more).is_err());
    for (secs, want) in [(86_400, "fine"), (86_401, "signature.life")] {
        let profiles = [
            Profile::a2a().with_max_life(day).expect("a life"),
            Profile::web_bot_auth(Revision::Ietf01),
            Profile::rfc9421(),
        ];
        for profile in profiles {
            let mut call = Call { profile, ..good() };
            let expires = (NOW.secs() + secs).to_string();
            call.sign_foreign(FOREIGN, &PARAMS.replace("1735689660", &expires));
            assert_eq!(call.reason(), want);
        }
    }
}

#[test]
fn the_signature_agent_is_one_https_url_under_the_label() {
    let cases = [
        (Some(r#"py="https://a.example""#), "fine"),
        (
            Some(r#"other="http://x", py="https://a.example/jwks?x=1""#),
            "fine",
        ),
        (
            Some(r#"py="https://a.example/jwks?x=1";type=jwks_uri"#),
            "signature.agent",
        ),
        (None, "signature.agent"),
        (Some(r#""https://a.example""#), "signature.agent"),
        (Some(r#"sig1="https://a.example""#), "signature.agent"),
        (Some(r#"py="http://a.example""#), "signature.agent"),
        (Some(r#"py="https://""#), "signature.agent"),
        (Some(r#"py="https:///path""#), "signature.agent"),
        (Some(r#"py="https://:443""#), "signature.agent"),
        (Some(r#"py="https://user@a.example""#), "signature.agent"),
        (Some(r#"py="https://a.example#x""#), "signature.agent"),
        (Some(r#"py="https://a.example/a b""#), "signature.agent"),
        (Some(r#"py="https://a.example\\b""#), "signature.agent"),
        (Some("py=https"), "signature.agent"),
        (Some("py=(\"https://a.example\")"), "signature.agent"),
        (Some("py"), "signature.agent"),
    ];
    for (agent, want) in cases {
        let mut call = good();
        call.sign_foreign(FOREIGN, PARAMS);
        call.parts.headers.remove("signature-input");
        call.parts.headers.remove("signature");
        match agent {
            Some(agent) => call.set("signature-agent", agent),
            None => drop(call.parts.headers.remove("signature-agent")),
        }
        call.add_signature("py", FOREIGN, PARAMS);
        assert_eq!(call.reason(), want, "{agent:?}");
    }
    for (len, want) in [(2048, "fine"), (2049, "signature.too_large")] {
        let mut call = good();
        let url = format!("https://a.example/{}", "x".repeat(len - 18));
        assert_eq!(url.len(), len);
        call.parts.headers.remove("signature-input");
        call.parts.headers.remove("signature");
        call.set("signature-agent", &format!("py=\"{url}\""));
        call.add_signature("py", FOREIGN, PARAMS);
        assert_eq!(call.reason(), want, "{len}");
    }
}

#[test]
fn the_rfc_profile_still_wants_what_a_request_needs() {
    let good_rfc = || Call {
        profile: Profile::rfc9421(),
        ..good()
    };
    let mut call = good_rfc();
    call.sign_foreign(
        r#""content-digest""#,
        &PARAMS.replace(";tag=\"web-bot-auth\"", ""),
    );
    assert_eq!(call.reason(), "fine");
    for name in [
        "created=1735689600",
        "expires=1735689660",
        "keyid=\"KEYID\"",
        "nonce=\"n\"",
    ] {
        let mut call = good_rfc();
        call.sign_foreign(
            r#""content-digest""#,
            &PARAMS.replace(&format!(";{name}"), ""),
        );
        assert_ne!(call.reason(), "fine", "{name}");
    }
    let mut call = good_rfc();
    call.sign_foreign(r#""@method""#, PARAMS);
    assert_eq!(call.reason(), "signature.component_missing");
    let mut call = good_rfc();
    call.add_signature("two", r#""content-digest""#, PARAMS);
    assert_eq!(call.reason(), "signature.ambiguous");
    call.profile = Profile::rfc9421().with_label("two").expect("a label");
    assert_eq!(call.reason(), "fine");
    call.profile = Profile::rfc9421().with_label("three").expect("a label");
    assert_eq!(call.reason(), "signature.missing");
}

#[test]
fn limits_hold_to_the_last_one() {
    // Eight signatures on one message.
    for (more, want) in [(7, "fine"), (8, "signature.too_large")] {
        let mut call = good();
        for index in 0..more {
            call.add_signature(&format!("other{index}"), "", ";tag=\"other\"");
        }
        assert_eq!(call.reason(), want, "{more}");
    }
    // Thirty-two components in one signature.
    for (more, want) in [(25, "fine"), (26, "signature.too_large")] {
        let mut call = good();
        let mut components = FOREIGN.to_owned();
        for index in 0..more {
            let name = format!("x-{index}");
            let header = http::HeaderName::try_from(&name).expect("a name");
            call.parts
                .headers
                .insert(header, HeaderValue::from_static("1"));
            components.push_str(&format!(" \"{name}\""));
        }
        call.sign_foreign(&components, PARAMS);
        let text = call.parts.headers["signature-input"].len();
        assert!(text < 8192);
        if want == "fine" {
            assert_eq!(call.reason(), want);
        } else {
            // It cannot even be written with our own tools.
            let input = format!("py=({components}){PARAMS}");
            call.set("signature-input", &input);
            assert_eq!(call.reason(), want);
        }
    }
    // 8 KiB of Signature-Input and of Signature, over all lines.
    for name in ["signature-input", "signature"] {
        for (total, want) in [(8192, "fine"), (8193, "signature.too_large")] {
            let mut call = good();
            let filled: usize = call.parts.headers[name].len();
            let spaces = HeaderValue::from_str(&" ".repeat(total - filled)).expect("a value");
            call.parts.headers.append(name, spaces);
            assert_eq!(call.reason(), want, "{name} {total}");
        }
    }
}

#[test]
fn fields_outside_ascii_are_not_signed_and_not_verified() {
    let mut call = good();
    let strange = HeaderValue::from_bytes(b"Bearer \xc3\xa4").expect("a value");
    call.parts.headers.insert("authorization", strange);
    let signer = Signer::new(call.key.clone(), DIRECTORY, Profile::a2a()).expect("a signer");
    let origin = Origin::https("booking.example");
    let signed = signer.sign(&mut call.parts, &origin, BODY, NOW, [7; 16]);
    let reason = signed.map_err(|e| e.reason());
    assert_eq!(reason, Err("signature.not_ascii"));
    assert_eq!(call.reason(), "signature.not_ascii");
}

#[test]
fn signers_refuse_what_verifiers_would() {
    let key = Arc::new(SigningKey::generate(Algorithm::Ed25519).expect("a key"));
    let reason = |url: &str, profile| {
        let signer = Signer::new(key.clone(), url, profile);
        signer.map_or_else(|e| e.reason(), |_| "fine")
    };
    assert_eq!(
        reason("http://a.example", Profile::a2a()),
        "signature.agent"
    );
    assert_eq!(reason("", Profile::a2a()), "signature.agent");
    assert_eq!(reason("", Profile::rfc9421()), "fine");
    let method = || ComponentId::parse("\"@method\"").expect("an identifier");
    let twice = Profile::a2a().covering(method());
    assert_eq!(reason(DIRECTORY, twice), "signature.component_repeated");
    assert!(Profile::a2a().with_label("Sig").is_err());
    let signer = Signer::new(key, DIRECTORY, Profile::a2a()).expect("a signer");
    let bad = Origin::https("user@booking.example");
    let signed = signer.sign(&mut parts(), &bad, BODY, NOW, [7; 16]);
    assert_eq!(signed.map_err(|e| e.reason()), Err("signature.origin"));
}

#[test]
fn components_the_caller_adds_are_covered() {
    let mut call = good();
    call.set("x-trace", "t");
    let trace = ComponentId::parse("\"x-trace\"").expect("an identifier");
    let profile = Profile::a2a().with_label("mine").expect("a label");
    call.sign(profile.covering(trace));
    let verified = call.verify().expect("it verifies");
    assert_eq!(verified.label(), "mine");
    assert_eq!(
        verified.covered().last().map(String::as_str),
        Some("\"x-trace\"")
    );
    call.set("x-trace", "u");
    assert_eq!(call.reason(), "signature.invalid");
}

#[test]
fn a_nonce_is_fresh_once() {
    let store = MemoryReplayStore::default();
    let call = good();
    let fresh = |now| {
        let verified = call.verify().expect("it verifies");
        let fresh = wait(verified.fresh(&store, Skew::ZERO, now));
        fresh
            .map_err(|e| e.reason())
            .map(|f| f.request().nonce().to_owned())
    };
    assert_eq!(fresh(NOW).as_deref(), Ok("BwcHBwcHBwcHBwcHBwcHBw=="));
    assert_eq!(fresh(NOW), Err("replay.seen"));
    // The verifier's skew of 5 s counts, though the caller says none.
    assert_eq!(fresh(at(65)), Err("replay.seen"));
    assert_eq!(fresh(at(66)), Err("replay.late"));
}

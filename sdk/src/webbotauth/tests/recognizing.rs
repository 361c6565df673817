//! The verifying layer.

use std::time::Duration;

use axum::routing::post;
use http::HeaderValue;

use super::*;
use crate::httpsig::{MemoryReplayStore, ReplayStore, ResolvedKey};

type Change = fn(&mut http::request::Parts);

const UNCHANGED: Change = |_| {};

fn unsigned(parts: &mut http::request::Parts) {
    parts.headers.remove("signature");
    parts.headers.remove("signature-input");
}

fn set(parts: &mut http::request::Parts, name: &'static str, value: &'static str) {
    parts.headers.insert(name, HeaderValue::from_static(value));
}

/// What each mode makes of each request: `through` with the outcome, or the status.
#[tokio::test]
async fn each_mode_lets_through_what_its_name_says() {
    let (key, other) = (key(), key());
    let cases: [(&str, &HttpSigningKey, Change, &str, [&str; 3]); 8] = [
        ("good", &key, UNCHANGED, BODY, ["verified -"; 3]),
        (
            "no signature",
            &key,
            unsigned,
            BODY,
            [
                "403",
                "unverified signature.missing",
                "unverified signature.missing",
            ],
        ),
        (
            "for another use",
            &key,
            |p| set(p, "signature-input", "sig1=();tag=\"x\""),
            BODY,
            [
                "403",
                "unverified signature.tag",
                "unverified signature.tag",
            ],
        ),
        (
            "unknown key",
            &other,
            UNCHANGED,
            BODY,
            [
                "403",
                "unverified signature.key_unknown",
                "unverified signature.key_unknown",
            ],
        ),
        (
            "another path",
            &key,
            |p| p.uri = "/pay".parse().expect("a path"),
            BODY,
            ["403", "403", "invalid signature.invalid"],
        ),
        (
            "another body",
            &key,
            UNCHANGED,
            "{\"seats\":9}",
            ["403", "403", "invalid signature.digest"],
        ),
        (
            "malformed",
            &key,
            |p| set(p, "signature-input", "sig1=("),
            BODY,
            ["400", "400", "invalid signature.malformed"],
        ),
        (
            "half a signature",
            &key,
            |p| drop(p.headers.remove("signature")),
            BODY,
            ["400", "400", "invalid signature.missing"],
        ),
    ];
    for (name, key_used, change, body, wants) in cases {
        let modes = [Mode::Require, Mode::LetUnverified, Mode::Observe];
        for (mode, want) in modes.into_iter().zip(wants) {
            let layer = layer(&key, Profile::a2a()).mode(mode);
            let signer = signer(key_used, Profile::a2a());
            let request = signed_as(&signer, UNCHANGED, change, body);
            let (status, text) = asked(&layer, request).await;
            let got = match status {
                StatusCode::OK => text,
                status => status.as_u16().to_string(),
            };
            assert!(got.starts_with(want), "{name} {mode:?}: {got}");
        }
    }
}

#[tokio::test]
async fn a_changed_body_reaches_nobody_and_an_uncovered_one_is_marked() {
    let key = key();
    let signer = signer(&key, bots());
    let layer = layer(&key, bots());
    let (_, text) = asked(&layer, signed(&signer)).await;
    assert_eq!(text, format!("verified - true {BODY}"));
    let changed = signed_as(&signer, UNCHANGED, UNCHANGED, "{}");
    assert_eq!(asked(&layer, changed).await.0, StatusCode::FORBIDDEN);

    // Web Bot Auth wants no digest: the body passes as anybody's.
    let (mut parts, ()) = Request::post("/").body(()).expect("a request").into_parts();
    let made = signer.sign(&mut parts, &here(), b"", NOW, crate::crypto::random());
    made.expect("a signature");
    let (_, text) = asked(
        &layer,
        Request::from_parts(parts.clone(), Body::from("mine")),
    )
    .await;
    assert_eq!(text, "verified - false mine");
    // Calls between agents do.
    let calls = super::layer(&key, Profile::a2a());
    let (status, _) = asked(&calls, Request::from_parts(parts, Body::from("mine"))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound_in_bytes_and_time() {
    let key = key();
    let signer = signer(&key, Profile::a2a());
    let minute = Duration::from_secs(60);
    for (max, want) in [
        (BODY.len(), StatusCode::OK),
        (BODY.len() - 1, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let layer = layer(&key, Profile::a2a()).body_limit(max, minute);
        assert_eq!(asked(&layer, signed(&signer)).await.0, want, "{max}");
        // One that does not say how long it is.
        let streamed = signed(&signer).map(|body| Body::from_stream(body.into_data_stream()));
        assert_eq!(asked(&layer, streamed).await.0, want, "{max}");
    }
    let layer = layer(&key, Profile::a2a()).body_limit(100, Duration::from_millis(10));
    let stuck = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let slow = signed(&signer).map(|_| Body::from_stream(stuck));
    assert_eq!(asked(&layer, slow).await.0, StatusCode::REQUEST_TIMEOUT);
    let broken = futures_util::stream::iter([Err::<bytes::Bytes, _>(std::io::Error::other("x"))]);
    let broken = signed(&signer).map(|_| Body::from_stream(broken));
    assert_eq!(asked(&layer, broken).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_signature_is_good_once() {
    let key = key();
    let signer = signer(&key, Profile::a2a());
    let store: Arc<dyn ReplayStore> = Arc::new(MemoryReplayStore::with_entries(1));
    let layer = layer(&key, Profile::a2a()).replay(store);
    let (parts, _) = signed(&signer).into_parts();
    let again = || Request::from_parts(parts.clone(), Body::from(BODY));
    assert_eq!(asked(&layer, again()).await.0, StatusCode::OK);
    assert_eq!(
        asked(&layer, again()).await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    let lenient = layer.clone().let_unverified_through();
    assert_eq!(
        asked(&lenient, again()).await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    let observing = layer.clone().mode(Mode::Observe);
    let (_, text) = asked(&observing, again()).await;
    assert!(text.starts_with("spent replay.seen false"), "{text}");
    // The store is full: nobody knows.
    let (status, _) = asked(&layer, signed(&signer)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    // A signature that does not hold takes no room.
    let store: Arc<dyn ReplayStore> = Arc::new(MemoryReplayStore::with_entries(1));
    let layer = layer.replay(store);
    let forged = signed_as(&signer, UNCHANGED, UNCHANGED, "{}");
    assert_eq!(asked(&layer, forged).await.0, StatusCode::FORBIDDEN);
    assert_eq!(asked(&layer, again()).await.0, StatusCode::OK);
}

#[tokio::test]
async fn with_a_replay_store_a_signature_needs_a_nonce() {
    let key = key();
    let profile = Profile::builder("plain").tag("plain").keyid();
    let profile = profile.life(Duration::from_secs(60)).cover_body();
    let profile = profile.build().expect("a profile");
    let signer = Signer::new(key.clone(), "", profile.clone()).expect("a signer");
    let without = layer(&key, profile.clone());
    assert_eq!(asked(&without, signed(&signer)).await.0, StatusCode::OK);
    let store: Arc<dyn ReplayStore> = Arc::new(MemoryReplayStore::default());
    let observing = without.clone().replay(store.clone()).mode(Mode::Observe);
    let (_, text) = asked(&observing, signed(&signer)).await;
    assert!(text.starts_with("invalid signature.nonce"), "{text}");
    let lenient = without.replay_where_given(store.clone());
    assert_eq!(asked(&lenient, signed(&signer)).await.0, StatusCode::OK);
    // One that has a nonce is good once there, too.
    let lenient = layer(&key, Profile::a2a()).replay_where_given(store);
    let (parts, _) = signed(&super::signer(&key, Profile::a2a())).into_parts();
    for want in [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS] {
        let request = Request::from_parts(parts.clone(), Body::from(BODY));
        assert_eq!(asked(&lenient, request).await.0, want);
    }
}

/// A prober learns from the answer nothing but what its own fields say.
#[tokio::test]
async fn by_default_the_answer_tells_a_forger_nothing() {
    let (key, other) = (key(), key());
    let layer = layer(&key, Profile::a2a());
    let old: Change = |parts| {
        let input = parts.headers["signature-input"].to_str().expect("text");
        let input = input
            .replace("1735689660", "1735689060")
            .replace("1735689600", "1735689000");
        parts
            .headers
            .insert("signature-input", input.parse().expect("a value"));
    };
    let cases: [(&str, &HttpSigningKey, Change, &'static str); 5] = [
        (
            "forged",
            &key,
            |p| p.uri = "/pay".parse().expect("a path"),
            BODY,
        ),
        ("expired", &key, old, BODY),
        ("unknown key", &other, UNCHANGED, BODY),
        ("another body", &key, UNCHANGED, "{}"),
        ("unsigned", &key, unsigned, BODY),
    ];
    let mut seen = Vec::new();
    for (name, key, change, body) in cases {
        let request = signed_as(&signer(key, Profile::a2a()), UNCHANGED, change, body);
        let (status, headers, text) = answered(&layer, request).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
        assert!(!headers.contains_key("signature-error"), "{name}");
        assert_eq!(headers["content-type"], "application/problem+json");
        let wish = headers["accept-signature"].to_str().expect("text");
        assert!(wish.ends_with(";tag=\"web-bot-auth\""), "{wish}");
        seen.push((format!("{headers:?}"), text));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
    assert_eq!(seen[0].1, r#"{"status":403,"title":"Forbidden"}"#);
}

#[tokio::test]
async fn who_wants_to_tell_more_tells_the_rule_by_its_code() {
    let (key, other) = (key(), key());
    let uncovered: Change = |parts| {
        let input = parts.headers["signature-input"].to_str().expect("text");
        let input = input.replace("\"content-digest\" ", "");
        parts
            .headers
            .insert("signature-input", input.parse().expect("a value"));
    };
    let cases: [(&HttpSigningKey, Change, &str, &str); 5] = [
        (
            &key,
            |p| p.uri = "/pay".parse().expect("a path"),
            "invalid_signature",
            "signature.invalid",
        ),
        (&other, UNCHANGED, "unknown_key", "signature.key_unknown"),
        (&key, unsigned, "invalid_request", "signature.missing"),
        (
            &key,
            |p| set(p, "signature-input", "sig1=("),
            "invalid_request",
            "signature.malformed",
        ),
        (
            &key,
            uncovered,
            "invalid_input",
            "signature.component_missing",
        ),
    ];
    for (key_used, change, code, reason) in cases {
        for detail in [Detail::Code, Detail::Reason] {
            let layer = layer(&key, Profile::a2a()).detail(detail);
            let request = signed_as(&signer(key_used, Profile::a2a()), UNCHANGED, change, BODY);
            let (_, headers, text) = answered(&layer, request).await;
            let said = headers["signature-error"].to_str().expect("text");
            let field = sfv::Parser::new(said).parse::<sfv::Dictionary>();
            assert!(field.is_ok(), "{said}");
            let end = said.strip_prefix(&format!("error={code}"));
            let end = end.unwrap_or_else(|| panic!("{said}"));
            assert_eq!(
                end.starts_with(", required_input=(\"@method\" "),
                code == "invalid_input"
            );
            let body: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(body["type"], format!("urn:ietf:params:sig-error:{code}"));
            let told = (detail == Detail::Reason).then_some(reason);
            assert_eq!(body["reason"].as_str(), told);
        }
    }
}

#[tokio::test]
async fn an_answer_under_wimse_is_400() {
    let key = key();
    let profile = Profile::wimse();
    let signer = Signer::new(key.clone(), "", profile.clone()).expect("a signer");
    // Whoever checked the token knows its key.
    let public = key.verifying_key().clone();
    let keys = KeySource::custom(move |wanted, headers| {
        assert!(wanted.keyid.is_none());
        let token = headers.get("workload-identity-token");
        let known = token.is_some_and(|token| token == "good");
        let key = known.then(|| ResolvedKey::Held(public.clone()));
        Box::pin(async move { key })
    });
    let layer = Recognize::new(profile, keys, OriginRule::fixed(here()))
        .clock(Arc::new(ManualClock::at(NOW)));
    let with: Change = |parts| set(parts, "workload-identity-token", "good");
    let other: Change = |parts| set(parts, "workload-identity-token", "other");
    let cases: [(&str, Change, Change, StatusCode); 4] = [
        ("good", with, UNCHANGED, StatusCode::OK),
        ("unsigned", with, unsigned, StatusCode::BAD_REQUEST),
        ("another token", other, UNCHANGED, StatusCode::BAD_REQUEST),
        (
            "changed",
            with,
            |p| p.uri = "/pay".parse().expect("a path"),
            StatusCode::BAD_REQUEST,
        ),
    ];
    for (name, before, after, want) in cases {
        let request = signed_as(&signer, before, after, BODY);
        assert_eq!(asked(&layer, request).await.0, want, "{name}");
    }
}

#[tokio::test]
async fn a_request_for_another_origin_is_misdirected_or_void() {
    let key = key();
    let keys = || KeySource::held(HttpKeySet::of([key.verifying_key()]));
    let clock = Arc::new(ManualClock::at(NOW));
    let with_host = || {
        let host: Change = |parts| {
            set(parts, "host", "shop.example");
            set(parts, "forwarded", "host=shop.example;proto=https");
            set(parts, "x-forwarded-host", "shop.example");
        };
        signed_as(&signer(&key, Profile::a2a()), host, UNCHANGED, BODY)
    };
    let other = OriginRule::fixed(Origin::https("other.example"));
    let layer = Recognize::new(Profile::a2a(), keys(), other).clock(clock.clone());
    assert_eq!(asked(&layer, with_host()).await.0, StatusCode::FORBIDDEN);
    let two = [
        Origin::https("other.example"),
        Origin::https("third.example"),
    ];
    let layer =
        Recognize::new(Profile::a2a(), keys(), OriginRule::one_of(two)).clock(clock.clone());
    let (status, _) = asked(&layer, with_host()).await;
    assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
    let two = OriginRule::one_of([Origin::https("other.example"), here()]);
    let layer = Recognize::new(Profile::a2a(), keys(), two).clock(clock);
    assert_eq!(asked(&layer, with_host()).await.0, StatusCode::OK);
}

#[cfg(feature = "server")]
#[tokio::test]
async fn inside_a_nested_router_the_whole_path_is_verified() {
    let key = key();
    let layer = layer(&key, Profile::a2a());
    async fn path(known: Recognition, uri: http::Uri) -> String {
        format!("{} {uri}", known.word())
    }
    let inner = Router::new().route("/", post(path)).layer(layer);
    let mut app = Router::new().nest("/book", inner);
    let answer = app.call(signed(&signer(&key, Profile::a2a()))).await;
    let (_, _, text) = in_whole(answer.expect("an answer")).await;
    assert_eq!(text, "verified /?x=1");
}

//! What a request for a token has to say, and what is refused.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::super::testing::{World, claims, id, scopes, text};
use super::{ACCESS_TOKEN, CHARGE, EXCHANGE};
use crate::oauth::{FORM, encode_form};

/// Changes one parameter of a good exchange; `None` leaves it out.
type Changed<'a> = (&'a str, Option<String>, &'a str, &'a str);

#[tokio::test]
async fn each_changed_parameter_of_an_exchange_is_refused() {
    let world = World::new().await;
    let (desk, planner) = (
        world.agent("front-desk").await,
        world.agent("planner").await,
    );
    let token = |scope: &str| {
        let (desk, scope) = (&desk.oauth, scopes(scope));
        async move {
            let grant = desk.login("alice", &scope).await.expect("logged in");
            let token = desk.exchange_grant(&grant, &id("planner"), &scope).await;
            text(&token.expect("a token"))
        }
    };
    let subject = token("trips:read trips:write").await;
    let form = [("client_id", &*id("front-desk")), ("login_hint", "alice")];
    let login = desk.post("/login", &form).await.1["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let own = planner.app("booking", "").await;
    let own = text(&own.expect("a token"));
    let good = [
        ("grant_type", EXCHANGE.to_owned()),
        ("client_id", id("planner")),
        ("resource", id("booking")),
        ("scope", "trips:read".to_owned()),
        ("subject_token", subject.clone()),
        ("subject_token_type", ACCESS_TOKEN.to_owned()),
    ];
    let some = |text: &str| Some(text.to_owned());
    let cases: [Changed<'_>; 31] = [
        ("unknown", some("ignored"), "", ""),
        ("audience", Some(id("booking")), "", ""),
        (
            "requested_token_type",
            some("urn:ietf:params:oauth:token-type:jwt"),
            "",
            "",
        ),
        (
            "grant_type",
            some("password"),
            "unsupported_grant_type",
            "request.grant_type",
        ),
        (
            "grant_type",
            None,
            "invalid_request",
            "request.missing_parameter",
        ),
        (
            "client_id",
            None,
            "invalid_request",
            "request.missing_parameter",
        ),
        (
            "client_id",
            Some(id("front-desk")),
            "invalid_client",
            "client.not_peer",
        ),
        (
            "client_secret",
            some("x"),
            "invalid_client",
            "client.method",
        ),
        (
            "client_assertion",
            some("x"),
            "invalid_client",
            "client.method",
        ),
        ("resource", None, "invalid_target", "target.malformed"),
        (
            "resource",
            Some(id("booking#x")),
            "invalid_target",
            "target.malformed",
        ),
        (
            "resource",
            some("booking"),
            "invalid_target",
            "target.malformed",
        ),
        (
            "resource",
            Some(id("nobody")),
            "invalid_target",
            "target.unknown",
        ),
        (
            "resource",
            some("https://booking.example"),
            "invalid_target",
            "target.unknown",
        ),
        (
            "resource",
            some("spiffe://Travel.example/agent/booking"),
            "invalid_target",
            "target.unknown",
        ),
        (
            "audience",
            Some(id("payments")),
            "invalid_target",
            "target.malformed",
        ),
        ("scope", some("a\"b"), "invalid_scope", "request.scope"),
        (
            "scope",
            some(CHARGE),
            "invalid_scope",
            "exchange.scope_exceeds_subject",
        ),
        (
            "scope",
            some("trips:read admin"),
            "invalid_scope",
            "exchange.scope_exceeds_subject",
        ),
        (
            "subject_token",
            None,
            "invalid_request",
            "request.missing_parameter",
        ),
        (
            "subject_token",
            some("opaque"),
            "invalid_request",
            "exchange.subject_invalid",
        ),
        (
            "subject_token",
            Some(own.clone()),
            "invalid_request",
            "exchange.not_audience",
        ),
        (
            "subject_token",
            Some(login),
            "invalid_request",
            "exchange.may_act",
        ),
        (
            "subject_token_type",
            None,
            "invalid_request",
            "request.missing_parameter",
        ),
        (
            "subject_token_type",
            some("urn:x"),
            "invalid_request",
            "exchange.token_type",
        ),
        (
            "requested_token_type",
            some("urn:x"),
            "invalid_request",
            "exchange.token_type",
        ),
        (
            "actor_token_type",
            some(ACCESS_TOKEN),
            "invalid_request",
            "request.missing_parameter",
        ),
        (
            "actor_token",
            Some(own.clone()),
            "invalid_request",
            "request.missing_parameter",
        ),
        ("actor_token+", Some(own.clone()), "", ""),
        (
            "actor_token+",
            Some(subject.clone()),
            "invalid_request",
            "exchange.actor_token",
        ),
        (
            "actor_token+",
            some("opaque"),
            "invalid_request",
            "exchange.actor_token",
        ),
    ];
    for (name, value, error, reason) in cases {
        let mut form = good.to_vec();
        form.retain(|(other, _)| *other != name);
        if name == "actor_token+" {
            form.push(("actor_token_type", ACCESS_TOKEN.to_owned()));
        }
        let shown = format!("{name} {value:?}");
        form.extend(value.map(|value| (name.trim_end_matches('+'), value)));
        let form: Vec<_> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let (status, body) = planner.post("/token", &form).await;
        assert_eq!(body["error"].as_str().unwrap_or_default(), error, "{shown}");
        assert_eq!(world.reason(), reason, "{shown}");
        let want = match error {
            "" => StatusCode::OK,
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        assert_eq!(status, want, "{shown}");
        assert!(error.is_empty() || body.as_object().is_some_and(|body| body.len() == 1));
    }
}

#[tokio::test]
async fn a_good_answer_says_what_rfc_8693_demands() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &id("planner")),
        ("resource", &id("booking")),
    ];
    let (status, body) = planner.post("/token", &form).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["scope"], "payments:charge trips:read trips:write");
    assert_eq!(body.get("issued_token_type"), None);
    let said = claims(body["access_token"].as_str().expect("a token"));
    assert_eq!(
        said["exp"].as_u64(),
        said["iat"].as_u64().map(|iat| iat + 300)
    );
    assert!(said["jti"].as_str().is_some_and(|jti| jti.len() == 22));

    let mut wide = form.to_vec();
    wide.push(("scope", "admin"));
    let (_, body) = planner.post("/token", &wide).await;
    assert_eq!(body["error"], "invalid_scope");
    assert_eq!(world.reason(), "grant.scope_exceeds_agent");
}

#[tokio::test]
async fn forms_of_another_kind_are_refused_before_they_are_read() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    let me = id("planner");
    let good = encode_form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &me),
        ("resource", &id("booking")),
    ]);
    let post = |kind: &str, body: String| {
        let request = Request::post("/token").header("content-type", kind);
        let body = Full::new(Bytes::from(body));
        planner.send(request.body(body).expect("a request"))
    };
    let filled = |len: usize| format!("{good}&x={}", "x".repeat(len - good.len() - 3));
    for (kind, body, status, reason) in [
        (FORM, good.clone(), 200, ""),
        (
            "application/x-www-form-urlencoded; charset=utf-8",
            good.clone(),
            200,
            "",
        ),
        ("application/json", good.clone(), 415, "request.media_type"),
        (
            FORM,
            format!("{good}&client_id={me}"),
            400,
            "request.repeated_parameter",
        ),
        (
            FORM,
            format!("{good}&x=1&x=2"),
            400,
            "request.repeated_parameter",
        ),
        (FORM, format!("{good}&resource=x"), 400, "target.malformed"),
        (FORM, format!("{good}&x=%zz"), 400, "request.malformed"),
        (FORM, filled(64 << 10), 200, ""),
        (FORM, filled((64 << 10) + 1), 413, "request.too_long"),
    ] {
        let (got, _) = post(kind, body).await;
        assert_eq!(got.as_u16(), status, "{reason}");
        assert_eq!(world.reason(), reason);
    }
    let request = Request::post("/token").header("content-type", FORM);
    let request = request.header("authorization", "Basic eDp4");
    let request = request
        .body(Full::new(Bytes::from(good)))
        .expect("a request");
    let (status, body) = planner.send(request).await;
    assert_eq!(
        (status.as_u16(), &body["error"]),
        (401, &json!("invalid_client"))
    );
    assert_eq!(world.reason(), "client.method");
}

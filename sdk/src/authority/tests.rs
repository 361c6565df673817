//! The authority and its client against each other, over real connections.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use rustls::RootCertStore;
use rustls_pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::testing::{World, claims, config, id, key, now, scopes, text};
use super::{Authority, BANNER};
use crate::audit::{AuditError, AuditLog, Draft, MemoryLog, Record};
use crate::clock::SystemClock;
use crate::crypto::{CertThumbprint, SigningKey};
use crate::jose::{Header, Jwk, sign_compact};
use crate::oauth::{FORM, OAuth, OAuthError, UserGrant, encode_form};
use crate::tls::{AuthoritySource, Transport, TransportConfig};
use crate::token::{Scopes, VerifiedToken};
use crate::workload::{CERTIFICATE_PATH, PROOF_TYP, Workload, WorkloadError};

const CHARGE: &str = "payments:charge";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

#[tokio::test]
async fn alice_is_carried_through_four_agents_and_every_token_names_them_all() {
    let world = World::new().await;
    let issuer = world.authority.issuer().to_owned();
    let [desk, planner, booking, payments] = [
        world.agent("front-desk").await,
        world.agent("planner").await,
        world.agent("booking").await,
        world.agent("payments").await,
    ];
    let grant = desk.login("alice", "trips:read payments:charge");
    let grant = grant.await.expect("logged in");
    assert_eq!(grant.user(), "alice");

    let first = desk.act(&grant, "planner", "");
    let first = first.await.expect("a token");
    let (token, subject) = (text(&first), planner.receive(&first, &desk).await);
    let said = claims(&token);
    assert_eq!(said["sub"], "alice");
    assert_eq!(said["iss"], json!(issuer));
    assert_eq!(said["aud"], json!(id("planner")));
    assert_eq!(said["client_id"], json!(id("front-desk")));
    assert_eq!(said["scope"], "payments:charge trips:read");
    assert_eq!(
        said["cnf"]["x5t#S256"],
        json!(desk.identity().certificate())
    );
    assert_eq!(said["act"], json!({"iss": issuer, "sub": id("front-desk")}));
    assert_eq!(said.get("may_act"), None);

    let second = planner.exchange(&subject, "booking", CHARGE);
    let second = second.await.expect("a token");
    let subject = booking.receive(&second, &planner).await;
    let third = booking.exchange(&subject, "payments", CHARGE);
    let third = third.await.expect("a token");
    let received = payments.receive(&third, &booking).await;
    assert_eq!(received.subject(), "alice");
    assert_eq!(received.client_id(), id("booking"));
    assert_eq!(received.scopes(), &scopes(CHARGE));
    assert_eq!(received.bound_to(), booking.identity().certificate());
    let chain = json!({
        "iss": issuer, "sub": id("booking"), "act": {
            "iss": issuer, "sub": id("planner"), "act": {"iss": issuer, "sub": id("front-desk")},
        },
    });
    assert_eq!(received.act(), Some(&chain));
    assert!(received.expires() <= grant.expires());
    assert_eq!(
        world.last().to_string(),
        "authority: booking for alice through planner, front-desk requested a token-exchange: permitted"
    );
    let detail = world.last().detail.expect("a detail").to_string();
    assert!(
        detail.starts_with(&format!("for {}", id("payments"))),
        "{detail}"
    );
}

#[tokio::test]
async fn an_agent_that_speaks_for_itself_stays_the_origin_of_its_chain() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    let (booking, payments) = (world.agent("booking").await, world.agent("payments").await);
    let own = planner.app("booking", CHARGE);
    let own = own.await.expect("a token");
    let said = claims(&text(&own));
    assert_eq!(
        (&said["sub"], &said["client_id"]),
        (&json!(id("planner")), &json!(id("planner")))
    );
    assert_eq!(said.get("act"), None);
    let subject = booking.receive(&own, &planner).await;
    let next = booking.exchange(&subject, "payments", CHARGE);
    let next = next.await.expect("a token");
    let received = payments.receive(&next, &booking).await;
    assert_eq!(received.subject(), id("planner"));
    let act = received.act().expect("an actor");
    assert_eq!(act["sub"], json!(id("booking")));
    assert_eq!(act.get("act"), None);
}

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

#[tokio::test]
async fn an_agent_may_not_get_through_others_what_it_is_not_allowed_itself() {
    let world = World::new().await;
    let (desk, planner) = (
        world.agent("front-desk").await,
        world.agent("planner").await,
    );
    let booking = world.agent("booking").await;
    let all = scopes("trips:read trips:write");
    let grant = desk.oauth.login("alice", &all).await.expect("logged in");
    let token = desk
        .oauth
        .exchange_grant(&grant, &id("planner"), &all)
        .await;
    let subject = planner.receive(&token.expect("a token"), &desk).await;
    let token = planner.oauth.exchange(&subject, &id("booking"), &all).await;
    let subject = booking.receive(&token.expect("a token"), &planner).await;

    let refused = booking.exchange(&subject, "payments", "trips:write");
    let refused = refused.await.expect_err("booking may not write");
    assert_eq!(
        (refused.reason(), refused.code()),
        ("oauth.refused", Some("invalid_scope"))
    );
    assert_eq!(world.reason(), "exchange.scope_exceeds_agent");
    assert_eq!(
        world.last().to_string(),
        "authority: booking for alice through planner, front-desk requested a token-exchange: \
         refused (exchange.scope_exceeds_agent)"
    );
    // Without asking for anything in particular it gets what both may have.
    let narrowed = booking.exchange(&subject, "payments", "");
    assert_eq!(
        narrowed.await.expect("a token").scopes(),
        &scopes("trips:read")
    );
}

#[tokio::test]
async fn only_a_login_agent_logs_users_in_and_only_within_their_grants() {
    let world = World::new().await;
    let (desk, planner) = (
        world.agent("front-desk").await,
        world.agent("planner").await,
    );
    let bob = desk.login("bob", "").await.expect("logged in");
    assert_eq!(bob.scopes(), &scopes("trips:read"));
    assert_eq!(
        world.last().to_string(),
        "authority: front-desk for bob requested a login: permitted"
    );
    let at = |oauth: &OAuth, user: &'static str, scope: &str| {
        let (oauth, scope) = (oauth.clone(), scopes(scope));
        async move { oauth.login(user, &scope).await.map(|_| ()) }
    };
    for (oauth, user, scope, code, reason) in [
        (
            &planner.oauth,
            "bob",
            "trips:read",
            "unauthorized_client",
            "login.agent",
        ),
        (
            &desk.oauth,
            "eve",
            "trips:read",
            "invalid_grant",
            "login.unknown_user",
        ),
        (
            &desk.oauth,
            "bob",
            CHARGE,
            "invalid_scope",
            "login.scope_exceeds_user",
        ),
        (
            &desk.oauth,
            "bob",
            "trips:read admin",
            "invalid_scope",
            "login.scope_exceeds_user",
        ),
    ] {
        let refused = at(oauth, user, scope).await.expect_err("refused");
        assert_eq!(
            (refused.code(), world.reason().as_str()),
            (Some(code), reason)
        );
    }
}

#[tokio::test]
async fn a_login_is_for_the_authority_alone_and_for_the_agent_it_names() {
    let world = World::new().await;
    let desk = world.agent("front-desk").await;
    let form = [
        ("client_id", &*id("front-desk")),
        ("login_hint", "alice"),
        ("scope", CHARGE),
    ];
    let (_, body) = desk.post("/login", &form).await;
    let said = claims(body["access_token"].as_str().expect("a token"));
    assert_eq!(said["aud"], json!(world.authority.issuer()));
    assert_eq!(said["may_act"], json!({"sub": id("front-desk")}));
    assert_eq!(
        said["cnf"]["x5t#S256"],
        json!(desk.identity().certificate())
    );
    assert_eq!((said.get("act"), &said["scope"]), (None, &json!(CHARGE)));
}

#[tokio::test]
async fn a_chain_is_issued_up_to_five_actors_and_an_agent_acts_in_it_once() {
    let mut config = config();
    for name in ["a", "b", "c", "d", "e", "f"] {
        config.agents.insert(name.into(), scopes(CHARGE));
    }
    let world = World::with(config).await;
    let agent = world.agent("e").await;
    let issuer = world.authority.issuer().to_owned();
    let forged = |names: &[&str]| {
        let act = names.iter().rev().fold(Value::Null, |act, name| match act {
            Value::Null => json!({"iss": issuer, "sub": id(name)}),
            act => json!({"iss": issuer, "sub": id(name), "act": act}),
        });
        let token = world.authority.danger().token(&json!({
            "iss": issuer, "sub": "alice", "aud": id("e"), "client_id": id(names[0]), "jti": "1",
            "iat": now(), "exp": now().secs() + 60, "scope": CHARGE, "act": act,
            "cnf": {"x5t#S256": CertThumbprint::of(b"of a")},
        }));
        token.expect("signs").expose().to_owned()
    };
    for (names, reason) in [
        (&["d", "c", "b", "a"][..], ""),
        (&["planner", "d", "c", "b", "a"][..], "exchange.depth"),
        (&["d", "e"][..], "exchange.loop"),
        (&["d", "c", "d"][..], "exchange.chain"),
        (&["d", "nobody"][..], "exchange.subject_invalid"),
    ] {
        let token = forged(names);
        let form = [
            ("grant_type", EXCHANGE),
            ("client_id", &id("e")),
            ("resource", &id("f")),
            ("subject_token", &token),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        let (_, body) = agent.post("/token", &form).await;
        assert_eq!(world.reason(), reason, "{names:?}");
        let error = if reason.is_empty() {
            Value::Null
        } else {
            json!("invalid_request")
        };
        assert_eq!(body["error"], error);
    }
}

#[tokio::test]
async fn a_code_gives_one_certificate_and_a_certificate_gives_the_next() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    assert_eq!(world.last().event.as_str(), "enrolment");
    let authority = world.authority.id().as_str();
    let ask = |key: &SigningKey, code: Option<&str>, aud: &str, agent: Option<&str>| {
        let mut payload = json!({
            "jwk": Jwk::of(key.verifying_key()), "aud": aud, "iat": now(), "jti": "1",
        });
        if let Some(agent) = agent {
            payload["agent"] = json!(agent);
        }
        let header = Header::for_key(key.verifying_key(), PROOF_TYP);
        let mut body = json!({"proof": sign_compact(&header, &payload, key).expect("signs")});
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        let request = Request::post(CERTIFICATE_PATH).header("content-type", "application/json");
        planner.send(
            request
                .body(Full::new(Bytes::from(body.to_string())))
                .expect("a request"),
        )
    };
    let new = key();
    let (status, body) = ask(&new, None, authority, Some(&id("planner"))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["chain"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["bundle"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        world.last().to_string(),
        "authority: planner requested a renewal: permitted"
    );

    let booking = world.authority.enrol("booking").expect("a code");
    let own = planner.workload.current();
    for (key, code, aud, agent, status, reason) in [
        (
            &new,
            Some("wrong"),
            authority,
            None,
            403,
            "authority.enrolment_code",
        ),
        (
            &new,
            Some(booking.code.expose()),
            "spiffe://x/y",
            None,
            400,
            "authority.proof",
        ),
        (
            &new,
            Some(booking.code.expose()),
            authority,
            None,
            403,
            "authority.two_agents",
        ),
        (
            &new,
            Some(booking.code.expose()),
            authority,
            None,
            403,
            "authority.enrolment_code",
        ),
        (
            &new,
            None,
            authority,
            Some(&*id("booking")),
            400,
            "authority.proof",
        ),
        (
            own.key(),
            None,
            authority,
            None,
            400,
            "authority.key_reused",
        ),
    ] {
        let (got, _) = ask(key, code, aud, agent).await;
        assert_eq!((got.as_u16(), world.reason().as_str()), (status, reason));
    }
    for body in ["", "{}", "{\"proof\":1}", "{\"proof\":\"a.b.c\",\"x\":1}"] {
        let request = Request::post(CERTIFICATE_PATH).header("content-type", "application/json");
        let request = request
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        assert_eq!(planner.send(request).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(world.reason(), "request.malformed", "{body}");
    }
}

#[tokio::test]
async fn an_agent_that_is_shut_out_gets_nothing_more_and_takes_its_chains_down() {
    let world = World::new().await;
    let (desk, planner) = (
        world.agent("front-desk").await,
        world.agent("planner").await,
    );
    let code = world.authority.enrol("front-desk").expect("a code");
    let all = scopes("trips:read");
    let grant = desk.oauth.login("alice", &all).await.expect("logged in");
    let token = desk
        .oauth
        .exchange_grant(&grant, &id("planner"), &all)
        .await;
    let subject = planner.receive(&token.expect("a token"), &desk).await;
    world
        .authority
        .shut_out("front-desk")
        .expect("known until now");

    let error = desk
        .oauth
        .app_token(&id("planner"), &all)
        .await
        .expect_err("shut out");
    assert_eq!(
        (error.code(), world.reason().as_str()),
        (Some("invalid_client"), "client.unknown")
    );
    let error = planner.oauth.exchange(&subject, &id("booking"), &all).await;
    let code_told = error.expect_err("its chain").code().map(str::to_owned);
    assert_eq!(code_told.as_deref(), Some("invalid_request"));
    assert_eq!(world.reason(), "exchange.subject_invalid");
    let error = planner
        .oauth
        .app_token(&id("front-desk"), &all)
        .await
        .expect_err("no target");
    assert_eq!(error.code(), Some("invalid_target"));
    let unknown = world.authority.enrol("front-desk").map_err(|e| e.reason());
    assert_eq!(unknown.err(), Some("authority.unknown_agent"));
    let source = AuthoritySource::new(code, Arc::new(SystemClock));
    let late = Workload::start(Arc::new(source), Arc::new(SystemClock)).await;
    assert_eq!(late.map_err(|e| e.reason()).err(), Some("workload.refused"));
    assert_eq!(world.reason(), "authority.enrolment_code");
}

#[tokio::test]
async fn tokens_are_got_once_and_anew_with_a_new_certificate() {
    let mut short = config();
    short.svid_ttl = Duration::from_secs(3);
    let world = World::with(short).await;
    let planner = world.agent("planner").await;
    let mut changed = planner.workload.changed();
    let (booking, none) = (id("booking"), Scopes::default());
    let get = || planner.oauth.app_token(&booking, &none);
    let first = get().await.expect("a token");
    let again = get().await.expect("a token");
    assert_eq!(text(&first), text(&again));
    assert_eq!(first.certificate(), planner.identity().certificate());
    changed.changed().await.expect("renewed");
    let next = get().await.expect("a token");
    assert_ne!(next.certificate(), first.certificate());
    assert_eq!(
        claims(&text(&next))["cnf"]["x5t#S256"],
        json!(next.certificate())
    );
    let issued = |r: &&Record| r.event.as_str() == "token";
    assert_eq!(world.records().iter().filter(issued).count(), 2);
}

#[tokio::test]
async fn many_who_ask_for_the_same_token_cause_one_request() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    let (booking, none) = (id("booking"), Scopes::default());
    let asks = (0..40).map(|_| planner.oauth.app_token(&booking, &none));
    for token in futures_util::future::join_all(asks).await {
        token.expect("a token");
    }
    let issued = |r: &&Record| r.event.as_str() == "token";
    assert_eq!(world.records().iter().filter(issued).count(), 1);
}

/// A log whose disk is full.
#[derive(Debug)]
struct FullDisk;

impl AuditLog for FullDisk {
    fn append(&self, _: Draft) -> Result<Record, AuditError> {
        Err(AuditError::Write(ErrorKind::StorageFull.into()))
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_given_out() {
    let clock = Arc::new(SystemClock);
    let authority = Authority::start(config(), clock.clone(), Arc::new(FullDisk)).await;
    let authority = authority.expect("starts");
    let enrolment = authority.enrol("planner").expect("a code");
    let source = AuthoritySource::new(enrolment, clock.clone());
    let refused = Workload::start(Arc::new(source), clock).await;
    match refused {
        Err(WorkloadError::Refused { status, what, .. }) => {
            assert_eq!((status, what.as_str()), (500, "server_error"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let mut config = config();
    config.listen = taken.local_addr().expect("an address");
    let log = Arc::new(MemoryLog::default());
    let error = Authority::start(config.clone(), Arc::new(SystemClock), log.clone()).await;
    let error = error.expect_err("taken");
    assert_eq!(error.reason(), "authority.listen");
    let says = format!("cannot listen on {}: address in use", config.listen);
    assert!(error.to_string().starts_with(&says), "{error}");

    config.listen.set_ip([0, 0, 0, 0].into());
    let error = Authority::start(config, Arc::new(SystemClock), log).await;
    assert_eq!(
        error.expect_err("reachable").reason(),
        "authority.not_loopback"
    );
    assert!(BANNER.contains("development"));
}

#[tokio::test]
async fn after_the_shutdown_nobody_answers() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    world.authority.shutdown().await;
    let error = planner.app("booking", "").await;
    assert_eq!(error.expect_err("gone").reason(), "oauth.connection");
}

/// One request of an ordinary client that trusts the authority's root and shows no certificate.
async fn anonymous(world: &World, head: &str, body: &str) -> String {
    let mut roots = RootCertStore::empty();
    let root = world.authority.bundle().roots()[0].clone();
    roots.add(root).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(&[&rustls::version::TLS13]);
    let config = config.expect("TLS 1.3").with_root_certificates(roots);
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let address = world.authority.endpoint().authority().to_owned();
    let tcp = TcpStream::connect(&address).await.expect("connects");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut tls = connector
        .connect(name, tcp)
        .await
        .expect("an ordinary handshake");
    let head = format!(
        "{head} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: {FORM}\r\n\r\n{body}",
        body.len()
    );
    tls.write_all(head.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    // The end of the connection is the end of the answer, said or not.
    let _ = tls.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn without_a_certificate_there_are_documents_and_nothing_else() {
    let world = World::new().await;
    let document = anonymous(&world, "GET /.well-known/oauth-authorization-server", "").await;
    let document = document.split_once("\r\n\r\n").expect("a body").1;
    let document: Value = serde_json::from_str(document).expect("JSON");
    let issuer = world.authority.issuer();
    assert_eq!(document["issuer"], json!(issuer));
    assert_eq!(document["token_endpoint"], json!(format!("{issuer}/token")));
    assert_eq!(
        document["tls_client_certificate_bound_access_tokens"],
        json!(true)
    );
    let keys = anonymous(&world, "GET /jwks", "").await;
    let kid = world
        .authority
        .keys()
        .keys()
        .next()
        .expect("a key")
        .thumbprint();
    assert!(keys.contains(&kid.to_string()), "{keys}");
    assert!(!keys.contains("\"d\""), "{keys}");

    let form = encode_form(&[
        ("grant_type", "client_credentials"),
        ("client_id", &id("planner")),
        ("resource", &id("booking")),
        ("login_hint", "alice"),
    ]);
    for path in ["/token", "/login"] {
        let answer = anonymous(&world, &format!("POST {path}"), &form).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(
            answer.ends_with(r#"{"error":"invalid_client"}"#),
            "{answer}"
        );
        assert_eq!(world.reason(), "client.certificate");
    }
    let answer = anonymous(&world, "GET /token", "").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_of_the_same_name_ends_at_the_handshake() {
    let (world, other) = (World::new().await, World::new().await);
    let stranger = other.agent("planner").await;
    // It may think that it knows the authority; the authority does not know it.
    stranger.workload.trust(world.authority.bundle().clone());
    let transport = Transport::new(stranger.workload.clone(), TransportConfig::default());
    let oauth = OAuth::new(
        stranger.workload,
        transport,
        world.authority.oauth_endpoint(),
    );
    let error = oauth.app_token(&id("booking"), &Scopes::default()).await;
    assert_eq!(error.expect_err("refused").reason(), "oauth.connection");
    let last = world.last();
    assert_eq!((last.event.as_str(), last.actor), ("connection", None));
    assert_eq!(world.reason(), "svid.untrusted");
}

#[tokio::test]
async fn a_token_that_is_bound_to_another_certificate_is_not_taken() {
    let world = World::new().await;
    let (one, other) = (world.agent("planner").await, world.agent("planner").await);
    let endpoint = world.authority.oauth_endpoint();
    let mixed = OAuth::new(one.workload.clone(), other.transport.clone(), endpoint);
    let error = mixed.app_token(&id("booking"), &Scopes::default()).await;
    match error.expect_err("bound to the other") {
        OAuthError::BindingLost { found, own } => {
            assert_eq!(found, other.identity().certificate().to_string());
            assert_eq!(own, one.identity().certificate());
        }
        error => panic!("{error}"),
    }
}

#[test]
fn asking_can_be_spawned() {
    fn spawned<T: Send>(_: T) {}
    fn check(oauth: &OAuth, subject: &VerifiedToken, grant: &UserGrant, scopes: &Scopes) {
        spawned(oauth.metadata());
        spawned(oauth.issuer_keys(None));
        spawned(oauth.login("alice", scopes));
        spawned(oauth.app_token("a", scopes));
        spawned(oauth.exchange(subject, "a", scopes));
        spawned(oauth.exchange_grant(grant, "a", scopes));
    }
    let _ = check;
}

#[tokio::test]
async fn the_issuer_must_be_the_one_that_was_configured() {
    let world = World::new().await;
    let planner = world.agent("planner").await;
    let mut endpoint = world.authority.oauth_endpoint();
    endpoint.issuer.push('/');
    let oauth = OAuth::new(
        planner.workload.clone(),
        planner.transport.clone(),
        endpoint,
    );
    let error = oauth.metadata().await.expect_err("another issuer");
    assert_eq!(error.reason(), "oauth.issuer");
    let metadata = planner.oauth.metadata().await.expect("metadata");
    assert_eq!(metadata.issuer(), world.authority.issuer());
    assert_eq!(metadata.login_path().expect("a login").as_str(), "/login");
}

#[tokio::test]
async fn a_warm_token_costs_no_request() {
    let world = World::new().await;
    let (desk, planner) = (
        world.agent("front-desk").await,
        world.agent("planner").await,
    );
    let all = scopes("trips:read");
    let grant = desk.oauth.login("alice", &all).await.expect("logged in");
    let token = desk
        .oauth
        .exchange_grant(&grant, &id("planner"), &all)
        .await;
    let subject = planner.receive(&token.expect("a token"), &desk).await;
    let booking = id("booking");
    planner
        .oauth
        .exchange(&subject, &booking, &all)
        .await
        .expect("a token");
    planner.app("booking", "trips:read").await.expect("a token");
    let records = world.records().len();
    // The best of many short runs: other work on the machine only ever adds.
    let mut best = [Duration::MAX; 2];
    for _ in 0..200 {
        let begun = Instant::now();
        for _ in 0..100 {
            let token = planner.oauth.exchange(&subject, &booking, &all).await;
            assert!(token.is_ok());
        }
        best[0] = best[0].min(begun.elapsed() / 100);
        let begun = Instant::now();
        for _ in 0..100 {
            let token = planner.oauth.app_token(&booking, &all).await;
            assert!(token.is_ok());
        }
        best[1] = best[1].min(begun.elapsed() / 100);
    }
    assert_eq!(
        world.records().len(),
        records,
        "nothing was asked for again"
    );
    let [exchange, app] = best;
    println!("warm: exchange {exchange:?}, token of its own {app:?}");
}

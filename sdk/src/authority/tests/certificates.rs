//! Enrolment, renewal, and the end of an agent.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::super::testing::{World, id, key, now, scopes};
use crate::clock::SystemClock;
use crate::crypto::SigningKey;
use crate::jose::{Header, Jwk, sign_compact};
use crate::oauth::OAuth;
use crate::tls::{AuthoritySource, Transport, TransportConfig};
use crate::token::Scopes;
use crate::workload::{CERTIFICATE_PATH, PROOF_TYP, Workload};

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

//! Chains of actors, from token to token.

use serde_json::{Value, json};

use super::super::testing::{World, claims, config, id, now, scopes, text};
use super::{ACCESS_TOKEN, CHARGE, EXCHANGE};
use crate::crypto::CertThumbprint;

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

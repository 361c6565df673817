//! Users are logged in by login agents, within their grants.

use serde_json::json;

use super::super::testing::{World, claims, id, scopes};
use super::CHARGE;
use crate::oauth::OAuth;

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

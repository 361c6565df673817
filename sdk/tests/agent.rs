//! An agent as others meet it: its card, its key directory, its start; and one layer before the
//! routes of an application that is no agent at all.

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use common::raw::DIRECTORY;
use common::{Failure, POLICY, World};
use countersign::a2a::{A2aError, AGENT_CARD_PATH, AgentCard, AgentSkill, Operation};
use countersign::audit::{AuditLog, MemoryLog};
use countersign::card::SignedCard;
use countersign::card::TrustedKeys;
use countersign::client::{Client, Peer};
use countersign::clock::{Skew, SystemClock};
use countersign::crypto::{Algorithm, random};
use countersign::httpsig::directory::{Directory, verify_proof};
use countersign::httpsig::{DIRECTORY_PATH, Origin, Profile, Signer};
use countersign::policy::{Action, Policy};
use countersign::server::{
    Agent, AgentError, AgentExecutor, EventQueue, Inbound, ProveCaller, Proved, RequestContext,
    async_trait,
};
use countersign::tls::{self, AuthoritySource, ServeOptions, enrol};
use countersign::workload::Workload;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, ETAG, IF_NONE_MATCH, LAST_MODIFIED, STRICT_TRANSPORT_SECURITY,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::net::TcpListener;

struct Nothing;

#[async_trait]
impl AgentExecutor for Nothing {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply("done");
        Ok(())
    }
}

type Got = (StatusCode, HeaderMap, Bytes);

async fn fetch(
    client: &Client,
    peer: &Peer,
    path: &str,
    etag: Option<&HeaderValue>,
) -> Result<Got, Failure> {
    let mut request = Request::get(peer.uri(path)?).body(Full::default())?;
    if let Some(etag) = etag {
        request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
    }
    let received = client.transport().send(peer.endpoint(), request).await?;
    let (head, body) = received.response.into_parts();
    Ok((head.status, head.headers, body.collect().await?.to_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_signed_bound_to_its_server_and_served_once_while_it_is_fresh()
-> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let client = world.client("one").await?;
    let peer = world.worker.peer();
    let card = client.card(peer).await?;
    assert_eq!(card.agent(), peer.id());
    assert_eq!(card.card().skills[0].id, "work");
    let demanded = &card.card().skills[0].security_requirements[0].schemes;
    assert!(
        demanded.values().any(|scopes| scopes.list == ["work"]),
        "{demanded:?}"
    );

    let (status, headers, body) = fetch(&client, peer, AGENT_CARD_PATH, None).await?;
    assert_eq!(status, StatusCode::OK);
    let caching = headers
        .get(CACHE_CONTROL)
        .ok_or("no Cache-Control")?
        .to_str()?;
    assert!(caching.contains("max-age="), "{caching}");
    assert!(headers.contains_key(STRICT_TRANSPORT_SECURITY));
    assert!(headers.contains_key(LAST_MODIFIED));
    let etag = headers.get(ETAG).ok_or("no ETag")?;
    let (status, _, empty) = fetch(&client, peer, AGENT_CARD_PATH, Some(etag)).await?;
    assert_eq!((status, empty.len()), (StatusCode::NOT_MODIFIED, 0));

    // The very bytes, as if another agent had served them.
    let own = client.workload().current();
    let foreign = SignedCard::received(body, own.identity().clone());
    let keys = TrustedKeys::bundles(own.bundles().clone());
    let refused = foreign.verify(&keys, client.workload().clock().now());
    assert_eq!(
        refused.map(drop).map_err(|e| e.reason()),
        Err("card.not_peers")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_directory_proves_that_the_agent_holds_its_key() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let client = world.client("one").await?;
    let peer = world.worker.peer();
    let (status, headers, body) = fetch(&client, peer, DIRECTORY_PATH, None).await?;
    assert_eq!(status, StatusCode::OK);
    let now = client.workload().clock().now();
    let key = world
        .worker
        .client()
        .workload()
        .current()
        .key()
        .verifying_key()
        .clone();
    let directory = Directory::parse(&body)?;
    assert_eq!(directory.key(key.thumbprint(), now), Some(&(&key).into()));
    verify_proof(&headers, &body, peer.target(), &key, now, Skew::default())?;
    let elsewhere = Origin::https("elsewhere.example");
    assert!(verify_proof(&headers, &body, &elsewhere, &key, now, Skew::default()).is_err());
    Ok(())
}

/// An agent of this world that is not started yet.
async fn agent(world: &World) -> Result<Agent, Failure> {
    let workload = enrol(world.authority.enrol("two")?).await?;
    let skill = AgentSkill::new("work", "Work", "Works").tagged(["work"]);
    Ok(Agent::new(
        "two",
        "Works too",
        workload,
        world.authority.oauth_endpoint(),
    )
    .skill(skill))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_whose_card_and_pipeline_differ_does_not_start() -> Result<(), Failure> {
    type Change = fn(&mut AgentCard);
    let world = World::with(Nothing).await?;
    let client = world.client("one").await?;
    let good = client.card(world.worker.peer()).await?.card().clone();
    let cases: [(&str, Change, &str); 4] = [
        (
            "a scheme that is not enforced",
            |card| {
                let basic = serde_json::json!({"httpAuthSecurityScheme": {"scheme": "Basic"}});
                let scheme = serde_json::from_value(basic).expect("a scheme");
                card.security_schemes.insert("basic".into(), scheme);
            },
            "card.declared_not_enforced",
        ),
        (
            "an alternative without a certificate",
            |card| {
                card.security_requirements[0].schemes.shift_remove("mtls");
            },
            "card.enforced_not_declared",
        ),
        (
            "a skill that hides its scope",
            |card| card.skills[0].security_requirements.clear(),
            "card.enforced_not_declared",
        ),
        (
            "another agent's name",
            |card| card.capabilities.extensions.clear(),
            "card.enforced_not_declared",
        ),
    ];
    for (name, change, want) in cases {
        let mut card = good.clone();
        change(&mut card);
        let agent = agent(&world)
            .await?
            .policy(Policy::from_toml(POLICY)?)
            .card(card);
        match agent.serve("127.0.0.1:0", Nothing).await {
            // The card's address and identity are those of another agent as well; what is named is
            // the first difference.
            Err(AgentError::Card(error)) => assert_eq!(error.reason(), want, "{name}: {error}"),
            other => panic!("{name}: {:?}", other.map(|_| "started")),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_written_by_hand_promises_nothing_that_is_not_set_up() -> Result<(), Failure> {
    type Promise = fn(&mut AgentCard);
    let world = World::with(Nothing).await?;
    let client = world.client("one").await?;
    let good = client.card(world.worker.peer()).await?.card().clone();
    let cases: [(&str, Promise); 2] = [
        ("streaming", |card| card.capabilities.streaming = Some(true)),
        ("pushNotifications", |card| {
            card.capabilities.streaming = None;
            card.capabilities.push_notifications = Some(true);
        }),
    ];
    for (want, promise) in cases {
        let mut card = good.clone();
        promise(&mut card);
        let agent = agent(&world).await?.policy(Policy::from_toml(POLICY)?);
        let agent = agent.streaming(false).card(card);
        match agent.serve("127.0.0.1:0", Nothing).await {
            Err(AgentError::Capability { capability }) => assert_eq!(capability, want),
            other => panic!("{want}: {:?}", other.map(|_| "started")),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_a_skill_does_not_start() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let workload = enrol(world.authority.enrol("two")?).await?;
    let at = world.authority.oauth_endpoint();
    let bare = Agent::new("two", "Works too", workload, at).policy(Policy::from_toml(POLICY)?);
    match bare.serve("127.0.0.1:0", Nothing).await {
        Err(error @ AgentError::NoSkill) => {
            let says = error.to_string();
            assert!(
                says.contains(".skill(") && says.contains("at least one"),
                "{says}"
            );
        }
        other => panic!("{:?}", other.map(|_| "started")),
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_written_by_hand_names_the_interfaces_that_are_served() -> Result<(), Failure> {
    type Change = fn(&mut AgentCard);
    let world = World::with(Nothing).await?;
    let origin = "https://two.test:7003";
    let ready = async || -> Result<Agent, Failure> {
        let agent = agent(&world).await?.policy(Policy::from_toml(POLICY)?);
        Ok(agent.public_origin(origin))
    };
    let derived = ready().await?.serve("127.0.0.1:0", Nothing).await?;
    let here = format!("https://{}", derived.local_addr());
    let here = Peer::new(&here, "spiffe://test.example/agent/two")?;
    let good = world.client("one").await?.card(&here).await?.card().clone();
    let cases: [(&str, bool, Change, &str); 9] = [
        ("as it is derived", false, |_| {}, "started"),
        (
            "one interface of three",
            false,
            |card| card.supported_interfaces.truncate(1),
            "started",
        ),
        (
            "0.3, which is off",
            false,
            |card| card.supported_interfaces[1].protocol_version = "0.3".into(),
            "interface",
        ),
        ("no 0.3, which is on", true, |_| {}, "no interface"),
        (
            "0.3, which is on",
            true,
            |card| card.supported_interfaces[1].protocol_version = "0.3".into(),
            "started",
        ),
        (
            "nothing",
            false,
            |card| card.supported_interfaces.clear(),
            "no interface",
        ),
        (
            "another host",
            false,
            |card| card.supported_interfaces[0].url = "https://one.test:7003/a2a".into(),
            "interface",
        ),
        (
            "another path",
            false,
            |card| card.supported_interfaces[1].url.push_str("/v2"),
            "interface",
        ),
        (
            "another binding",
            false,
            |card| card.supported_interfaces[0].protocol_binding = "urn:other".into(),
            "interface",
        ),
    ];
    for (name, v03, change, want) in cases {
        let mut card = good.clone();
        change(&mut card);
        let agent = ready().await?.allow_v0_3(v03).card(card);
        let got = match agent.serve("127.0.0.1:0", Nothing).await {
            Ok(_) => "started",
            Err(AgentError::Interface { .. }) => "interface",
            Err(AgentError::NoInterface { .. }) => "no interface",
            Err(other) => panic!("{name}: {other}"),
        };
        assert_eq!(got, want, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_card_names_every_binding_and_where_tokens_are_issued() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let client = world.client("one").await?;
    let told = async |peer: &Peer| -> Result<(Vec<String>, String), Failure> {
        let card = client.card(peer).await?.card().clone();
        let bindings = card.supported_interfaces.iter();
        let bindings = bindings.map(|i| i.protocol_binding.clone()).collect();
        let schemes = serde_json::to_value(&card.security_schemes)?;
        let flow = "/oauth/oauth2SecurityScheme/flows/clientCredentials/tokenUrl";
        let token_url = schemes.pointer(flow).and_then(|url| url.as_str());
        Ok((bindings, token_url.unwrap_or_default().to_owned()))
    };
    let grpc = cfg!(feature = "grpc").then_some("GRPC");
    let all: Vec<_> = ["JSONRPC", "HTTP+JSON"].into_iter().chain(grpc).collect();
    let by_metadata = client.oauth().metadata().await?.token_url().to_owned();
    let (bindings, token_url) = told(world.worker.peer()).await?;
    assert_eq!(
        (bindings, token_url),
        (all.iter().map(|&b| b.to_owned()).collect(), by_metadata)
    );
    let agent = agent(&world).await?.policy(Policy::from_toml(POLICY)?);
    let set = "https://as.test/issue";
    let two = agent.token_url(set).serve("127.0.0.1:0", Nothing).await?;
    assert_eq!(told(two.peer()).await?.1, set);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_p_256_certificate_calls_as_one_with_ed25519() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::Ed25519] {
        let clock = Arc::new(SystemClock);
        let source = AuthoritySource::new(world.authority.enrol("one")?, clock.clone());
        let workload = Workload::start(Arc::new(source.algorithm(algorithm)), clock).await?;
        assert_eq!(workload.current().key().algorithm(), algorithm);
        let client = Client::new(workload, world.authority.oauth_endpoint())?;
        let alice = client.oauth().login("alice", &"work".parse()?).await?;
        let answer = client
            .on_behalf_of_user(alice)
            .call(world.worker.peer())
            .send("hello")
            .await?;
        assert_eq!(answer.text(), "done");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_and_a_policy_without_scopes_are_named() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let taken = world.worker.local_addr().to_string();
    let policy = || Policy::from_toml(POLICY);
    let refused = agent(&world)
        .await?
        .policy(policy()?)
        .serve(&taken, Nothing)
        .await;
    let error = refused
        .map(drop)
        .expect_err("the port is taken")
        .to_string();
    assert!(
        error.contains(&taken) && error.contains("another process"),
        "{error}"
    );
    let refused = agent(&world).await?.serve("127.0.0.1:0", Nothing).await;
    assert!(matches!(refused, Err(AgentError::NoScopes)));
    let agent = agent(&world)
        .await?
        .policy(policy()?)
        .serve("127.0.0.1:0", Nothing)
        .await?;
    agent.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_handshake_leaves_a_record() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let stranger = World::with(Nothing).await?;
    // A workload of another authority: its certificate is not trusted here.
    let foreign = stranger.client("one").await?;
    let peer = Peer::new(
        world.worker.peer().origin(),
        world.worker.peer().id().as_str(),
    )?;
    let refused = foreign.on_own_behalf().call(&peer).send("hello").await;
    assert_eq!(
        refused.map(drop).map_err(|e| e.reason()),
        Err("tls.peer_untrusted")
    );
    let records = wait_for_refusal(&world).await?;
    assert!(records.contains("tls."), "{records}");
    Ok(())
}

async fn wait_for_refusal(world: &World) -> Result<String, Failure> {
    for _ in 0..200 {
        if let Some(record) = world
            .log
            .records()
            .iter()
            .find(|record| record.is_refusal())
        {
            return Ok(record.to_string());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("no refusal was recorded".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_layer_proves_the_callers_of_any_route() -> Result<(), Failure> {
    let world = World::with(Nothing).await?;
    let workload = enrol(world.authority.enrol("two")?).await?;
    let client = Client::new(workload.clone(), world.authority.oauth_endpoint())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = Origin::https(listener.local_addr()?.to_string());
    let log = Arc::new(MemoryLog::default());
    let inbound = Inbound::new(&client, origin.clone(), Policy::from_toml(POLICY)?)
        .audit(log.clone() as Arc<dyn AuditLog>);
    let who = |Proved(call): Proved| async move { call.caller().to_string() };
    let layer = ProveCaller::new(inbound, Action::new(Operation::GetTask));
    let router = Router::new()
        .route("/proved", get(who))
        .layer(layer)
        .route("/forgotten", get(who));
    let peer = Peer::new(
        &format!("https://{}", origin.authority),
        workload.id().as_str(),
    )?;
    let options = ServeOptions::default();
    tokio::spawn(tls::serve(
        listener,
        workload,
        options,
        router,
        std::future::pending(),
    ));

    let one = world.client("one").await?;
    let (status, _, _) = fetch(&one, &peer, "/proved", None).await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "an unsigned request");
    let (status, _, _) = fetch(&one, &peer, "/forgotten", None).await?;
    assert_eq!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR,
        "a route without the layer"
    );

    let claims = common::raw::claims(world.authority.issuer(), one.workload(), &peer);
    let token = world.authority.danger().token(&claims)?;
    let (mut parts, ()) = Request::get(peer.uri("/proved")?)
        .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(())?
        .into_parts();
    let key = one.workload().current().key().clone();
    let now = one.workload().clock().now();
    Signer::new(key, DIRECTORY, Profile::a2a())?.sign(&mut parts, &origin, b"", now, random())?;
    let request = Request::from_parts(parts, Full::default());
    let received = one.transport().send(peer.endpoint(), request).await?;
    assert_eq!(received.response.status(), StatusCode::OK);
    let body = received.response.into_body().collect().await?.to_bytes();
    assert_eq!(body, "one for alice");
    let told: Vec<_> = log.records().iter().map(ToString::to_string).collect();
    assert!(told[1].ends_with("permitted"), "{told:?}");
    Ok(())
}

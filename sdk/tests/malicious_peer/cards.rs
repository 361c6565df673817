//! Cards that never end, and cards that are too old.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{Failure, World};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use countersign::a2a::{A2aError, AGENT_CARD_PATH, AgentCard};
use countersign::card::sign_card;
use countersign::client::{Client, ClientError, Peer};
use countersign::clock::{Clock as _, ManualClock, SystemClock};
use countersign::crypto::{Algorithm, SigningKey};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::tls::{self, ServeOptions};
use countersign::workload::Workload;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

struct Idle;

#[async_trait]
impl AgentExecutor for Idle {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply("served");
        Ok(())
    }
}

/// Serves `router` with the certificate of `own`.
async fn serve(own: Workload, router: Router) -> Result<Peer, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("https://{}", listener.local_addr()?);
    let peer = Peer::new(&url, own.id().as_str())?;
    let options = ServeOptions::default();
    let until = std::future::pending();
    tokio::spawn(tls::serve(listener, own, options, router, until));
    Ok(peer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_never_ends_is_given_up_by_everybody_who_waits() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let own = world.client("worker").await?.workload().clone();
    let endless = async || {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from("{"))]);
        Body::from_stream(first.chain(stream::pending()))
    };
    let peer = serve(own, Router::new().route(AGENT_CARD_PATH, get(endless))).await?;
    let workload = world.client("one").await?.workload().clone();
    let client = Client::builder(workload, world.authority.oauth_endpoint())
        .deadline(Duration::from_millis(300))
        .build()?;
    let wait = async { tokio::join!(client.card(&peer), client.card(&peer)) };
    let (one, two) = tokio::time::timeout(Duration::from_secs(10), wait).await?;
    for refused in [one, two] {
        let refused = refused.map(drop).expect_err("no card");
        assert!(matches!(refused, ClientError::Deadline { .. }), "{refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_not_used_after_the_certificate_that_signed_it() -> Result<(), Failure> {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let world = World::at(clock.clone(), Idle).await?;
    let own = world.client("worker").await?.workload().clone();
    let one = world.client("one").await?;
    let card: AgentCard = one.card(world.worker.peer()).await?.card().clone();
    let key = SigningKey::generate(Algorithm::Ed25519)?;
    let (from, end) = (clock.now(), clock.now().plus(Duration::from_secs(10)));
    let forge = world.authority.danger();
    let leaf = forge.certificate(own.id(), key.verifying_key(), from, end)?;
    let signed = Bytes::from(sign_card(&card, &key, &[leaf])?);
    let unchanged = async move |headers: HeaderMap| {
        let caching = [(ETAG, "\"card\""), (CACHE_CONTROL, "max-age=5")];
        if headers.contains_key(IF_NONE_MATCH) {
            (StatusCode::NOT_MODIFIED, caching, Bytes::new())
        } else {
            (StatusCode::OK, caching, signed.clone())
        }
    };
    let peer = serve(own, Router::new().route(AGENT_CARD_PATH, get(unchanged))).await?;
    for (after, good) in [(0, true), (8, true), (10, true), (11, false), (60, false)] {
        clock.set(from.plus(Duration::from_secs(after)));
        assert_eq!(one.card(&peer).await.is_ok(), good, "after {after} s");
    }
    Ok(())
}

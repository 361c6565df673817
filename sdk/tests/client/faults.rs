//! Peers that refuse, are busy or do not answer.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use countersign::a2a::{TaskState, Version};
use countersign::card::ProtocolBinding;
use countersign::client::{Call, ClientError};
use serde_json::json;

use super::streams::{Idle, quick};
use crate::common::double::{self, Heard, Seen, double, task};
use crate::common::{Failure, World};

fn done() -> Response<Body> {
    double::result(&json!(task(TaskState::Completed)))
}

async fn set(
    script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
) -> Result<(World, Call, Heard), Failure> {
    let world = World::with(Idle).await?;
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let client = quick(&world, |builder| builder).await?;
    let call = client.on_own_behalf().call(&peer);
    Ok((world, call, heard))
}

const INVALID: &str = r#"Bearer error="invalid_token""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_taken_is_replaced_once() -> Result<(), Failure> {
    let script = |_: &Seen, before| match before {
        0 => double::status(401, "www-authenticate", INVALID),
        _ => double::result(&json!({ "task": task(TaskState::Completed) })),
    };
    let (_world, call, heard) = set(script).await?;
    call.send("a message too: nothing was done").await?;
    let heard = heard.all();
    assert_eq!(heard.len(), 2);
    let [first, second] = [0, 1].map(|at| heard[at].header("authorization"));
    assert!(first.starts_with("Bearer ") && first != second);

    let stubborn = |_: &Seen, _| double::status(401, "www-authenticate", INVALID);
    let (_world, call, heard) = set(stubborn).await?;
    match call.get_task("t-1", None).await.expect_err("refused") {
        ClientError::Refused { status, challenge } => {
            let challenge = challenge.ok_or("a challenge")?;
            assert_eq!((status, challenge.error()), (401, Some("invalid_token")));
        }
        other => panic!("{other}"),
    }
    assert_eq!(heard.all().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_scopes_are_named_and_not_asked_for_by_themselves() -> Result<(), Failure> {
    let script = |_: &Seen, _| {
        let wanted = r#"Bearer error="insufficient_scope", scope="pay""#;
        double::status(403, "www-authenticate", wanted)
    };
    for binding in [ProtocolBinding::JsonRpc, ProtocolBinding::HttpJson] {
        let (_world, call, heard) = set(script).await?;
        let refused = call.binding(binding).send("pay").await;
        match refused.expect_err("refused") {
            ClientError::InsufficientScope { needed, .. } => {
                assert_eq!(needed.to_string(), "pay");
            }
            other => panic!("{binding}: {other}"),
        }
        assert_eq!(heard.all().len(), 1, "{binding}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_peer_is_asked_again_but_never_sent_a_message_twice() -> Result<(), Failure> {
    let script = |_: &Seen, before| match before {
        0 | 1 => double::status(503, "retry-after", "0"),
        _ => done(),
    };
    let (_world, call, heard) = set(script).await?;
    call.clone().get_task("t-1", None).await?;
    assert_eq!(heard.all().len(), 3);
    let nonces: std::collections::BTreeSet<_> = heard
        .all()
        .iter()
        .map(|seen| seen.header("signature-input").to_owned())
        .collect();
    assert_eq!(nonces.len(), 3, "each attempt is signed anew");

    let busy = |_: &Seen, _| double::status(429, "retry-after", "7");
    let (_world, call, heard) = set(busy).await?;
    match call.send("once").await.expect_err("busy") {
        ClientError::Busy {
            status,
            retry_after,
        } => {
            let seven = Some(Duration::from_secs(7));
            assert_eq!((status, retry_after), (429, seven));
        }
        other => panic!("{other}"),
    }
    assert_eq!(heard.all().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_over_http_json_is_posted_where_it_cannot_be_got() -> Result<(), Failure> {
    let script = |seen: &Seen, _| match seen.method {
        http::Method::GET => double::status(405, "allow", "POST"),
        _ => {
            let event = json!({ "task": task(TaskState::Completed) }).to_string();
            let event = countersign::a2a::sse::encode_event(event.as_bytes());
            double::pieces(vec![event], double::End::Closed)
        }
    };
    let (_world, call, heard) = set(script).await?;
    let call = call.binding(ProtocolBinding::HttpJson);
    let mut events = call.subscribe("t-1").await?;
    assert!(events.next().await.ok_or("an event")?.is_ok());
    let path = "/a2a/rest/tasks/t-1:subscribe";
    assert_eq!(
        heard.whats(),
        [format!("GET {path}"), format!("POST {path}")]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_answered_ends_with_its_deadline() -> Result<(), Failure> {
    let script = |_: &Seen, _| {
        let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        Response::new(Body::from_stream(never))
    };
    let (_world, call, _) = set(script).await?;
    let (long, short) = (Duration::from_secs(60), Duration::from_millis(300));
    let begun = Instant::now();
    let late = call.clone().deadline(short).get_task("t-1", None).await;
    assert_eq!(
        late.map(drop).map_err(|e| e.reason()),
        Err("client.deadline")
    );
    let current = countersign::client::CallScope::default();
    let current = current.until(tokio::time::Instant::now() + short);
    let late = countersign::client::scope(current, call.get_task("t-1", None)).await;
    assert_eq!(
        late.map(drop).map_err(|e| e.reason()),
        Err("client.deadline")
    );
    assert!(
        begun.elapsed() < long,
        "neither waited for the client's own"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_is_not_spoken_unless_it_was_allowed() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let old = |card: &mut countersign::a2a::AgentCard| {
        for interface in &mut card.supported_interfaces {
            interface.protocol_version = "0.3".into();
        }
    };
    let (peer, heard) = double(&world, old, |_: &Seen, _| done()).await?;
    let strict = quick(&world, |builder| builder).await?.on_own_behalf();
    for call in [
        strict.call(&peer),
        strict.call(&peer).version(Version::V0_3),
    ] {
        let refused = call.send("hello").await;
        let reason = refused.map(drop).map_err(|e| e.reason());
        assert_eq!(reason, Err("card.no_interface"));
    }
    assert!(heard.all().is_empty());
    Ok(())
}

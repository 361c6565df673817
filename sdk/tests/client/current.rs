//! Calls that belong to the call an agent is serving.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::a2a::{A2aError, Artifact, Part, StreamResponse, TaskState};
use countersign::client::{self, CallScope, Client, Peer};
use countersign::clock::SystemClock;
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, watch};

use super::streams::{Idle, quick};
use crate::common::double::{self, End, Heard, Seen, double, moved, task};
use crate::common::{Failure, World};

/// Calls `peer` on behalf of its caller, as a framework would: with nothing but a client.
struct CallsOn(Arc<OnceCell<(Client, Peer)>>);

async fn deep_inside(client: &Client, peer: &Peer) -> Result<String, A2aError> {
    let failed = |error: client::ClientError| {
        let kind = countersign::a2a::ErrorKind::Internal;
        A2aError::new(kind, error.reason())
    };
    let current = client.on_behalf_of_current().map_err(failed)?;
    let answer = current.call(peer).send("on").await.map_err(failed)?;
    Ok(answer.text())
}

#[async_trait]
impl AgentExecutor for CallsOn {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        let (client, peer) = self.0.get().ok_or_else(A2aError::internal)?;
        let name = deep_inside(client, peer).await?;
        events.artifact(Artifact::new(Part::text(name)));
        events.complete(None);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_calls_on_for_its_caller_without_being_handed_anything() -> Result<(), Failure>
{
    let known = Arc::new(OnceCell::new());
    let executor = CallsOn(known.clone());
    let world = World::made(Arc::new(SystemClock), executor, |agent| agent).await?;
    let script = |_: &Seen, _| {
        let message = json!({"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "there"}]});
        double::result(&json!({ "message": message }))
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let client = world.worker.client().clone();
    let outside = client.on_behalf_of_current();
    let reason = outside.map(drop).map_err(|e| e.reason());
    assert_eq!(reason, Err("client.no_current_call"));
    known.set((client, peer)).map_err(|_| "set before")?;
    let one = world.client_for("one", "alice").await?;
    let answer = one.call(world.worker.peer()).send("go").await?;
    assert_eq!(answer.text(), "there");
    let token = heard.all()[0].header("authorization").to_owned();
    let claims = token.split('.').nth(1).ok_or("a token")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    assert_eq!(claims["sub"], "alice", "{claims}");
    assert_eq!(claims["act"]["sub"], "spiffe://test.example/agent/worker");
    assert_eq!(
        claims["act"]["act"]["sub"],
        "spiffe://test.example/agent/one"
    );
    Ok(())
}

async fn wait_for(heard: &Heard, what: &str) -> Result<(), Failure> {
    for _ in 0..500 {
        if heard.whats().iter().any(|seen| seen == what) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{what} was not heard, but {:?}", heard.whats()).into())
}

fn script(seen: &Seen, _: usize) -> axum::response::Response {
    match seen.what().as_str() {
        "CancelTask" => {
            let mut canceled = json!(task(TaskState::Canceled));
            canceled["id"] = seen.body["params"]["id"].clone();
            double::result(&canceled)
        }
        _ => {
            let begun = StreamResponse::Task(task(TaskState::Working));
            double::events(&[begun, moved(TaskState::Working)], End::Silent)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_taken_back_takes_back_what_it_asked_for() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    // Whether the executor sees the cancellation itself, or is dropped with its streams.
    for dropped in [false, true] {
        let (peer, heard) = double(&world, |_| {}, script).await?;
        let one = quick(&world, |builder| builder).await?.on_own_behalf();
        let (cancel, cancelled) = watch::channel(false);
        let current = CallScope {
            cancelled: Some(cancelled),
            ..CallScope::default()
        };
        let mut events = client::scope(current, one.call(&peer).stream("go")).await?;
        for _ in 0..2 {
            assert!(events.next().await.ok_or("an event")?.is_ok());
        }
        cancel.send(true)?;
        if dropped {
            drop(events);
        } else {
            let end = events.next().await.ok_or("an error")?;
            assert_eq!(
                end.map(drop).map_err(|e| e.reason()),
                Err("client.cancelled")
            );
            assert!(events.next().await.is_none());
        }
        wait_for(&heard, "CancelTask").await?;
        let asked = heard.all().pop().ok_or("a request")?;
        assert_eq!(asked.body["params"]["id"], "t-1");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_stream_cancels_nothing() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let one = quick(&world, |builder| builder).await?.on_own_behalf();
    let (_cancel, cancelled) = watch::channel(false);
    let current = CallScope {
        cancelled: Some(cancelled),
        ..CallScope::default()
    };
    let mut events = client::scope(current, one.call(&peer).stream("go")).await?;
    assert!(events.next().await.ok_or("an event")?.is_ok());
    drop(events);
    // A second call is heard after whatever the first would have caused.
    one.call(&peer).cancel_task("t-2").await?;
    assert_eq!(heard.whats(), ["SendStreamingMessage", "CancelTask"]);
    Ok(())
}

//! By when work must be done: said in the message, on every binding, and to whoever is called on.

mod common;

use std::sync::Arc;

use common::double::{self, Seen, double};
use common::wire::{Wire, WireSpeaker, kind};
use common::{Failure, World};
use countersign::a2a::{
    A2aError, ErrorKind, Message, Part, Request, Response, SendMessageRequest, SendMessageResponse,
    Struct, Task, TaskState, Timestamp,
};
use countersign::card::EXTENSION_URI;
use countersign::client::{CallScope, Client, Peer};
use countersign::clock::{Clock as _, ManualClock, SystemClock};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Waits for its end, calls on, or asks first.
#[derive(Clone, Default)]
struct Obedient(Arc<OnceCell<(Client, Peer)>>);

#[async_trait]
impl AgentExecutor for Obedient {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        match ctx.text().as_str() {
            "wait" => {
                events.working();
                ctx.cancelled().await;
            }
            "ask" => {
                events.input_required("Which day?");
                let answer = ctx.next_message().await.ok_or_else(A2aError::internal)?;
                assert!(answer.deadline().is_some());
                events.working();
                ctx.cancelled().await;
            }
            _ => {
                let (client, peer) = self.0.get().ok_or_else(A2aError::internal)?;
                let bounded = CallScope::current().deadline.is_some();
                assert_eq!(bounded, ctx.deadline().is_some());
                let call = client.on_own_behalf().call(peer);
                let said = call.send("on").await.map_err(|_| A2aError::internal())?;
                events.reply(said.text());
            }
        }
        Ok(())
    }
}

/// A world whose clock stands still, so that no request is too slow for its own deadline.
async fn world(executor: Obedient) -> Result<World, Failure> {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    World::at(clock, executor).await
}

/// The time in so many milliseconds; negative, the time that long ago.
fn within(world: &World, millis: i64) -> Result<Timestamp, Failure> {
    let now = i64::try_from(world.clock.now().secs())? * 1000;
    Ok(Timestamp::from_millis(u64::try_from(now + millis)?))
}

fn message(text: &str, deadline: Option<Value>) -> SendMessageRequest {
    let mut message = Message::user(Part::text(text));
    if let Some(deadline) = deadline {
        let ours = Struct::from_iter([("deadline".to_owned(), deadline)]);
        message.metadata.insert(EXTENSION_URI.into(), ours.into());
    }
    SendMessageRequest::new(message)
}

fn task(response: Response) -> Result<Task, Failure> {
    match response {
        Response::SendMessage(SendMessageResponse::Task(task)) => Ok(task),
        other => Err(format!("{other:?}").into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_in_a_message_counts_on_every_binding() -> Result<(), Failure> {
    let world = world(Obedient::default()).await?;
    for &wire in Wire::ALL {
        let speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        // One that has passed begins no work, nor does one that is none.
        for wrong in [json!(within(&world, -1)?), json!("soon"), json!(5)] {
            let asked = message("wait", Some(wrong.clone()));
            let plain = speaker.ask(&Request::SendMessage(asked.clone())).await?;
            let invalid = Some(ErrorKind::InvalidParams);
            assert_eq!(kind(&plain), invalid, "{wire:?} {wrong}");
            let error = plain.expect_err("refused");
            let field = &error.violations()[0].field;
            assert_eq!(field, "message.metadata.deadline", "{wire:?}");
            let streamed = Request::SendStreamingMessage(asked);
            let streamed = speaker.stream(&streamed).await?;
            assert_eq!(kind(&streamed), invalid, "{wire:?} {wrong}");
        }
        let soon = message("wait", Some(json!(within(&world, 300)?)));
        let answer = speaker.ask(&Request::SendMessage(soon)).await??;
        let state = task(answer)?.status.state;
        assert_eq!(state, TaskState::Failed, "{wire:?}");
        let soon = message("wait", Some(json!(within(&world, 300)?)));
        let events = speaker
            .stream(&Request::SendStreamingMessage(soon))
            .await??;
        let states: Vec<_> = events.iter().filter_map(|event| event.state()).collect();
        assert_eq!(
            states.last(),
            Some(&TaskState::Failed),
            "{wire:?} {states:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_joins_a_task_may_leave_it_less_time() -> Result<(), Failure> {
    let world = world(Obedient::default()).await?;
    for &wire in Wire::ALL {
        let speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        let asked = message("ask", Some(json!(within(&world, 3_600_000)?)));
        let answer = speaker.ask(&Request::SendMessage(asked)).await??;
        let begun = task(answer)?;
        assert_eq!(begun.status.state, TaskState::InputRequired, "{wire:?}");
        let mut joins = message("Friday", Some(json!(within(&world, 300)?)));
        joins.message = joins.message.in_task(&begun.id, &begun.context_id);
        let answer = speaker.ask(&Request::SendMessage(joins)).await??;
        let state = task(answer)?.status.state;
        assert_eq!(state, TaskState::Failed, "{wire:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_called_on_learns_by_when_the_work_must_be_done() -> Result<(), Failure> {
    let executor = Obedient::default();
    let known = executor.0.clone();
    let world = world(executor).await?;
    let script = |_: &Seen, _| {
        let message = json!({"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "there"}]});
        double::result(&json!({ "message": message }))
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let client = world.worker.client().clone();
    known
        .set((client.clone(), peer.clone()))
        .map_err(|_| "set before")?;
    let end = within(&world, 3_600_000)?;
    for &wire in Wire::ALL {
        let speaker = WireSpeaker::new(&world, wire, "one", "alice").await?;
        for (deadline, want) in [(None, None), (Some(end), Some(json!(end)))] {
            let asked = message("call", deadline.map(|end| json!(end)));
            let before = heard.all().len();
            speaker.ask(&Request::SendMessage(asked.clone())).await??;
            speaker
                .stream(&Request::SendStreamingMessage(asked))
                .await??;
            let told = heard.all();
            assert_eq!(told.len(), before + 2, "{wire:?}");
            for seen in &told[before..] {
                let said = seen.said().and_then(|ours| ours.get("deadline").cloned());
                assert_eq!(said, want, "{wire:?}");
            }
        }
    }
    // The earlier of both counts.
    let scope = CallScope {
        finish_by: Some(end),
        ..CallScope::default()
    };
    for (own, want) in [
        (within(&world, 1_000)?, None),
        (within(&world, 7_200_000)?, Some(end)),
    ] {
        let call = client.on_own_behalf().call(&peer).finish_by(own);
        countersign::client::scope(scope.clone(), call.send("on")).await?;
        let said = heard
            .all()
            .last()
            .and_then(Seen::said)
            .ok_or("no deadline")?;
        assert_eq!(said["deadline"], json!(want.unwrap_or(own)));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_client_says_it_over_every_binding() -> Result<(), Failure> {
    let world = world(Obedient::default()).await?;
    let one = world.client_for("one", "alice").await?;
    for &wire in Wire::ALL {
        let binding = match wire {
            Wire::JsonRpc => countersign::card::ProtocolBinding::JsonRpc,
            Wire::HttpJson => countersign::card::ProtocolBinding::HttpJson,
            #[cfg(feature = "grpc")]
            Wire::Grpc => countersign::card::ProtocolBinding::Grpc,
        };
        let call = || one.call(world.worker.peer()).binding(binding);
        let answer = call().finish_by(within(&world, 300)?).send("wait").await?;
        let state = answer.task().map(|task| task.status.state);
        assert_eq!(state, Some(TaskState::Failed), "{wire:?}");
        let late = call().finish_by(within(&world, -1)?).send("wait").await;
        let reason = late.map(drop).map_err(|error| error.reason());
        assert_eq!(reason, Err("client.agent_error"), "{wire:?}");
    }
    Ok(())
}

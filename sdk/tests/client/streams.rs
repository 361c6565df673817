//! Streams that break.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use countersign::a2a::{
    Artifact, Part, StreamResponse, Struct, TaskArtifactUpdateEvent, TaskState, sse,
};
use countersign::client::{Client, ClientError, EventStream, RetryPolicy};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use serde_json::{Value, json};

use crate::common::double::{self, End, Heard, Seen, double, moved, task};
use crate::common::{Failure, World};

pub(crate) struct Idle;

#[async_trait]
impl AgentExecutor for Idle {
    async fn execute(
        &self,
        _: RequestContext,
        _: EventQueue,
    ) -> Result<(), countersign::a2a::A2aError> {
        Ok(())
    }
}

/// A client that does not wait long between attempts.
pub(crate) async fn quick(
    world: &World,
    change: impl FnOnce(countersign::client::ClientBuilder) -> countersign::client::ClientBuilder,
) -> Result<Client, Failure> {
    let workload = world.client("one").await?.workload().clone();
    let builder = Client::builder(workload, world.authority.oauth_endpoint());
    let builder = builder.retries(RetryPolicy {
        first_wait: Duration::from_millis(1),
        ..RetryPolicy::default()
    });
    Ok(change(builder).build()?)
}

fn piece(text: &str) -> StreamResponse {
    let mut artifact = Artifact::new(Part::text(text));
    artifact.artifact_id = "a-1".into();
    StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
        task_id: "t-1".into(),
        context_id: "c-1".into(),
        artifact,
        append: false,
        last_chunk: false,
        metadata: Struct::new(),
    })
}

fn working() -> StreamResponse {
    StreamResponse::Task(task(TaskState::Working))
}

/// What a stream told, and the reason it ended with.
async fn told(mut events: EventStream) -> (Vec<&'static str>, Option<&'static str>) {
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(match event {
            Ok(StreamResponse::Task(_)) => "task",
            Ok(StreamResponse::ArtifactUpdate(_)) => "artifact",
            Ok(StreamResponse::StatusUpdate(_)) => "status",
            Ok(StreamResponse::Message(_)) => "message",
            Err(error) => {
                assert!(events.next().await.is_none(), "nothing follows an error");
                return (seen, Some(error.reason()));
            }
        });
    }
    (seen, None)
}

async fn streamed(
    script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
    change: impl FnOnce(countersign::client::ClientBuilder) -> countersign::client::ClientBuilder,
) -> Result<(Vec<&'static str>, Option<&'static str>, Heard), Failure> {
    let world = World::with(Idle).await?;
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let client = quick(&world, change).await?;
    let events = client.on_own_behalf().call(&peer).stream("go").await?;
    let ended = tokio::time::timeout(Duration::from_secs(30), told(events)).await?;
    Ok((ended.0, ended.1, heard))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_goes_on_with_the_task_as_it_stands() -> Result<(), Failure> {
    let script = |seen: &Seen, _| match seen.what().as_str() {
        "SendStreamingMessage" => double::events(&[working(), piece("half")], End::Broken),
        _ => double::events(&[working(), moved(TaskState::Completed)], End::Closed),
    };
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    assert_eq!(
        (seen, error),
        (vec!["task", "artifact", "task", "status"], None)
    );
    assert_eq!(heard.whats(), ["SendStreamingMessage", "SubscribeToTask"]);
    assert_eq!(heard.all()[1].body["params"]["id"], "t-1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_closes_in_the_middle_is_asked_again_and_one_that_waits_is_not()
-> Result<(), Failure> {
    let closing = |seen: &Seen, _| match seen.what().as_str() {
        "SendStreamingMessage" => double::events(&[working()], End::Closed),
        _ => double::events(&[working(), moved(TaskState::Completed)], End::Closed),
    };
    let (seen, error, _) = streamed(closing, |builder| builder).await?;
    assert_eq!((seen, error), (vec!["task", "task", "status"], None));
    let waiting =
        |_: &Seen, _| double::events(&[working(), moved(TaskState::InputRequired)], End::Closed);
    let (seen, error, heard) = streamed(waiting, |builder| builder).await?;
    assert_eq!((seen, error), (vec!["task", "status"], None));
    assert_eq!(heard.all().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ended_meanwhile_is_read() -> Result<(), Failure> {
    let script = |seen: &Seen, _| match seen.what().as_str() {
        "SendStreamingMessage" => double::events(&[working()], End::Broken),
        "SubscribeToTask" => double::error(-32004),
        _ => double::result(&serde_json::json!(task(TaskState::Completed))),
    };
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    assert_eq!((seen, error), (vec!["task", "task"], None));
    assert_eq!(
        heard.whats(),
        ["SendStreamingMessage", "SubscribeToTask", "GetTask"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_only_breaks_is_given_up() -> Result<(), Failure> {
    let script = |_: &Seen, _| double::events(&[working()], End::Broken);
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    // The first, and one for each of the three resumptions.
    assert_eq!((seen, error), (vec!["task"; 4], Some("client.truncated")));
    assert_eq!(heard.all().len(), 4);
    let never = |builder: countersign::client::ClientBuilder| builder.retries(RetryPolicy::NEVER);
    let (seen, error, heard) = streamed(script, never).await?;
    assert_eq!((seen, error), (vec!["task"], Some("client.truncated")));
    assert_eq!(heard.all().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_tokens_are_never_good_is_given_up() -> Result<(), Failure> {
    let script = |_: &Seen, _| {
        let event = |body: Value| sse::encode_event(body.to_string().as_bytes());
        let expired = json!({"code": -31401, "message": "expired"});
        let pieces = vec![
            event(json!({"jsonrpc": "2.0", "id": 1, "result": working()})),
            event(json!({"jsonrpc": "2.0", "id": 1, "error": expired})),
        ];
        double::pieces(pieces, End::Closed)
    };
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    assert_eq!((seen, error), (vec!["task"; 4], Some("client.refused")));
    assert_eq!(heard.all().len(), 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_told_its_task_cannot_go_on() -> Result<(), Failure> {
    let script = |_: &Seen, _| double::pieces(vec![sse::keep_alive()], End::Broken);
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    assert_eq!((seen, error), (vec![], Some("client.truncated")));
    assert_eq!(heard.all().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_a_stream_and_is_answered_by_asking_again() -> Result<(), Failure> {
    let script = |seen: &Seen, _| match seen.what().as_str() {
        "SendStreamingMessage" => double::events(&[working()], End::Silent),
        _ => double::events(&[moved(TaskState::Completed)], End::Closed),
    };
    let short = Duration::from_millis(200);
    let (seen, error, heard) = streamed(script, |builder| builder.stream_idle(short)).await?;
    assert_eq!((seen, error), (vec!["task", "status"], None));
    assert_eq!(heard.whats(), ["SendStreamingMessage", "SubscribeToTask"]);
    let mute = |_: &Seen, _| double::pieces(vec![sse::keep_alive()], End::Silent);
    let (seen, error, _) = streamed(mute, |builder| builder.stream_idle(short)).await?;
    assert_eq!((seen, error), (vec![], Some("client.stream_idle")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_agent_ends_a_stream_for_good() -> Result<(), Failure> {
    let script = |_: &Seen, _| {
        let error = serde_json::json!({"jsonrpc": "2.0", "id": 1,
            "error": {"code": -32603, "message": "no"}});
        let first = serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": working()});
        let pieces = [first, error].map(|event| sse::encode_event(event.to_string().as_bytes()));
        double::pieces(pieces.to_vec(), End::Closed)
    };
    let (seen, error, heard) = streamed(script, |builder| builder).await?;
    assert_eq!((seen, error), (vec!["task"], Some("client.agent_error")));
    assert_eq!(heard.all().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_the_limit_is_not_read() -> Result<(), Failure> {
    let script = |_: &Seen, _| {
        let long = piece(&"x".repeat(8 << 10));
        double::events(&[working(), long], End::Closed)
    };
    let (seen, error, _) = streamed(script, |builder| builder.max_answer(4 << 10)).await?;
    assert_eq!((seen, error), (vec!["task"], Some("client.answer")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_streams_of_one_task_end_apart() -> Result<(), Failure> {
    let world = World::with(Idle).await?;
    let script = |_: &Seen, before| match before {
        0 => double::events(&[working()], End::Silent),
        _ => double::events(&[working(), moved(TaskState::Completed)], End::Closed),
    };
    let (peer, heard) = double(&world, |_| {}, script).await?;
    let one = quick(&world, |builder| builder).await?.on_own_behalf();
    let mut dropped = one.call(&peer).subscribe("t-1").await?;
    let first = dropped.next().await.ok_or("an event")?;
    assert!(!matches!(first, Err(ClientError::Truncated)));
    drop(dropped);
    let (seen, error) = told(one.call(&peer).subscribe("t-1").await?).await;
    assert_eq!((seen, error), (vec!["task", "status"], None));
    assert_eq!(heard.whats(), ["SubscribeToTask", "SubscribeToTask"]);
    Ok(())
}

//! Deadlines of tasks with several rounds: each runs under that of the message that began it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::sending::with_deadline;
use super::stage::{Instance, Stage, alice, eventually, request, soon, to_task};
use crate::a2a::{Part, SendMessageRequest, SendMessageResponse, Task, TaskState, Timestamp};
use crate::server::{Requester, ServerCallContext};
use crate::token::testing::NOW;

/// Sends as a caller that waits until then.
async fn send_until(agent: &Instance, until: Option<Instant>, request: SendMessageRequest) -> Task {
    let parameters = Default::default();
    let call = ServerCallContext::new(Requester::Unauthenticated, alice(), parameters, until);
    match soon(agent.engine.send(&call, request))
        .await
        .expect("an answer")
    {
        SendMessageResponse::Task(task) => task,
        SendMessageResponse::Message(message) => panic!("a task, not {message:?}"),
    }
}

/// The message, and by when its work is to be done.
fn by(secs: u64, mut request: SendMessageRequest) -> SendMessageRequest {
    let at = Timestamp::from_millis((NOW.secs() + secs) * 1000).to_string();
    request.message.metadata = with_deadline("", &at).message.metadata;
    request
}

fn said(task: &Task) -> Vec<&str> {
    let parts = task.artifacts.iter().flat_map(|artifact| &artifact.parts);
    parts.filter_map(Part::as_text).collect()
}

#[tokio::test]
async fn a_round_runs_under_the_deadline_of_the_message_that_began_it() {
    let stage = Stage::new();
    let agent = stage.instance();
    let hour = Instant::now() + Duration::from_secs(3600);
    let task = send_until(&agent, Some(hour), request("rounds")).await;
    let again = |text| to_task(&task, text);
    send_until(&agent, None, again("no deadline")).await;
    send_until(&agent, None, by(3600, again("by then"))).await;
    send_until(&agent, Some(hour), again("who waits")).await;
    let last = send_until(&agent, None, again("none again")).await;
    let want = ["true", "false", "true", "true", "false"];
    assert_eq!(said(&last), want);
    assert_eq!(agent.acts.called.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_does_not_end_the_round_of_a_later_message() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(by(5, request("rounds"))).await;
    let (done, ()) = tokio::join!(agent.send(to_task(&task, "hold")), async {
        eventually(|| agent.acts.heard.load(Ordering::SeqCst) == 1).await;
        // Past the first deadline.
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::task::yield_now().await;
        assert_eq!(agent.acts.cancelled.load(Ordering::SeqCst), 0);
        agent.acts.gate.open(1);
    });
    assert_eq!(done.status.state, TaskState::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_later_message_brings_a_deadline_of_its_own() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("rounds")).await;
    let over = agent.send(by(5, to_task(&task, "hold"))).await;
    assert_eq!(over.status.state, TaskState::Failed);
    eventually(|| agent.acts.cancelled.load(Ordering::SeqCst) == 1).await;
}

//! Answers that were taken, and whose instance was gone before anything came of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::stage::{Instance, Stage, alice, at_once, eventually, request, to_task};
use crate::a2a::{Task, TaskState};
use crate::server::task::engine::LEASE;
use crate::server::task::follow::SEEN_TO;

/// The instances before have not been heard of for a while: what they held is free.
fn lose_all(stage: &Stage) {
    stage
        .clock
        .set(stage.clock_after(LEASE + Duration::from_secs(1)));
}

/// Whether a new instance resumes the task, which then says so.
async fn is_resumed(stage: &Stage, task: &Task) -> bool {
    let next = stage.instance();
    next.engine.take_over().await;
    if next.is_idle() {
        return false;
    }
    let over = stage.wait_for(&task.id, TaskState::Completed).await;
    assert_eq!(over.status.message.expect("a word").text(), "resumed");
    assert_eq!(next.acts.resumed.load(Ordering::SeqCst), 1);
    true
}

async fn answer(agent: &Instance, task: &Task, text: &str) {
    let task = agent.send(at_once(to_task(task, text))).await;
    assert!(task.status.state.is_interrupted(), "it is not at work yet");
    assert_eq!(
        task.history.last().map(|said| said.text()).as_deref(),
        Some(text)
    );
}

#[tokio::test]
async fn an_answer_that_was_heard_is_worked_on_after_a_restart() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("think again")).await;
    answer(&agent, &task, "yes").await;
    eventually(|| agent.acts.heard.load(Ordering::SeqCst) == 1).await;
    assert!(!is_resumed(&stage, &task).await, "it is worked on");
    lose_all(&stage);
    assert!(is_resumed(&stage, &task).await);
}

#[tokio::test]
async fn an_answer_that_nobody_heard_is_worked_on_after_a_restart() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("rude again")).await;
    answer(&agent, &task, "Friday").await;
    lose_all(&stage);
    assert!(is_resumed(&stage, &task).await);
}

#[tokio::test]
async fn an_answer_that_began_another_round_is_worked_on_after_a_restart() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("ask again")).await;
    eventually(|| agent.is_idle()).await;
    answer(&agent, &task, "silent").await;
    lose_all(&stage);
    assert!(is_resumed(&stage, &task).await);
}

#[tokio::test]
async fn an_answer_is_handed_over_by_a_shutdown() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("think again")).await;
    answer(&agent, &task, "yes").await;
    eventually(|| agent.acts.heard.load(Ordering::SeqCst) == 1).await;
    agent.engine.shutdown(Duration::from_millis(20)).await;
    assert!(is_resumed(&stage, &task).await);
}

#[tokio::test]
async fn a_task_that_waits_for_its_client_goes_on_waiting_after_a_restart() {
    for (first, answers) in [("ask again", &[][..]), ("talk again", &["one", "two"])] {
        let stage = Stage::new();
        let agent = stage.instance();
        let task = agent.send(request(first)).await;
        for text in answers {
            let task = agent.send(to_task(&task, text)).await;
            assert_eq!(task.status.state, TaskState::InputRequired);
        }
        lose_all(&stage);
        assert!(!is_resumed(&stage, &task).await, "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_another_instance_is_left_to_the_one_that_took_it_for_a_while() {
    let stage = Stage::new();
    let (holds, takes) = (stage.instance(), stage.instance());
    let task = holds.send(request("rude again")).await;
    let before = stage.kept(&task.id).await.version;
    answer(&takes, &task, "Friday").await;
    eventually(|| {
        let live = holds.engine.running(&alice(), &task.id);
        let kept = live.and_then(|live| live.kept());
        kept.is_some_and(|kept| kept.version > before)
    })
    .await;
    stage.clock.set(stage.clock_after(SEEN_TO));
    // The executor returns without having listened.
    holds.acts.gate.open(1);
    eventually(|| holds.is_idle()).await;
    let kept = stage.kept(&task.id).await;
    assert_eq!(
        kept.version,
        before + 2,
        "the message, and that it was not heard"
    );
    assert!(!is_resumed(&stage, &task).await, "the other sees to it");
    drop(takes);
    stage.clock.set(stage.clock_after(SEEN_TO));
    assert!(is_resumed(&stage, &task).await, "it did not");
}

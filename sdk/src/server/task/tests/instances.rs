//! Several instances on one store, one after the other and at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::stage::{
    Stage, alice, at_once, call_of, eventually, next, request, rest, soon, to_task,
};
use crate::a2a::{ErrorKind, Part, TaskState};
use crate::server::store::TaskStore as _;
use crate::server::task::engine::LEASE;

#[tokio::test]
async fn what_an_instance_gives_back_another_resumes() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let can = one.begin("hold again").await;
    let cannot = one.begin("hold").await;
    two.engine.take_over().await;
    assert!(two.is_idle(), "they are still held");
    let events = two.subscribe(&can).await.expect("a stream");
    one.engine.shutdown(Duration::from_millis(20)).await;
    assert!(one.is_idle());
    two.engine.take_over().await;
    let resumed = stage.wait_for(&can.id, TaskState::Completed).await;
    assert_eq!(resumed.status.message.expect("a word").text(), "resumed");
    let failed = stage.wait_for(&cannot.id, TaskState::Failed).await;
    assert_eq!(
        failed.status.message.expect("a word").text(),
        "It was interrupted"
    );
    assert_eq!(
        rest(events).await.last().map(String::as_str),
        Some("COMPLETED")
    );
    assert_eq!(two.acts.resumed.load(Ordering::SeqCst), 2);
    eventually(|| two.is_idle()).await;
}

#[tokio::test]
async fn a_shutdown_lets_work_end_refuses_new_and_ends_streams() {
    let stage = Stage::new();
    let agent = stage.instance();
    let ends = agent.begin("hold").await;
    let waits = agent.send(request("talk")).await;
    let mut events = agent.subscribe(&waits).await.expect("a stream");
    assert_eq!(next(&mut events).await, "task INPUT_REQUIRED");
    let ((), ()) = tokio::join!(agent.engine.shutdown(Duration::from_secs(20)), async {
        tokio::task::yield_now().await;
        let refused = agent.ask(request("task")).await.map(drop);
        assert!(refused.is_err_and(|error| error.message().contains("stopping")));
        agent.acts.gate.open(1);
    });
    assert_eq!(
        stage.kept(&ends.id).await.task.status.state,
        TaskState::Completed
    );
    assert!(next(&mut events).await.contains("stopping"));
    // Who waits for its client goes on wherever the answer comes.
    let kept = stage.kept(&waits.id).await.task;
    assert_eq!(kept.status.state, TaskState::InputRequired);
    let next = stage.instance();
    let answer = next.send(to_task(&waits, "Friday")).await;
    assert_eq!(answer.status.message.expect("a word").text(), "so: Friday");
}

#[tokio::test]
async fn a_shutdown_lets_an_executor_end_that_has_heard_a_message() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("think")).await;
    assert_eq!(task.status.state, TaskState::InputRequired);
    let (done, ()) = tokio::join!(agent.send(to_task(&task, "yes")), async {
        eventually(|| agent.acts.heard.load(Ordering::SeqCst) == 1).await;
        tokio::join!(agent.engine.shutdown(Duration::from_secs(20)), async {
            tokio::task::yield_now().await;
            agent.acts.gate.open(1);
        });
    });
    assert_eq!(done.status.state, TaskState::Completed);
    assert_eq!(done.status.message.expect("a word").text(), "thought");
}

#[tokio::test]
async fn an_instance_that_was_away_too_long_writes_nothing_more() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.begin("hold again").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    one.engine.renew().await;
    stage.clock.set(stage.clock_after(LEASE));
    two.engine.take_over().await;
    assert!(two.is_idle(), "the lease still runs in its last second");
    stage.clock.set(stage.clock_after(Duration::from_secs(1)));
    two.engine.take_over().await;
    let resumed = stage.wait_for(&task.id, TaskState::Completed).await;
    assert_eq!(
        resumed.status.message.as_ref().map(|m| m.text()).as_deref(),
        Some("resumed")
    );
    one.acts.gate.open(1);
    eventually(|| one.is_idle()).await;
    let events = stage.store.events(&alice(), &task.id, 0, 100).await;
    assert_eq!(
        events.expect("events").len(),
        2,
        "working, and what the second made"
    );
    assert_eq!(*stage.kept(&task.id).await.task, resumed);
}

#[tokio::test]
async fn an_instance_that_lost_its_lease_gives_the_task_up() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.begin("hold").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    stage
        .clock
        .set(stage.clock_after(LEASE + Duration::from_secs(1)));
    // The other holds it, and has not changed anything yet.
    let (lease, now) = (two.engine.lease(), stage.clock_after(Duration::ZERO));
    let taken = stage.store.acquire(&alice(), &task.id, &lease, now).await;
    assert_eq!(taken, Ok(true));
    one.engine.renew().await;
    eventually(|| one.is_idle()).await;
    assert_eq!(
        one.acts.cancelled.load(Ordering::SeqCst),
        0,
        "it was dropped, not canceled"
    );
    assert_eq!(
        stage.kept(&task.id).await.task.status.state,
        TaskState::Working
    );
    let still = stage
        .store
        .acquire(&alice(), &task.id, &one.engine.lease(), now)
        .await;
    assert_eq!(still, Ok(false), "it was not given away for the other");
}

#[tokio::test]
async fn leases_that_are_prolonged_are_not_taken() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.begin("hold").await;
    for _ in 0..5 {
        stage.clock.set(stage.clock_after(Duration::from_secs(10)));
        one.engine.renew().await;
        two.engine.take_over().await;
        one.engine.take_over().await;
    }
    assert!(two.is_idle());
    one.acts.gate.open(1);
    stage.wait_for(&task.id, TaskState::Completed).await;
}

#[tokio::test]
async fn what_one_instance_works_on_another_shows_and_cancels() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.begin("many 50").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    let here = one.subscribe(&task).await.expect("a stream");
    let there = two.subscribe(&task).await.expect("a stream");
    one.acts.gate.open(1);
    let (here, there) = tokio::join!(rest(here), rest(there));
    assert_eq!(here.len(), 52);
    assert_eq!(here, there);

    let task = one.begin("hold").await;
    let events = one.subscribe(&task).await.expect("a stream");
    stage.wait_for(&task.id, TaskState::Working).await;
    let over = two.cancel(&task.id).await.expect("canceled");
    assert_eq!(over.status.state, TaskState::Canceled);
    eventually(|| one.acts.cancelled.load(Ordering::SeqCst) == 1).await;
    assert_eq!(
        rest(events).await.last().map(String::as_str),
        Some("CANCELED")
    );
    eventually(|| one.is_idle()).await;
    let again = one.cancel(&task.id).await.map_err(|error| error.kind());
    assert_eq!(again, Err(ErrorKind::TaskNotCancelable));
}

#[tokio::test]
async fn a_cancellation_elsewhere_wins_over_what_is_not_kept_yet() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.begin("many 1").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    let waits = tokio::spawn({
        let events = one.subscribe(&task).await.expect("a stream");
        rest(events)
    });
    // The first write that gets its permit is the other's.
    stage.store.slow.store(true, Ordering::SeqCst);
    let cancel = two.cancel(&task.id);
    let (over, ()) = tokio::join!(cancel, async {
        tokio::task::yield_now().await;
        one.acts.gate.open(1);
        tokio::task::yield_now().await;
        stage.store.may_write.add_permits(1);
        stage.wait_for(&task.id, TaskState::Canceled).await;
        stage.store.may_write.add_permits(8);
    });
    assert_eq!(over.expect("canceled").status.state, TaskState::Canceled);
    let seen = soon(waits).await.expect("no panic");
    assert_eq!(seen.last().map(String::as_str), Some("CANCELED"));
    let kept = stage.kept(&task.id).await.task;
    assert_eq!(kept.status.state, TaskState::Canceled);
    eventually(|| one.is_idle()).await;
}

#[tokio::test]
async fn a_message_that_comes_to_another_instance_is_heard_by_the_executor_that_waits() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.send(request("talk")).await;
    let answer = two.send(to_task(&task, "hello")).await;
    assert_eq!(answer.status.state, TaskState::InputRequired);
    let part = answer.artifacts[0].parts[0].clone();
    assert_eq!(part.as_text(), Part::text("hello false").as_text());
    assert_eq!(two.acts.called.load(Ordering::SeqCst), 0);
    let events = two.stream(to_task(&task, "bye")).await;
    assert_eq!(
        rest(events).await,
        ["task INPUT_REQUIRED", "bye false", "COMPLETED"]
    );
    assert_eq!(one.acts.called.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_message_whose_executor_is_gone_by_then_is_taken_up_where_it_came() {
    let stage = Stage::new();
    let (one, two) = (stage.instance(), stage.instance());
    let task = one.send(request("rude")).await;
    let call = call_of(alice());
    let written = two
        .engine
        .send(&call, at_once(to_task(&task, "Friday")))
        .await;
    assert!(written.is_ok());
    // It returns without having listened.
    one.acts.gate.open(1);
    let done = stage.wait_for(&task.id, TaskState::Completed).await;
    assert_eq!(done.status.message.expect("a word").text(), "so: Friday");
    assert_eq!(two.acts.called.load(Ordering::SeqCst), 1);
    let said: Vec<_> = done.history.iter().map(|message| message.text()).collect();
    assert_eq!(
        said,
        ["rude", "anything else?", "Friday"],
        "it was written once"
    );
}

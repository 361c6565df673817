//! Streams and subscriptions.

use std::sync::atomic::Ordering;

use futures_util::{FutureExt as _, StreamExt as _};

use super::stage::{Stage, alice, call_of, next, request, rest, soon, to_task};
use crate::a2a::{ErrorKind, TaskState};
use crate::server::task::TaskLimits;
use crate::server::task::feed::MAX_BEHIND;

#[tokio::test]
async fn a_stream_is_one_message_or_the_task_and_its_updates_to_the_end() {
    let stage = Stage::new();
    let agent = stage.instance();
    for (text, want) in [
        ("reply", &["message said"][..]),
        (
            "task",
            &["task SUBMITTED", "WORKING", "result", "COMPLETED"],
        ),
        ("ask", &["task SUBMITTED", "INPUT_REQUIRED"]),
    ] {
        assert_eq!(
            rest(agent.stream(request(text)).await).await,
            want,
            "{text}"
        );
    }
}

#[tokio::test]
async fn nothing_is_shown_before_it_is_kept() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("many 1").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    let mut events = agent.subscribe(&task).await.expect("a stream");
    assert_eq!(next(&mut events).await, "task WORKING");
    stage.store.slow.store(true, Ordering::SeqCst);
    agent.acts.gate.open(1);
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(events.next().now_or_never().is_none(), "not yet");
    }
    assert!(
        agent
            .get(&task.id)
            .await
            .expect("a task")
            .artifacts
            .is_empty()
    );
    stage.store.may_write.add_permits(1);
    assert_eq!(next(&mut events).await, "0");
    assert_eq!(
        agent.get(&task.id).await.expect("a task").artifacts.len(),
        1
    );
    stage.store.may_write.add_permits(1);
    assert_eq!(next(&mut events).await, "COMPLETED");
}

#[tokio::test]
async fn what_happens_while_a_write_is_under_way_is_written_together() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("steps").await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    stage.store.slow.store(true, Ordering::SeqCst);
    let before = stage.store.writes.load(Ordering::SeqCst);
    for steps in [1, 9] {
        agent.acts.gate.open(steps);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    stage.store.may_write.add_permits(2);
    stage.wait_for(&task.id, TaskState::Completed).await;
    let writes = stage.store.writes.load(Ordering::SeqCst) - before;
    assert_eq!(
        writes, 2,
        "one for the step it began with, one for all since"
    );
}

#[tokio::test]
async fn all_subscribers_see_the_same_in_the_same_order_and_one_that_leaves_disturbs_nobody() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("many 200").await;
    stage.wait_for(&task.id, TaskState::Working).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(agent.subscribe(&task).await.expect("a stream"));
    }
    let mut leaves = agent.subscribe(&task).await.expect("a stream");
    agent.acts.gate.open(1);
    assert_eq!(next(&mut leaves).await, "task WORKING");
    assert_eq!(next(&mut leaves).await, "0");
    drop(leaves);
    let mut want = vec!["task WORKING".to_owned()];
    want.extend((0..200).map(|number| number.to_string()));
    want.push("COMPLETED".to_owned());
    for seen in futures_util::future::join_all(all.into_iter().map(rest)).await {
        assert_eq!(seen, want);
    }
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_ended_and_stalls_nobody() {
    let stage = Stage::new();
    let agent = stage.instance();
    let count = MAX_BEHIND + 10;
    let task = agent.begin(&format!("many {count}")).await;
    stage.wait_for(&task.id, TaskState::Working).await;
    let mut asleep = agent.subscribe(&task).await.expect("a stream");
    let reads = agent.subscribe(&task).await.expect("a stream");
    agent.acts.gate.open(1);
    assert_eq!(rest(reads).await.len(), count + 2);
    stage.wait_for(&task.id, TaskState::Completed).await;
    assert_eq!(next(&mut asleep).await, "task WORKING");
    assert!(next(&mut asleep).await.contains("too far behind"));
    assert_eq!(next(&mut asleep).await, "end");
}

#[tokio::test]
async fn an_owner_has_so_many_streams_open_and_no_more() {
    let limits = TaskLimits {
        streams: 2,
        ..TaskLimits::default()
    };
    let stage = Stage {
        limits,
        ..Stage::new()
    };
    let agent = stage.instance();
    let task = agent.send(request("ask")).await;
    let first = agent.subscribe(&task).await.expect("a stream");
    let second = agent.stream(request("hold")).await;
    for refused in [
        agent.subscribe(&task).await.map(drop),
        agent
            .engine
            .stream(&call_of(alice()), request("reply"))
            .await
            .map(drop),
        agent
            .engine
            .stream(&call_of(alice()), to_task(&task, "reply"))
            .await
            .map(drop),
    ] {
        let refused = refused.expect_err("no place");
        assert_eq!(refused.metadata()["limit"], "owner.streams");
    }
    assert_eq!(agent.engine.lock().len(), 1, "nothing was begun");
    drop(first);
    assert_eq!(
        rest(agent.stream(request("reply")).await).await,
        ["message said"]
    );
    drop(second);
}

#[tokio::test]
async fn a_task_that_is_over_has_nothing_to_follow() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("task")).await;
    let refused = agent.subscribe(&task).await.map(drop);
    let kind = refused.map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::UnsupportedOperation));
}

#[tokio::test]
async fn who_follows_a_waiting_task_sees_its_end_though_another_executor_makes_it() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("ask")).await;
    let mut events = agent.subscribe(&task).await.expect("a stream");
    assert_eq!(next(&mut events).await, "task INPUT_REQUIRED");
    assert!(events.next().now_or_never().is_none(), "it stays open");
    let done = agent.send(to_task(&task, "Friday")).await;
    assert_eq!(done.status.state, TaskState::Completed);
    assert_eq!(rest(events).await, ["COMPLETED"]);
}

#[tokio::test]
async fn a_stream_of_an_answer_begins_with_the_task_that_has_it() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("ask")).await;
    let mut events = agent.stream(to_task(&task, "task")).await;
    let first = soon(events.next()).await.expect("an event").expect("good");
    let crate::a2a::StreamResponse::Task(first) = &*first else {
        panic!("a task, not {first:?}");
    };
    let said: Vec<_> = first.history.iter().map(|message| message.text()).collect();
    assert_eq!(said, ["ask", "which day?", "task"]);
    assert_eq!(rest(events).await, ["WORKING", "result", "COMPLETED"]);
}

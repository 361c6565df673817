//! What one task may hold, and who follows it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::stage::{Stage, eventually, request, rest, to_task};
use crate::a2a::{ErrorKind, Message, TaskState};
use crate::server::store::MemoryTaskStore;
use crate::server::task::TaskLimits;

fn stage(limits: TaskLimits) -> Stage {
    Stage {
        limits,
        ..Stage::new()
    }
}

#[tokio::test]
async fn an_executor_that_makes_too_much_fails_its_task_and_what_it_made_before_stays() {
    for (text, limits, want) in [
        (
            "pile 10000",
            TaskLimits {
                bytes: 100_000,
                ..TaskLimits::default()
            },
            "The task would be over task.bytes, which is 100000",
        ),
        (
            "chatter",
            TaskLimits {
                messages: 20,
                ..TaskLimits::default()
            },
            "The task would be over task.messages, which is 20",
        ),
    ] {
        let agent = stage(limits).instance();
        let task = agent.send(request(text)).await;
        assert_eq!(task.status.state, TaskState::Failed);
        let why = task.status.message.as_ref().map(Message::text);
        assert_eq!(why.as_deref(), Some(want));
        let kept = agent.get(&task.id).await.expect("a task");
        assert_eq!(kept, task, "it is kept");
        if text == "chatter" {
            assert_eq!(task.history.len(), 20, "all but the one too many");
        } else {
            assert_eq!(task.artifacts.len(), 9, "all but the one too many");
            eventually(|| agent.acts.cancelled.load(Ordering::SeqCst) == 1).await;
        }
    }
}

#[tokio::test]
async fn a_stream_shows_what_had_room_and_then_why_no_more() {
    let limits = TaskLimits {
        bytes: 100_000,
        ..TaskLimits::default()
    };
    let agent = stage(limits).instance();
    let seen = rest(agent.stream(request("pile 40000")).await).await;
    let seen: Vec<&str> = seen.iter().map(|word| &word[..word.len().min(9)]).collect();
    let x = "xxxxxxxxx";
    assert_eq!(seen, ["task SUBM", "WORKING", x, x, "FAILED"]);
}

#[tokio::test]
async fn pieces_that_take_the_place_of_others_fill_nothing() {
    let limits = TaskLimits {
        bytes: 100_000,
        ..TaskLimits::default()
    };
    let agent = stage(limits).instance();
    let task = agent.send(request("again 50 40000")).await;
    assert_eq!(task.status.state, TaskState::Completed);
    assert_eq!(task.artifacts.len(), 1);
}

#[tokio::test]
async fn a_message_that_has_no_room_is_refused_and_the_task_goes_on() {
    let limits = TaskLimits {
        messages: 4,
        bytes: 100_000,
        ..TaskLimits::default()
    };
    for waits in ["talk", "ask"] {
        let agent = stage(limits).instance();
        let task = agent.send(request(waits)).await;
        assert_eq!(task.status.state, TaskState::InputRequired);
        let refused = agent.ask(to_task(&task, &"x".repeat(100_000))).await;
        let refused = refused.expect_err("too large");
        assert_eq!(refused.kind(), ErrorKind::UnsupportedOperation, "{waits}");
        assert_eq!(refused.metadata()["limit"], "task.bytes", "{waits}");
        let kept = agent.get(&task.id).await.expect("a task");
        assert_eq!(kept, task, "nothing has changed");
        let done = agent.send(to_task(&task, "bye")).await;
        assert_eq!(done.status.state, TaskState::Completed, "{waits}");
    }
    // Two messages each time: the third of the client is one too many.
    let agent = stage(limits).instance();
    let task = agent.send(request("talk")).await;
    agent.send(to_task(&task, "well")).await;
    let refused = agent.ask(to_task(&task, "and")).await;
    let refused = refused.expect_err("too many");
    assert_eq!(refused.metadata()["limit"], "task.messages");
    let kept = agent.get(&task.id).await.expect("a task");
    assert_eq!(
        kept.status.state,
        TaskState::InputRequired,
        "it still waits"
    );
}

#[tokio::test]
async fn a_message_that_comes_to_another_instance_has_to_have_room_too() {
    let stage = stage(TaskLimits {
        bytes: 100_000,
        ..TaskLimits::default()
    });
    let (one, other) = (stage.instance(), stage.instance());
    let task = one.send(request("talk")).await;
    let refused = other.ask(to_task(&task, &"x".repeat(100_000))).await;
    let refused = refused.expect_err("too large");
    assert_eq!(refused.metadata()["limit"], "task.bytes");
    let first = one.ask(request(&"x".repeat(100_000))).await;
    let first = first.expect_err("too large");
    assert_eq!(first.metadata()["limit"], "task.bytes");
}

#[tokio::test]
async fn an_owner_that_has_its_share_of_the_store_is_told_so() {
    let mut stage = Stage::new();
    let shared = Arc::get_mut(&mut stage.store).expect("nobody else has it yet");
    shared.store = MemoryTaskStore::with_tasks(2);
    let agent = stage.instance();
    let task = agent.send(request("ask")).await;
    let refused = agent.ask(request("ask")).await;
    let refused = refused.expect_err("too many");
    assert_eq!(refused.metadata()["limit"], "owner.tasks");
    let done = agent.send(to_task(&task, "Friday")).await;
    assert_eq!(done.status.state, TaskState::Completed, "it goes on");
    let next = agent.send(request("ask")).await;
    assert_eq!(next.status.state, TaskState::InputRequired, "there is room");
}

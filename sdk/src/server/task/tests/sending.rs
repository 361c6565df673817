//! Messages and what comes of them; cancelling.

use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use serde_json::json;

use super::stage::{
    Stage, alice, at_once, call_of, eventually, next, nobody_else, request, rest, soon, to_task,
};
use crate::a2a::{
    ErrorKind, ListTasksRequest, ListTasksResponse, Message, Part, SendMessageRequest,
    SendMessageResponse, Task, TaskState, Timestamp,
};
use crate::card::EXTENSION_URI;
use crate::policy::Owner;
use crate::server::store::TaskStore as _;
use crate::token::testing::NOW;

#[tokio::test]
async fn an_executor_that_is_done_at_once_costs_one_write_and_a_message_none() {
    let stage = Stage::new();
    let agent = stage.instance();
    let answer = agent.ask(request("reply")).await.expect("an answer");
    assert!(matches!(answer, SendMessageResponse::Message(m) if m.text() == "said"));
    assert_eq!(stage.store.writes.load(Ordering::SeqCst), 0);
    let task = agent.send(request("task")).await;
    assert_eq!(task.status.state, TaskState::Completed);
    assert_eq!(stage.store.writes.load(Ordering::SeqCst), 1);
    assert_eq!(stage.kept(&task.id).await.version, 3, "with its events");
    let task = agent.send(request("ask")).await;
    assert_eq!(task.status.state, TaskState::InputRequired);
    assert_eq!(stage.store.writes.load(Ordering::SeqCst), 2);
    assert!(agent.is_idle());
}

#[tokio::test]
async fn a_client_that_leaves_ends_nothing_and_its_task_can_still_be_canceled() {
    let stage = Stage::new();
    let agent = stage.instance();
    for text in ["hold", "silent"] {
        let call = call_of(alice());
        let mut sending = Box::pin(agent.engine.send(&call, request(text)));
        assert!(sending.as_mut().now_or_never().is_none(), "it waits");
        drop(sending);
        let found = list(&stage, &alice(), ListTasksRequest::default())
            .await
            .tasks;
        let left = found.iter().find(|task| !task.status.state.is_terminal());
        let left = left.expect("it is there, though nobody waits for it");
        let over = agent.cancel(&left.id).await.expect("canceled");
        assert_eq!(over.status.state, TaskState::Canceled);
        if text == "silent" {
            agent.acts.gate.open(1);
        }
        eventually(|| agent.is_idle()).await;
        let kept = stage.kept(&left.id).await.task;
        assert_eq!(kept.status.state, TaskState::Canceled, "{text}");
        let again = agent.cancel(&left.id).await.expect_err("over");
        assert_eq!(again.kind(), ErrorKind::TaskNotCancelable);
    }
}

#[tokio::test]
async fn an_answer_that_came_late_leaves_a_completed_task() {
    let stage = Stage::new();
    let agent = stage.instance();
    let answer = agent.ask(request("late-reply")).await.expect("an answer");
    assert!(matches!(answer, SendMessageResponse::Message(m) if m.text() == "said at last"));
    let error = agent.ask(request("late-error")).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::ContentTypeNotSupported);
    let page = list(&stage, &alice(), ListTasksRequest::default()).await;
    let mut states: Vec<_> = page.tasks.iter().map(|task| task.status.state).collect();
    states.sort_by_key(|state| state.as_str());
    assert_eq!(states, [TaskState::Completed, TaskState::Failed]);
    let mut events = agent.stream(request("late-reply")).await;
    assert_eq!(next(&mut events).await, "message said at last");
    assert_eq!(next(&mut events).await, "end");
}

#[tokio::test]
async fn a_client_that_does_not_wait_gets_the_task_as_it_is_kept() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("silent").await;
    assert!(!task.status.state.is_terminal());
    assert_eq!(stage.kept(&task.id).await.task.id, task.id);
    agent.acts.gate.open(1);
    stage.wait_for(&task.id, TaskState::Completed).await;
}

#[tokio::test]
async fn a_panic_fails_its_task_and_nothing_stays() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("fall").await;
    let events = agent.subscribe(&task).await.expect("a stream");
    agent.acts.gate.open(1);
    let seen = rest(events).await;
    assert_eq!(seen.last().map(String::as_str), Some("FAILED"));
    let failed = stage.wait_for(&task.id, TaskState::Failed).await;
    let word = failed.status.message.expect("a word").text();
    assert_eq!(word, "The agent failed");
    eventually(|| agent.is_idle()).await;
}

#[tokio::test]
async fn cancelling_at_any_moment_gives_one_end_that_all_agree_on() {
    let stage = Stage::new();
    let mut ends = std::collections::BTreeSet::new();
    for steps in 0..=10 {
        let agent = stage.instance();
        let task = agent.begin("steps").await;
        let events = agent.subscribe(&task).await;
        agent.acts.gate.open(steps);
        for _ in 0..steps % 4 {
            tokio::task::yield_now().await;
        }
        let canceled = agent.cancel(&task.id).await;
        // It does not heed its end, but goes on to its own.
        agent.acts.gate.open(10);
        eventually(|| agent.is_idle()).await;
        let kept = stage.kept(&task.id).await.task;
        match canceled {
            Ok(task) => assert_eq!(task, *kept),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TaskNotCancelable);
                assert_eq!(kept.status.state, TaskState::Completed);
            }
        }
        if let Ok(events) = events {
            let seen = rest(events).await;
            let end = kept.status.state.as_str();
            let last = seen.last().expect("events");
            assert!(end.ends_with(last.as_str()), "{end} {seen:?}");
        }
        ends.insert(kept.status.state.as_str());
    }
    assert!(ends.contains("TASK_STATE_CANCELED"), "{ends:?}");
}

pub(super) fn with_deadline(text: &str, at: &str) -> SendMessageRequest {
    let mut message = Message::user(Part::text(text));
    let ours = json!({ "deadline": at });
    message.metadata.insert(EXTENSION_URI.into(), ours);
    SendMessageRequest::new(message)
}

#[tokio::test]
async fn a_task_ends_at_its_deadline_and_one_that_passed_begins_none() {
    let stage = Stage::new();
    let agent = stage.instance();
    let millis = NOW.secs() * 1000;
    for bad in ["tomorrow", &Timestamp::from_millis(millis).to_string()] {
        let refused = agent.ask(with_deadline("hold", bad)).await;
        let kind = refused.map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::InvalidParams), "{bad}");
    }
    let soon = Timestamp::from_millis(millis + 30).to_string();
    let task = agent.send(with_deadline("hold", &soon)).await;
    assert_eq!(task.status.state, TaskState::Failed);
    eventually(|| agent.acts.cancelled.load(Ordering::SeqCst) == 1).await;
    eventually(|| agent.is_idle()).await;
    let late = Timestamp::from_millis(millis + 60_000).to_string();
    let task = agent.send(with_deadline("task", &late)).await;
    assert_eq!(task.status.state, TaskState::Completed);
}

async fn list(stage: &Stage, owner: &Owner, request: ListTasksRequest) -> ListTasksResponse {
    let agent = stage.instance();
    let page = agent.engine.list(owner, request).await;
    page.expect("a page")
}

#[tokio::test]
async fn a_list_shows_the_owners_tasks_page_by_page_and_artifacts_only_when_asked() {
    let stage = Stage::new();
    let agent = stage.instance();
    let mut mine = Vec::new();
    for _ in 0..5 {
        mine.push(agent.send(request("task")).await.id);
    }
    let in_context = |context: &str| {
        let mut asked = request("task");
        asked.message.context_id = Some(context.to_owned());
        asked
    };
    let own = agent.send(in_context("holiday")).await;
    assert_eq!(own.context_id, "holiday");
    // The same name is another context for another owner.
    let other = call_of(nobody_else());
    let theirs = agent.engine.send(&other, in_context("holiday"));
    let SendMessageResponse::Task(theirs) = theirs.await.expect("a task") else {
        panic!("a task");
    };
    mine.push(own.id.clone());
    let asks = |size, token: Option<&str>| ListTasksRequest {
        page_size: Some(size),
        page_token: token.map(str::to_owned),
        ..ListTasksRequest::default()
    };
    let first = list(&stage, &alice(), asks(4, None)).await;
    assert_eq!(
        (first.tasks.len(), first.page_size, first.total_size),
        (4, 4, 6)
    );
    assert!(first.tasks.iter().all(|task| task.artifacts.is_empty()));
    let token = first.next_page_token.as_str();
    let second = list(&stage, &alice(), asks(4, Some(token))).await;
    assert_eq!(
        (second.tasks.len(), second.next_page_token.as_str()),
        (2, "")
    );
    let mut shown: Vec<String> = first
        .tasks
        .iter()
        .chain(&second.tasks)
        .map(|t| t.id.clone())
        .collect();
    shown.sort();
    mine.sort();
    assert_eq!(shown, mine);
    let refused = agent
        .engine
        .list(&nobody_else(), asks(4, Some(token)))
        .await;
    assert_eq!(refused.map_err(|e| e.kind()), Err(ErrorKind::InvalidParams));
    for size in [0, 101, -1] {
        let refused = agent.engine.list(&alice(), asks(size, None)).await;
        assert_eq!(
            refused.map_err(|e| e.kind()),
            Err(ErrorKind::InvalidParams),
            "{size}"
        );
    }

    let of_context = ListTasksRequest {
        context_id: Some("holiday".into()),
        include_artifacts: Some(true),
        history_length: Some(0),
        ..ListTasksRequest::default()
    };
    let ids = |page: &ListTasksResponse| -> Vec<String> {
        page.tasks.iter().map(|task| task.id.clone()).collect()
    };
    let page = list(&stage, &alice(), of_context.clone()).await;
    assert_eq!(ids(&page), [own.id]);
    assert_eq!(
        (page.tasks[0].artifacts.len(), page.tasks[0].history.len()),
        (1, 0)
    );
    let page = list(&stage, &nobody_else(), of_context).await;
    assert_eq!(ids(&page), [theirs.id]);
}

#[tokio::test]
async fn a_list_that_must_be_counted_is_counted_once() {
    let stage = Stage::new();
    let agent = stage.instance();
    for _ in 0..3 {
        agent.send(request("task")).await;
    }
    let asks = |since: Option<u64>, token: Option<&str>| ListTasksRequest {
        page_size: Some(2),
        page_token: token.map(str::to_owned),
        status_timestamp_after: since.map(Timestamp::from_millis),
        ..ListTasksRequest::default()
    };
    // Of all tasks the number is kept, and so it is always the newest.
    for (since, before, then) in [(Some(0), 3, 3), (None, 4, 5)] {
        let first = list(&stage, &alice(), asks(since, None)).await;
        assert_eq!(first.total_size, before, "{since:?}");
        agent.send(request("task")).await;
        let token = Some(first.next_page_token.as_str());
        let second = list(&stage, &alice(), asks(since, token)).await;
        assert_eq!(second.total_size, then, "{since:?}");
        let anew = list(&stage, &alice(), asks(since, None)).await;
        assert_eq!(anew.total_size, before + 1, "{since:?}");
    }
}

#[tokio::test]
async fn a_store_whose_word_is_lost_keeps_nothing_twice() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("many 3").await;
    let events = agent.subscribe(&task).await.expect("a stream");
    stage.store.lose_word.store(3, Ordering::SeqCst);
    agent.acts.gate.open(1);
    let seen = rest(events).await;
    assert_eq!(seen[seen.len() - 4..], ["0", "1", "2", "COMPLETED"]);
    let kept = stage.kept(&task.id).await.task;
    assert_eq!(kept.artifacts.len(), 3);
    let stored = stage.store.events(&alice(), &task.id, 0, 100).await;
    assert_eq!(
        stored.expect("events").len(),
        5,
        "working, three, completed"
    );
}

#[tokio::test]
async fn who_may_not_see_a_task_may_not_follow_or_cancel_it_either() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("hold").await;
    let stranger = nobody_else();
    let shown = async |task: &Task| {
        let call = call_of(stranger.clone());
        let id = task.id.clone();
        let get = crate::a2a::GetTaskRequest {
            id: id.clone(),
            ..Default::default()
        };
        let cancel = crate::a2a::CancelTaskRequest {
            id: id.clone(),
            ..Default::default()
        };
        let follow = crate::a2a::SubscribeToTaskRequest {
            id,
            ..Default::default()
        };
        [
            agent.engine.get(&stranger, &get).await.map(drop),
            agent.engine.cancel(&stranger, &cancel).await.map(drop),
            agent.engine.subscribe(&stranger, &follow).await.map(drop),
            soon(agent.engine.send(&call, to_task(task, "more")))
                .await
                .map(drop),
            agent
                .engine
                .stream(&call, at_once(to_task(task, "more")))
                .await
                .map(drop),
        ]
    };
    let mut missing = task.clone();
    missing.id = "no-such-task".into();
    let refused = shown(&task).await;
    assert_eq!(refused, shown(&missing).await);
    assert!(refused.iter().all(|r| {
        r.as_ref()
            .is_err_and(|e| e.kind() == ErrorKind::TaskNotFound)
    }));
    let kept = stage.kept(&task.id).await.task;
    assert_eq!(kept.status.state, TaskState::Working);
}

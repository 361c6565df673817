//! Tasks that wait for their client: messages to an executor that listens, and to one that returned.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::stage::{Stage, alice, at_once, eventually, next, request, rest, soon, to_task};
use crate::a2a::{ErrorKind, Operation, Part, SendMessageResponse, Task, TaskState};
use crate::audit::{self, Admitted, Context, MemoryLog, TraceId};
use crate::card::AuthorizationRequest;
use crate::delegation::Caller;
use crate::delegation::testing::{app_only, delegated};
use crate::policy::{Action, Owner, Policy, Sharing};
use crate::server::{Requester, ServerCallContext};
use crate::token::testing::{NOW, PAYMENTS};

fn pieces(task: &Task) -> Vec<String> {
    let parts = task.artifacts.iter().flat_map(|artifact| &artifact.parts);
    parts.filter_map(Part::as_text).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_executor_that_listens_gets_the_clients_messages_where_it_is() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("talk")).await;
    assert_eq!(task.status.state, TaskState::InputRequired);
    let mut events = agent.subscribe(&task).await.expect("a stream");
    assert_eq!(next(&mut events).await, "task INPUT_REQUIRED");
    let task = agent.send(to_task(&task, "one")).await;
    assert_eq!(task.status.state, TaskState::InputRequired);
    assert_eq!(pieces(&task), ["one false"]);
    let shown = agent.stream(to_task(&task, "two")).await;
    assert_eq!(
        rest(shown).await,
        ["task INPUT_REQUIRED", "two false", "INPUT_REQUIRED"]
    );
    let done = agent.send(to_task(&task, "bye")).await;
    assert_eq!(done.status.state, TaskState::Completed);
    let said: Vec<_> = done.history.iter().map(|message| message.text()).collect();
    assert_eq!(said, ["talk", "yes?", "one", "and?", "two", "and?", "bye"]);
    assert_eq!(agent.acts.called.load(Ordering::SeqCst), 1);
    let seen = rest(events).await;
    let want = [
        "one false",
        "INPUT_REQUIRED",
        "two false",
        "INPUT_REQUIRED",
        "bye false",
        "COMPLETED",
    ];
    assert_eq!(seen, want, "a subscriber sees all of it");
    eventually(|| agent.is_idle()).await;
}

#[tokio::test]
async fn an_executor_that_returned_while_a_message_came_is_called_with_it() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("rude")).await;
    let (answer, ()) = tokio::join!(agent.send(to_task(&task, "Friday")), async {
        // The message is there before the executor returns.
        soon(async {
            while stage.kept(&task.id).await.task.history.len() < 3 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        agent.acts.gate.open(1);
    });
    assert_eq!(answer.status.state, TaskState::Completed);
    let word = answer.status.message.expect("a word").text();
    assert_eq!(word, "so: Friday");
    assert_eq!(agent.acts.called.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_executor_that_does_not_listen_is_not_buried_in_messages() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("rude")).await;
    for number in 0..16 {
        let taken = agent.send(at_once(to_task(&task, &number.to_string())));
        assert_eq!(taken.await.status.state, TaskState::InputRequired);
    }
    let refused = agent.ask(at_once(to_task(&task, "16"))).await;
    let kind = refused.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::UnsupportedOperation));
    assert_eq!(stage.kept(&task.id).await.task.history.len(), 2 + 16);
    agent.acts.gate.open(1);
    let done = stage.wait_for(&task.id, TaskState::Completed).await;
    assert_eq!(done.status.message.expect("a word").text(), "so: 0");
}

#[tokio::test]
async fn a_task_at_work_takes_no_message() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.begin("hold").await;
    let refused = agent.ask(to_task(&task, "more")).await;
    let kind = refused.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::UnsupportedOperation));
    let mut elsewhere = to_task(&task, "more");
    elsewhere.message.context_id = Some("another".into());
    let refused = agent.ask(elsewhere).await;
    let kind = refused.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::InvalidParams));
}

#[tokio::test]
async fn cancelling_ends_the_wait_for_a_message() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("talk")).await;
    let over = agent.cancel(&task.id).await.expect("canceled");
    assert_eq!(over.status.state, TaskState::Canceled);
    eventually(|| agent.acts.cancelled.load(Ordering::SeqCst) == 1).await;
    eventually(|| agent.is_idle()).await;
    // One that nobody runs can be canceled as well.
    let task = agent.send(request("ask")).await;
    let events = agent.subscribe(&task).await.expect("a stream");
    let over = agent.cancel(&task.id).await.expect("canceled");
    assert_eq!(over.status.state, TaskState::Canceled);
    assert_eq!(rest(events).await, ["task INPUT_REQUIRED", "CANCELED"]);
}

/// A call with a token for these scopes.
fn admitted(scope: &str) -> ServerCallContext {
    call_of(delegated(scope), alice())
}

fn call_of(caller: Caller, owner: Owner) -> ServerCallContext {
    let policy = Policy::from_toml(
        r#"
        [roles.booker]
        scopes = ["work", "pay"]
        operations = ["SendMessage"]
        skills = []
        [agents."spiffe://travel.test/agent/booking"]
        role = "booker"
        "#,
    );
    let action = Action::new(Operation::SendMessage);
    let permit = policy.expect("a policy").decide(caller, action);
    let service = PAYMENTS.parse().expect("a SPIFFE ID");
    let context = Context::new(service, NOW, TraceId::fresh());
    let permit = permit.expect("permitted");
    let admitted: Admitted =
        audit::admit(permit, &MemoryLog::default(), context).expect("recorded");
    let requester = Requester::Proved(Arc::new(admitted));
    ServerCallContext::new(requester, owner, Default::default(), None)
}

#[tokio::test]
async fn an_authorization_comes_with_the_token_of_a_later_message_never_with_its_words() {
    let stage = Stage::new();
    let agent = stage.instance();
    let task = agent.send(request("pay")).await;
    assert_eq!(task.status.state, TaskState::AuthRequired);
    let question = task.status.message.clone().expect("a message");
    let asked = AuthorizationRequest::of(&question).expect("a request");
    assert_eq!(
        (asked.scopes.to_string().as_str(), asked.reason.as_str()),
        ("pay", "it costs 80")
    );
    // A stream stays open while an authorization is waited for.
    let mut events = agent.stream(to_task(&task, "you may pay")).await;
    assert_eq!(next(&mut events).await, "task AUTH_REQUIRED");
    let send = async |scope| {
        let call = admitted(scope);
        let sent = agent.engine.send(&call, to_task(&task, "here it is"));
        match soon(sent).await.expect("an answer") {
            SendMessageResponse::Task(task) => task,
            SendMessageResponse::Message(message) => panic!("a task, not {message:?}"),
        }
    };
    let unheard = send("work");
    let paid = async {
        soon(async {
            while stage.kept(&task.id).await.task.history.len() < 4 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        send("work pay").await
    };
    let (first, second) = tokio::join!(unheard, paid);
    assert_eq!(second.status.state, TaskState::Completed);
    assert_eq!(
        first.status.state,
        TaskState::Completed,
        "it waited for the end"
    );
    assert_eq!(rest(events).await, ["COMPLETED"]);
    assert_eq!(agent.acts.called.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_one_says_is_not_done_with_the_authority_of_another_who_shares_the_task() {
    let stage = Stage::new();
    let agent = stage.instance();
    let send = async |caller: Caller, request| {
        let owner = Owner::shared(&caller, Sharing::Agent);
        let sent = agent.engine.send(&call_of(caller, owner), request).await;
        sent.map(|answer| match answer {
            SendMessageResponse::Task(task) => task,
            SendMessageResponse::Message(message) => panic!("a task, not {message:?}"),
        })
    };
    let task = send(delegated("work"), request("talk")).await;
    let task = task.expect("a task");
    assert_eq!(task.status.state, TaskState::InputRequired);
    // The executor listens, and works with what alice's token permits.
    let theirs = send(app_only("work"), to_task(&task, "one")).await;
    let refused = theirs.expect_err("not for another").kind();
    assert_eq!(refused, ErrorKind::UnsupportedOperation);
    let hers = send(delegated("work"), to_task(&task, "bye")).await;
    assert_eq!(hers.expect("done").status.state, TaskState::Completed);
    assert_eq!(agent.acts.called.load(Ordering::SeqCst), 1);
}

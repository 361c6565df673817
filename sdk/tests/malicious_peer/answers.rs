//! Answers that are none: of another operation, of another version, of no protocol, cut off.

use countersign::a2a::{
    Artifact, ListTaskPushNotificationConfigsResponse, ListTasksResponse, Message, Operation, Part,
    Response, SendMessageResponse, TaskPushNotificationConfig, TaskState,
};
use countersign::client::{ClientError, EventStream};
use http::HeaderValue;
use serde_json::json;

use super::fake::{Answer, Fake, MAX};
use crate::common::Failure;
use crate::common::double::End;
use crate::common::double::task;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// Makes the call; gives the reason if it failed.
pub(crate) async fn ask(fake: &Fake, wire: Wire, operation: Operation) -> &'static str {
    let call = fake.call(wire);
    let done = match operation {
        Operation::SendMessage => call.send("hi").await.map(drop),
        Operation::GetTask => call.get_task("t-1", None).await.map(drop),
        Operation::ListTasks => call.list_tasks(Default::default()).await.map(drop),
        Operation::CancelTask => call.cancel_task("t-1").await.map(drop),
        Operation::CreateTaskPushNotificationConfig => {
            call.create_push_config(config()).await.map(drop)
        }
        Operation::GetTaskPushNotificationConfig => {
            call.get_push_config("t-1", "p-1").await.map(drop)
        }
        Operation::ListTaskPushNotificationConfigs => call.list_push_configs("t-1").await.map(drop),
        Operation::DeleteTaskPushNotificationConfig => call.delete_push_config("t-1", "p-1").await,
        Operation::GetExtendedAgentCard => call.extended_card().await.map(drop),
        Operation::SendStreamingMessage => whole(call.stream("hi").await).await,
        Operation::SubscribeToTask => whole(call.subscribe("t-1").await).await,
    };
    done.as_ref().err().map_or("served", ClientError::reason)
}

/// The stream to its end.
async fn whole(stream: Result<EventStream, ClientError>) -> Result<(), ClientError> {
    let mut stream = stream?;
    while let Some(event) = stream.next().await {
        event?;
    }
    Ok(())
}

fn config() -> TaskPushNotificationConfig {
    TaskPushNotificationConfig {
        task_id: Some("t-1".into()),
        id: Some("p-1".into()),
        url: "https://hooks.example/".into(),
        ..TaskPushNotificationConfig::default()
    }
}

/// One answer of each kind, and the operations that are answered so.
fn kinds() -> Vec<(&'static str, Response, &'static [Operation])> {
    let done = || task(TaskState::Completed);
    let message = Message::agent(Part::text("hi"));
    let tasks = ListTasksResponse {
        tasks: vec![done()],
        page_size: 50,
        total_size: 1,
        ..ListTasksResponse::default()
    };
    let configs = ListTaskPushNotificationConfigsResponse {
        configs: vec![config()],
        ..ListTaskPushNotificationConfigsResponse::default()
    };
    let of_message = SendMessageResponse::Message(message);
    let of_task = SendMessageResponse::Task(done());
    vec![
        (
            "a message",
            Response::SendMessage(of_message),
            &[Operation::SendMessage],
        ),
        (
            "a message's task",
            Response::SendMessage(of_task),
            &[Operation::SendMessage],
        ),
        (
            "a task",
            Response::Task(done()),
            &[Operation::GetTask, Operation::CancelTask],
        ),
        ("tasks", Response::ListTasks(tasks), &[Operation::ListTasks]),
        (
            "a webhook",
            Response::TaskPushNotificationConfig(config()),
            &[
                Operation::CreateTaskPushNotificationConfig,
                Operation::GetTaskPushNotificationConfig,
            ],
        ),
        (
            "webhooks",
            Response::ListTaskPushNotificationConfigs(configs),
            &[Operation::ListTaskPushNotificationConfigs],
        ),
    ]
}

/// Whether the bytes themselves say that they are another answer.
fn tells_apart(wire: Wire, operation: Operation, name: &str) -> bool {
    match wire {
        // ProtoJSON leaves empty lists out and ignores members it does not know, so anything is an
        // empty page. A stream may be one answer that holds an event.
        Wire::JsonRpc | Wire::HttpJson => match operation {
            Operation::ListTasks | Operation::ListTaskPushNotificationConfigs => false,
            Operation::SendStreamingMessage | Operation::SubscribeToTask => {
                !name.starts_with("a message")
            }
            _ => true,
        },
        // Protobuf has numbers where JSON has names: a task can be read where tasks are.
        #[cfg(feature = "grpc")]
        Wire::Grpc => matches!(operation, Operation::GetTask | Operation::CancelTask),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_operation_is_not_taken_for_one() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            // A deletion may be answered with anything; what counts is that it was.
            if operation == Operation::DeleteTaskPushNotificationConfig {
                continue;
            }
            for (name, response, answers) in kinds() {
                fake.says(&Answer::good(wire, &response));
                let got = ask(&fake, wire, operation).await;
                let what = format!("{operation} over {wire:?} answered with {name}: {got}");
                let known = ["served", "client.agent_error", "client.answer"].contains(&got);
                let card = operation == Operation::GetExtendedAgentCard && got.starts_with("card.");
                findings.expect(&what, known || card, true);
                if answers.contains(&operation) {
                    findings.expect(&what, got, "served");
                } else if tells_apart(wire, operation, name) {
                    findings.expect(&what, got == "served", false);
                }
            }
        }
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_form_of_0_3_is_none_of_1_0() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let task = json!({"kind": "task", "id": "t-1", "contextId": "c-1",
        "status": {"state": "completed"}});
    let message = json!({"kind": "message", "messageId": "m", "role": "agent",
        "parts": [{"kind": "text", "text": "hi"}]});
    for wire in [Wire::JsonRpc, Wire::HttpJson] {
        for operation in [
            Operation::SendMessage,
            Operation::GetTask,
            Operation::CancelTask,
            Operation::SendStreamingMessage,
            Operation::SubscribeToTask,
        ] {
            for old in [&task, &message] {
                fake.says(&Answer::json(wire, old));
                let got = ask(&fake, wire, operation).await;
                let what = format!("{operation} over {wire:?}: {old}");
                findings.expect(what, got, "client.agent_error");
            }
        }
    }
    findings.none()
}

pub(crate) type Change = fn(&mut Answer);

/// The body, changed as a text.
fn text(answer: &mut Answer, from: &str, to: &str) {
    let body = String::from_utf8(answer.body()).expect("JSON");
    assert!(body.contains(from), "{body}");
    answer.pieces = vec![body.replacen(from, to, 1).into()];
}

/// What is wrong in both JSON bindings, and what it is called in both.
fn of_json() -> Vec<(&'static str, Change, &'static str)> {
    let wrong = "client.agent_error";
    vec![
        ("good", |_| {}, "served"),
        (
            "good, with more members",
            |a| text(a, "{", r#"{"later":[1],"#),
            "served",
        ),
        ("nothing", |a| a.pieces.clear(), wrong),
        (
            "half",
            |a| a.pieces = vec![a.body()[..20].to_vec().into()],
            wrong,
        ),
        ("twice", |a| a.pieces.push(a.body().into()), wrong),
        ("a page", |a| a.pieces = vec!["<html>".into()], wrong),
        ("null", |a| a.pieces = vec!["null".into()], wrong),
        (
            "an array",
            |a| a.pieces = vec![[b"[", &a.body()[..], b"]"].concat().into()],
            wrong,
        ),
        (
            "a repeated member",
            |a| text(a, "{", r#"{"later":1,"later":1,"#),
            wrong,
        ),
        ("a lone surrogate", |a| text(a, "t-1", r"\ud800"), wrong),
        (
            "deep",
            |a| {
                text(
                    a,
                    "{",
                    &format!("{{\"x\":{}{},", "[".repeat(99), "]".repeat(99)),
                )
            },
            wrong,
        ),
        (
            "no UTF-8",
            |a| {
                let mut body = a.body();
                let at = body.windows(3).position(|w| w == b"t-1").expect("the ID");
                body[at] = 0xff;
                a.pieces = vec![body.into()];
            },
            wrong,
        ),
        ("no ID", |a| text(a, "\"t-1\"", "\"\""), wrong),
        ("a number for the ID", |a| text(a, "\"t-1\"", "5"), wrong),
        (
            "an unknown state",
            |a| text(a, "TASK_STATE_COMPLETED", "TASK_STATE_DONE"),
            wrong,
        ),
        ("no status", |a| text(a, "\"status\"", "\"state\""), wrong),
        ("a stream", |a| a.pieces.insert(0, "data: ".into()), wrong),
        (
            "too long",
            |a| a.pieces = vec![" ".repeat(MAX + 1).into()],
            "client.answer_too_long",
        ),
        (
            "a body that breaks",
            |a| {
                a.pieces = vec![a.body()[..20].to_vec().into()];
                a.end = End::Broken;
            },
            "client.truncated",
        ),
        (
            "a body that does not end",
            |a| a.end = End::Silent,
            "client.deadline",
        ),
        ("a redirection", |a| redirected(a, 307), "client.refused"),
        (
            "another redirection",
            |a| redirected(a, 302),
            "client.refused",
        ),
        ("no content", |a| status(a, 204), "any"),
        ("not found", |a| status(a, 404), "client.refused"),
        ("a fault", |a| status(a, 500), "client.refused"),
        ("an unknown status", |a| status(a, 799), "client.refused"),
        ("too busy", |a| status(a, 503), "client.busy"),
        ("who are you", |a| status(a, 401), "client.refused"),
        (
            "a challenge that is none",
            |a| {
                status(a, 401);
                let challenge = HeaderValue::from_static("Bearer error=\"");
                a.headers.insert("www-authenticate", challenge);
            },
            "client.refused",
        ),
    ]
}

pub(crate) fn status(answer: &mut Answer, status: u16) {
    answer.status = status;
    answer.pieces.clear();
}

pub(crate) fn redirected(answer: &mut Answer, code: u16) {
    status(answer, code);
    let to = HeaderValue::from_static("https://elsewhere.example/a2a");
    answer.headers.insert("location", to);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_wrong_in_an_answer_is_one_reason_on_both_json_bindings() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let mut done = task(TaskState::Completed);
    done.artifacts.push(Artifact::new(Part::text("the result")));
    for wire in [Wire::JsonRpc, Wire::HttpJson] {
        for (name, change, want) in of_json() {
            fake.says(&Answer::good(wire, &Response::Task(done.clone())).with(change));
            let before = fake.heard.all().len();
            let got = ask(&fake, wire, Operation::GetTask).await;
            if want == "any" {
                findings.expect(format!("{wire:?}: {name}"), got == "served", false);
            } else {
                findings.expect(format!("{wire:?}: {name}"), got, want);
            }
            // Nothing is followed, and nothing tried again.
            let calls = fake.heard.all().len() - before;
            findings.expect(format!("{wire:?}: {name}, calls"), calls, 1);
        }
    }
    for (name, from, to) in [
        ("the ID of another request", "\"id\":1", "\"id\":2"),
        ("the ID as a text", "\"id\":1", "\"id\":\"1\""),
        ("no ID", "\"id\":1,", ""),
        ("another version", "\"2.0\"", "\"1.0\""),
        ("no result", "\"result\"", "\"later\""),
        (
            "an error too",
            "\"id\":1",
            "\"id\":1,\"error\":{\"code\":1,\"message\":\"\"}",
        ),
        ("an error without a code", "\"result\"", "\"error\""),
    ] {
        let good = Answer::good(Wire::JsonRpc, &Response::Task(done.clone()));
        fake.says(&good.with(|answer| text(answer, from, to)));
        let got = ask(&fake, Wire::JsonRpc, Operation::GetTask).await;
        findings.expect(name, got, "client.agent_error");
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

//! Answers in good form that are about something else than what was asked for.

use countersign::a2a::{
    ErrorKind, ListTaskPushNotificationConfigsResponse, Operation, Response, SendMessageResponse,
    StreamResponse, Task, TaskPushNotificationConfig, TaskState, TaskStatusUpdateEvent,
};
use countersign::client::ClientError;

use super::common::double::{moved, task};
use super::fake::{Answer, Fake};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

fn other() -> Task {
    Task {
        id: "t-2".into(),
        ..task(TaskState::Working)
    }
}

fn config(task: &str, id: &str) -> TaskPushNotificationConfig {
    TaskPushNotificationConfig {
        task_id: Some(task.into()),
        id: Some(id.into()),
        url: "https://hooks.example/".into(),
        ..TaskPushNotificationConfig::default()
    }
}

fn moved_in(task: &str, context: &str) -> StreamResponse {
    let StreamResponse::StatusUpdate(event) = moved(TaskState::Completed) else {
        unreachable!("a move is a status update");
    };
    StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: task.into(),
        context_id: context.into(),
        ..event
    })
}

/// What was refused, when it was refused as no answer of the protocol.
fn refused(error: &ClientError) -> Option<String> {
    match error {
        ClientError::Agent(error) if error.kind() == ErrorKind::InvalidAgentResponse => {
            Some(error.message().to_owned())
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_another_task_is_refused_by_its_name() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let list = |configs| {
        Response::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsResponse {
            configs,
            ..ListTaskPushNotificationConfigsResponse::default()
        })
    };
    let hook = Response::TaskPushNotificationConfig;
    let mine = || task(TaskState::Working);
    for &wire in Wire::ALL {
        for (operation, good, bad, named) in [
            (
                Operation::GetTask,
                Response::Task(mine()),
                Response::Task(other()),
                "t-2",
            ),
            (
                Operation::CancelTask,
                Response::Task(mine()),
                Response::Task(other()),
                "t-2",
            ),
            (
                Operation::SendMessage,
                Response::SendMessage(SendMessageResponse::Task(mine())),
                Response::SendMessage(SendMessageResponse::Task(other())),
                "t-2",
            ),
            (
                Operation::CreateTaskPushNotificationConfig,
                hook(config("t-1", "p-1")),
                hook(config("t-2", "p-1")),
                "t-2",
            ),
            (
                Operation::GetTaskPushNotificationConfig,
                hook(config("t-1", "p-1")),
                hook(config("t-1", "p-2")),
                "p-2",
            ),
            (
                Operation::ListTaskPushNotificationConfigs,
                list(vec![config("t-1", "p-1")]),
                list(vec![config("t-1", "p-1"), config("t-2", "p-2")]),
                "t-2",
            ),
        ] {
            let name = format!("{operation} over {wire:?}");
            fake.says(&Answer::good(wire, &good));
            let got = ask(&fake, wire, operation).await;
            findings.expect(&name, got.map_err(|e| e.reason()), Ok(()));
            fake.says(&Answer::good(wire, &bad));
            let got = ask(&fake, wire, operation).await;
            let told = got.as_ref().err().and_then(refused).unwrap_or_default();
            findings.expect(format!("{name}: {got:?}"), told.contains(named), true);
        }
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

async fn ask(fake: &Fake, wire: Wire, operation: Operation) -> Result<(), ClientError> {
    let call = fake.call(wire);
    match operation {
        Operation::GetTask => call.get_task("t-1", None).await.map(drop),
        Operation::CancelTask => call.cancel_task("t-1").await.map(drop),
        Operation::SendMessage => {
            let call = call.in_task(&task(TaskState::InputRequired));
            call.send("hi").await.map(drop)
        }
        Operation::CreateTaskPushNotificationConfig => {
            let asked = config("t-1", "p-1");
            call.create_push_config(asked).await.map(drop)
        }
        Operation::GetTaskPushNotificationConfig => {
            call.get_push_config("t-1", "p-1").await.map(drop)
        }
        _ => call.list_push_configs("t-1").await.map(drop),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_about_another_task_ends_the_stream() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let first = || StreamResponse::Task(task(TaskState::Working));
    for &wire in Wire::ALL {
        for subscribed in [false, true] {
            for (name, events, heard, named) in [
                ("mine", vec![first(), moved_in("t-1", "c-1")], 2, None),
                (
                    "another task at last",
                    vec![first(), moved_in("t-2", "c-1")],
                    1,
                    Some("t-2"),
                ),
                (
                    "another context at last",
                    vec![first(), moved_in("t-1", "c-2")],
                    1,
                    Some("c-2"),
                ),
                (
                    "a move of no task",
                    vec![first(), moved_in("", "c-1")],
                    1,
                    Some("taskId"),
                ),
                (
                    "another task at first",
                    vec![StreamResponse::Task(other())],
                    0,
                    Some("t-2"),
                ),
            ] {
                fake.says(&Answer::stream(wire, &events));
                let call = fake.call(wire);
                let mut stream = if subscribed {
                    call.subscribe("t-1").await?
                } else {
                    let call = call.in_task(&task(TaskState::InputRequired));
                    call.stream("hi").await?
                };
                let (mut came, mut error) = (0, None);
                while let Some(event) = stream.next().await {
                    match event {
                        Ok(_) => came += 1,
                        Err(why) => error = Some(why),
                    }
                }
                let name = format!("{name}, {subscribed}, over {wire:?}: {error:?}");
                findings.expect(&name, came, heard);
                let told = error.as_ref().and_then(refused);
                let is_right = match named {
                    None => error.is_none(),
                    Some(named) => told.is_some_and(|told| told.contains(named)),
                };
                findings.expect(&name, is_right, true);
            }
        }
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

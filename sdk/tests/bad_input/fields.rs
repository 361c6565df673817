//! One field wrong, in every operation and over every binding.

use countersign::a2a::Operation;
use serde_json::{Value, json};

use super::plain::Plain;
use super::sent::{Sent, good};
use super::told::{PARAMS, TASK_NOT_FOUND, Told};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// Where the value goes, the value, and the field that must be named.
type Wrong = (&'static str, Value, &'static str);

fn wrong(operation: Operation) -> Vec<Wrong> {
    let mut cases = vec![
        ("/tenant", json!("a\nb"), "tenant"),
        ("/tenant", long(257), "tenant"),
        ("/tenant", json!(5), "tenant"),
        ("/tenant", json!("nowhere"), "tenant"),
        ("/tenant", json!("../acme"), "tenant"),
    ];
    cases.extend(match operation {
        Operation::SendMessage | Operation::SendStreamingMessage => of_message(),
        Operation::GetTask => {
            [ids("/id", "id"), history("/historyLength", "historyLength")].concat()
        }
        Operation::ListTasks => [
            history("/historyLength", "historyLength"),
            [
                0,
                -1,
                101,
                i64::from(i32::MAX),
                i64::from(i32::MIN),
                1 << 32,
            ]
            .map(|size| ("/pageSize", json!(size), "pageSize"))
            .to_vec(),
            vec![
                ("/pageSize", json!(1.5), "pageSize"),
                ("/contextId", json!("a\0"), "contextId"),
                ("/contextId", long(257), "contextId"),
                ("/status", json!("TASK_STATE_RUNNING"), "status"),
                ("/status", json!(99), "status"),
                ("/pageToken", json!("forged"), "pageToken"),
                ("/pageToken", long(2049), "pageToken"),
                (
                    "/statusTimestampAfter",
                    json!("yesterday"),
                    "statusTimestampAfter",
                ),
                ("/includeArtifacts", json!("yes"), "includeArtifacts"),
            ],
        ]
        .concat(),
        Operation::CancelTask => [
            ids("/id", "id"),
            vec![("/metadata", json!("text"), "metadata")],
        ]
        .concat(),
        Operation::SubscribeToTask => ids("/id", "id"),
        Operation::CreateTaskPushNotificationConfig => [
            ids("/taskId", "taskId"),
            vec![
                ("/id", json!("a\tb"), "id"),
                ("/url", Value::Null, "url"),
                ("/url", json!(""), "url"),
                ("/url", json!(5), "url"),
                ("/url", json!("https://a.example/\r\nx: y"), "url"),
                ("/url", long(2049), "url"),
                ("/token", json!("a\u{7f}"), "token"),
                ("/authentication", json!("Bearer"), "authentication"),
                ("/authentication/scheme", json!(""), "authentication.scheme"),
            ],
        ]
        .concat(),
        Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig => {
            [ids("/taskId", "taskId"), ids("/id", "id")].concat()
        }
        Operation::ListTaskPushNotificationConfigs => [
            ids("/taskId", "taskId"),
            [-1, i64::from(i32::MIN)]
                .map(|size| ("/pageSize", json!(size), "pageSize"))
                .to_vec(),
            vec![
                ("/pageSize", json!("many"), "pageSize"),
                ("/pageToken", long(2049), "pageToken"),
            ],
        ]
        .concat(),
        Operation::GetExtendedAgentCard => Vec::new(),
    });
    cases
}

fn of_message() -> Vec<Wrong> {
    [
        history(
            "/configuration/historyLength",
            "configuration.historyLength",
        ),
        vec![
            ("/message", Value::Null, "message"),
            ("/message", json!("hi"), "message"),
            ("/message/messageId", json!(""), "message.messageId"),
            ("/message/messageId", json!(7), "message.messageId"),
            ("/message/messageId", long(257), "message.messageId"),
            ("/message/messageId", json!("a\0b"), "message.messageId"),
            ("/message/contextId", json!("a\nb"), "message.contextId"),
            ("/message/taskId", json!("a\nb"), "message.taskId"),
            ("/message/taskId", json!({}), "message.taskId"),
            ("/message/role", json!("ROLE_AGENT"), "message.role"),
            ("/message/role", json!("ROLE_ROOT"), "message.role"),
            ("/message/role", json!(3), "message.role"),
            ("/message/parts", json!([]), "message.parts"),
            ("/message/parts", json!({"text": "hi"}), "message.parts"),
            ("/message/parts/0", json!({}), "message.parts[0]"),
            (
                "/message/parts/0",
                json!({"text": "a", "url": "b"}),
                "message.parts[0]",
            ),
            (
                "/message/parts/0",
                json!({"text": 5}),
                "message.parts[0].text",
            ),
            ("/message/metadata", json!([]), "message.metadata"),
            ("/message/extensions/0", json!(""), "message.extensions[0]"),
            (
                "/message/referenceTaskIds",
                json!(["a\t"]),
                "message.referenceTaskIds[0]",
            ),
            ("/configuration", json!(true), "configuration"),
            (
                "/configuration/returnImmediately",
                json!("yes"),
                "configuration.returnImmediately",
            ),
            (
                "/configuration/taskPushNotificationConfig",
                json!({"url": ""}),
                "configuration.taskPushNotificationConfig.url",
            ),
            ("/metadata", json!("text"), "metadata"),
        ],
    ]
    .concat()
}

fn ids(place: &'static str, field: &'static str) -> Vec<Wrong> {
    let values = [
        Value::Null,
        json!(""),
        json!(7),
        long(257),
        json!("a\0b"),
        json!("a\r\nb"),
        json!("\u{7f}"),
        json!("\u{85}"),
    ];
    values.map(|value| (place, value, field)).into()
}

fn history(place: &'static str, field: &'static str) -> Vec<Wrong> {
    let values = [
        json!(-1),
        json!(i32::MIN),
        json!(1_u64 << 31),
        json!("all"),
        json!(0.5),
    ];
    values.map(|value| (place, value, field)).into()
}

fn long(len: usize) -> Value {
    "x".repeat(len).into()
}

/// Puts a value into its place, making the member when there is none.
fn put(params: &mut Value, place: &str, value: Value) {
    let (parent, name) = place.rsplit_once('/').expect("a place");
    match params.pointer_mut(parent).expect(place) {
        Value::Array(items) => items[name.parse::<usize>().expect("a number")] = value,
        members => members[name] = value,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_served_over_every_binding() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            for tenant in [None, Some("acme")] {
                let at_tenant = tenant.is_some();
                let task = plain.waiting_task().await?;
                let mut params = good(operation, &task);
                // A task belongs to one tenant.
                let mut want = Told::Answer;
                if let Some(tenant) = tenant {
                    params["tenant"] = json!(tenant);
                    if params.get("id").is_some() || params.get("taskId").is_some() {
                        want = Told::error(wire, TASK_NOT_FOUND, &[]);
                    }
                }
                let sent = Sent::over(wire, operation, &params).ok_or("a good request")?;
                let what = format!("{operation} over {wire:?}, at a tenant: {at_tenant}");
                findings.result(what, plain.told(sent).await, want);
            }
        }
    }
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_field_is_the_same_error_on_every_binding() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let before = plain.counts().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        let mut asked = 0;
        for operation in Operation::ALL {
            for (place, value, field) in wrong(operation) {
                let mut params = good(operation, &plain.task);
                put(&mut params, place, value.clone());
                // Over gRPC, numbers are no texts and there are no fields without a type.
                let Some(sent) = Sent::over(wire, operation, &params) else {
                    continue;
                };
                asked += 1;
                let mut shown = value.to_string();
                shown.truncate(40);
                let what = format!("{operation} over {wire:?}: {place} = {shown}");
                let want = Told::error(wire, PARAMS, &[field]);
                findings.result(what, plain.told(sent).await, want);
            }
        }
        findings.expect(format!("{wire:?}: at least 100 cases"), asked >= 100, true);
    }
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, before);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_looks_like_a_path_is_an_id_of_no_task() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            let name = match good(operation, "t") {
                params if params.get("taskId").is_some() => "taskId",
                params if params.get("id").is_some() => "id",
                _ => continue,
            };
            for id in [
                "../../admin?x=",
                "/",
                "%2e%2e%2f",
                "a/b",
                "t:cancel",
                "tasks",
                "pushNotificationConfigs",
                "a b",
                "*",
                "' OR 1=1 --",
                "\u{202e}x",
                "\u{1f980}",
            ] {
                let mut params = good(operation, &plain.task);
                params[name] = json!(id);
                let sent = Sent::over(wire, operation, &params).ok_or("a request")?;
                let what = format!("{operation} over {wire:?}: {id:?}");
                let want = Told::error(wire, TASK_NOT_FOUND, &[]);
                findings.result(what, plain.told(sent).await, want);
            }
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

//! Bad input in the words of 0.3, to an agent that takes them.

use countersign::server::Agent;
use serde_json::{Value, json};

use super::bytes::changed;
use super::plain::Plain;
use super::sent::Sent;
use crate::common::Failure;
use crate::common::findings::{Findings, panics};

const METHODS: [&str; 10] = [
    "message/send",
    "message/stream",
    "tasks/get",
    "tasks/cancel",
    "tasks/resubscribe",
    "tasks/pushNotificationConfig/set",
    "tasks/pushNotificationConfig/get",
    "tasks/pushNotificationConfig/list",
    "tasks/pushNotificationConfig/delete",
    "agent/getAuthenticatedExtendedCard",
];

/// Good parameters, about a task with the webhook `p-1`.
fn good(method: &str, task: &str) -> Value {
    match method {
        "message/send" | "message/stream" => json!({"message": {"kind": "message",
            "messageId": "m-1", "role": "user", "parts": [{"kind": "text", "text": "reply"}]}}),
        "tasks/pushNotificationConfig/set" => json!({"taskId": task,
            "pushNotificationConfig": {"id": "p-2", "url": "https://127.0.0.1:8999/x"}}),
        "tasks/pushNotificationConfig/get" | "tasks/pushNotificationConfig/delete" => {
            json!({"id": task, "pushNotificationConfigId": "p-1"})
        }
        "agent/getAuthenticatedExtendedCard" => json!({}),
        _ => json!({ "id": task }),
    }
}

/// Where a value goes that is wrong there.
fn wrong(method: &str) -> Vec<(&'static str, Value)> {
    let id = |place: &'static str| {
        let long = "x".repeat(257);
        [json!(null), json!(""), json!(7), json!(long), json!("a\0b")].map(|id| (place, id))
    };
    match method {
        "message/send" | "message/stream" => vec![
            ("/message", json!(null)),
            ("/message", json!("hi")),
            ("/message/messageId", json!("")),
            ("/message/messageId", json!("a\nb")),
            ("/message/role", json!("king")),
            ("/message/role", json!("agent")),
            ("/message/parts", json!([])),
            ("/message/parts", json!("hi")),
            ("/message/parts/0", json!({})),
            ("/message/parts/0", json!({"kind": "video"})),
            ("/message/parts/0", json!({"kind": "text", "text": 5})),
            ("/message/taskId", json!({})),
            ("/configuration", json!({"historyLength": -1})),
            ("/configuration", json!({"blocking": "yes"})),
        ],
        "tasks/get" => [&id("/id")[..], &[("/historyLength", json!(-1))]].concat(),
        "tasks/cancel" | "tasks/resubscribe" | "tasks/pushNotificationConfig/list" => {
            id("/id").to_vec()
        }
        "tasks/pushNotificationConfig/set" => {
            let config = "/pushNotificationConfig";
            let more = [
                (config, json!(null)),
                (config, json!("https://127.0.0.1:8999/x")),
                ("/pushNotificationConfig/url", json!("")),
                ("/pushNotificationConfig/url", json!(5)),
            ];
            [&id("/taskId")[..], &more].concat()
        }
        _ if method.starts_with("tasks/") => {
            let bad = ("/pushNotificationConfigId", json!("a\0b"));
            [&id("/id")[..], &[bad]].concat()
        }
        _ => Vec::new(),
    }
}

fn sent(method: &str, params: &Value) -> Sent {
    let mut sent = Sent::json_rpc(method, params);
    // A2A §3.6.2: no version means 0.3.
    sent.headers.remove("a2a-version");
    sent
}

/// The error's code; 0 for an answer or a stream.
async fn code(plain: &Plain, sent: Sent) -> Result<i64, Failure> {
    let opened = plain.open(sent).await?;
    if opened.is_event_stream() {
        return Ok(0);
    }
    let got = opened.whole().await?;
    let answer: Value = serde_json::from_slice(&got.body)?;
    if answer.get("result").is_some() {
        return Ok(0);
    }
    let code = answer.pointer("/error/code").and_then(Value::as_i64);
    Ok(code.ok_or_else(|| format!("neither result nor error: {answer}"))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_wrong_in_a_request_of_0_3_is_one_error() -> Result<(), Failure> {
    let plain = Plain::with(|agent: Agent| agent.allow_v0_3(true)).await?;
    let mut findings = Findings::default();
    for method in METHODS {
        let task = plain.waiting_task().await?;
        let served = code(&plain, sent(method, &good(method, &task))).await;
        findings.result(format!("{method}, good"), served, 0);
    }
    let before = plain.counts().await?;
    for method in METHODS {
        let params = good(method, &plain.task);
        for (place, value) in wrong(method) {
            let mut params = params.clone();
            let (parent, name) = place.rsplit_once('/').ok_or("a place")?;
            match params.pointer_mut(parent).ok_or("a place")? {
                Value::Array(items) => items[name.parse::<usize>()?] = value.clone(),
                members => members[name] = value.clone(),
            }
            let mut what = format!("{method}: {place} = {value}");
            what.truncate(100);
            findings.result(what, code(&plain, sent(method, &params)).await, -32602);
        }
        let request = sent(method, &params);
        for (name, body, want) in changed(&request.body) {
            let got = code(&plain, request.clone().with_body(body)).await;
            findings.result(format!("{method}: {name}"), got, want.1);
        }
    }
    for (method, want) in [
        ("tasks/list", -32601),
        ("tasks/drop", -32601),
        ("Message/Send", -32601),
        // A method of 1.0 whose version was left out.
        ("SendMessage", -32009),
    ] {
        let got = code(&plain, sent(method, &json!({}))).await;
        findings.result(method, got, want);
    }
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, before);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

//! The specification's examples, and messages recorded of an SDK.

use countersign::a2a::{
    A2aError, Operation, Request, Response, Role, SendMessageResponse, StreamResponse, TaskState,
    v03,
};
use http::Method;
use serde_json::Value;

use crate::reading::{LIMITS, asked, event, read, told, vectors};

#[test]
fn the_specifications_examples_are_read() {
    let vectors = vectors("specification_examples.json");
    let examples = vectors["examples"].as_array().expect("examples");
    // Those that break the types beside them: which one, and the member.
    let broken = [
        (4, "role"),
        (5, "message.parts[1].file.bytes"),
        (6, "history[0].parts[1].file.bytes"),
        (11, "message.messageId"),
        (14, "status.message.messageId"),
        (18, "message.parts[1].file.bytes"),
    ];
    for (at, example) in examples.iter().enumerate() {
        let (kind, json) = (example["kind"].as_str(), &example["json"]);
        let method = example["method"].as_str().expect("a method");
        let operation = v03::operation(method).expect("a method of 0.3");
        let read = match kind {
            Some("request") => read(json).map(|request| {
                assert_eq!(request.operation(), operation, "{at}");
            }),
            Some("response") => told(operation, &json["result"]).map(drop),
            Some("event") => event(&json["result"]).map(drop),
            Some("push") => event(json).map(drop),
            other => panic!("{other:?}"),
        };
        match (read, broken.iter().find(|(broken, _)| *broken == at)) {
            (Ok(()), None) => {}
            (Err(error), Some((_, member))) => {
                let shown = error.to_string();
                assert!(shown.contains(member), "{at}: {shown}");
            }
            (read, want) => panic!("{at}: {read:?}, {want:?}: {json}"),
        }
    }
    assert_eq!(examples.len(), 22);
}

#[test]
fn what_an_example_says_is_what_is_read() {
    let vectors = vectors("specification_examples.json");
    let example = |at: usize| vectors["examples"][at]["json"].clone();
    let Ok(Request::SendMessage(send)) = read(&example(13)) else {
        panic!("a message");
    };
    assert_eq!(send.message.role, Role::User);
    let task = "3f36680c-7f37-4a5f-945e-d78981fafd36";
    assert_eq!(send.message.task_id.as_deref(), Some(task));
    let configuration = send.configuration.expect("a configuration");
    assert!(!configuration.return_immediately);
    let answer = told(Operation::SendMessage, &example(12)["result"]);
    let Ok(Response::SendMessage(SendMessageResponse::Task(task))) = answer else {
        panic!("a task");
    };
    assert_eq!(task.status.state, TaskState::InputRequired);
    assert_eq!(task.status.message.map(|m| m.role), Some(Role::Agent));
    let Ok(StreamResponse::ArtifactUpdate(piece)) = event(&example(8)["result"]) else {
        panic!("a piece");
    };
    assert!(piece.append && !piece.last_chunk);
    let Ok(StreamResponse::StatusUpdate(last)) = event(&example(10)["result"]) else {
        panic!("a status");
    };
    // Written without an offset.
    let time = last.status.timestamp.map(|time| time.to_string());
    assert_eq!(time.as_deref(), Some("2025-04-02T16:59:35.331844Z"));
    let Ok(Request::SendMessage(send)) = read(&example(15)) else {
        panic!("a message");
    };
    let config = send
        .configuration
        .and_then(|c| c.task_push_notification_config);
    let config = config.expect("a push configuration");
    let how = config.authentication.expect("an authentication");
    assert_eq!((how.scheme.as_str(), how.credentials), ("Bearer", None));
}

#[test]
fn an_sdks_messages_say_the_same_in_both_bindings() {
    let vectors = vectors("python_sdk_messages.json");
    let (rpc, rest) = (&vectors["json_rpc"], &vectors["rest"]);
    let by_path = |path: &str, body: &Value| {
        let body = body.to_string();
        let read = v03::read_rest_request(&Method::POST, path, None, body.as_bytes(), LIMITS);
        read.map_err(A2aError::from)
    };
    let send = asked("message/send", rpc["send"].clone());
    assert_eq!(by_path("/v1/message:send", &rest["send"]), send);
    // The specification's text shows the objects of JSON-RPC there.
    assert_eq!(by_path("/v1/message:send", &rpc["send"]), send);
    let Ok(Request::SendMessage(send)) = send else {
        panic!("{send:?}");
    };
    assert_eq!(send.message.parts.len(), 3);
    let set = asked(
        "tasks/pushNotificationConfig/set",
        rpc["push_config"].clone(),
    );
    let path = "/v1/tasks/t-1/pushNotificationConfigs";
    for body in ["create_push_config", "push_config"] {
        assert_eq!(by_path(path, &rest[body]), set, "{body}");
    }
    let answer = |operation, body: &Value| {
        v03::read_rest_response(operation, body.to_string().as_bytes(), LIMITS)
    };
    let one = Operation::GetTaskPushNotificationConfig;
    assert_eq!(
        answer(one, &rest["push_config"]),
        told(one, &rpc["push_config"])
    );
    for (operation, of_rest, of_rpc) in [
        (Operation::SendMessage, "task_answer", "task"),
        (Operation::SendMessage, "message_answer", "message"),
        (Operation::GetTask, "task", "task"),
    ] {
        let read = answer(operation, &rest[of_rest]);
        assert_eq!(read, told(operation, &rpc[of_rpc]), "{of_rest}");
        assert!(read.is_ok(), "{read:?}");
    }
    for name in ["status_update", "artifact_update"] {
        let read = v03::read_rest_event(rest[name].to_string().as_bytes(), LIMITS);
        assert_eq!(read, event(&rpc[name]), "{name}");
        assert!(read.is_ok(), "{read:?}");
    }
}

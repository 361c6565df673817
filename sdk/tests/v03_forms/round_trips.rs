//! Everything that 1.0 has, there and back.

use countersign::a2a::{
    Operation, Part, PartContent, Request, Response, StreamResponse, jsonrpc, v03,
};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::reading::LIMITS;

/// Every request that 0.3 can say, with every member set.
fn requests() -> Vec<Request> {
    let send = json!({
        "message": {"messageId": "m-1", "contextId": "c-1", "taskId": "t-1", "role": "ROLE_USER",
            "parts": parts(), "metadata": {"a": {"b": [1, null]}}, "extensions": ["urn:x"],
            "referenceTaskIds": ["t-0"]},
        "configuration": {"acceptedOutputModes": ["text/plain"], "historyLength": 3,
            "returnImmediately": true, "taskPushNotificationConfig": {"id": "p-1",
                "url": "https://push.example/x", "token": "tok",
                "authentication": {"scheme": "Bearer", "credentials": "abc"}}},
        "metadata": {"m": true},
    });
    let config = json!({"id": "p-1", "taskId": "t-1", "url": "https://push.example/x",
        "token": "tok", "authentication": {"scheme": "Basic", "credentials": "abc"}});
    let one = json!({"taskId": "t/1", "id": "p 1"});
    let of = |method: &str, params: &Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let body = body.to_string();
        let request = jsonrpc::parse_request(body.as_bytes(), LIMITS).expect("JSON-RPC");
        jsonrpc::read_request(request).expect("a request")
    };
    let mut waiting = send.clone();
    waiting["configuration"]["returnImmediately"] = json!(false);
    vec![
        of("SendMessage", &send),
        of("SendMessage", &waiting),
        of("SendStreamingMessage", &send),
        of("GetTask", &json!({"id": "a/b?c", "historyLength": 2})),
        of(
            "CancelTask",
            &json!({"id": "t-1", "metadata": {"why": "late"}}),
        ),
        of("SubscribeToTask", &json!({"id": "t-1"})),
        of("CreateTaskPushNotificationConfig", &config),
        of("GetTaskPushNotificationConfig", &one),
        of("ListTaskPushNotificationConfigs", &json!({"taskId": "t-1"})),
        of("DeleteTaskPushNotificationConfig", &one),
        of("GetExtendedAgentCard", &json!({})),
    ]
}

fn parts() -> Value {
    json!([
        {"text": "hi", "metadata": {"x": 1}},
        {"text": "<p>", "mediaType": "text/html", "filename": "p.html"},
        {"raw": "+/8=", "mediaType": "image/png", "filename": "a.png", "metadata": {"x": 1}},
        {"url": "https://files.example/a", "mediaType": "image/png"},
        {"data": {"nights": 2}, "mediaType": "application/json"},
        {"data": [1, "two", null]},
        {"data": null},
    ])
}

#[test]
fn every_request_reads_back_from_both_bindings() {
    for request in requests() {
        let operation = request.operation();
        let body = v03::write_json_rpc(&7.into(), &request).expect("a request of 0.3");
        let parsed = jsonrpc::parse_request(&body, LIMITS).expect("JSON-RPC");
        assert_eq!(v03::operation(&parsed.method), Some(operation));
        assert_eq!(
            v03::read_json_rpc(parsed),
            Ok(request.clone()),
            "{operation}"
        );

        let written = v03::write_rest_request(&request).expect("a request of 0.3");
        let (path, query) = match written.path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (written.path_and_query.as_str(), None),
        };
        assert!(v03::is_rest_path(path), "{path}");
        let body = written.body.unwrap_or_default();
        let read = v03::read_rest_request(&written.method, path, query, &body, LIMITS);
        assert_eq!(read, Ok(request), "{path}");
    }
}

/// Every answer with every member set.
pub(crate) fn answers() -> Vec<(Operation, Response)> {
    let status = json!({"state": "TASK_STATE_AUTH_REQUIRED", "timestamp": "2026-11-22T13:36:11.500Z",
        "message": {"messageId": "m-2", "role": "ROLE_AGENT", "contextId": "c-1", "taskId": "t-1",
            "parts": parts(), "referenceTaskIds": ["t-0"], "metadata": {"x": 1}}});
    let task = json!({"id": "t-1", "contextId": "c-1", "status": status, "metadata": {"x": "y"},
        "artifacts": [{"artifactId": "a-1", "name": "n", "description": "d", "parts": parts(),
            "metadata": {"x": 1}, "extensions": ["urn:x"]}],
        "history": [{"messageId": "m-1", "role": "ROLE_USER", "parts": parts()}]});
    let configs =
        json!({"configs": [{"id": "p-1", "taskId": "t-1", "url": "https://push.example/x"}]});
    let of = |operation, value: &Value| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": value}).to_string();
        let read = jsonrpc::read_response(body.as_bytes(), LIMITS, &1.into(), operation);
        (operation, read.expect("an answer"))
    };
    let message = &status["message"];
    vec![
        of(Operation::SendMessage, &json!({"task": task})),
        of(Operation::SendMessage, &json!({"message": message})),
        of(Operation::GetTask, &task),
        of(Operation::CancelTask, &task),
        of(
            Operation::GetTaskPushNotificationConfig,
            &configs["configs"][0],
        ),
        of(Operation::ListTaskPushNotificationConfigs, &configs),
        of(Operation::ListTaskPushNotificationConfigs, &json!({})),
        of(Operation::DeleteTaskPushNotificationConfig, &json!({})),
    ]
}

#[test]
fn every_answer_reads_back_from_both_bindings() {
    for (operation, answer) in answers() {
        let id = 7.into();
        let body = v03::write_json_rpc_response(&id, operation, &answer);
        let read = v03::read_json_rpc_response(&body, LIMITS, &id, operation);
        assert_eq!(read, Ok(answer.clone()), "{operation}");
        let body = v03::write_rest_response(operation, &answer).expect("an answer of 0.3");
        let read = v03::read_rest_response(operation, &body, LIMITS);
        assert_eq!(read, Ok(answer), "{operation}");
    }
}

#[test]
fn every_event_reads_back_in_every_state_and_only_a_terminal_one_is_final() {
    let id = 7.into();
    for state in [
        "TASK_STATE_SUBMITTED",
        "TASK_STATE_WORKING",
        "TASK_STATE_COMPLETED",
        "TASK_STATE_FAILED",
        "TASK_STATE_CANCELED",
        "TASK_STATE_INPUT_REQUIRED",
        "TASK_STATE_REJECTED",
        "TASK_STATE_AUTH_REQUIRED",
    ] {
        let update = json!({"statusUpdate": {"taskId": "t-1", "contextId": "c-1",
            "status": {"state": state}, "metadata": {"x": 1}}});
        let update = StreamResponse::deserialize(update).expect("an event");
        let body = v03::write_json_rpc_event(&id, &update);
        let json: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(json["result"]["kind"], "status-update");
        assert_eq!(json["result"]["final"], update.is_last(), "{state}");
        let name = json["result"]["status"]["state"].as_str().expect("a state");
        let kebab = state
            .trim_start_matches("TASK_STATE_")
            .to_lowercase()
            .replace('_', "-");
        assert_eq!(name, kebab);
        assert_eq!(
            v03::read_json_rpc_event(&body, LIMITS, &id),
            Ok(update.clone())
        );
        let body = v03::write_rest_event(&update);
        assert_eq!(v03::read_rest_event(&body, LIMITS), Ok(update));
    }
    let piece = json!({"artifactUpdate": {"taskId": "t-1", "contextId": "c-1", "append": true,
        "lastChunk": true, "artifact": {"artifactId": "a", "parts": parts()}}});
    let piece = StreamResponse::deserialize(piece).expect("an event");
    let body = v03::write_json_rpc_event(&id, &piece);
    assert_eq!(
        v03::read_json_rpc_event(&body, LIMITS, &id),
        Ok(piece.clone())
    );
    let body = v03::write_rest_event(&piece);
    assert_eq!(v03::read_rest_event(&body, LIMITS), Ok(piece));
}

#[test]
fn content_that_0_3_has_no_place_for_is_carried() {
    let part = Part::data(json!([1])).with_media_type("application/json");
    let mut message = countersign::a2a::Message::user(part);
    message.reference_task_ids = vec!["t-0".into()];
    let event = StreamResponse::Message(message);
    let body = v03::write_rest_event(&event);
    let json: Value = serde_json::from_slice(&body).expect("JSON");
    // As other SDKs wrap what is no object.
    assert_eq!(
        json["message"]["content"][0]["data"],
        json!({"data": {"value": [1]}})
    );
    let metadata = &json["message"]["content"][0]["metadata"];
    assert_eq!(metadata["data_part_compat"], true);
    let read = v03::read_rest_event(&body, LIMITS).expect("an event");
    assert_eq!(read, event);
    let StreamResponse::Message(read) = read else {
        panic!("a message");
    };
    assert_eq!(read.parts[0].content, PartContent::Data(json!([1])));
    assert!(read.metadata.is_empty() && read.parts[0].metadata.is_empty());
}

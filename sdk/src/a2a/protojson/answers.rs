//! Answers and events, over both bindings.

use serde_json::{Value, json};

use super::samples::{card, message, push, read, task};
use crate::a2a::*;
use crate::jose::JsonLimits;

/// An answer to every operation that answers once.
fn answers() -> Vec<(Operation, Response)> {
    let configs = json!({"configs": [push()], "nextPageToken": "p"});
    let tasks = json!({"tasks": [task()], "nextPageToken": "", "pageSize": 50, "totalSize": 1});
    let config = || Response::TaskPushNotificationConfig(read(&push()));
    vec![
        (
            Operation::SendMessage,
            Response::SendMessage(read(&json!({"task": task()}))),
        ),
        (
            Operation::SendMessage,
            Response::SendMessage(read(&json!({"message": message()}))),
        ),
        (Operation::GetTask, Response::Task(read(&task()))),
        (Operation::ListTasks, Response::ListTasks(read(&tasks))),
        (Operation::CancelTask, Response::Task(read(&task()))),
        (Operation::CreateTaskPushNotificationConfig, config()),
        (Operation::GetTaskPushNotificationConfig, config()),
        (
            Operation::ListTaskPushNotificationConfigs,
            Response::ListTaskPushNotificationConfigs(read(&configs)),
        ),
        (Operation::DeleteTaskPushNotificationConfig, Response::Empty),
        (
            Operation::GetExtendedAgentCard,
            Response::AgentCard(read(&card())),
        ),
    ]
}

const LIMITS: JsonLimits = JsonLimits {
    depth: 64,
    bytes: 4 << 20,
};

#[test]
fn every_answer_reads_back_over_both_bindings() {
    let id = 7.into();
    for (operation, answer) in answers() {
        let body = jsonrpc::write_response(&id, &answer);
        let read = jsonrpc::read_response(&body, LIMITS, &id, operation);
        assert_eq!(read.as_ref(), Ok(&answer), "{operation}");
        let body = http_json::write_response(&answer);
        let read = http_json::read_response(operation, &body, LIMITS);
        assert_eq!(read.as_ref(), Ok(&answer), "{operation}");
    }
    assert_eq!(http_json::write_response(&Response::Empty), b"{}");
}

#[test]
fn an_answer_to_something_else_is_refused() {
    let id = 7.into();
    for body in ["[]", "3", "null", "{}", r#"{"task":{"id":"t"}}"#] {
        for (operation, _) in answers() {
            // These have no member that must be there.
            let any = body.starts_with('{')
                && !matches!(
                    operation,
                    Operation::SendMessage | Operation::GetTask | Operation::CancelTask
                )
                || operation == Operation::DeleteTaskPushNotificationConfig;
            let rpc = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{body}}}"#);
            let rpc = jsonrpc::read_response(rpc.as_bytes(), LIMITS, &id, operation);
            let http = http_json::read_response(operation, body.as_bytes(), LIMITS);
            for read in [rpc, http] {
                let kind = read.map_err(|error| error.kind()).err();
                let want = (!any).then_some(ErrorKind::InvalidAgentResponse);
                assert_eq!(kind, want, "{operation} {body}");
            }
        }
    }
}

#[test]
fn an_operation_that_streams_has_no_single_answer() {
    let id = 7.into();
    for operation in [Operation::SendStreamingMessage, Operation::SubscribeToTask] {
        let task = Response::Task(read(&task()));
        let body = jsonrpc::write_response(&id, &task);
        let error = jsonrpc::read_response(&body, LIMITS, &id, operation).expect_err("a stream");
        assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
        // The peer's own error comes first.
        let body = jsonrpc::failure(&id, &A2aError::task_not_found());
        let error = jsonrpc::read_response(&body, LIMITS, &id, operation).expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::TaskNotFound);
        let body = http_json::write_response(&task);
        let error = http_json::read_response(operation, &body, LIMITS).expect_err("a stream");
        assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
    }
}

#[test]
fn a_deletion_may_be_answered_with_nothing() {
    let delete = Operation::DeleteTaskPushNotificationConfig;
    for body in ["", "{}", "null"] {
        let read = http_json::read_response(delete, body.as_bytes(), LIMITS);
        assert_eq!(read, Ok(Response::Empty), "{body}");
    }
    let body = br#"{"jsonrpc":"2.0","id":7,"result":null}"#;
    let read = jsonrpc::read_response(body, LIMITS, &7.into(), delete);
    assert_eq!(read, Ok(Response::Empty));
}

#[test]
fn an_extended_card_keeps_every_member_that_its_signatures_cover() {
    let mut received = card();
    received["aLaterMember"] = json!({"snake_case": [null, 1.5]});
    received["skills"][0]["later"] = json!("x");
    let body = json!({"jsonrpc": "2.0", "id": 7, "result": received}).to_string();
    let kept = jsonrpc::read_result_json(body.as_bytes(), LIMITS, &7.into()).expect("a card");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    assert_eq!(kept, received);
}

#[test]
fn events_and_errors_read_back_from_a_stream() {
    let event: StreamResponse = read(&json!({"task": task()}));
    let data = http_json::write_event(&event);
    assert_eq!(http_json::read_event(&data, LIMITS), Ok(event));
    let error = A2aError::task_not_found();
    let data = http_json::write_error(&error);
    assert_eq!(http_json::read_event(&data, LIMITS), Err(error.clone()));
    assert_eq!(http_json::read_error(404, &data, LIMITS), error);
    for data in [
        "",
        "{}",
        "[]",
        r#"{"error":"x"}"#,
        r#"{"task":{},"message":{}}"#,
    ] {
        let read = http_json::read_event(data.as_bytes(), LIMITS).expect_err(data);
        assert_eq!(read.kind(), ErrorKind::InvalidAgentResponse, "{data}");
    }
    let page = http_json::read_error(503, b"<html>busy</html>", LIMITS);
    assert_eq!(page.kind(), ErrorKind::Foreign { code: 503 });
}

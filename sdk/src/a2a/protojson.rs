//! Every type of `a2a.proto` in ProtoJSON: nothing lost, both spellings, null as absent, unknown
//! members passed over (A2A §5.5-5.7).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::jose::JsonLimits;

fn status() -> Value {
    json!({"state": "TASK_STATE_INPUT_REQUIRED", "message": message(),
        "timestamp": "2026-11-22T13:36:11.142Z"})
}

fn parts() -> Value {
    json!([
        {"text": "hi", "metadata": {"a_b": {"c_d": null}}, "filename": "f", "mediaType": "a/b"},
        {"raw": "+/8=", "mediaType": "a/b"},
        {"url": "https://files.example/x"},
        {"data": {"snake_case": [1, 2.5, null, {"deep_er": false}]}},
        {"data": null},
    ])
}

fn message() -> Value {
    json!({"messageId": "m", "contextId": "c", "taskId": "t", "role": "ROLE_AGENT",
        "parts": parts(), "metadata": {"x_y": 1}, "extensions": ["urn:x"],
        "referenceTaskIds": ["r"]})
}

fn artifact() -> Value {
    json!({"artifactId": "a", "name": "n", "description": "d", "parts": parts(),
        "metadata": {"x_y": 1}, "extensions": ["urn:x"]})
}

fn task() -> Value {
    json!({"id": "t", "contextId": "c", "status": status(), "artifacts": [artifact()],
        "history": [message()], "metadata": {"x_y": 1}})
}

fn push() -> Value {
    json!({"tenant": "a", "id": "p", "taskId": "t", "url": "https://push.example", "token": "k",
        "authentication": {"scheme": "Bearer", "credentials": "c"}})
}

fn send() -> Value {
    let mut message = message();
    message["role"] = json!("ROLE_USER");
    json!({"tenant": "a", "message": message, "metadata": {"x_y": 1},
        "configuration": {"acceptedOutputModes": ["a/b"], "taskPushNotificationConfig": push(),
            "historyLength": 0, "returnImmediately": true}})
}

fn card() -> Value {
    let requirements = json!([{"schemes": {"snake_name": {"list": ["s"]}}}]);
    let urls = json!({"authorizationUrl": "a", "tokenUrl": "t", "refreshUrl": "r",
        "scopes": {"read_all": "d"}, "pkceRequired": true});
    json!({"name": "n", "description": "d", "version": "1",
        "supportedInterfaces": [{"url": "u", "protocolBinding": "JSONRPC", "tenant": "a",
            "protocolVersion": "1.0"}],
        "provider": {"url": "u", "organization": "o"}, "documentationUrl": "d", "iconUrl": "i",
        "capabilities": {"streaming": true, "pushNotifications": false, "extendedAgentCard": true,
            "extensions": [{"uri": "urn:x", "description": "d", "required": true,
                "params": {"x_y": null}}]},
        "securitySchemes": {
            "snake_name": {"apiKeySecurityScheme": {"description": "d", "location": "header",
                "name": "n"}},
            "http": {"httpAuthSecurityScheme": {"description": "d", "scheme": "Bearer",
                "bearerFormat": "JWT"}},
            "oauth": {"oauth2SecurityScheme": {"description": "d", "oauth2MetadataUrl": "m",
                "flows": {"authorizationCode": urls}}},
            "client": {"oauth2SecurityScheme": {"flows": {"clientCredentials": {"tokenUrl": "t",
                "refreshUrl": "r", "scopes": {}}}}},
            "device": {"oauth2SecurityScheme": {"flows": {"deviceCode": {
                "deviceAuthorizationUrl": "d", "tokenUrl": "t", "refreshUrl": "r", "scopes": {}}}}},
            "implicit": {"oauth2SecurityScheme": {"flows": {"implicit": {"authorizationUrl": "a",
                "refreshUrl": "r", "scopes": {}}}}},
            "password": {"oauth2SecurityScheme": {"flows": {"password": {"tokenUrl": "t",
                "refreshUrl": "r", "scopes": {}}}}},
            "oidc": {"openIdConnectSecurityScheme": {"description": "d", "openIdConnectUrl": "u"}},
            "mtls": {"mtlsSecurityScheme": {"description": "d"}},
        },
        "securityRequirements": requirements,
        "defaultInputModes": ["a/b"], "defaultOutputModes": ["a/b"],
        "skills": [{"id": "i", "name": "n", "description": "d", "tags": ["t"], "examples": ["e"],
            "inputModes": ["a/b"], "outputModes": ["a/b"], "securityRequirements": requirements}],
        "signatures": [{"protected": "p", "signature": "s", "header": {"x_y": 1}}]})
}

/// Runs `check` on a value of every type with every member set.
fn each(check: impl Each) {
    let event =
        json!({"taskId": "t", "contextId": "c", "status": status(), "metadata": {"x_y": 1}});
    let piece = json!({"taskId": "t", "contextId": "c", "artifact": artifact(), "append": true,
        "lastChunk": true, "metadata": {"x_y": 1}});
    check.on::<SendMessageRequest>(send());
    check.on::<GetTaskRequest>(json!({"tenant": "a", "id": "t", "historyLength": 0}));
    check.on::<ListTasksRequest>(json!({"tenant": "a", "contextId": "c",
        "status": "TASK_STATE_AUTH_REQUIRED", "pageSize": 1, "pageToken": "p", "historyLength": 2,
        "statusTimestampAfter": "2026-11-22T13:36:11.000Z", "includeArtifacts": false}));
    check.on::<ListTasksResponse>(
        json!({"tasks": [task()], "nextPageToken": "p", "pageSize": 1,
        "totalSize": 2}),
    );
    check.on::<CancelTaskRequest>(json!({"tenant": "a", "id": "t", "metadata": {"x_y": 1}}));
    check.on::<SubscribeToTaskRequest>(json!({"tenant": "a", "id": "t"}));
    check.on::<TaskPushNotificationConfig>(push());
    check.on::<GetTaskPushNotificationConfigRequest>(
        json!({"tenant": "a", "taskId": "t", "id": "p"}),
    );
    check.on::<ListTaskPushNotificationConfigsRequest>(json!({"tenant": "a", "taskId": "t",
        "pageSize": 5, "pageToken": "p"}));
    check.on::<ListTaskPushNotificationConfigsResponse>(json!({"configs": [push()],
        "nextPageToken": "p"}));
    check.on::<GetExtendedAgentCardRequest>(json!({"tenant": "a"}));
    check.on::<SendMessageResponse>(json!({"task": task()}));
    check.on::<SendMessageResponse>(json!({"message": message()}));
    check.on::<StreamResponse>(json!({"task": task()}));
    check.on::<StreamResponse>(json!({"message": message()}));
    check.on::<StreamResponse>(json!({"statusUpdate": event}));
    check.on::<StreamResponse>(json!({"artifactUpdate": piece}));
    check.on::<AgentCard>(card());
}

trait Each {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value);
}

fn read<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Members whose own members are values of a google.protobuf.Struct or Value.
fn is_struct(name: &str) -> bool {
    matches!(name, "metadata" | "params" | "header" | "data")
}

/// Members whose members are entries of a map.
fn is_map(name: &str) -> bool {
    matches!(name, "securitySchemes" | "schemes" | "scopes")
}

/// Changes every object that is a message of the proto.
fn each_message(json: &mut Value, change: &dyn Fn(&mut Struct)) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(|item| each_message(item, change)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut().filter(|(name, _)| !is_struct(name)) {
                match value {
                    Value::Object(entries) if is_map(name) => {
                        entries
                            .values_mut()
                            .for_each(|entry| each_message(entry, change));
                    }
                    value => each_message(value, change),
                }
            }
            change(members);
        }
        _ => {}
    }
}

struct ReadsBack;
impl Each for ReadsBack {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let value: T = read(&full);
        assert_eq!(serde_json::to_value(&value).expect("JSON"), full);
        let text = serde_json::to_string(&value).expect("JSON");
        assert_eq!(serde_json::from_str::<T>(&text).expect("the same"), value);
    }
}

#[test]
fn every_type_reads_back_and_loses_nothing() {
    each(ReadsBack);
}

struct SnakeCase;
impl Each for SnakeCase {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let mut snake = full.clone();
        each_message(&mut snake, &|members| {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, value)| (snake_case(&name), value))
                .collect();
        });
        assert_eq!(read::<T>(&snake), read::<T>(&full), "{snake}");
    }
}

fn snake_case(name: &str) -> String {
    let upper = |c: char| c.is_ascii_uppercase();
    let parts = name.split_inclusive(|_| true);
    parts
        .map(|c| {
            if c.contains(upper) {
                format!("_{}", c.to_ascii_lowercase())
            } else {
                c.into()
            }
        })
        .collect()
}

#[test]
fn every_name_of_the_proto_is_read_too() {
    assert_eq!(snake_case("statusTimestampAfter"), "status_timestamp_after");
    each(SnakeCase);
}

struct Later;
impl Each for Later {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        let mut later = full.clone();
        each_message(&mut later, &|members| {
            // In a requirement it would be a scheme of version 0.3.
            if !members
                .values()
                .any(|value| value.pointer("/snake_name/list").is_some())
            {
                members.insert("aLaterMember".into(), json!({"x": [1]}));
            }
        });
        assert_eq!(read::<T>(&later), read::<T>(&full), "{later}");
    }
}

#[test]
fn unknown_members_are_passed_over() {
    each(Later);
}

struct Nulls;
impl Each for Nulls {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value) {
        for (name, _) in full.as_object().expect("an object") {
            let mut without = full.clone();
            without.as_object_mut().expect("an object").remove(name);
            let mut null = full.clone();
            null[name] = Value::Null;
            let read = |json: Value| serde_json::from_value::<T>(json).ok();
            assert_eq!(read(null), read(without), "{name}");
        }
    }
}

#[test]
fn null_is_the_same_as_absent() {
    each(Nulls);
    let nulls = |json: &mut Value| {
        for name in ["contextId", "artifacts", "history", "metadata"] {
            json[name] = Value::Null;
        }
        for name in ["message", "timestamp"] {
            json["status"][name] = Value::Null;
        }
    };
    let mut json = task();
    nulls(&mut json);
    let read: Task = read(&json);
    let want = json!({"id": "t", "status": {"state": "TASK_STATE_INPUT_REQUIRED"}});
    assert_eq!(serde_json::to_value(read).expect("JSON"), want);
}

#[test]
fn a_oneof_has_exactly_one_member() {
    for two in [
        json!({"task": task(), "message": message()}),
        json!({"message": message(), "message_": 1, "task": task()}),
        json!({}),
        json!({"later": {}}),
    ] {
        assert!(
            serde_json::from_value::<StreamResponse>(two.clone()).is_err(),
            "{two}"
        );
        assert!(
            serde_json::from_value::<SendMessageResponse>(two.clone()).is_err(),
            "{two}"
        );
    }
}

#[test]
fn numbers_are_read_in_every_form() {
    let length = |json: Value| {
        let request = json!({"id": "t", "historyLength": json});
        serde_json::from_value::<GetTaskRequest>(request).map(|read| read.history_length)
    };
    for (json, want) in [
        (json!(7), 7),
        (json!("7"), 7),
        (json!(7.0), 7),
        (json!("7.0"), 7),
        (json!("7e2"), 700),
        (json!(7e2), 700),
        (json!(i32::MAX), i32::MAX),
        (json!(i32::MIN), i32::MIN),
        (json!("-2147483648"), i32::MIN),
        (json!(-2_147_483_648.0), i32::MIN),
    ] {
        assert_eq!(
            length(json.clone()).expect("a number"),
            Some(want),
            "{json}"
        );
    }
    for json in [
        json!(7.5),
        json!("7.5"),
        json!(""),
        json!(" 7"),
        json!("0x7"),
        json!("NaN"),
        json!("inf"),
        json!(2_147_483_648_u64),
        json!("2147483648"),
        json!(-2_147_483_649_i64),
        json!(1e300),
        json!(true),
        json!([7]),
    ] {
        assert!(length(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn what_a_struct_holds_is_left_as_it_is() {
    let odd = json!({"snake_case": null, "a": {"task_id": [1, 1.0, 1e30, -0.0, "\u{0}"]},
        "": {}, "$": 9_007_199_254_740_993_u64});
    let mut json = message();
    json["metadata"] = odd.clone();
    json["parts"] = json!([{ "data": odd }]);
    let read: Message = read(&json);
    let written = serde_json::to_string(&read).expect("JSON");
    let again: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(again["metadata"].to_string(), odd.to_string());
    assert_eq!(again["parts"][0]["data"].to_string(), odd.to_string());
}

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

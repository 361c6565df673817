//! One request in the words of both bindings.

use http::Method;
use serde_json::{Value, json};

use super::super::http_json::HttpJsonError;
use super::super::{A2aError, ErrorKind, Operation, Request, http_json, jsonrpc, percent};
use crate::jose::JsonLimits;

/// Good parameters of an operation.
pub(super) fn good(operation: Operation) -> Value {
    match operation {
        Operation::SendMessage | Operation::SendStreamingMessage => json!({
            "message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "hi"}],
                "contextId": "c-1", "taskId": "t-1", "referenceTaskIds": ["t-0"],
                "extensions": ["urn:x"]},
            "configuration": {"historyLength": 0, "taskPushNotificationConfig":
                {"id": "p-1", "url": "https://push.example/x", "token": "secret",
                "authentication": {"scheme": "Bearer", "credentials": "secret"}}},
            "metadata": {},
        }),
        Operation::GetTask => json!({"id": "t-1", "historyLength": 1}),
        Operation::ListTasks => json!({"contextId": "c-1", "status": "TASK_STATE_WORKING",
            "pageSize": 10, "pageToken": "p", "historyLength": 1,
            "statusTimestampAfter": "2026-11-22T13:36:11Z", "includeArtifacts": true}),
        Operation::CancelTask => json!({"id": "t-1", "metadata": {}}),
        Operation::SubscribeToTask => json!({"id": "t-1"}),
        Operation::CreateTaskPushNotificationConfig => json!({"taskId": "t-1", "id": "p-1",
            "url": "https://push.example/x", "token": "secret",
            "authentication": {"scheme": "Bearer", "credentials": "secret"}}),
        Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig => {
            json!({"taskId": "t-1", "id": "p-1"})
        }
        Operation::ListTaskPushNotificationConfigs => json!({"taskId": "t-1", "pageSize": 10,
            "pageToken": "p"}),
        Operation::GetExtendedAgentCard => json!({}),
    }
}

pub(super) fn long(len: usize) -> Value {
    "x".repeat(len).into()
}

/// Puts a value into its place, making the member when there is none.
pub(super) fn put(params: &mut Value, place: &str, value: Value) {
    let (parent, name) = place.rsplit_once('/').expect("a place");
    match params.pointer_mut(parent).expect(place) {
        Value::Array(items) => items[name.parse::<usize>().expect("a number")] = value,
        members => members[name] = value,
    }
}

pub(super) fn over_json_rpc(operation: Operation, params: &Value) -> Result<Request, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": operation, "params": params});
    let request = jsonrpc::parse_request(body.to_string().as_bytes(), JsonLimits::default())?;
    jsonrpc::read_request(request)
}

/// The same over HTTP+JSON; `None` when its path cannot say it.
pub(super) fn over_http(operation: Operation, params: &Value) -> Option<Result<Request, A2aError>> {
    let segment = |name: &str| {
        let text = params[name].as_str().filter(|text| !text.is_empty())?;
        let mut out = String::new();
        percent::push_encoded(&mut out, text);
        Some(out)
    };
    let mut path = String::new();
    let mut in_path = vec!["tenant"];
    if !params["tenant"].is_null() {
        path = format!("/{}", segment("tenant")?);
    }
    let (method, rest, more) = match operation {
        Operation::SendMessage => (Method::POST, "/message:send".to_owned(), vec![]),
        Operation::SendStreamingMessage => (Method::POST, "/message:stream".to_owned(), vec![]),
        Operation::GetTask => (
            Method::GET,
            format!("/tasks/{}", segment("id")?),
            vec!["id"],
        ),
        Operation::ListTasks => (Method::GET, "/tasks".to_owned(), vec![]),
        Operation::CancelTask => (
            Method::POST,
            format!("/tasks/{}:cancel", segment("id")?),
            vec!["id"],
        ),
        Operation::SubscribeToTask => (
            Method::GET,
            format!("/tasks/{}:subscribe", segment("id")?),
            vec!["id"],
        ),
        Operation::CreateTaskPushNotificationConfig
        | Operation::ListTaskPushNotificationConfigs => {
            let path = format!("/tasks/{}/pushNotificationConfigs", segment("taskId")?);
            let create = operation == Operation::CreateTaskPushNotificationConfig;
            (
                if create { Method::POST } else { Method::GET },
                path,
                vec!["taskId"],
            )
        }
        Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig => {
            let (task, id) = (segment("taskId")?, segment("id")?);
            let path = format!("/tasks/{task}/pushNotificationConfigs/{id}");
            let get = operation == Operation::GetTaskPushNotificationConfig;
            (
                if get { Method::GET } else { Method::DELETE },
                path,
                vec!["taskId", "id"],
            )
        }
        Operation::GetExtendedAgentCard => (Method::GET, "/extendedAgentCard".to_owned(), vec![]),
    };
    path += &rest;
    in_path.extend(more);
    let mut left = params.clone();
    left.as_object_mut()?
        .retain(|name, _| !in_path.contains(&name.as_str()));
    let limits = JsonLimits::default();
    let read = if method == Method::POST {
        http_json::read_request(&method, &path, None, left.to_string().as_bytes(), limits)
    } else {
        let mut query = String::new();
        for (name, value) in left.as_object()? {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            query += &format!("&{name}=");
            percent::push_encoded(&mut query, &text);
        }
        http_json::read_request(&method, &path, Some(&query), b"", limits)
    };
    Some(read.map_err(|error| match error {
        HttpJsonError::A2a(error) => error,
        other => panic!("{path}: {other}"),
    }))
}

pub(super) fn refused(read: Result<Request, A2aError>) -> Vec<String> {
    let error = read.expect_err("bad input");
    assert_eq!(error.kind(), ErrorKind::InvalidParams, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    error.violations().iter().map(|v| v.field.clone()).collect()
}

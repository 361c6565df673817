//! Bad input, once for all operations and both JSON bindings: the same field is refused on each.

use http::Method;
use serde_json::{Value, json};

use super::http_json::{self, HttpJsonError};
use super::{A2aError, ErrorKind, Operation, Request, jsonrpc};
use crate::jose::JsonLimits;

/// Good parameters of an operation.
fn good(operation: Operation) -> Value {
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

type Wrong = (&'static str, Value, &'static str);

/// A value for one place, and the field that must be named.
fn wrong(operation: Operation) -> Vec<Wrong> {
    let mut cases = vec![
        ("/tenant", json!("a\nb"), "tenant"),
        ("/tenant", long(257), "tenant"),
    ];
    cases.extend(match operation {
        Operation::SendMessage | Operation::SendStreamingMessage => wrong_message(),
        Operation::GetTask => {
            [ids("/id", "id"), history("/historyLength", "historyLength")].concat()
        }
        Operation::ListTasks => [
            history("/historyLength", "historyLength"),
            vec![
                ("/contextId", long(257), "contextId"),
                ("/contextId", json!("a\u{0}"), "contextId"),
                ("/status", json!("TASK_STATE_RUNNING"), "status"),
                ("/status", json!("working"), "status"),
                ("/status", json!(9), "status"),
                ("/pageSize", json!(0), "pageSize"),
                ("/pageSize", json!(-1), "pageSize"),
                ("/pageSize", json!(101), "pageSize"),
                ("/pageSize", json!(4_294_967_297_u64), "pageSize"),
                ("/pageSize", json!("many"), "pageSize"),
                ("/pageSize", json!(1.5), "pageSize"),
                ("/pageToken", long(2049), "pageToken"),
                (
                    "/statusTimestampAfter",
                    json!("yesterday"),
                    "statusTimestampAfter",
                ),
                (
                    "/statusTimestampAfter",
                    json!(1_795_354_571),
                    "statusTimestampAfter",
                ),
                ("/includeArtifacts", json!("yes"), "includeArtifacts"),
                ("/includeArtifacts", json!(1), "includeArtifacts"),
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
                ("/id", long(257), "id"),
                ("/url", json!(""), "url"),
                ("/url", Value::Null, "url"),
                ("/url", json!(5), "url"),
                ("/url", json!("https://a.example/\r\nx: y"), "url"),
                ("/url", long(2049), "url"),
                ("/token", json!("a\u{7f}"), "token"),
                ("/authentication", json!("Bearer"), "authentication"),
                (
                    "/authentication",
                    json!(["Bearer", "secret"]),
                    "authentication",
                ),
                ("/authentication/scheme", json!(""), "authentication.scheme"),
                (
                    "/authentication/credentials",
                    json!("a\n"),
                    "authentication.credentials",
                ),
            ],
        ]
        .concat(),
        Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig => {
            [ids("/taskId", "taskId"), ids("/id", "id")].concat()
        }
        Operation::ListTaskPushNotificationConfigs => [
            ids("/taskId", "taskId"),
            vec![
                ("/pageSize", json!(-1), "pageSize"),
                ("/pageSize", json!("many"), "pageSize"),
                ("/pageToken", long(2049), "pageToken"),
            ],
        ]
        .concat(),
        Operation::GetExtendedAgentCard => vec![("/tenant", json!(5), "tenant")],
    });
    cases
}

fn wrong_message() -> Vec<Wrong> {
    [
        history(
            "/configuration/historyLength",
            "configuration.historyLength",
        ),
        vec![
            ("/message", Value::Null, "message"),
            ("/message", json!("hi"), "message"),
            (
                "/message",
                json!(["m", null, null, "ROLE_USER", [{"text": "hi"}]]),
                "message",
            ),
            ("/message/messageId", json!(""), "message.messageId"),
            ("/message/messageId", Value::Null, "message.messageId"),
            ("/message/messageId", json!(7), "message.messageId"),
            ("/message/messageId", long(257), "message.messageId"),
            ("/message/messageId", json!("a\u{0}b"), "message.messageId"),
            ("/message/contextId", json!("a\nb"), "message.contextId"),
            ("/message/taskId", json!({}), "message.taskId"),
            ("/message/role", json!("ROLE_AGENT"), "message.role"),
            ("/message/role", json!("ROLE_UNSPECIFIED"), "message.role"),
            ("/message/role", json!("ROLE_ROOT"), "message.role"),
            ("/message/role", json!(3), "message.role"),
            ("/message/role", Value::Null, "message.role"),
            ("/message/parts", json!([]), "message.parts"),
            ("/message/parts", Value::Null, "message.parts"),
            ("/message/parts", json!({"text": "hi"}), "message.parts"),
            ("/message/parts/0", json!({}), "message.parts[0]"),
            ("/message/parts/0", json!("hi"), "message.parts[0]"),
            (
                "/message/parts/0",
                json!({"kind": "text"}),
                "message.parts[0]",
            ),
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
            ("/message/parts/0", json!({"raw": "!"}), "message.parts[0]"),
            ("/message/metadata", json!([]), "message.metadata"),
            ("/message/extensions/0", json!(""), "message.extensions[0]"),
            (
                "/message/referenceTaskIds/0",
                json!("a\t"),
                "message.referenceTaskIds[0]",
            ),
            (
                "/message/referenceTaskIds/0",
                json!(5),
                "message.referenceTaskIds[0]",
            ),
            ("/configuration", json!(true), "configuration"),
            ("/configuration", json!([]), "configuration"),
            (
                "/configuration/returnImmediately",
                json!("yes"),
                "configuration.returnImmediately",
            ),
            (
                "/configuration/acceptedOutputModes",
                json!("text/plain"),
                "configuration.acceptedOutputModes",
            ),
            (
                "/configuration/taskPushNotificationConfig/url",
                json!(""),
                "configuration.taskPushNotificationConfig.url",
            ),
            (
                "/configuration/taskPushNotificationConfig/authentication/scheme",
                json!(""),
                "configuration.taskPushNotificationConfig.authentication.scheme",
            ),
            ("/metadata", json!("text"), "metadata"),
        ],
    ]
    .concat()
}

fn ids(place: &'static str, field: &'static str) -> Vec<Wrong> {
    let values = [
        json!(""),
        Value::Null,
        json!(7),
        long(257),
        json!("a\u{0}b"),
        json!("a\r\nb"),
        json!("\u{7f}"),
        json!("\u{85}"),
    ];
    values.map(|value| (place, value, field)).into()
}

fn history(place: &'static str, field: &'static str) -> Vec<Wrong> {
    let values = [
        json!(-1),
        json!(2_147_483_648_u64),
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

fn over_json_rpc(operation: Operation, params: &Value) -> Result<Request, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": operation, "params": params});
    let request = jsonrpc::parse_request(body.to_string().as_bytes(), JsonLimits::default())?;
    jsonrpc::read_request(request)
}

/// The same over HTTP+JSON; `None` when its path cannot say it.
fn over_http(operation: Operation, params: &Value) -> Option<Result<Request, A2aError>> {
    let segment = |name: &str| {
        let text = params[name].as_str().filter(|text| !text.is_empty())?;
        let mut out = String::new();
        super::percent::push_encoded(&mut out, text);
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
            super::percent::push_encoded(&mut query, &text);
        }
        http_json::read_request(&method, &path, Some(&query), b"", limits)
    };
    Some(read.map_err(|error| match error {
        HttpJsonError::A2a(error) => error,
        other => panic!("{path}: {other}"),
    }))
}

fn refused(read: Result<Request, A2aError>) -> Vec<String> {
    let error = read.expect_err("bad input");
    assert_eq!(error.kind(), ErrorKind::InvalidParams, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    error.violations().iter().map(|v| v.field.clone()).collect()
}

#[test]
fn good_input_is_the_same_request_on_both_bindings() {
    for operation in Operation::ALL {
        let params = good(operation);
        let rpc = over_json_rpc(operation, &params).expect("good input");
        assert_eq!(rpc.operation(), operation);
        assert_eq!(rpc.check(), Ok(()));
        assert_eq!(over_http(operation, &params), Some(Ok(rpc)), "{operation}");
    }
}

#[test]
fn one_wrong_field_is_named_on_both_bindings() {
    let mut expressible = 0;
    for operation in Operation::ALL {
        for (place, value, field) in wrong(operation) {
            let mut params = good(operation);
            put(&mut params, place, value.clone());
            let told = refused(over_json_rpc(operation, &params));
            assert_eq!(told, [field], "{operation} {place} {value}");
            if let Some(read) = over_http(operation, &params) {
                expressible += 1;
                assert_eq!(refused(read), [field], "{operation} {place} {value}");
            }
        }
    }
    assert!(expressible > 100, "{expressible}");
}

#[test]
fn a_missing_field_is_named() {
    for (operation, want) in [
        (Operation::SendMessage, &["message"][..]),
        (Operation::SendStreamingMessage, &["message"]),
        (Operation::GetTask, &["id"]),
        (Operation::CancelTask, &["id"]),
        (Operation::SubscribeToTask, &["id"]),
        (
            Operation::CreateTaskPushNotificationConfig,
            &["taskId", "url"],
        ),
        (Operation::GetTaskPushNotificationConfig, &["taskId", "id"]),
        (Operation::ListTaskPushNotificationConfigs, &["taskId"]),
        (
            Operation::DeleteTaskPushNotificationConfig,
            &["taskId", "id"],
        ),
    ] {
        assert_eq!(
            refused(over_json_rpc(operation, &json!({}))),
            want,
            "{operation}"
        );
    }
    for operation in [Operation::ListTasks, Operation::GetExtendedAgentCard] {
        assert!(over_json_rpc(operation, &json!({})).is_ok(), "{operation}");
    }
    let no_role = json!({"message": {"messageId": "m", "parts": [{"text": "hi"}]}});
    assert_eq!(
        refused(over_json_rpc(Operation::SendMessage, &no_role)),
        ["message.role"]
    );
}

#[test]
fn ids_that_look_like_paths_are_only_ids() {
    for id in [
        "../../admin?x=",
        "/",
        "..",
        "a b",
        "%2e%2e",
        "t:cancel",
        "\u{202e}x",
        "\u{1f98a}",
    ] {
        for operation in [
            Operation::GetTask,
            Operation::CancelTask,
            Operation::SubscribeToTask,
        ] {
            let params = json!({ "id": id });
            let rpc = over_json_rpc(operation, &params).expect("an ID");
            assert_eq!(over_http(operation, &params), Some(Ok(rpc)), "{id}");
        }
    }
}

/// Texts that are no JSON, or none that may be read, for any operation with a body.
#[test]
fn bodies_are_strict_json_on_both_bindings() {
    let deep = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for (rule, metadata, want) in [
        (
            "a lone surrogate",
            br#"{"x":"\ud83e"}"#.to_vec(),
            ErrorKind::Parse,
        ),
        (
            "half a pair",
            br#"{"x":"\ud83e\u0041"}"#.to_vec(),
            ErrorKind::Parse,
        ),
        ("not UTF-8", b"{\"x\":\"\xff\"}".to_vec(), ErrorKind::Parse),
        (
            "UTF-8 of a surrogate",
            b"{\"x\":\"\xed\xa0\x80\"}".to_vec(),
            ErrorKind::Parse,
        ),
        (
            "a control character",
            b"{\"x\":\"\n\"}".to_vec(),
            ErrorKind::Parse,
        ),
        ("no number", b"{\"x\":NaN}".to_vec(), ErrorKind::Parse),
        (
            "too large a number",
            b"{\"x\":1e999}".to_vec(),
            ErrorKind::Parse,
        ),
        ("a comma", b"{\"x\":1,}".to_vec(), ErrorKind::Parse),
        ("not ended", b"{\"x\":[".to_vec(), ErrorKind::Parse),
        (
            "twice",
            br#"{"x":1,"x":1}"#.to_vec(),
            ErrorKind::InvalidRequest,
        ),
        (
            "twice, escaped",
            br#"{"x":1,"\u0078":1}"#.to_vec(),
            ErrorKind::InvalidRequest,
        ),
        ("too deep", deep(64).into_bytes(), ErrorKind::InvalidRequest),
        (
            "far too deep",
            deep(100_000).into_bytes(),
            ErrorKind::InvalidRequest,
        ),
    ] {
        let members = [&b"\"id\":\"t\",\"metadata\":"[..], &metadata].concat();
        let rpc = [
            &br#"{"jsonrpc":"2.0","id":1,"method":"CancelTask","params":{"#[..],
            &members,
            b"}}",
        ]
        .concat();
        let error = jsonrpc::parse_request(&rpc, JsonLimits::default()).expect_err(rule);
        assert_eq!(error.error.kind(), want, "{rule}");
        let http = [b"{", &members[..], b"}"].concat();
        let limits = JsonLimits::default();
        let read = http_json::read_request(&Method::POST, "/tasks/t:cancel", None, &http, limits);
        assert_eq!(A2aError::from(read.expect_err(rule)).kind(), want, "{rule}");
    }
}

#[test]
fn one_field_under_both_its_names_is_refused() {
    for (operation, params) in [
        (
            Operation::GetTask,
            json!({"id": "t", "historyLength": 1, "history_length": 1}),
        ),
        (
            Operation::ListTasks,
            json!({"contextId": "a", "context_id": "b"}),
        ),
        (
            Operation::GetTaskPushNotificationConfig,
            json!({"taskId": "t", "task_id": "u", "id": "p"}),
        ),
    ] {
        let error = over_json_rpc(operation, &params).expect_err("two values");
        assert_eq!(error.kind(), ErrorKind::InvalidParams);
    }
}

/// What a byte of a good request may become.
const BYTES: [u8; 12] = *b"\0\n\"{[,:/%&\xc3\xff";

/// Every cut of `good`, and every change of one of its bytes.
fn mangled(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..good.len()).flat_map(move |at| {
        let changed = BYTES.into_iter().map(move |byte| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            bytes
        });
        changed.chain([good[..at].to_vec()])
    })
}

#[test]
fn whatever_is_read_of_a_mangled_request_keeps_every_rule() {
    let mut read = 0;
    for operation in Operation::ALL {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": operation, "params": good(operation)});
        for bytes in mangled(body.to_string().as_bytes()) {
            let request = jsonrpc::parse_request(&bytes, JsonLimits::default());
            if let Ok(request) = request
                .map_err(A2aError::from)
                .and_then(jsonrpc::read_request)
            {
                assert_eq!(
                    request.check(),
                    Ok(()),
                    "{}",
                    String::from_utf8_lossy(&bytes)
                );
                read += 1;
            }
        }
    }
    assert!(read > 1000, "{read}");
}

#[test]
fn whatever_is_read_of_a_mangled_path_is_written_as_the_same_request() {
    let targets = [
        "/a%2Fb/tasks/t:cancel",
        "/acme/tasks/t%3Acancel?historyLength=2",
        "/tasks/tasks/pushNotificationConfigs/c?x",
        "/acme/tasks/t/pushNotificationConfigs?pageSize=1&pageToken=a%2B+",
        "/tasks?contextId=%E2%82%AC+x&status=TASK_STATE_WORKING&pageSize=10&includeArtifacts=true",
        "/acme/extendedAgentCard",
    ];
    let (limits, mut read) = (JsonLimits::default(), 0);
    for target in targets {
        let texts = mangled(target.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok());
        for text in texts {
            let split = |text: &str| match text.split_once('?') {
                Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
                None => (text.to_owned(), None),
            };
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let (path, query) = split(&text);
                let parsed = http_json::read_request(&method, &path, query.as_deref(), b"", limits);
                let Ok(request) = parsed else {
                    continue;
                };
                read += 1;
                assert_eq!(request.check(), Ok(()), "{text}");
                let written = http_json::write_request(&request).expect(&text);
                let (path, query) = split(&written.path_and_query);
                let body = written.body.unwrap_or_default();
                let query = query.as_deref();
                let again = http_json::read_request(&written.method, &path, query, &body, limits);
                assert_eq!(again, Ok(request), "{text}");
            }
        }
    }
    assert!(read > 500, "{read}");
}

//! One wrong field, refused alike.

use serde_json::{Value, json};

use super::super::{ErrorKind, Operation};
use super::both::{good, long, over_http, over_json_rpc, put, refused};

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

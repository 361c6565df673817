//! What cannot be said in 0.3, and what is wrong in it.

use countersign::a2a::{
    A2aError, ErrorKind, GetTaskRequest, ListTasksRequest, Operation, Request, v03,
};
use http::Method;
use serde_json::json;

use crate::reading::{LIMITS, asked, told};

#[test]
fn what_0_3_cannot_say_is_refused_in_both_bindings() {
    let mut with_tenant = Request::GetTask(GetTaskRequest {
        id: "t-1".into(),
        ..GetTaskRequest::default()
    });
    assert!(v03::write_rest_request(&with_tenant).is_ok());
    with_tenant.set_tenant(Some("acme".into()));
    let list = Request::ListTasks(ListTasksRequest::default());
    for request in [with_tenant, list] {
        for written in [
            v03::write_json_rpc(&1.into(), &request).map(drop),
            v03::write_rest_request(&request).map(drop),
        ] {
            let error = written.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::UnsupportedOperation);
        }
    }
    let read = |path: &str| {
        let read = v03::read_rest_request(&Method::GET, path, None, b"", LIMITS);
        read.map_err(|error| A2aError::from(error).kind())
    };
    assert_eq!(read("/v1/tasks"), Err(ErrorKind::UnsupportedOperation));
    for path in [
        "/tasks/t-1",
        "/v1/acme/tasks/t-1",
        "/v1/extendedAgentCard",
        "/v1/x",
    ] {
        assert_eq!(read(path), Err(ErrorKind::MethodNotFound), "{path}");
    }
    assert!(read("/v1/tasks/t-1").is_ok());
    let error = asked("tasks/list", json!({})).expect_err("no such method");
    assert_eq!(error.kind(), ErrorKind::MethodNotFound);
    let error = asked("SendMessage", json!({})).expect_err("a method of 1.0");
    assert_eq!(error.kind(), ErrorKind::MethodNotFound);
    // Of a task's state nothing is known: 1.0 has no such state, and none may stand for it.
    let unknown =
        json!({"kind": "task", "id": "t", "contextId": "c", "status": {"state": "unknown"}});
    let error = told(Operation::GetTask, &unknown).expect_err("refused");
    assert!(error.to_string().contains("status.state"), "{error}");
}

#[test]
fn a_wrong_member_is_named_as_0_3_names_it() {
    let good = json!({
        "message": {"kind": "message", "messageId": "m-1", "role": "user",
            "parts": [{"kind": "text", "text": "hi"},
                {"kind": "file", "file": {"bytes": "+/8=", "mimeType": "image/png", "name": "a"}},
                {"kind": "data", "data": {"a": 1}}]},
        "configuration": {"historyLength": 1, "blocking": true,
            "pushNotificationConfig": {"url": "https://push.example/x",
                "authentication": {"schemes": ["Bearer"], "credentials": "abc"}}},
    });
    assert!(asked("message/send", good.clone()).is_ok());
    for (path, value, want) in [
        ("/message", json!(null), "message"),
        ("/message/kind", json!("task"), "message.kind"),
        ("/message/messageId", json!(""), "message.messageId"),
        ("/message/messageId", json!(7), "message.messageId"),
        ("/message/role", json!("ROLE_USER"), "message.role"),
        ("/message/role", json!("agent"), "message.role"),
        ("/message/parts", json!([]), "message.parts"),
        ("/message/parts", json!({}), "message.parts"),
        (
            "/message/parts/0/kind",
            json!("file"),
            "message.parts[0].kind",
        ),
        ("/message/parts/0/text", json!(1), "message.parts[0].text"),
        (
            "/message/parts/0/text",
            json!(null),
            "message.parts[0].text",
        ),
        (
            "/message/parts/1/file/bytes",
            json!("!"),
            "message.parts[1].file.bytes",
        ),
        (
            "/message/parts/1/file",
            json!({}),
            "message.parts[1].file.bytes",
        ),
        (
            "/message/parts/1/file",
            json!({"bytes": "", "uri": "u"}),
            "message.parts[1].file.uri",
        ),
        ("/message/parts/2/data", json!([1]), "message.parts[2].data"),
        (
            "/configuration/historyLength",
            json!(-1),
            "configuration.historyLength",
        ),
        (
            "/configuration/historyLength",
            json!("1"),
            "configuration.historyLength",
        ),
        (
            "/configuration/blocking",
            json!("yes"),
            "configuration.blocking",
        ),
        (
            "/configuration/pushNotificationConfig/url",
            json!(""),
            "configuration.pushNotificationConfig.url",
        ),
        (
            "/configuration/pushNotificationConfig/url",
            json!("a\nb"),
            "configuration.pushNotificationConfig.url",
        ),
        (
            "/configuration/pushNotificationConfig/authentication/schemes",
            json!([]),
            "configuration.pushNotificationConfig.authentication.schemes",
        ),
        (
            "/configuration/pushNotificationConfig/authentication/schemes/0",
            json!("x".repeat(65)),
            "configuration.pushNotificationConfig.authentication.schemes",
        ),
    ] {
        let mut params = good.clone();
        *params.pointer_mut(path).expect(path) = value;
        let error = asked("message/send", params).expect_err(path);
        assert_eq!(error.kind(), ErrorKind::InvalidParams, "{path}");
        let fields: Vec<_> = error
            .violations()
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(fields, [want], "{path}");
        // 0.3's errors have no agreed place for it but the message.
        let body = v03::write_json_rpc_error(&1.into(), &error);
        let body = String::from_utf8(body).expect("UTF-8");
        assert!(body.contains(want) && !body.contains("abc"), "{body}");
    }
    for (method, params, want) in [
        ("tasks/get", json!({}), "id"),
        ("tasks/cancel", json!({"id": "a\rb"}), "id"),
        ("tasks/resubscribe", json!({"id": ""}), "id"),
        ("tasks/pushNotificationConfig/get", json!({}), "id"),
        ("tasks/pushNotificationConfig/list", json!({}), "id"),
        (
            "tasks/pushNotificationConfig/delete",
            json!({"id": "t"}),
            "pushNotificationConfigId",
        ),
        (
            "tasks/pushNotificationConfig/delete",
            json!({"id": "t", "pushNotificationConfigId": "a\0"}),
            "pushNotificationConfigId",
        ),
        (
            "tasks/pushNotificationConfig/set",
            json!({"taskId": "t", "pushNotificationConfig": {"url": "a\nb"}}),
            "pushNotificationConfig.url",
        ),
        (
            "tasks/pushNotificationConfig/set",
            json!({"taskId": "t"}),
            "pushNotificationConfig",
        ),
    ] {
        let error = asked(method, params).expect_err(method);
        let fields: Vec<_> = error
            .violations()
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(fields, [want], "{method}");
    }
}

#[test]
fn a_path_of_0_3_is_one_of_its_own_with_nothing_before_it() {
    let read = |path: &str| {
        let read = v03::read_rest_request(&Method::GET, path, None, b"", LIMITS);
        read.map(drop).map_err(|error| A2aError::from(error).kind())
    };
    for path in ["/v1/tasks/t-1", "/v1/tasks/t-1:subscribe", "/v1/card"] {
        assert_eq!(read(path), Ok(()), "{path}");
    }
    for path in [
        "/v1/tasksfoo",
        "/v1/tasksfoo/tasks",
        "/v1/tasksfoo/tasks/t-1",
        "/v1/tasks/tasks/t-1",
        "/v1/message:send/tasks/t-1",
        "/v1/message:x/tasks/t-1",
        "/v1/message:x",
        "/v1/message:sendx",
        "/v1/card/tasks/t-1",
        "/v1/cards/tasks/t-1",
        "/v1/cards",
        "/v1/card/",
        "/v1//tasks/t-1",
        "/v1tasks/t-1",
        "/v1/",
        "/v1",
    ] {
        assert_eq!(read(path), Err(ErrorKind::MethodNotFound), "{path}");
    }
}

//! The JSON forms of A2A 0.3: examples of its specification, messages recorded of an SDK, and
//! everything that 1.0 has, there and back.

use std::path::Path;

use countersign::a2a::v03;
use countersign::a2a::{
    A2aError, AgentCard, AgentInterface, ErrorKind, GetTaskRequest, ListTasksRequest, Operation,
    Part, PartContent, Request, Response, Role, SendMessageResponse, StreamResponse, TaskState,
    Version, jsonrpc,
};
use countersign::jose::JsonLimits;
use http::Method;
use serde::Deserialize as _;
use serde_json::{Value, json};

const LIMITS: JsonLimits = JsonLimits {
    depth: 64,
    bytes: 1 << 20,
};

fn vectors(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/a2a-v03");
    let text = std::fs::read(root.join(name)).expect("the vectors are there");
    serde_json::from_slice(&text).expect("JSON")
}

/// Reads the parameters of a method of JSON-RPC.
fn asked(method: &str, params: Value) -> Result<Request, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    read(&body)
}

fn read(body: &Value) -> Result<Request, A2aError> {
    let body = body.to_string();
    let request = jsonrpc::parse_request(body.as_bytes(), LIMITS).expect("JSON-RPC");
    v03::read_json_rpc(request)
}

/// Reads the result of an operation of JSON-RPC.
fn told(operation: Operation, result: &Value) -> Result<Response, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    v03::read_json_rpc_response(body.as_bytes(), LIMITS, &1.into(), operation)
}

fn event(result: &Value) -> Result<StreamResponse, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    v03::read_json_rpc_event(body.as_bytes(), LIMITS, &1.into())
}

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

#[test]
fn a_card_of_0_3_becomes_one_with_interfaces_of_0_3() {
    let vectors = vectors("python_sdk_messages.json");
    let card = AgentCard::deserialize(&vectors["json_rpc"]["card"]).expect("a card");
    let listed: Vec<_> = card.supported_interfaces.iter().collect();
    let interface = |url: &str, binding: &str| AgentInterface {
        url: url.into(),
        protocol_binding: binding.into(),
        tenant: None,
        protocol_version: "0.3.0".into(),
    };
    assert_eq!(
        listed,
        [
            &interface("https://jokes.example/a2a", "JSONRPC"),
            &interface("https://jokes.example/rest", "HTTP+JSON")
        ]
    );
    let as_1_0 = serde_json::to_value(&card).expect("JSON");
    assert_eq!(
        as_1_0["securitySchemes"],
        json!({
            "basic": {"httpAuthSecurityScheme": {"scheme": "Basic"}},
            "key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}},
            "mtls": {"mtlsSecurityScheme": {"description": "cert"}},
            // Of two flows, the one that an agent can use.
            "oauth": {"oauth2SecurityScheme": {"flows": {"clientCredentials":
                {"tokenUrl": "https://as.example/token", "scopes": {"joke": "tell"}}}}},
        })
    );
    assert_eq!(
        as_1_0["securityRequirements"],
        json!([{"schemes": {"mtls": {}, "oauth": {"list": ["joke"]}}}, {"schemes": {"key": {}}}])
    );
    let of_skill = &as_1_0["skills"][0]["securityRequirements"];
    assert_eq!(
        of_skill,
        &json!([{"schemes": {"oauth": {"list": ["joke"]}}}])
    );
    assert_eq!(card.capabilities.extended_agent_card, Some(true));
    assert!(card.extension("urn:x").is_some_and(|x| x.required));
    // The proto's JSON says the same, but for its one flow and what proto3 leaves out.
    let mut proto = AgentCard::deserialize(&vectors["rest"]["card"]).expect("a card");
    proto.security_schemes["oauth"] = card.security_schemes["oauth"].clone();
    proto.capabilities.push_notifications = card.capabilities.push_notifications;
    proto.provider.clone_from(&card.provider);
    assert_eq!(proto, card);
    // And back.
    let written = v03::card_to_json(&card).expect("a card of 0.3");
    assert_eq!(written["url"], json!("https://jokes.example/a2a"));
    assert_eq!(AgentCard::deserialize(written).expect("a card"), card);
    let sample = vectors_card();
    let card = AgentCard::deserialize(sample).expect("a card");
    // The sample says 0.2.9: nobody here speaks that.
    assert!(
        card.supported_interfaces
            .iter()
            .all(|i| Version::read(&i.protocol_version).is_none())
    );
    assert_eq!((card.supported_interfaces.len(), card.skills.len()), (3, 2));
}

fn vectors_card() -> Value {
    vectors("specification_examples.json")["card"].clone()
}

#[test]
fn a_card_that_0_3_cannot_say_is_refused_and_never_weakened() {
    let good = json!({
        "name": "A", "description": "", "version": "1", "capabilities": {}, "skills": [],
        "defaultInputModes": [], "defaultOutputModes": [],
        "supportedInterfaces": [
            {"url": "https://a.example/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
            {"url": "https://a.example/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}],
        "securitySchemes": {"device": {"oauth2SecurityScheme": {"flows": {"deviceCode":
            {"deviceAuthorizationUrl": "d", "tokenUrl": "t", "scopes": {}}}}}},
        "signatures": [{"protected": "e30", "signature": "AA"}],
    });
    let write = |card: &Value| {
        let card = AgentCard::deserialize(card).expect("a card");
        v03::card_to_json(&card)
    };
    let written = write(&good).expect("a card of 0.3");
    assert_eq!(written["url"], json!("https://a.example/a2a"));
    // Signatures are over the other form, and nothing asks for what was left out.
    assert!(written.get("signatures").is_none() && written.get("securitySchemes").is_none());
    let mut required = good.clone();
    required["securityRequirements"] = json!([{"schemes": {"device": {}}}]);
    let mut only_1_0 = good.clone();
    only_1_0["supportedInterfaces"]
        .as_array_mut()
        .expect("a list")
        .pop();
    for bad in [required, only_1_0] {
        let error = write(&bad).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::UnsupportedOperation);
    }
}

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
fn answers() -> Vec<(Operation, Response)> {
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
fn blocking_is_the_opposite_and_its_absence_is_the_bindings() {
    let message =
        json!({"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "x"}]});
    let of = |configuration: Value| {
        let params = json!({"message": message, "configuration": configuration});
        let rpc = asked("message/send", params.clone()).expect("a request");
        let body = params.to_string();
        let path = "/v1/message:send";
        let rest = v03::read_rest_request(&Method::POST, path, None, body.as_bytes(), LIMITS);
        [rpc, rest.expect("a request")].map(|request| match request {
            Request::SendMessage(send) => {
                let configuration = send.configuration.unwrap_or_default();
                (
                    configuration.return_immediately,
                    configuration.history_length,
                )
            }
            other => panic!("{other:?}"),
        })
    };
    for (configuration, want) in [
        (json!({"blocking": true}), [false, false]),
        (json!({"blocking": false}), [true, true]),
        // Servers of 0.3 wait unless told not to; the proto's false is not written.
        (json!({}), [false, true]),
        (json!(null), [false, true]),
    ] {
        let read = of(configuration.clone());
        assert_eq!(
            read.map(|(immediately, _)| immediately),
            want,
            "{configuration}"
        );
    }
    // In 0.3 a length of 0 is everything, in 1.0 nothing.
    for (length, want) in [(0, None), (1, Some(1))] {
        let read = of(json!({ "historyLength": length }));
        assert_eq!(read.map(|(_, length)| length), [want, want]);
    }
}

#[test]
fn a_question_without_the_id_of_a_configuration_is_answered_with_the_first() {
    let get = "tasks/pushNotificationConfig/get";
    let request = asked(get, json!({"id": "t-1"})).expect("a request");
    assert_eq!(
        request.operation(),
        Operation::ListTaskPushNotificationConfigs
    );
    let asked = v03::operation(get).expect("a method");
    let (_, listed) = answers().swap_remove(5);
    let body = v03::write_json_rpc_response(&1.into(), asked, &listed);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["result"]["pushNotificationConfig"]["id"], "p-1");
    let (_, none) = answers().swap_remove(6);
    let body = v03::write_json_rpc_response(&1.into(), asked, &none);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"]["code"], -32001);
}

#[test]
fn errors_have_the_numbers_of_0_3_and_read_back() {
    for (kind, code, status, name) in [
        (ErrorKind::TaskNotFound, -32001, 404, "TaskNotFoundError"),
        (
            ErrorKind::TaskNotCancelable,
            -32002,
            400,
            "TaskNotCancelableError",
        ),
        (
            ErrorKind::PushNotificationNotSupported,
            -32003,
            400,
            "PushNotificationNotSupportedError",
        ),
        (
            ErrorKind::UnsupportedOperation,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (
            ErrorKind::ContentTypeNotSupported,
            -32005,
            400,
            "ContentTypeNotSupportedError",
        ),
        (
            ErrorKind::InvalidAgentResponse,
            -32006,
            500,
            "InvalidAgentResponseError",
        ),
        (
            ErrorKind::ExtendedAgentCardNotConfigured,
            -32007,
            400,
            "AuthenticatedExtendedCardNotConfiguredError",
        ),
        // 0.3 ends at -32007.
        (
            ErrorKind::ExtensionSupportRequired,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (
            ErrorKind::VersionNotSupported,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (ErrorKind::InvalidParams, -32602, 400, "InvalidParamsError"),
        (ErrorKind::Internal, -32603, 500, "InternalError"),
    ] {
        let error = A2aError::new(kind, "no");
        let body = v03::write_json_rpc_error(&1.into(), &error);
        let read = jsonrpc::parse_response(&body, LIMITS).expect("a response");
        let read = read.outcome.expect_err("an error");
        assert_eq!((read.kind().code(), read.message()), (code, "no"));
        let (written, body) = v03::write_rest_error(&error);
        assert_eq!(written, status, "{kind:?}");
        let json: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((&json["type"], &json["code"]), (&json!(name), &json!(code)));
        assert_eq!(
            v03::read_rest_error(status, &body, LIMITS).kind(),
            read.kind()
        );
    }
    // Other servers' forms.
    for (status, body, want) in [
        (
            404,
            json!({"error": {"code": -32001, "message": "x"}}),
            ErrorKind::TaskNotFound,
        ),
        (
            409,
            json!({"type": "TaskNotCancelableError", "message": "x"}),
            ErrorKind::TaskNotCancelable,
        ),
        (
            400,
            json!({"error": "io.a2a.spec.UnsupportedOperationError", "message": "x"}),
            ErrorKind::UnsupportedOperation,
        ),
        (
            500,
            json!({"error": {"code": 500, "message": "x"}}),
            ErrorKind::Internal,
        ),
        (403, json!("no"), ErrorKind::PermissionDenied),
    ] {
        let read = v03::read_rest_error(status, body.to_string().as_bytes(), LIMITS);
        assert_eq!(read.kind(), want, "{body}");
    }
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

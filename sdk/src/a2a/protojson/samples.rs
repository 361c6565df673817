//! Every type with every member, and a walk over all of them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::a2a::*;

pub(super) fn status() -> Value {
    json!({"state": "TASK_STATE_INPUT_REQUIRED", "message": message(),
        "timestamp": "2026-11-22T13:36:11.142Z"})
}

pub(super) fn parts() -> Value {
    json!([
        {"text": "hi", "metadata": {"a_b": {"c_d": null}}, "filename": "f", "mediaType": "a/b"},
        {"raw": "+/8=", "mediaType": "a/b"},
        {"url": "https://files.example/x"},
        {"data": {"snake_case": [1, 2.5, null, {"deep_er": false}]}},
        {"data": null},
    ])
}

pub(super) fn message() -> Value {
    json!({"messageId": "m", "contextId": "c", "taskId": "t", "role": "ROLE_AGENT",
        "parts": parts(), "metadata": {"x_y": 1}, "extensions": ["urn:x"],
        "referenceTaskIds": ["r"]})
}

pub(super) fn artifact() -> Value {
    json!({"artifactId": "a", "name": "n", "description": "d", "parts": parts(),
        "metadata": {"x_y": 1}, "extensions": ["urn:x"]})
}

pub(super) fn task() -> Value {
    json!({"id": "t", "contextId": "c", "status": status(), "artifacts": [artifact()],
        "history": [message()], "metadata": {"x_y": 1}})
}

pub(super) fn push() -> Value {
    json!({"tenant": "a", "id": "p", "taskId": "t", "url": "https://push.example", "token": "k",
        "authentication": {"scheme": "Bearer", "credentials": "c"}})
}

pub(super) fn send() -> Value {
    let mut message = message();
    message["role"] = json!("ROLE_USER");
    json!({"tenant": "a", "message": message, "metadata": {"x_y": 1},
        "configuration": {"acceptedOutputModes": ["a/b"], "taskPushNotificationConfig": push(),
            "historyLength": 0, "returnImmediately": true}})
}

pub(super) fn card() -> Value {
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
pub(super) fn each(check: impl Each) {
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

pub(super) trait Each {
    fn on<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(&self, full: Value);
}

pub(super) fn read<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Members whose own members are values of a google.protobuf.Struct or Value.
pub(super) fn is_struct(name: &str) -> bool {
    matches!(name, "metadata" | "params" | "header" | "data")
}

/// Members whose members are entries of a map.
pub(super) fn is_map(name: &str) -> bool {
    matches!(name, "securitySchemes" | "schemes" | "scopes")
}

/// Changes every object that is a message of the proto.
pub(super) fn each_message(json: &mut Value, change: &dyn Fn(&mut Struct)) {
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

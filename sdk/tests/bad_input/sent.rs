//! Requests as bytes, each part of which can be changed, and good parameters to begin with.

use countersign::a2a::Operation;
#[cfg(feature = "grpc")]
use countersign::a2a::{Request, grpc};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::plain::REQUIRED;
use crate::common::wire::Wire;

/// A request of one binding.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) wire: Wire,
    pub(crate) http2: bool,
    /// The answer may be a stream that does not end.
    pub(crate) streaming: bool,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    fn new(wire: Wire, method: Method, path: String, media: &'static str, body: Vec<u8>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("a2a-version", HeaderValue::from_static("1.0"));
        headers.insert("a2a-extensions", HeaderValue::from_static(REQUIRED));
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        }
        Self {
            wire,
            http2: false,
            streaming: false,
            method,
            path,
            headers,
            body,
        }
    }

    /// The operation with these parameters; none when this binding cannot say them.
    pub(crate) fn over(wire: Wire, operation: Operation, params: &Value) -> Option<Self> {
        let mut sent = match wire {
            Wire::JsonRpc => Self::json_rpc(operation.as_str(), params),
            Wire::HttpJson => Self::http_json(operation, params)?,
            #[cfg(feature = "grpc")]
            Wire::Grpc => Self::grpc(operation, params)?,
        };
        sent.streaming = operation.is_streaming();
        Some(sent)
    }

    pub(crate) fn json_rpc(method: &str, params: &Value) -> Self {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (path, body) = ("/a2a".to_owned(), body.to_string().into_bytes());
        Self::new(Wire::JsonRpc, Method::POST, path, "application/json", body)
    }

    /// What the path holds is taken out of the body; the rest of a GET goes into its query.
    fn http_json(operation: Operation, params: &Value) -> Option<Self> {
        let mut left = params.as_object()?.clone();
        let mut segment = |name: &str| match left.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(encoded(&text)),
            _ => None,
        };
        let mut path = "/a2a/rest".to_owned();
        if params.get("tenant").is_some() {
            path = format!("{path}/{}", segment("tenant")?);
        }
        let (method, rest) = match operation {
            Operation::SendMessage => (Method::POST, "/message:send".to_owned()),
            Operation::SendStreamingMessage => (Method::POST, "/message:stream".to_owned()),
            Operation::GetTask => (Method::GET, format!("/tasks/{}", segment("id")?)),
            Operation::ListTasks => (Method::GET, "/tasks".to_owned()),
            Operation::CancelTask => (Method::POST, format!("/tasks/{}:cancel", segment("id")?)),
            Operation::SubscribeToTask => {
                (Method::GET, format!("/tasks/{}:subscribe", segment("id")?))
            }
            Operation::CreateTaskPushNotificationConfig => (
                Method::POST,
                format!("/tasks/{}/pushNotificationConfigs", segment("taskId")?),
            ),
            Operation::ListTaskPushNotificationConfigs => (
                Method::GET,
                format!("/tasks/{}/pushNotificationConfigs", segment("taskId")?),
            ),
            Operation::GetTaskPushNotificationConfig
            | Operation::DeleteTaskPushNotificationConfig => {
                let (task, id) = (segment("taskId")?, segment("id")?);
                let get = operation == Operation::GetTaskPushNotificationConfig;
                (
                    if get { Method::GET } else { Method::DELETE },
                    format!("/tasks/{task}/pushNotificationConfigs/{id}"),
                )
            }
            Operation::GetExtendedAgentCard => (Method::GET, "/extendedAgentCard".to_owned()),
        };
        path += &rest;
        let mut body = Vec::new();
        if method == Method::POST {
            body = Value::Object(left).to_string().into_bytes();
        } else {
            for (at, (name, value)) in left.iter().enumerate() {
                let text = value.as_str().map(str::to_owned);
                let text = text.unwrap_or_else(|| value.to_string());
                path.push(if at == 0 { '?' } else { '&' });
                path += &format!("{name}={}", encoded(&text));
            }
        }
        let media = "application/a2a+json";
        Some(Self::new(Wire::HttpJson, method, path, media, body))
    }

    #[cfg(feature = "grpc")]
    fn grpc(operation: Operation, params: &Value) -> Option<Self> {
        fn read<T: serde::de::DeserializeOwned>(params: &Value) -> Option<T> {
            serde_json::from_value(params.clone()).ok()
        }
        let request = match operation {
            Operation::SendMessage => Request::SendMessage(read(params)?),
            Operation::SendStreamingMessage => Request::SendStreamingMessage(read(params)?),
            Operation::GetTask => Request::GetTask(read(params)?),
            Operation::ListTasks => Request::ListTasks(read(params)?),
            Operation::CancelTask => Request::CancelTask(read(params)?),
            Operation::SubscribeToTask => Request::SubscribeToTask(read(params)?),
            Operation::CreateTaskPushNotificationConfig => {
                Request::CreateTaskPushNotificationConfig(read(params)?)
            }
            Operation::GetTaskPushNotificationConfig => {
                Request::GetTaskPushNotificationConfig(read(params)?)
            }
            Operation::ListTaskPushNotificationConfigs => {
                Request::ListTaskPushNotificationConfigs(read(params)?)
            }
            Operation::DeleteTaskPushNotificationConfig => {
                Request::DeleteTaskPushNotificationConfig(read(params)?)
            }
            Operation::GetExtendedAgentCard => Request::GetExtendedAgentCard(read(params)?),
        };
        let (path, message) = grpc::write_request(&request);
        Some(Self::grpc_message(path, &message))
    }

    /// A gRPC call with these bytes as its message.
    #[cfg(feature = "grpc")]
    pub(crate) fn grpc_message(path: &str, message: &[u8]) -> Self {
        let body = grpc::frame(message).to_vec();
        let path = path.to_owned();
        let mut sent = Self::new(Wire::Grpc, Method::POST, path, grpc::CONTENT_TYPE, body);
        sent.http2 = true;
        sent.with("te", "trailers")
    }

    /// With this header instead of one of the same name.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn to(mut self, method: Method, path: impl Into<String>) -> Self {
        (self.method, self.path) = (method, path.into());
        self
    }
}

/// Good parameters, about a task with the webhook `p-1`.
pub(crate) fn good(operation: Operation, task: &str) -> Value {
    match operation {
        Operation::SendMessage | Operation::SendStreamingMessage => json!({
            "message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "reply"}],
                "contextId": "c-1", "extensions": ["urn:x"], "metadata": {"a": 1}},
            "configuration": {"historyLength": 0, "acceptedOutputModes": ["text/plain"]},
            "metadata": {"b": 2},
        }),
        Operation::GetTask => json!({"id": task, "historyLength": 1}),
        Operation::ListTasks => json!({"contextId": "c-1", "status": "TASK_STATE_WORKING",
            "pageSize": 10, "historyLength": 1, "includeArtifacts": true,
            "statusTimestampAfter": "2026-11-22T13:36:11Z"}),
        Operation::CancelTask => json!({"id": task, "metadata": {"why": "late"}}),
        Operation::SubscribeToTask => json!({"id": task}),
        Operation::CreateTaskPushNotificationConfig => json!({"taskId": task, "id": "p-2",
            "url": "https://127.0.0.1:8999/x", "token": "secret",
            "authentication": {"scheme": "Bearer", "credentials": "secret"}}),
        Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig => {
            json!({"taskId": task, "id": "p-1"})
        }
        Operation::ListTaskPushNotificationConfigs => json!({"taskId": task, "pageSize": 10}),
        Operation::GetExtendedAgentCard => json!({}),
    }
}

/// Every byte escaped that could mean something in a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

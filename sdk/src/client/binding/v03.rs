//! The two bindings of A2A 0.3 over plain HTTP, for agents that have not moved to 1.0 yet.
//!
//! They are used at interfaces that a card gives for 0.3, and only by a client that allows it. What
//! 0.3 has no words for is not sent.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::response::Parts;
use http::{Method, StatusCode, Uri};
use serde_json::Value;

use super::events::{SseReader, is_event_stream};
use super::form::{
    Binding, EventReader, Outgoing, Told, answer_limits, below, protocol_error, refusal,
    speaks_for_itself,
};
use super::jsonrpc::{REQUEST_ID, result};
use crate::a2a::http_json::HttpJsonRequest;
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{
    A2aError, EVENT_STREAM, ErrorKind, JSON, Operation, Request, Response, ServiceParameters,
    StreamResponse, v03,
};
use crate::client::error::ClientError;
use crate::jose::parse_json;

/// JSON-RPC of 0.3: every operation is a POST to the interface's URL.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct JsonRpcV03;

impl Binding for JsonRpcV03 {
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        _: Option<Duration>,
    ) -> Result<Outgoing, ClientError> {
        let operation = request.operation();
        let written = v03::write_json_rpc(&Id::from(REQUEST_ID), request);
        let body = written.map_err(|error| unsaid(error, operation, "JSON-RPC of A2A 0.3"))?;
        let accepts = if operation.is_streaming() {
            EVENT_STREAM
        } else {
            JSON
        };
        let outgoing = outgoing(Method::POST, interface.clone(), parameters, body);
        Ok(outgoing.with(CONTENT_TYPE, JSON).with(ACCEPT, accepts))
    }

    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError> {
        result(told, |body, limits, id| {
            v03::read_json_rpc_response(body, limits, id, operation)
        })
    }

    fn card(&self, told: &Told) -> Result<Vec<u8>, ClientError> {
        result(told, jsonrpc::read_result_json)
    }

    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>> {
        is_event_stream(head).then(|| -> Box<dyn EventReader> {
            let event = |data: &[u8]| {
                let id = Id::from(REQUEST_ID);
                v03::read_json_rpc_event(data, answer_limits(data), &id)
            };
            Box::new(SseReader::new(max, event))
        })
    }

    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError> {
        result(told, v03::read_json_rpc_event)
    }
}

/// HTTP+JSON of 0.3: the paths of 1.0 below `/v1`.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct HttpJsonV03;

impl Binding for HttpJsonV03 {
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        _: Option<Duration>,
    ) -> Result<Outgoing, ClientError> {
        let operation = request.operation();
        let written = v03::write_rest_request(request);
        let written = written.map_err(|error| unsaid(error, operation, "HTTP+JSON of A2A 0.3"))?;
        rest(written, operation, interface, parameters)
    }

    fn otherwise(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        refused: StatusCode,
    ) -> Option<Outgoing> {
        // 0.3's text says POST where its proto says GET; agents keep to the one or the other, and
        // some do not tell a method from a path that they do not have.
        let unknown = matches!(
            refused,
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
        );
        if request.operation() != Operation::SubscribeToTask || !unknown {
            return None;
        }
        let mut written = v03::write_rest_request(request).ok()?;
        written.method = Method::POST;
        rest(written, request.operation(), interface, parameters).ok()
    }

    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError> {
        let body = succeeded(told)?;
        let read = v03::read_rest_response(operation, body, answer_limits(body));
        read.map_err(|error| protocol_error(error, &told.head.headers))
    }

    fn card(&self, told: &Told) -> Result<Vec<u8>, ClientError> {
        succeeded(told).map(<[u8]>::to_vec)
    }

    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>> {
        is_event_stream(head).then(|| -> Box<dyn EventReader> {
            let event = |data: &[u8]| v03::read_rest_event(data, answer_limits(data));
            Box::new(SseReader::new(max, event))
        })
    }

    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError> {
        let body = succeeded(told)?;
        let read = v03::read_rest_event(body, answer_limits(body));
        read.map_err(|error| protocol_error(error, &told.head.headers))
    }
}

/// With the headers that 0.3 knows: its list of extensions has another name.
fn outgoing(method: Method, uri: Uri, parameters: &ServiceParameters, body: Vec<u8>) -> Outgoing {
    let mut outgoing = Outgoing::new(method, uri, &ServiceParameters::default(), body);
    parameters.write(&mut outgoing.headers);
    outgoing
}

fn rest(
    written: HttpJsonRequest,
    operation: Operation,
    interface: &Uri,
    parameters: &ServiceParameters,
) -> Result<Outgoing, ClientError> {
    let uri = below(interface, &written.path_and_query)?;
    let has_body = written.body.is_some();
    let body = written.body.unwrap_or_default();
    let accepts = if operation.is_streaming() {
        EVENT_STREAM
    } else {
        JSON
    };
    let outgoing = outgoing(written.method, uri, parameters, body).with(ACCEPT, accepts);
    Ok(if has_body {
        outgoing.with(CONTENT_TYPE, JSON)
    } else {
        outgoing
    })
}

/// What 0.3 has no words for, or an error of ours.
fn unsaid(error: A2aError, operation: Operation, binding: &'static str) -> ClientError {
    match error.kind() {
        ErrorKind::UnsupportedOperation => ClientError::NotInBinding { operation, binding },
        _ => ClientError::Agent(error),
    }
}

/// The body of an answer that is no error.
fn succeeded(told: &Told) -> Result<&[u8], ClientError> {
    let (status, headers) = (told.head.status, &told.head.headers);
    if status.is_success() {
        return Ok(&told.body);
    }
    let limits = answer_limits(&told.body);
    // Whoever stands before the agent answers with a page of its own: that is the status, no more.
    let named = |body: &Value| {
        ["code", "type", "error"]
            .iter()
            .any(|n| body.get(n).is_some())
    };
    let ours = parse_json(&told.body, limits).is_ok_and(|body| named(&body));
    let error = v03::read_rest_error(status.as_u16(), &told.body, limits);
    let foreign = matches!(error.kind(), ErrorKind::Foreign { .. });
    if speaks_for_itself(status) || foreign || !ours {
        return Err(refusal(status, headers));
    }
    Err(protocol_error(error, headers))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::a2a::{
        GetTaskRequest, ListTasksRequest, Message, Part, SendMessageRequest, SendMessageResponse,
        SubscribeToTaskRequest, Version,
    };
    use crate::client::binding::JsonRpc;
    use crate::client::binding::testing::told;

    fn parameters() -> ServiceParameters {
        ServiceParameters {
            version: Some(Version::V0_3.as_str().to_owned()),
            extensions: vec!["urn:a".into()],
        }
    }

    fn written(binding: &dyn Binding, request: &Request) -> Result<Outgoing, ClientError> {
        let interface = Uri::from_static("https://a.example/a2a/");
        binding.write(request, &interface, &parameters(), None)
    }

    fn send() -> Request {
        Request::SendMessage(SendMessageRequest::new(Message::user(Part::text("hi"))))
    }

    #[test]
    fn a_request_is_written_in_the_words_and_headers_of_0_3() {
        let made = written(&JsonRpcV03, &send()).expect("a request");
        assert_eq!((made.method, made.uri.path()), (Method::POST, "/a2a/"));
        let body: Value = serde_json::from_slice(&made.body).expect("JSON");
        assert_eq!(body["method"], "message/send");
        assert_eq!(body["params"]["message"]["parts"][0]["kind"], "text");
        let made = written(&HttpJsonV03, &send()).expect("a request");
        assert_eq!(made.uri.path(), "/a2a/v1/message:send");
        assert_eq!(made.headers[CONTENT_TYPE], JSON);
        assert_eq!(made.headers["a2a-version"], "0.3");
        assert_eq!(made.headers["x-a2a-extensions"], "urn:a");
        assert!(!made.headers.contains_key("a2a-extensions"));
    }

    #[test]
    fn what_0_3_has_no_words_for_is_not_sent() {
        let list = Request::ListTasks(ListTasksRequest::default());
        let mut of_tenant = send();
        of_tenant.set_tenant(Some("acme".into()));
        let bindings: [&dyn Binding; 2] = [&JsonRpcV03, &HttpJsonV03];
        for binding in bindings {
            assert!(written(binding, &send()).is_ok());
            for request in [&list, &of_tenant] {
                let error = written(binding, request).expect_err("not sent");
                assert!(matches!(error, ClientError::NotInBinding { .. }), "{error}");
            }
        }
    }

    #[test]
    fn a_subscription_is_posted_where_it_cannot_be_got() {
        let follow = Request::SubscribeToTask(SubscribeToTaskRequest {
            id: "t-1".into(),
            ..SubscribeToTaskRequest::default()
        });
        let made = written(&HttpJsonV03, &follow).expect("a request");
        assert_eq!(
            (&made.method, made.uri.path()),
            (&Method::GET, "/a2a/v1/tasks/t-1:subscribe")
        );
        let at = Uri::from_static("https://a.example/a2a");
        let otherwise = |request: &Request, status| {
            let other = HttpJsonV03.otherwise(request, &at, &parameters(), status);
            other.map(|other| (other.method, other.uri.path().to_owned()))
        };
        let posted = (Method::POST, made.uri.path().to_owned());
        assert_eq!(
            otherwise(&follow, StatusCode::METHOD_NOT_ALLOWED),
            Some(posted)
        );
        assert_eq!(otherwise(&follow, StatusCode::NOT_FOUND), None);
        assert_eq!(otherwise(&send(), StatusCode::METHOD_NOT_ALLOWED), None);
    }

    /// A task as 0.3 and as 1.0 write it over JSON-RPC.
    fn tasks() -> (Value, Value) {
        let old =
            json!({"kind": "task", "id": "t", "contextId": "c", "status": {"state": "working"}});
        let new = json!({"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}});
        (old, new)
    }

    #[test]
    fn an_answer_in_another_versions_words_is_an_error_both_ways() {
        let (old, new) = tasks();
        let answer = |result: &Value| {
            let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
            told(200, HeaderMap::new(), &body)
        };
        let (get, send) = (Operation::GetTask, Operation::SendMessage);
        assert!(JsonRpcV03.read(get, &answer(&old)).is_ok());
        assert!(JsonRpcV03.read(send, &answer(&old)).is_ok());
        assert!(JsonRpc.read(get, &answer(&new)).is_ok());
        assert!(JsonRpc.read(send, &answer(&json!({ "task": new }))).is_ok());
        for refused in [
            JsonRpcV03.read(get, &answer(&new)),
            JsonRpcV03.read(send, &answer(&json!({ "task": new }))),
            JsonRpc.read(get, &answer(&old)),
            JsonRpc.read(send, &answer(&old)),
        ] {
            match refused.expect_err("of another version") {
                ClientError::Agent(error) => {
                    assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
                }
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn answers_and_errors_of_0_3_are_read() {
        let (old, _) = tasks();
        let rest = json!({"task": {"id": "t", "status": {"state": "TASK_STATE_CANCELLED"}}});
        let read = HttpJsonV03.read(
            Operation::SendMessage,
            &told(201, HeaderMap::new(), &rest.to_string()),
        );
        let Ok(Response::SendMessage(SendMessageResponse::Task(task))) = read else {
            panic!("a task");
        };
        assert_eq!(task.id, "t");
        let instead = json!({"jsonrpc": "2.0", "id": 1, "result": old}).to_string();
        let instead = JsonRpcV03.instead_of_events(&told(200, HeaderMap::new(), &instead));
        assert!(
            matches!(instead, Ok(StreamResponse::Task(_))),
            "{instead:?}"
        );
        let not_found = json!({"code": -32001, "message": "x"}).to_string();
        for (status, body, want) in [
            (404, not_found.as_str(), "client.agent_error"),
            (
                409,
                r#"{"type":"TaskNotCancelableError"}"#,
                "client.agent_error",
            ),
            (404, "<html>", "client.refused"),
            (404, r#"{"detail":"Not Found"}"#, "client.refused"),
            (401, &not_found, "client.refused"),
            (503, &not_found, "client.busy"),
            (200, "[]", "client.agent_error"),
        ] {
            let read = HttpJsonV03.read(Operation::GetTask, &told(status, HeaderMap::new(), body));
            assert_eq!(read.expect_err("refused").reason(), want, "{status} {body}");
        }
        let none = HttpJsonV03.read(
            Operation::DeleteTaskPushNotificationConfig,
            &told(204, HeaderMap::new(), ""),
        );
        assert_eq!(none.expect("deleted"), Response::Empty);
        let get = Request::GetTask(GetTaskRequest {
            id: "..".into(),
            ..GetTaskRequest::default()
        });
        assert!(written(&HttpJsonV03, &get).is_err());
    }
}

//! The HTTP+JSON binding (A2A §11).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::response::Parts;
use http::{Method, StatusCode, Uri};

use super::events::{SseReader, is_event_stream};
use super::form::{
    Binding, EventReader, Outgoing, Told, answer_limits, below, protocol_error, refusal,
    speaks_for_itself,
};
use crate::a2a::http_json::{self, HttpJsonRequest};
use crate::a2a::{
    A2A_JSON, EVENT_STREAM, ErrorKind, Operation, Request, Response, ServiceParameters,
    StreamResponse,
};
use crate::client::error::ClientError;

/// HTTP with JSON bodies: paths below the interface's URL.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct HttpJson;

/// A2A §11.2: `application/a2a+json` is preferred, `application/json` is taken.
const ANSWERS: &str = "application/a2a+json, application/json";

impl Binding for HttpJson {
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        _: Option<Duration>,
    ) -> Result<Outgoing, ClientError> {
        let written = http_json::write_request(request)?;
        outgoing(written, request.operation(), interface, parameters)
    }

    fn otherwise(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        refused: StatusCode,
    ) -> Option<Outgoing> {
        // A2A §11.3 says POST where `a2a.proto` says GET; agents keep to the one or the other.
        let other = request.operation() == Operation::SubscribeToTask
            && matches!(
                refused,
                StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
            );
        if !other {
            return None;
        }
        let mut written = http_json::write_request(request).ok()?;
        written.method = Method::POST;
        outgoing(written, request.operation(), interface, parameters).ok()
    }

    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError> {
        let body = succeeded(told)?;
        let read = http_json::read_response(operation, body, answer_limits(body));
        read.map_err(|error| protocol_error(error, &told.head.headers))
    }

    fn card(&self, told: &Told) -> Result<Vec<u8>, ClientError> {
        succeeded(told).map(<[u8]>::to_vec)
    }

    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>> {
        is_event_stream(head).then(|| -> Box<dyn EventReader> {
            let event = |data: &[u8]| http_json::read_event(data, answer_limits(data));
            Box::new(SseReader::new(max, event))
        })
    }

    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError> {
        let body = succeeded(told)?;
        let read = http_json::read_event(body, answer_limits(body));
        read.map_err(|error| protocol_error(error, &told.head.headers))
    }
}

fn outgoing(
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
        ANSWERS
    };
    let outgoing = Outgoing::new(written.method, uri, parameters, body).with(ACCEPT, accepts);
    Ok(if has_body {
        outgoing.with(CONTENT_TYPE, A2A_JSON)
    } else {
        outgoing
    })
}

/// The body of an answer that is no error (A2A §11.6: the status says so).
fn succeeded(told: &Told) -> Result<&[u8], ClientError> {
    let (status, headers) = (told.head.status, &told.head.headers);
    if status.is_success() {
        return Ok(&told.body);
    }
    let error = http_json::read_error(status.as_u16(), &told.body, answer_limits(&told.body));
    // Whoever stands before the agent answers with a page of its own: that is the status, no more.
    let foreign = matches!(error.kind(), ErrorKind::Foreign { .. }) || !is_status_object(told);
    if speaks_for_itself(status) || foreign {
        return Err(refusal(status, headers));
    }
    Err(protocol_error(error, headers))
}

/// Whether the body is a `google.rpc.Status`.
fn is_status_object(told: &Told) -> bool {
    let parsed = crate::jose::parse_json(&told.body, answer_limits(&told.body));
    parsed.is_ok_and(|body| body.get("error").is_some_and(serde_json::Value::is_object))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::a2a::{
        A2aError, GetTaskRequest, Message, Part, SendMessageRequest, SubscribeToTaskRequest,
    };
    use crate::client::binding::testing::told;

    fn written(request: &Request, interface: &str) -> Outgoing {
        let interface: Uri = interface.parse().expect("a URL");
        let parameters = ServiceParameters {
            version: Some("1.0".into()),
            ..ServiceParameters::default()
        };
        let made = HttpJson.write(request, &interface, &parameters, None);
        made.expect("a request")
    }

    #[test]
    fn a_request_goes_below_the_interface_and_an_id_never_leaves_its_place() {
        let mut get = GetTaskRequest {
            id: "../../admin?x=".into(),
            ..GetTaskRequest::default()
        };
        for (interface, want) in [
            (
                "https://a.example",
                "https://a.example/tasks/..%2F..%2Fadmin%3Fx%3D",
            ),
            (
                "https://a.example/rest/",
                "https://a.example/rest/tasks/..%2F..%2Fadmin%3Fx%3D",
            ),
        ] {
            let made = written(&Request::GetTask(get.clone()), interface);
            assert_eq!(
                (made.method, made.uri.to_string().as_str()),
                (Method::GET, want)
            );
            assert!(!made.headers.contains_key(CONTENT_TYPE));
        }
        get.tenant = Some("acme".into());
        let made = written(&Request::GetTask(get), "https://a.example/rest");
        assert!(
            made.uri.path().starts_with("/rest/acme/tasks/"),
            "{}",
            made.uri
        );
        let message = Message::user(Part::text("hi"));
        let made = written(
            &Request::SendMessage(SendMessageRequest::new(message)),
            "https://a.example/rest",
        );
        assert_eq!(made.uri.path(), "/rest/message:send");
        assert_eq!(made.headers[CONTENT_TYPE], A2A_JSON);
    }

    #[test]
    fn a_subscription_is_posted_where_it_cannot_be_got() {
        let request = Request::SubscribeToTask(SubscribeToTaskRequest {
            id: "t-1".into(),
            ..SubscribeToTaskRequest::default()
        });
        let made = written(&request, "https://a.example");
        assert_eq!(made.method, Method::GET);
        let otherwise = |request: &Request, status: u16| {
            let refused = StatusCode::from_u16(status).expect("a status");
            let parameters = ServiceParameters::default();
            let other = HttpJson.otherwise(request, &made.uri, &parameters, refused);
            other.map(|other| other.method)
        };
        assert_eq!(otherwise(&request, 405), Some(Method::POST));
        assert_eq!(otherwise(&request, 404), None);
        let get = Request::GetTask(GetTaskRequest::default());
        assert_eq!(otherwise(&get, 405), None);
    }

    #[test]
    fn an_error_is_the_protocols_only_in_the_protocols_form() {
        let not_found = A2aError::task_not_found().to_http_json().to_string();
        for (status, body, want) in [
            (404, not_found.as_str(), "client.agent_error"),
            (404, "<html>", "client.refused"),
            (404, r#"{"error":"Not Found"}"#, "client.refused"),
            (401, &not_found, "client.refused"),
            (403, &not_found, "client.refused"),
            (503, &not_found, "client.busy"),
            (502, "", "client.refused"),
            (200, "[]", "client.agent_error"),
        ] {
            let read = HttpJson.read(Operation::GetTask, &told(status, HeaderMap::new(), body));
            assert_eq!(read.expect_err("refused").reason(), want, "{status} {body}");
        }
    }
}

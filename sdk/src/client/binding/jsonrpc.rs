//! The JSON-RPC binding (A2A §9).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::response::Parts;
use http::{Method, StatusCode, Uri};

use super::events::{SseReader, is_event_stream};
use super::form::{
    Binding, EventReader, Outgoing, Told, answer_limits, protocol_error, refusal, speaks_for_itself,
};
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{
    A2aError, EVENT_STREAM, JSON, Operation, Request, Response, ServiceParameters, StreamResponse,
};
use crate::client::error::ClientError;
use crate::jose::JsonLimits;

/// The ID of every request: a connection carries one answer per request, so one is enough.
pub(super) const REQUEST_ID: u64 = 1;

/// JSON-RPC 2.0 over HTTP: every operation is a POST to the interface's URL.
#[derive(Clone, Copy, Debug)]
pub(in crate::client) struct JsonRpc;

impl Binding for JsonRpc {
    fn write(
        &self,
        request: &Request,
        interface: &Uri,
        parameters: &ServiceParameters,
        _: Option<Duration>,
    ) -> Result<Outgoing, ClientError> {
        let accepts = if request.operation().is_streaming() {
            EVENT_STREAM
        } else {
            JSON
        };
        let body = jsonrpc::write_request(&Id::from(REQUEST_ID), request);
        let outgoing = Outgoing::new(Method::POST, interface.clone(), parameters, body);
        Ok(outgoing.with(CONTENT_TYPE, JSON).with(ACCEPT, accepts))
    }

    fn read(&self, operation: Operation, told: &Told) -> Result<Response, ClientError> {
        result(told, |body, limits, id| {
            jsonrpc::read_response(body, limits, id, operation)
        })
    }

    fn card(&self, told: &Told) -> Result<Vec<u8>, ClientError> {
        result(told, jsonrpc::read_result_json)
    }

    fn events(&self, head: &Parts, max: usize) -> Option<Box<dyn EventReader>> {
        is_event_stream(head).then(|| -> Box<dyn EventReader> {
            let event = |data: &[u8]| {
                let limits = answer_limits(data);
                jsonrpc::parse_result(data, limits, &Id::from(REQUEST_ID))
            };
            Box::new(SseReader::new(max, event))
        })
    }

    fn instead_of_events(&self, told: &Told) -> Result<StreamResponse, ClientError> {
        result(told, jsonrpc::parse_result)
    }
}

/// The result, or why there is none. JSON-RPC over HTTP: errors of the protocol come with 200; some
/// servers send another status with them.
pub(super) fn result<T>(
    told: &Told,
    read: impl FnOnce(&[u8], JsonLimits, &Id) -> Result<T, A2aError>,
) -> Result<T, ClientError> {
    let (status, headers) = (told.head.status, &told.head.headers);
    let limits = answer_limits(&told.body);
    let id = Id::from(REQUEST_ID);
    if status == StatusCode::OK {
        return read(&told.body, limits, &id).map_err(|error| protocol_error(error, headers));
    }
    match jsonrpc::parse_response(&told.body, limits) {
        Ok(jsonrpc::Response {
            outcome: Err(error),
            ..
        }) if !speaks_for_itself(status) => Err(protocol_error(error, headers)),
        _ => Err(refusal(status, headers)),
    }
}

#[cfg(test)]
mod tests {
    use http::header::WWW_AUTHENTICATE;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::a2a::{ErrorKind, GetTaskRequest};
    use crate::client::binding::testing::told;

    fn get() -> Request {
        Request::GetTask(GetTaskRequest {
            id: "t-1".into(),
            ..GetTaskRequest::default()
        })
    }

    #[test]
    fn a_request_is_a_post_with_its_version() {
        let parameters = ServiceParameters {
            version: Some("1.0".into()),
            extensions: vec!["urn:a".into(), "urn:b".into()],
        };
        let interface = Uri::from_static("https://booking.example/a2a");
        let made = JsonRpc.write(&get(), &interface, &parameters, None);
        let made = made.expect("a request");
        assert_eq!((made.method, made.uri), (Method::POST, interface));
        assert_eq!(made.headers["a2a-version"], "1.0");
        assert_eq!(made.headers["a2a-extensions"], "urn:a, urn:b");
        let read = jsonrpc::parse_request(&made.body, answer_limits(&made.body));
        assert_eq!(read.expect("JSON-RPC").method, "GetTask");
    }

    #[test]
    fn what_is_not_let_in_is_told_with_its_challenge() {
        let not_found = A2aError::task_not_found()
            .to_json_rpc(&1.into())
            .to_string();
        let unauthenticated = A2aError::new(ErrorKind::Unauthenticated, "who?");
        let unauthenticated = unauthenticated.to_json_rpc(&1.into()).to_string();
        for (status, body, want) in [
            (200, not_found.as_str(), "client.agent_error"),
            (404, &not_found, "client.agent_error"),
            (404, "<html>", "client.refused"),
            (401, &not_found, "client.refused"),
            (200, &unauthenticated, "client.refused"),
            (429, &not_found, "client.busy"),
            (503, "", "client.busy"),
            (500, "", "client.refused"),
            (200, "", "client.agent_error"),
        ] {
            let mut headers = HeaderMap::new();
            let challenge = r#"Basic, Bearer error="invalid_token""#;
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            let read = JsonRpc.read(Operation::GetTask, &told(status, headers, body));
            let error = read.expect_err("refused");
            assert_eq!(error.reason(), want, "{status} {body}");
            if let ClientError::Refused { challenge, .. } = error {
                let challenge = challenge.expect("a challenge");
                assert_eq!(challenge.error(), Some("invalid_token"), "{status}");
            }
        }
    }

    #[test]
    fn a_scope_that_is_missing_is_named() {
        let mut headers = HeaderMap::new();
        let challenge = r#"Bearer error="insufficient_scope", scope="pay""#;
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        let read = JsonRpc.read(Operation::GetTask, &told(403, headers, ""));
        match read.expect_err("refused") {
            ClientError::InsufficientScope { needed, status, .. } => {
                assert_eq!((needed.to_string().as_str(), status), ("pay", 403));
            }
            other => panic!("{other}"),
        }
    }
}

//! The two bindings of A2A 0.3 over plain HTTP, for callers who have not moved to 1.0 yet.
//!
//! They share the URLs of 1.0 and are told apart by the version that a request asks for. Only the
//! words differ: what is proved, permitted and recorded of a call is the same.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::super::handler::Events;
use super::super::refusal::Refusal;
use super::jsonrpc::check_media_type;
use super::{Binding, Call, event_stream, read_parameters};
use crate::a2a::http_json::HttpJsonError;
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{
    self, A2A_JSON, A2aError, ErrorKind, JSON, Operation, ServiceParameters, VERSION, Version,
    Versions, v03,
};
use crate::jose::JsonLimits;

/// Whether a request asks for 0.3; an absent version does (A2A §3.6.2).
pub(in crate::server) fn asks_for_v03(parts: &Parts) -> bool {
    let read = ServiceParameters::read(&parts.headers, parts.uri.query());
    let version = read.and_then(|read| read.choose(Versions { v0_3: true }));
    version == Ok(Version::V0_3)
}

/// JSON-RPC of 0.3.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct JsonRpcV03;

/// What an answer needs of its request.
#[derive(Clone, Debug)]
pub(in crate::server) struct AnswersV03 {
    id: Id,
    /// What the method asks for.
    asked: Option<Operation>,
}

impl Default for AnswersV03 {
    fn default() -> Self {
        Self {
            id: Id::Null,
            asked: None,
        }
    }
}

impl Binding for JsonRpcV03 {
    type Exchange = AnswersV03;

    fn read(&self, parts: &Parts, body: &[u8], answers: &mut AnswersV03) -> Result<Call, A2aError> {
        let request = jsonrpc::parse_request(body, JsonLimits::default());
        let request = request.map_err(|refused| {
            answers.id.clone_from(&refused.id);
            refused.error
        })?;
        answers.id.clone_from(&request.id);
        check_media_type(&parts.headers, &[JSON])?;
        let parameters = read_parameters(parts, Version::V0_3)?;
        answers.asked = v03::operation(&request.method);
        // A method of 1.0 without its version: the client is told what it forgot.
        if answers.asked.is_none() && request.operation().is_ok() {
            return Err(forgotten_version());
        }
        Ok(Call::new(v03::read_json_rpc(request)?, parameters))
    }

    fn response(&self, answers: &AnswersV03, response: &a2a::Response) -> Response {
        json_rpc(match answers.asked {
            Some(asked) => v03::write_json_rpc_response(&answers.id, asked, response),
            None => v03::write_json_rpc_error(&answers.id, &A2aError::internal()),
        })
    }

    fn events(&self, answers: AnswersV03, events: Events) -> Response {
        event_stream(events, move |event| match event {
            Ok(event) => v03::write_json_rpc_event(&answers.id, event),
            Err(error) => v03::write_json_rpc_error(&answers.id, error),
        })
    }

    fn error(&self, answers: &AnswersV03, error: &A2aError) -> Response {
        json_rpc(if error.kind() == ErrorKind::VersionNotSupported {
            // In the words of the version whose method was used.
            jsonrpc::failure(&answers.id, error)
        } else {
            v03::write_json_rpc_error(&answers.id, error)
        })
    }

    fn refusal(&self, _: &AnswersV03, refusal: &Refusal) -> Response {
        refusal.to_response()
    }
}

fn forgotten_version() -> A2aError {
    let message = format!(
        "This method is of A2A {VERSION}, and a request without the header A2A-Version: {VERSION} \
         is one of {}",
        Version::V0_3.as_str()
    );
    A2aError::new(ErrorKind::VersionNotSupported, message).with_metadata(
        "supportedVersions",
        format!("{VERSION}, {}", Version::V0_3.as_str()),
    )
}

fn json_rpc(body: Vec<u8>) -> Response {
    json(StatusCode::OK, body)
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let media = HeaderValue::from_static(JSON);
    (status, [(CONTENT_TYPE, media)], Body::from(body)).into_response()
}

/// HTTP+JSON of 0.3: the paths of 1.0 below `/v1`.
#[derive(Clone, Debug)]
pub(in crate::server) struct HttpJsonV03 {
    /// The path of the interface, without a slash at its end.
    pub(in crate::server) base: Arc<str>,
}

/// What an answer needs of its request.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct AskedV03 {
    asked: Option<Operation>,
    /// No operation has this path or method: errors have another status then.
    misplaced: Option<HttpJsonError>,
}

impl HttpJsonV03 {
    /// Whether a request is for this binding: its version and its path say so.
    pub(in crate::server) fn takes(&self, parts: &Parts) -> bool {
        asks_for_v03(parts) && v03::is_rest_path(self.below(parts))
    }

    fn below<'a>(&self, parts: &'a Parts) -> &'a str {
        let path = parts.uri.path();
        path.strip_prefix(&*self.base).unwrap_or(path)
    }
}

impl Binding for HttpJsonV03 {
    type Exchange = AskedV03;

    fn read(&self, parts: &Parts, body: &[u8], asked: &mut AskedV03) -> Result<Call, A2aError> {
        let parameters = read_parameters(parts, Version::V0_3)?;
        // Without a body there is nothing that a media type could speak of.
        if !body.is_empty() {
            check_media_type(&parts.headers, &[JSON, A2A_JSON])?;
        }
        let (path, query) = (self.below(parts), parts.uri.query());
        let read = v03::read_rest_request(&parts.method, path, query, body, JsonLimits::default());
        let request = read.map_err(|error| {
            if !matches!(error, HttpJsonError::A2a(_)) {
                asked.misplaced = Some(error.clone());
            }
            A2aError::from(error)
        })?;
        asked.asked = Some(request.operation());
        Ok(Call::new(request, parameters))
    }

    fn response(&self, asked: &AskedV03, response: &a2a::Response) -> Response {
        let operation = asked.asked.ok_or_else(A2aError::internal);
        match operation.and_then(|operation| v03::write_rest_response(operation, response)) {
            Ok(body) => json(StatusCode::OK, body),
            Err(error) => self.error(asked, &error),
        }
    }

    fn events(&self, _: AskedV03, events: Events) -> Response {
        event_stream(events, |event| match event {
            Ok(event) => v03::write_rest_event(event),
            Err(error) => v03::write_rest_error(error).1,
        })
    }

    fn error(&self, asked: &AskedV03, error: &A2aError) -> Response {
        let (status, body) = v03::write_rest_error(error);
        let misplaced = asked.misplaced.as_ref();
        let status = match misplaced {
            Some(misplaced) => misplaced.status(),
            None => StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let mut response = json(status, body);
        if let Some(allow) = misplaced.and_then(HttpJsonError::allow) {
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    fn refusal(&self, _: &AskedV03, refusal: &Refusal) -> Response {
        let status = refusal.status();
        let body = match refusal.to_a2a() {
            Some(error) => v03::write_rest_error(&error).1,
            None => {
                let word = status.canonical_reason().unwrap_or("Refused");
                json!({ "message": word }).to_string().into_bytes()
            }
        };
        let mut response = json(status, body);
        refusal.add_challenge(response.headers_mut());
        response
    }
}

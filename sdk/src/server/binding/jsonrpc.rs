//! The JSON-RPC binding (A2A §9).

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::super::handler::Events;
use super::super::refusal::Refusal;
use super::{Binding, Call, event_stream, read_parameters};
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{self, A2aError, ErrorKind, JSON, Version};
use crate::jose::JsonLimits;

/// JSON-RPC 2.0 over HTTP.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct JsonRpc;

/// The ID of the request, which its answer repeats.
#[derive(Clone, Debug)]
pub(in crate::server) struct Answers(Id);

impl Default for Answers {
    fn default() -> Self {
        Self(Id::Null)
    }
}

impl Binding for JsonRpc {
    type Exchange = Answers;

    fn read(&self, parts: &Parts, body: &[u8], answers: &mut Answers) -> Result<Call, A2aError> {
        // The ID first: an error of the protocol answers a request.
        let request = jsonrpc::parse_request(body, JsonLimits::default());
        let request = request.map_err(|refused| {
            answers.0.clone_from(&refused.id);
            refused.error
        })?;
        answers.0.clone_from(&request.id);
        check_media_type(&parts.headers, &[JSON])?;
        let parameters = read_parameters(parts, Version::V1_0)?;
        Ok(Call::new(jsonrpc::read_request(request)?, parameters))
    }

    fn response(&self, answers: &Answers, response: &a2a::Response) -> Response {
        json(jsonrpc::write_response(&answers.0, response))
    }

    fn events(&self, answers: Answers, events: Events) -> Response {
        event_stream(events, move |event| match event {
            Ok(event) => jsonrpc::success(&answers.0, &**event),
            Err(error) => jsonrpc::failure(&answers.0, error),
        })
    }

    fn error(&self, answers: &Answers, error: &A2aError) -> Response {
        json(jsonrpc::failure(&answers.0, error))
    }

    fn refusal(&self, _: &Answers, refusal: &Refusal) -> Response {
        refusal.to_response()
    }
}

/// A2A §9.1, §11.1: bodies of a request are of one of these media types.
pub(in crate::server) fn check_media_type(
    headers: &HeaderMap,
    taken: &[&str],
) -> Result<(), A2aError> {
    let text = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = text.and_then(|text| text.split(';').next());
    let media = media.unwrap_or_default().trim();
    if taken.iter().any(|known| media.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let message = format!("The content type must be {}", taken.join(" or "));
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, message))
}

fn json(body: Vec<u8>) -> Response {
    let media = HeaderValue::from_static(JSON);
    ([(CONTENT_TYPE, media)], Body::from(body)).into_response()
}

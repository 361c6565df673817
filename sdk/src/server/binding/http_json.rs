//! The HTTP+JSON binding (A2A §11).

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::super::handler::Events;
use super::super::refusal::Refusal;
use super::jsonrpc::check_media_type;
use super::{Binding, Call, event_stream, read_parameters};
use crate::a2a::http_json::{self, HttpJsonError};
use crate::a2a::{self, A2A_JSON, A2aError, JSON, Version};
use crate::jose::JsonLimits;

/// JSON over HTTP, each operation at its own path below `base`.
#[derive(Clone, Debug)]
pub(in crate::server) struct HttpJson {
    /// The path of the interface, without a slash at its end.
    pub(in crate::server) base: Arc<str>,
}

/// What an answer needs of its request.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Asked {
    /// The client knows `application/json` only.
    plain_json: bool,
    /// No operation has this path or method: errors have another status then.
    misplaced: Option<HttpJsonError>,
}

impl Asked {
    fn answer(&self, status: StatusCode, body: Vec<u8>) -> Response {
        let media = if self.plain_json { JSON } else { A2A_JSON };
        let media = HeaderValue::from_static(media);
        (status, [(CONTENT_TYPE, media)], Body::from(body)).into_response()
    }
}

impl Binding for HttpJson {
    type Exchange = Asked;

    fn read(&self, parts: &Parts, body: &[u8], asked: &mut Asked) -> Result<Call, A2aError> {
        asked.plain_json = wants_plain_json(&parts.headers);
        let parameters = read_parameters(parts, Version::V1_0)?;
        // A2A §11.1: without a body there is nothing that a media type could speak of.
        if !body.is_empty() {
            check_media_type(&parts.headers, &[A2A_JSON, JSON])?;
        }
        let path = parts.uri.path();
        let path = path.strip_prefix(&*self.base).unwrap_or(path);
        let query = parts.uri.query();
        let read = http_json::read_request(&parts.method, path, query, body, JsonLimits::default());
        let request = read.map_err(|error| {
            if !matches!(error, HttpJsonError::A2a(_)) {
                asked.misplaced = Some(error.clone());
            }
            A2aError::from(error)
        })?;
        Ok(Call::new(request, parameters))
    }

    fn response(&self, asked: &Asked, response: &a2a::Response) -> Response {
        asked.answer(StatusCode::OK, http_json::write_response(response))
    }

    fn events(&self, _: Asked, events: Events) -> Response {
        event_stream(events, |event| match event {
            Ok(event) => http_json::write_event(event),
            Err(error) => http_json::write_error(error),
        })
    }

    fn error(&self, asked: &Asked, error: &A2aError) -> Response {
        let misplaced = asked.misplaced.clone();
        let error = misplaced.unwrap_or_else(|| HttpJsonError::A2a(error.clone()));
        let mut response = asked.answer(error.status(), error.to_body());
        if let Some(allow) = error.allow() {
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    fn refusal(&self, asked: &Asked, refusal: &Refusal) -> Response {
        let status = refusal.status();
        let body = match refusal.to_a2a() {
            Some(error) => http_json::write_error(&error),
            None => json!({ "error": {
                "code": status.as_u16(),
                "status": refusal.grpc_status(),
                "message": status.canonical_reason().unwrap_or("Refused"),
                "details": [],
            }})
            .to_string()
            .into_bytes(),
        };
        let mut response = asked.answer(status, body);
        refusal.add_challenge(response.headers_mut());
        response
    }
}

/// Whether the client names `application/json` among what it takes, and not the protocol's own
/// media type (RFC 9110 §12.5.1).
fn wants_plain_json(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT).iter();
    let lists = lists.filter_map(|value| value.to_str().ok());
    let taken = lists.flat_map(|list| list.split(',')).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next()?;
        let refused = parts.any(|p| p.strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0));
        (!refused).then(|| media.to_ascii_lowercase())
    });
    let (mut plain, mut own) = (false, false);
    for media in taken {
        plain |= media == JSON;
        own |= media == A2A_JSON;
    }
    plain && !own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_is_the_protocols_unless_the_client_names_only_plain_json() {
        for (accept, want) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/a2a+json"), false),
            (Some("application/json"), true),
            (Some("text/html, Application/JSON;q=0.5, */*;q=0.1"), true),
            (Some("application/json, application/a2a+json"), false),
            (Some("application/json, application/a2a+json;q=0"), true),
            (Some("application/json;q=0.0"), false),
            (Some("text/event-stream"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(wants_plain_json(&headers), want, "{accept:?}");
        }
    }
}

//! The authority's endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};

use crate::oauth::METADATA_PATH;
use crate::svid::PeerIdentity;
use crate::workload::CERTIFICATE_PATH;

use super::Refusal;
use super::forms::{BODY_MAX, TOKEN_EXCHANGE};
use super::service::Service;

/// How long a body may take to come: whoever asks needs no certificate to hold a connection open.
const BODY_WITHIN: Duration = Duration::from_secs(10);
const KEYS_PATH: &str = "/jwks";
const TOKEN_PATH: &str = "/token";
const LOGIN_PATH: &str = "/login";

/// All endpoints, to be served on one TLS listener.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route(CERTIFICATE_PATH, post(certificate))
        .route(METADATA_PATH, get(metadata))
        .route(KEYS_PATH, get(keys))
        .route(TOKEN_PATH, post(token))
        .route(LOGIN_PATH, post(login))
        .with_state(service)
}

/// What the authority says about itself (RFC 8414 §2).
async fn metadata(State(service): State<Arc<Service>>) -> Response {
    let issuer = &service.mint.issuer;
    let token_endpoint = format!("{issuer}{TOKEN_PATH}");
    let mut document = json!({
        "issuer": issuer,
        "token_endpoint": token_endpoint,
        "jwks_uri": format!("{issuer}{KEYS_PATH}"),
        "development_login_endpoint": format!("{issuer}{LOGIN_PATH}"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials", TOKEN_EXCHANGE],
        "token_endpoint_auth_methods_supported": ["tls_client_auth"],
    });
    // RFC 8705 §3.3 and §5.
    document["tls_client_certificate_bound_access_tokens"] = json!(true);
    document["mtls_endpoint_aliases"] = json!({ "token_endpoint": token_endpoint });
    answer(StatusCode::OK, &document)
}

async fn keys(State(service): State<Arc<Service>>) -> Response {
    answer(StatusCode::OK, &service.mint.keys().to_value())
}

async fn token(State(service): State<Arc<Service>>, request: Request) -> Response {
    handle(&service, request, Service::token).await
}

async fn login(State(service): State<Arc<Service>>, request: Request) -> Response {
    handle(&service, request, Service::login).await
}

async fn certificate(State(service): State<Arc<Service>>, request: Request) -> Response {
    handle(&service, request, Service::certificate).await
}

type Handler = fn(&Service, Option<&PeerIdentity>, &HeaderMap, &[u8]) -> Result<Value, Refusal>;

async fn handle(service: &Service, request: Request, handler: Handler) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<PeerIdentity>();
    let done = match read(body, BODY_WITHIN).await {
        Ok(body) => handler(service, peer, &parts.headers, &body),
        Err(refusal) => Err(service.unread(peer, &parts.headers, refusal)),
    };
    match done {
        Ok(document) => answer(StatusCode::OK, &document),
        // RFC 6749 §5.2. What was wrong stands in the log, not here.
        Err(refusal) => answer(refusal.status(), &json!({ "error": refusal.error() })),
    }
}

async fn read(body: Body, within: Duration) -> Result<Bytes, Refusal> {
    let malformed = |why| Refusal::Malformed { why };
    let whole = Limited::new(body, BODY_MAX).collect();
    match tokio::time::timeout(within, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLong { max: BODY_MAX }),
        Ok(Err(_)) => Err(malformed("body.broken_off")),
        Err(_) => Err(malformed("body.slow")),
    }
}

fn answer(status: StatusCode, document: &Value) -> Response {
    let mut response = (status, document.to_string()).into_response();
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    // RFC 6749 §5.1.
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let silent = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let within = Duration::from_millis(20);
        let slow = read(Body::from_stream(silent), within).await;
        assert_eq!(slow, Err(Refusal::Malformed { why: "body.slow" }));
        let whole = read(Body::from("a=b"), within).await;
        assert_eq!(whole, Ok(Bytes::from("a=b")));
    }
}

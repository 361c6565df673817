//! The addresses of an agent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, map_response};
#[cfg(feature = "grpc")]
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::HeaderValue;
#[cfg(feature = "grpc")]
use http::StatusCode;
use http::header::STRICT_TRANSPORT_SECURITY;

#[cfg(feature = "grpc")]
use super::binding::Grpc;
use super::binding::{Front, HttpJson, HttpJsonV03, JsonRpc, JsonRpcV03, asks_for_v03, serve};
use super::published::{Cards, OpenCard, serve_card, serve_directory, serve_open_card};
use super::this_machine::only_this_machine;
#[cfg(feature = "grpc")]
use crate::a2a;
use crate::a2a::AGENT_CARD_PATH;
use crate::httpsig::DIRECTORY_PATH;

/// Where the bindings over plain HTTP are, below the agent's origin; without a slash at the end.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    /// Where JSON-RPC calls go.
    pub(super) json_rpc: String,
    /// Where the paths of HTTP+JSON begin.
    pub(super) rest: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            json_rpc: "/a2a".to_owned(),
            rest: "/a2a/rest".to_owned(),
        }
    }
}

/// The routes of an agent that publishes a signed card.
pub(super) fn router(front: Arc<Front>, cards: Arc<Cards>, paths: &Paths) -> Router {
    let published = Router::new()
        .route(AGENT_CARD_PATH, get(serve_card))
        .route(DIRECTORY_PATH, get(serve_directory))
        .with_state(cards);
    let all = bindings(front, paths).merge(published);
    // A2A §7.1, RFC 6797: whoever looks at headers shall never try without TLS.
    all.layer(map_response(async |mut response: Response| {
        let a_year = HeaderValue::from_static("max-age=31536000");
        let headers = response.headers_mut();
        headers.insert(STRICT_TRANSPORT_SECURITY, a_year);
        response
    }))
}

/// The routes of an agent that proves nobody.
pub(super) fn open_router(front: Arc<Front>, card: Arc<OpenCard>, paths: &Paths) -> Router {
    let published = Router::new()
        .route(AGENT_CARD_PATH, get(serve_open_card))
        .with_state(card);
    let all = bindings(front, paths).merge(published);
    all.layer(from_fn(only_this_machine))
}

/// The routes of the bindings.
fn bindings(front: Arc<Front>, paths: &Paths) -> Router {
    let base: Arc<str> = paths.rest.as_str().into();
    let rest = move |State(front): State<Arc<Front>>, request: Request| {
        let base = base.clone();
        async move { http_json(&front, base, request).await }
    };
    // Some clients put a slash behind every base address.
    let places = |path: &str| [path.to_owned(), format!("{path}/")];
    let rpc = places(&paths.json_rpc);
    let mut router = Router::new().route(&format!("{}/{{*path}}", paths.rest), any(rest.clone()));
    for path in rpc.iter().filter(|path| !path.is_empty()) {
        router = router.route(path, post(json_rpc));
    }
    // No operation is at the base itself; that is told in the binding's own form too.
    for path in places(&paths.rest) {
        if !path.is_empty() && !rpc.contains(&path) {
            router = router.route(&path, any(rest.clone()));
        }
    }
    #[cfg(feature = "grpc")]
    {
        let service = |name: &str| format!("/{name}/{{method}}");
        router = router
            .route(&service(a2a::grpc::SERVICE), post(grpc))
            .route(&service(a2a::grpc::SERVICE_V03), post(grpc_v03));
    }
    router.with_state(front)
}

async fn json_rpc(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let old = front.terms.v03 && asks_for_v03(&parts);
    let request = Request::from_parts(parts, body);
    if old {
        return serve(&front, &JsonRpcV03, request).await;
    }
    serve(&front, &JsonRpc, request).await
}

async fn http_json(front: &Front, base: Arc<str>, request: Request) -> Response {
    let of_03 = HttpJsonV03 { base: base.clone() };
    let (parts, body) = request.into_parts();
    let old = front.terms.v03 && of_03.takes(&parts);
    let request = Request::from_parts(parts, body);
    if old {
        return serve(front, &of_03, request).await;
    }
    serve(front, &HttpJson { base }, request).await
}

/// gRPC has its own paths, below no other.
#[cfg(feature = "grpc")]
async fn grpc(State(front): State<Arc<Front>>, request: Request) -> Response {
    match Grpc::turn_away(&request) {
        Some(response) => response,
        None => serve(&front, &Grpc(a2a::Version::V1_0), request).await,
    }
}

/// 0.3 has a service of its own.
#[cfg(feature = "grpc")]
async fn grpc_v03(State(front): State<Arc<Front>>, request: Request) -> Response {
    match Grpc::turn_away(&request) {
        Some(response) => response,
        None if front.terms.v03 => serve(&front, &Grpc(a2a::Version::V0_3), request).await,
        // To gRPC that means: no such service.
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

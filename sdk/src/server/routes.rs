//! The addresses of an agent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};

#[cfg(feature = "grpc")]
use super::binding::Grpc;
use super::binding::{Front, HttpJson, JsonRpc, serve};
use super::published::{Cards, serve_card, serve_directory};
#[cfg(feature = "grpc")]
use crate::a2a;
use crate::a2a::AGENT_CARD_PATH;
use crate::httpsig::DIRECTORY_PATH;

/// Where JSON-RPC calls go, below the agent's origin.
pub(super) const RPC_PATH: &str = "/a2a";

/// Where the paths of HTTP+JSON begin.
pub(super) const REST_PATH: &str = "/a2a/rest";

/// The routes of an agent that publishes a signed card.
pub(super) fn router(front: Arc<Front>, cards: Arc<Cards>) -> Router {
    let published = Router::new()
        .route(AGENT_CARD_PATH, get(serve_card))
        .route(DIRECTORY_PATH, get(serve_directory))
        .with_state(cards);
    bindings(front).merge(published)
}

/// The routes of the bindings.
pub(super) fn bindings(front: Arc<Front>) -> Router {
    let router = Router::new()
        .route(RPC_PATH, post(json_rpc))
        // Some clients put a slash behind every base address.
        .route(&format!("{RPC_PATH}/"), post(json_rpc))
        .route(&format!("{REST_PATH}/{{*path}}"), any(http_json));
    #[cfg(feature = "grpc")]
    let router = router.route(&format!("/{}/{{method}}", a2a::grpc::SERVICE), post(grpc));
    router.with_state(front)
}

async fn json_rpc(State(front): State<Arc<Front>>, request: Request) -> Response {
    serve(&front, &JsonRpc, request).await
}

async fn http_json(State(front): State<Arc<Front>>, request: Request) -> Response {
    serve(&front, &HttpJson { base: REST_PATH }, request).await
}

/// gRPC has its own paths, below no other.
#[cfg(feature = "grpc")]
async fn grpc(State(front): State<Arc<Front>>, request: Request) -> Response {
    match Grpc::turn_away(&request) {
        Some(response) => response,
        None => serve(&front, &Grpc, request).await,
    }
}

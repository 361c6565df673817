//! The addresses of an agent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::binding::{Front, JsonRpc, serve};
use super::published::{Cards, serve_card, serve_directory};
use crate::a2a::AGENT_CARD_PATH;
use crate::httpsig::DIRECTORY_PATH;

/// Where JSON-RPC calls go, below the agent's origin.
pub(super) const RPC_PATH: &str = "/a2a";

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
    Router::new()
        .route(RPC_PATH, post(json_rpc))
        // Some clients put a slash behind every base address.
        .route(&format!("{RPC_PATH}/"), post(json_rpc))
        .with_state(front)
}

async fn json_rpc(State(front): State<Arc<Front>>, request: Request) -> Response {
    serve(&front, &JsonRpc, request).await
}

//! Routes for what a signature agent publishes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderMap, Method, StatusCode};

use crate::clock::Clock;
use crate::httpsig::directory::KeyDirectory;
use crate::httpsig::{DIRECTORY_PATH, ServedDocument};

/// The key directory of a signature agent at its well-known path, for an application's own routes.
/// It is to be served over TLS, to everybody.
///
/// ```
/// use std::sync::Arc;
/// use countersign::clock::{Clock as _, SystemClock};
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::Origin;
/// use countersign::httpsig::directory::{KeyDirectory, KeyRing};
/// use countersign::httpsig::signature_agent::SignatureAgentCard;
/// use countersign::server::{document_route, key_directory_route};
///
/// let now = SystemClock.now();
/// let ring = KeyRing::new(SigningKey::generate(Algorithm::Ed25519)?, now);
/// let keys = Arc::new(KeyDirectory::new(ring, Origin::https("bot.example")));
/// let card = SignatureAgentCard::new("https://bot.example/card")
///     .jwks_uri("https://bot.example/.well-known/http-message-signatures-directory");
/// let routes: axum::Router = key_directory_route(keys, Arc::new(SystemClock))
///     .merge(document_route("/card", card.to_served(now)));
/// # Ok::<(), countersign::crypto::KeyError>(())
/// ```
pub fn key_directory_route(directory: Arc<KeyDirectory>, clock: Arc<dyn Clock>) -> Router {
    let serve = move |method: Method, headers: HeaderMap| async move {
        match directory.answer(&method, &headers, clock.now()) {
            Ok(answer) => answer.map(Body::from),
            Err(error) => {
                tracing::error!(%error, "the key directory cannot be signed");
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    };
    Router::new().route(DIRECTORY_PATH, any(serve))
}

/// A signature agent card or a registry at `path`, for an application's own routes.
///
/// # Panics
/// When `path` is no path of a route.
pub fn document_route(path: &str, document: ServedDocument) -> Router {
    let document = Arc::new(document);
    let serve = move |method: Method, headers: HeaderMap| async move {
        let answer: Response = document.answer(&method, &headers).map(Body::from);
        answer
    };
    Router::new().route(path, any(serve))
}

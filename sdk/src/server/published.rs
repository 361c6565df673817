//! What an agent publishes: its card and its key directory.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::a2a::{AgentCard, JSON};
use crate::card::{self, CardError};
use crate::crypto::sha256;
use crate::httpsig::{Origin, directory};
use crate::jose::encode_base64url;
use crate::workload::{Snapshot, Workload};

/// How long a caller may keep the card, in seconds.
const MAX_AGE: u32 = 240;
/// Life of the proof that a key directory carries; it may be kept for half of that.
const DIRECTORY_PROOF: Duration = Duration::from_secs(300);

/// The card of an agent, signed with its certificate.
pub(super) struct Cards {
    pub(super) card: AgentCard,
    pub(super) workload: Workload,
    pub(super) origin: Origin,
    pub(super) signed: ArcSwapOption<Published>,
}

/// The card as it is served, signed with the certificate of one generation.
pub(super) struct Published {
    generation: u64,
    bytes: Bytes,
    etag: HeaderValue,
}

impl Cards {
    /// The signed card; signed anew when the certificate was rotated, since the old one expires.
    pub(super) fn published(&self, own: &Snapshot) -> Result<Arc<Published>, CardError> {
        let generation = own.generation();
        if let Some(kept) = self.signed.load_full()
            && kept.generation == generation
        {
            return Ok(kept);
        }
        let bytes = card::sign_card(&self.card, own.key(), own.chain())?;
        // A2A §8.6.1: the ETag follows the content.
        let tag = format!("\"{}\"", encode_base64url(&sha256(&bytes)[..16]));
        let etag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"card\""));
        let made = Arc::new(Published {
            generation,
            bytes: bytes.into(),
            etag,
        });
        self.signed.store(Some(made.clone()));
        Ok(made)
    }
}

/// The card (A2A §8.2), to every workload that our trust bundles know; it holds no secret.
pub(super) async fn serve_card(State(cards): State<Arc<Cards>>, headers: HeaderMap) -> Response {
    let Ok(published) = cards.published(&cards.workload.current()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let caching = [
        (ETAG, published.etag.clone()),
        (CACHE_CONTROL, cache_control()),
    ];
    // RFC 9110 §13.1.2.
    if headers.get(IF_NONE_MATCH) == Some(&published.etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let media = [(CONTENT_TYPE, HeaderValue::from_static(JSON))];
    (caching, media, Body::from(published.bytes.clone())).into_response()
}

/// Our signing keys, with a proof that we hold them (Web Bot Auth, key directory).
pub(super) async fn serve_directory(State(cards): State<Arc<Cards>>) -> Response {
    let own = cards.workload.current();
    let now = cards.workload.clock().now();
    let body = directory::document([own.key().verifying_key()]);
    match directory::prove(&[own.key()], &cards.origin, &body, now, DIRECTORY_PROOF) {
        Ok(headers) => (headers, body).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn cache_control() -> HeaderValue {
    HeaderValue::try_from(format!("private, max-age={MAX_AGE}"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

//! Layers and clients against each other, in the process and on the loopback.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::*;
use crate::clock::{ManualClock, UnixTime};
use crate::httpsig::{
    HttpAlgorithm, HttpKeySet, HttpSigningKey, Origin, Profile, Revision, Signer,
};

#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "grpc")]
mod grpc;
mod published;
mod recognizing;
mod sending;

const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
const DIRECTORY: &str = "https://bot.example/.well-known/http-message-signatures-directory";
const BODY: &str = "{\"seats\":2}";

fn here() -> Origin {
    Origin::https("shop.example")
}

fn key() -> HttpSigningKey {
    HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key")
}

fn signer(key: &HttpSigningKey, profile: Profile) -> Signer {
    Signer::new(key.clone(), DIRECTORY, profile).expect("a signer")
}

fn bots() -> Profile {
    Profile::web_bot_auth(Revision::Ietf01)
}

/// A layer that knows `key`, for `shop.example`, at [`NOW`].
fn layer(key: &HttpSigningKey, profile: Profile) -> Recognize {
    let keys = KeySource::held(HttpKeySet::of([key.verifying_key()]));
    Recognize::new(profile, keys, OriginRule::fixed(here())).clock(Arc::new(ManualClock::at(NOW)))
}

/// Says what the layer told it, and the body.
async fn tell(known: Recognition, body: String) -> String {
    let reason = known.reason().unwrap_or("-");
    let covered = known.verified().is_some_and(Recognized::covers_body);
    format!("{} {reason} {covered} {body}", known.word())
}

/// The status, and what the handler or the layer said.
async fn asked(layer: &Recognize, request: Request<Body>) -> (StatusCode, String) {
    let (status, _, text) = answered(layer, request).await;
    (status, text)
}

async fn answered(
    layer: &Recognize,
    request: Request<Body>,
) -> (StatusCode, http::HeaderMap, String) {
    let app = Router::new().fallback(tell).layer(layer.clone());
    in_whole(app.clone().call(request).await.expect("an answer")).await
}

async fn in_whole(answer: Response<Body>) -> (StatusCode, http::HeaderMap, String) {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    (parts.status, parts.headers, text)
}

/// A signed `POST` with [`BODY`].
fn signed(signer: &Signer) -> Request<Body> {
    signed_as(signer, |_| {}, |_| {}, BODY)
}

/// One that is changed before, or after, it is signed.
fn signed_as(
    signer: &Signer,
    before: impl FnOnce(&mut http::request::Parts),
    after: impl FnOnce(&mut http::request::Parts),
    body: &'static str,
) -> Request<Body> {
    let request = Request::post("/book?x=1").header("content-type", "application/json");
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    before(&mut parts);
    let nonce = crate::crypto::random();
    let made = signer.sign(&mut parts, &here(), BODY.as_bytes(), NOW, nonce);
    made.expect("a signature");
    after(&mut parts);
    Request::from_parts(parts, Body::from(body))
}

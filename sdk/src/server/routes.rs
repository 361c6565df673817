//! The HTTP side of an agent: its card, its key directory, and the JSON-RPC binding.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use super::engine::Engine;
use super::inbound::Inbound;
use super::refusal::Refusal;
use crate::a2a::jsonrpc::Id;
use crate::a2a::{
    A2aError, AGENT_CARD_PATH, AgentCard, CancelTaskRequest, EVENT_STREAM, ErrorKind, FromParams,
    GetTaskRequest, JSON, Message, Operation, SendMessageRequest, VERSION_HEADER, check_version,
    jsonrpc, sse,
};
use crate::audit::Admitted;
use crate::card::{self, CardError, EXTENSION_URI};
use crate::crypto::sha256;
use crate::httpsig::{DIRECTORY_PATH, Origin, directory};
use crate::jose::{JsonLimits, encode_base64url};
use crate::policy::Action;
use crate::workload::{Snapshot, Workload};

/// Where calls go, below the agent's origin.
pub(super) const RPC_PATH: &str = "/a2a";
/// How long a caller may keep the card, in seconds.
const MAX_AGE: u32 = 240;
/// Life of the proof that a key directory carries; it may be kept for half of that.
const DIRECTORY_PROOF: Duration = Duration::from_secs(300);

/// What the routes share.
pub(super) struct Shared {
    pub(super) inbound: Inbound,
    pub(super) engine: Arc<Engine>,
    pub(super) workload: Workload,
    pub(super) origin: Origin,
    pub(super) card: AgentCard,
    pub(super) signed: ArcSwapOption<Published>,
}

/// The card as it is served, signed with the certificate of one generation.
pub(super) struct Published {
    generation: u64,
    bytes: Bytes,
    etag: HeaderValue,
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(AGENT_CARD_PATH, get(serve_card))
        .route(DIRECTORY_PATH, get(serve_directory))
        .route(RPC_PATH, post(serve_call))
        .with_state(shared)
}

impl Shared {
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

    /// What a JSON-RPC request asks for; the skill that the policy is asked about with it.
    fn classify(
        &self,
        parts: &Parts,
        body: &[u8],
        id: &mut Id,
    ) -> Result<(Action, Asked), A2aError> {
        // The ID first: an error of the protocol answers a request.
        let request = jsonrpc::parse_request(body, JsonLimits::default());
        let request = request.map_err(|refused| {
            id.clone_from(&refused.id);
            refused.error
        })?;
        id.clone_from(&request.id);
        check_media_type(&parts.headers)?;
        let version = parts.headers.get(VERSION_HEADER);
        check_version(version.and_then(|v| v.to_str().ok()))?;
        let asked = Asked::parse(request)?;
        let skill = match &asked {
            Asked::Send(r) | Asked::Stream(r) => self.skill_of(&r.message)?,
            Asked::Get(_) | Asked::Cancel(_) => None,
        };
        let mut action = Action::new(asked.operation());
        action.skill = skill;
        Ok((action, asked))
    }

    /// The skill that a message names, or the only one there is.
    fn skill_of(&self, message: &Message) -> Result<Option<String>, A2aError> {
        let named = message.metadata.get(EXTENSION_URI);
        let field = "message.metadata.skill";
        if let Some(extension) = named {
            let skill = extension.get("skill").and_then(Value::as_str);
            let skill = skill.ok_or_else(|| A2aError::invalid_param(field, "is not a text"))?;
            return Ok(Some(skill.to_owned()));
        }
        match self.card.skills.as_slice() {
            [only] => Ok(Some(only.id.clone())),
            _ => Ok(None),
        }
    }
}

/// A2A §9.1: requests of the JSON-RPC binding are `application/json`.
fn check_media_type(headers: &HeaderMap) -> Result<(), A2aError> {
    let text = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = text
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    if media.trim().eq_ignore_ascii_case(JSON) {
        return Ok(());
    }
    let message = format!("The content type must be {JSON}");
    Err(A2aError::new(ErrorKind::ContentTypeNotSupported, message))
}

/// An operation with its parameters.
pub(super) enum Asked {
    Send(SendMessageRequest),
    Stream(SendMessageRequest),
    Get(GetTaskRequest),
    Cancel(CancelTaskRequest),
}

impl Asked {
    fn parse(request: jsonrpc::Request) -> Result<Self, A2aError> {
        let operation = request.operation()?;
        let params = request.params;
        match operation {
            Operation::SendMessage => FromParams::from_params(params).map(Self::Send),
            Operation::SendStreamingMessage => FromParams::from_params(params).map(Self::Stream),
            Operation::GetTask => FromParams::from_params(params).map(Self::Get),
            Operation::CancelTask => FromParams::from_params(params).map(Self::Cancel),
            other => Err(A2aError::new(
                ErrorKind::UnsupportedOperation,
                format!("{} is not supported", other.as_str()),
            )),
        }
    }

    fn operation(&self) -> Operation {
        match self {
            Self::Send(_) => Operation::SendMessage,
            Self::Stream(_) => Operation::SendStreamingMessage,
            Self::Get(_) => Operation::GetTask,
            Self::Cancel(_) => Operation::CancelTask,
        }
    }
}

async fn serve_call(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Kept outside: an error of the protocol names the request it answers.
    let mut id = Id::Null;
    let classify = |parts: &Parts, body: &[u8]| shared.classify(parts, body, &mut id);
    match shared.inbound.receive(&parts, body, classify).await {
        Ok((admitted, _, asked)) => dispatch(&shared.engine, admitted, id, asked).await,
        Err(Refusal::Protocol(error)) => json(jsonrpc::failure(&id, &error).into()),
        Err(refusal) => refusal.to_response(),
    }
}

/// Step 8.
async fn dispatch(engine: &Arc<Engine>, admitted: Admitted, id: Id, asked: Asked) -> Response {
    let answer = match asked {
        Asked::Send(request) => {
            let answer = engine.send(admitted, request).await;
            answer.map(|answer| jsonrpc::success(&id, &answer))
        }
        Asked::Get(request) => {
            let task = engine.get(&admitted, &request).await;
            task.map(|task| jsonrpc::success(&id, &task))
        }
        Asked::Cancel(request) => {
            let task = engine.cancel(&admitted, &request).await;
            task.map(|task| jsonrpc::success(&id, &task))
        }
        Asked::Stream(request) => match engine.stream(admitted, request).await {
            Ok(events) => {
                let events = events.map(move |event| {
                    let text = match event {
                        Ok(event) => jsonrpc::success(&id, &*event),
                        Err(error) => jsonrpc::failure(&id, &error),
                    };
                    Ok::<_, std::convert::Infallible>(sse::encode_event(&text))
                });
                return event_stream(Body::from_stream(events));
            }
            Err(error) => Err(error),
        },
    };
    match answer {
        Ok(bytes) => json(bytes.into()),
        Err(error) => json(jsonrpc::failure(&id, &error).into()),
    }
}

fn json(bytes: Bytes) -> Response {
    let media = HeaderValue::from_static(JSON);
    ([(CONTENT_TYPE, media)], bytes).into_response()
}

fn event_stream(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

/// The card (A2A §8.2), to every workload that our trust bundles know; it holds no secret.
async fn serve_card(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Ok(published) = shared.published(&shared.workload.current()) else {
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
    (caching, json(published.bytes.clone())).into_response()
}

/// Our signing keys, with a proof that we hold them (Web Bot Auth, key directory).
async fn serve_directory(State(shared): State<Arc<Shared>>) -> Response {
    let own = shared.workload.current();
    let now = shared.workload.clock().now();
    let body = directory::document([own.key().verifying_key()]);
    match directory::prove(&[own.key()], &shared.origin, &body, now, DIRECTORY_PROOF) {
        Ok(headers) => (headers, body).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn cache_control() -> HeaderValue {
    HeaderValue::try_from(format!("private, max-age={MAX_AGE}"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

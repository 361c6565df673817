//! A peer that proves who it is and does what a test tells it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use countersign::a2a::{
    AGENT_CARD_PATH, AgentCard, AgentInterface, StreamResponse, Task, TaskState, TaskStatus,
    TaskStatusUpdateEvent, sse,
};
use countersign::card::{EXTENSION_URI, sign_card};
use countersign::client::Peer;
use countersign::tls::{self, ServeOptions};
use countersign::workload::Workload;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Failure, World};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    /// What its message says under our extension's URI.
    pub(crate) fn said(&self) -> Option<Value> {
        let metadata = &self.body["params"]["message"]["metadata"];
        metadata.get(EXTENSION_URI).cloned()
    }

    /// The JSON-RPC method, or the path.
    pub(crate) fn what(&self) -> String {
        match self.body["method"].as_str() {
            Some(method) => method.to_owned(),
            None => format!("{} {}", self.method, self.uri.path()),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default()
    }
}

type Script = Arc<dyn Fn(&Seen, usize) -> Response<Body> + Send + Sync>;

/// What came in, in its order.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Seen>>>);

impl Heard {
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().expect("not poisoned").clone()
    }

    pub(crate) fn whats(&self) -> Vec<String> {
        self.all().iter().map(Seen::what).collect()
    }

    fn add(&self, seen: Seen) -> usize {
        let mut all = self.0.lock().expect("not poisoned");
        all.push(seen);
        all.len() - 1
    }
}

/// Serves calls to the agent `worker` as `script` says, which is told how many came before. `change`
/// sees the card before it is signed.
pub(crate) async fn double(
    world: &World,
    change: impl FnOnce(&mut AgentCard),
    script: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static,
) -> Result<(Peer, Heard), Failure> {
    let own: Workload = world.client("worker").await?.workload().clone();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("https://{}", listener.local_addr()?);
    let one = world.client("one").await?;
    let mut card: AgentCard = one.card(world.worker.peer()).await?.card().clone();
    let interface = |binding: &str, path: &str| AgentInterface {
        url: format!("{url}{path}"),
        protocol_binding: binding.into(),
        tenant: None,
        protocol_version: "1.0".into(),
    };
    card.supported_interfaces = vec![
        interface("JSONRPC", "/a2a"),
        interface("HTTP+JSON", "/a2a/rest"),
    ];
    change(&mut card);
    let current = own.current();
    let signed = Bytes::from(sign_card(&card, current.key(), current.chain())?);
    let (heard, script): (_, Script) = (Heard::default(), Arc::new(script));
    let told = heard.clone();
    let serve_card = async move || ([(CACHE_CONTROL, "max-age=60")], signed.clone());
    let serve = async move |request: Request| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes());
        let body = serde_json::from_slice(&body.unwrap_or_default());
        let seen = Seen {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: body.unwrap_or(Value::Null),
        };
        let before = told.add(seen.clone());
        script(&seen, before)
    };
    let router = Router::new()
        .route(AGENT_CARD_PATH, axum::routing::get(serve_card))
        .fallback(serve);
    let peer = Peer::new(&url, own.id().as_str())?;
    let options = ServeOptions::default();
    let until = std::future::pending();
    tokio::spawn(tls::serve(listener, own, options, router, until));
    Ok((peer, heard))
}

/// The answer with this JSON-RPC result.
pub(crate) fn result(value: &Value) -> Response<Body> {
    json_body(&json!({"jsonrpc": "2.0", "id": 1, "result": value}))
}

/// The answer with this JSON-RPC error.
pub(crate) fn error(code: i64) -> Response<Body> {
    json_body(&json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}))
}

pub(crate) fn json_body(value: &Value) -> Response<Body> {
    Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(value.to_string()))
        .expect("a response")
}

/// An answer of this status, with one header.
pub(crate) fn status(status: u16, name: &'static str, value: &'static str) -> Response<Body> {
    Response::builder()
        .status(StatusCode::from_u16(status).expect("a status"))
        .header(name, value)
        .body(Body::empty())
        .expect("a response")
}

/// How a stream ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// As it should.
    Closed,
    /// The connection breaks.
    Broken,
    /// Nothing comes any more.
    Silent,
}

/// A JSON-RPC stream of these events.
pub(crate) fn events(events: &[StreamResponse], end: End) -> Response<Body> {
    let event = |event: &StreamResponse| {
        let envelope = json!({"jsonrpc": "2.0", "id": 1, "result": event}).to_string();
        sse::encode_event(envelope.as_bytes())
    };
    pieces(events.iter().map(event).collect(), end)
}

/// A stream of server-sent events in these pieces.
pub(crate) fn pieces(pieces: Vec<Bytes>, end: End) -> Response<Body> {
    let pieces = stream::iter(pieces).map(Ok);
    let pieces: BoxStream<'static, Result<Bytes, std::io::Error>> = match end {
        End::Closed => pieces.boxed(),
        End::Broken => {
            // After what was sent before it: an abort may overtake what is still on its way.
            let broken = stream::once(async {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                Err(std::io::Error::other("broken, as the test wants"))
            });
            pieces.chain(broken).boxed()
        }
        End::Silent => pieces.chain(stream::pending()).boxed(),
    };
    Response::builder()
        .header(CONTENT_TYPE, "text/event-stream")
        .body(Body::from_stream(pieces))
        .expect("a response")
}

/// The task `t-1`.
pub(crate) fn task(state: TaskState) -> Task {
    let status = TaskStatus {
        state,
        message: None,
        timestamp: None,
    };
    Task::new("t-1", "c-1", status)
}

pub(crate) fn moved(state: TaskState) -> StreamResponse {
    StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: "t-1".into(),
        context_id: "c-1".into(),
        status: task(state).status,
        metadata: Default::default(),
    })
}

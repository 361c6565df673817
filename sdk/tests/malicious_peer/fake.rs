//! An agent that proves who it is and answers what a test tells it, byte by byte.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
#[cfg(feature = "grpc")]
use countersign::a2a::grpc;
use countersign::a2a::jsonrpc::{self, Id};
use countersign::a2a::{
    A2aError, AgentInterface, Response, StreamResponse, TaskState, http_json, sse,
};
use countersign::card::ProtocolBinding;
use countersign::client::{Call, Client, OnBehalfOf, Peer, RetryPolicy};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};

use crate::common::double::{End, Heard, double, task};
use crate::common::findings::watch_panics;
use crate::common::wire::Wire;
use crate::common::{Failure, World};

/// The most bytes that the client takes.
pub(crate) const MAX: usize = 64 << 10;

pub(crate) struct Idle;

#[async_trait]
impl AgentExecutor for Idle {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply("served");
        Ok(())
    }
}

/// An answer, each part of which can be changed.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) end: End,
}

pub(crate) fn header(name: &'static str, value: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_static(value));
    headers
}

impl Answer {
    /// This body, with this media type and, over gRPC, a good status behind it.
    pub(crate) fn new(wire: Wire, media: &'static str, body: impl Into<Bytes>) -> Self {
        let trailers = match wire {
            Wire::JsonRpc | Wire::HttpJson => None,
            #[cfg(feature = "grpc")]
            Wire::Grpc => Some(header("grpc-status", "0")),
        };
        Self {
            status: 200,
            headers: header("content-type", media),
            pieces: vec![body.into()],
            trailers,
            end: End::Closed,
        }
    }

    /// The good answer.
    pub(crate) fn good(wire: Wire, response: &Response) -> Self {
        match wire {
            Wire::JsonRpc => {
                let body = jsonrpc::write_response(&Id::from(1), response);
                Self::new(wire, "application/json", body)
            }
            Wire::HttpJson => {
                let body = http_json::write_response(response);
                Self::new(wire, "application/a2a+json", body)
            }
            #[cfg(feature = "grpc")]
            Wire::Grpc => {
                let body = grpc::frame(&grpc::write_response(response));
                Self::new(wire, "application/grpc", body)
            }
        }
    }

    /// The JSON as the result that the binding gives.
    pub(crate) fn json(wire: Wire, result: &Value) -> Self {
        match wire {
            Wire::JsonRpc => {
                let body = json!({"jsonrpc": "2.0", "id": 1, "result": result});
                Self::new(wire, "application/json", body.to_string())
            }
            _ => Self::new(wire, "application/a2a+json", result.to_string()),
        }
    }

    /// The good stream, a piece for each event.
    pub(crate) fn stream(wire: Wire, events: &[StreamResponse]) -> Self {
        let media = match wire {
            Wire::JsonRpc | Wire::HttpJson => "text/event-stream",
            #[cfg(feature = "grpc")]
            Wire::Grpc => "application/grpc",
        };
        let mut answer = Self::new(wire, media, "");
        answer.pieces = events.iter().map(|event| piece(wire, event)).collect();
        answer
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// All of the body.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    fn to_response(&self) -> http::Response<Body> {
        let data = self.pieces.clone().into_iter();
        let frames = data
            .map(Frame::data)
            .chain(self.trailers.clone().map(Frame::trailers));
        let frames: Vec<Result<Frame<Bytes>, std::io::Error>> = frames.map(Ok).collect();
        let frames = stream::iter(frames);
        let frames: BoxStream<'static, _> = match self.end {
            End::Closed => frames.boxed(),
            End::Broken => {
                let broken = stream::once(async {
                    // After what was sent before it: an abort may overtake what is on its way.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err(std::io::Error::other("broken, as the test wants"))
                });
                frames.chain(broken).boxed()
            }
            End::Silent => frames.chain(stream::pending()).boxed(),
        };
        let mut response = http::Response::new(Body::new(StreamBody::new(frames)));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

/// One event as it stands in a stream.
pub(crate) fn piece(wire: Wire, event: &StreamResponse) -> Bytes {
    match wire {
        Wire::JsonRpc => {
            let envelope = json!({"jsonrpc": "2.0", "id": 1, "result": event});
            sse::encode_event(envelope.to_string().as_bytes())
        }
        Wire::HttpJson => sse::encode_event(&http_json::write_event(event)),
        #[cfg(feature = "grpc")]
        Wire::Grpc => grpc::frame(&grpc::write_event(event)),
    }
}

/// The agent and a client of it, which gives up soon and tries nothing twice.
pub(crate) struct Fake {
    _world: World,
    peer: Peer,
    one: OnBehalfOf,
    pub(crate) heard: Heard,
    next: Arc<Mutex<Answer>>,
}

impl Fake {
    pub(crate) async fn start() -> Result<Self, Failure> {
        watch_panics();
        let world = World::with(Idle).await?;
        let nothing = Answer::new(Wire::JsonRpc, "application/json", "{}");
        let next = Arc::new(Mutex::new(nothing));
        let told = next.clone();
        let add_grpc = |card: &mut countersign::a2a::AgentCard| {
            let first = card.supported_interfaces[0].url.clone();
            card.supported_interfaces.push(AgentInterface {
                url: first.trim_end_matches("/a2a").to_owned(),
                protocol_binding: "GRPC".into(),
                tenant: None,
                protocol_version: "1.0".into(),
            });
        };
        let script = move |_: &_, _| told.lock().expect("not poisoned").to_response();
        let (peer, heard) = double(&world, add_grpc, script).await?;
        let workload = world.client("one").await?.workload().clone();
        let client = Client::builder(workload, world.authority.oauth_endpoint())
            .retries(RetryPolicy::NEVER)
            .deadline(Duration::from_secs(2))
            .stream_idle(Duration::from_millis(500))
            .max_answer(MAX)
            .build()?;
        let grant = client.oauth().login("alice", &"work".parse()?).await?;
        Ok(Self {
            _world: world,
            peer,
            one: client.on_behalf_of_user(grant),
            heard,
            next,
        })
    }

    /// What it answers from now on.
    pub(crate) fn says(&self, answer: &Answer) {
        self.next.lock().expect("not poisoned").clone_from(answer);
    }

    pub(crate) fn call(&self, wire: Wire) -> Call {
        let binding = match wire {
            Wire::JsonRpc => ProtocolBinding::JsonRpc,
            Wire::HttpJson => ProtocolBinding::HttpJson,
            #[cfg(feature = "grpc")]
            Wire::Grpc => ProtocolBinding::Grpc,
        };
        self.one.call(&self.peer).binding(binding)
    }

    /// Whether a good answer is still taken, over every binding.
    pub(crate) async fn is_still_heard(&self) -> Result<(), Failure> {
        for &wire in Wire::ALL {
            self.says(&Answer::good(
                wire,
                &Response::Task(task(TaskState::Completed)),
            ));
            self.call(wire).get_task("t-1", None).await?;
        }
        Ok(())
    }
}

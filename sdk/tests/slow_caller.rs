//! The inbound pipeline when a caller takes its time, and the layer inside other routers.

mod common;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use common::raw::{Raw, claims};
use common::{Failure, World};
use countersign::a2a::{A2aError, Operation};
use countersign::client::Client;
use countersign::clock::{Clock as _, ManualClock, SystemClock};
use countersign::policy::{Action, Policy};
use countersign::server::{
    AgentExecutor, EventQueue, Inbound, Limits, ProveCaller, Proved, RequestContext, async_trait,
};
use countersign::workload::Workload;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use http_body::Frame;
use tower_service::Service as _;

struct Idle;

#[async_trait]
impl AgentExecutor for Idle {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.reply("served");
        Ok(())
    }
}

/// A body whose last byte comes `late` seconds after its first.
struct Slow {
    rest: Option<Bytes>,
    clock: Arc<ManualClock>,
    late: Duration,
}

impl http_body::Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(bytes) = self.rest.take() else {
            return Poll::Ready(None);
        };
        self.clock.set(self.clock.now().plus(self.late));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

/// A body that never comes.
struct Never;

impl http_body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

struct Bench {
    clock: Arc<ManualClock>,
    world: World,
    one: Workload,
    worker: Client,
}

impl Bench {
    async fn new() -> Result<Self, Failure> {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let world = World::at(clock.clone(), Idle).await?;
        let one = world.client("one").await?.workload().clone();
        let worker = world.client("worker").await?;
        Ok(Self {
            clock,
            world,
            one,
            worker,
        })
    }

    fn inbound(&self) -> Result<Inbound, Failure> {
        let origin = self.world.worker.peer().target().clone();
        let policy = Policy::from_toml(common::POLICY)?;
        Ok(Inbound::new(&self.worker, origin, policy))
    }

    /// A good call to `path`, as it comes from the connection of `one`.
    fn call(&self, path: &str) -> Result<Raw, Failure> {
        let claims = claims(
            self.world.authority.issuer(),
            &self.one,
            self.world.worker.peer(),
        );
        let token = self.world.authority.danger().token(&claims)?;
        let mut raw = Raw::new(&self.one, self.world.worker.peer(), token.expose())?;
        raw.parts.uri = path.parse()?;
        let peer = self.one.current().identity().clone();
        raw.parts.extensions.insert(peer);
        raw.sign()?;
        Ok(raw)
    }
}

fn work() -> Action {
    Action::new(Operation::SendMessage).with_skill("work")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_late_is_judged_by_the_time_at_which_it_is_whole() -> Result<(), Failure>
{
    // Token and signature end after 60 s; 5 s are forgiven, the last of them to the signature only.
    for (late, want) in [
        (64, "served"),
        (65, "token.expired"),
        (66, "signature.expired"),
    ] {
        let bench = Bench::new().await?;
        let raw = bench.call("/a2a")?;
        let body = Slow {
            rest: Some(raw.body.clone().into()),
            clock: bench.clock.clone(),
            late: Duration::from_secs(late),
        };
        let inbound = bench.inbound()?;
        let done = inbound
            .receive(&raw.parts, body, |_, _| Ok((work(), ())))
            .await;
        let got = done.map_or_else(|refusal| refusal.reason(), |_| "served");
        assert_eq!(got, want, "{late} s late");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let limits = Limits {
        body_time: Duration::from_millis(50),
        ..Limits::default()
    };
    let inbound = bench.inbound()?.limits(limits);
    let raw = bench.call("/a2a")?;
    let done = inbound.receive(&raw.parts, Never, |_, _| Ok((work(), ())));
    let done = tokio::time::timeout(Duration::from_secs(10), done).await?;
    let refused = done.map(drop).expect_err("it never came");
    assert_eq!(refused.reason(), "body.timeout");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_a_nested_router_the_whole_signed_path_counts() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let inner = async |Proved(_): Proved, headers: HeaderMap| {
        if headers.contains_key(AUTHORIZATION) {
            StatusCode::IM_A_TEAPOT
        } else {
            StatusCode::OK
        }
    };
    let inner = Router::new()
        .route("/book", post(inner))
        .layer(ProveCaller::new(bench.inbound()?, work()));
    let mut router = Router::new().nest("/trips", inner);
    for (signed, sent, want) in [
        ("/trips/book", "/trips/book", StatusCode::OK),
        ("/book", "/trips/book", StatusCode::FORBIDDEN),
    ] {
        let Raw {
            mut parts, body, ..
        } = bench.call(signed)?;
        parts.uri = sent.parse()?;
        let request = Request::from_parts(parts, Body::from(body));
        let answer = router.call(request).await?;
        assert_eq!(answer.status(), want, "signed {signed}, sent {sent}");
    }
    Ok(())
}

//! The gRPC binding over real TLS: answers, streams, errors, and what is refused before.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::obedient::Obedient;
use common::raw::{Raw, claims};
use common::{Failure, POLICY, World};
use countersign::a2a::grpc::{self, Code, Status};
use countersign::a2a::{
    self, ErrorKind, GetTaskRequest, Message, Operation, Part, Request, Response,
    SendMessageRequest, SendMessageResponse, StreamResponse, TaskState,
};
use countersign::card::ProtocolBinding;
use countersign::client::{Call, Client, ClientError};
use countersign::clock::SystemClock;
use countersign::policy::Policy;
use countersign::server::Agent;
use countersign::tls::{HttpVersion, TlsError, Transport, TransportConfig};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, TE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};

struct Bench {
    world: World,
    one: Workload,
}

/// What the peer answered.
#[derive(Debug)]
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

impl Told {
    /// The status, wherever it stands.
    fn ended(&self) -> Result<Status, Failure> {
        let at_once = Status::read(&self.headers);
        let ended = at_once.or_else(|| Status::read(&self.trailers));
        Ok(ended.ok_or_else(|| format!("no status: {self:?}"))?)
    }

    fn kind(&self) -> Result<Option<ErrorKind>, Failure> {
        Ok(self.ended()?.error().map(|error| error.kind()))
    }
}

fn send(text: &str) -> SendMessageRequest {
    SendMessageRequest::new(Message::user(Part::text(text)))
}

impl Bench {
    async fn new() -> Result<Self, Failure> {
        Self::with(|worker| worker).await
    }

    async fn with(change: impl FnOnce(Agent) -> Agent) -> Result<Self, Failure> {
        let world = World::made(Arc::new(SystemClock), Obedient, change).await?;
        let one = world.client("one").await?.workload().clone();
        Ok(Self { world, one })
    }

    /// A good call that asks for `request`, unsigned yet.
    fn raw(&self, request: &Request) -> Result<Raw, Failure> {
        let worker = self.world.worker.peer();
        let claims = claims(self.world.authority.issuer(), &self.one, worker);
        let token = self.world.authority.danger().token(&claims)?;
        let mut raw = Raw::new(&self.one, worker, token.expose())?;
        let (path, message) = grpc::write_request(request);
        raw.parts.uri = worker.uri(path)?;
        raw.parts.version = Version::HTTP_2;
        let headers = &mut raw.parts.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(grpc::CONTENT_TYPE));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        raw.body = grpc::frame(&message).into();
        Ok(raw)
    }

    fn get(&self, id: &str) -> Result<Raw, Failure> {
        self.raw(&Request::GetTask(GetTaskRequest {
            id: id.to_owned(),
            ..GetTaskRequest::default()
        }))
    }

    async fn signed(&self, mut raw: Raw) -> Result<Told, Failure> {
        raw.sign()?;
        self.send(raw, HttpVersion::Auto).await
    }

    async fn send(&self, raw: Raw, http: HttpVersion) -> Result<Told, Failure> {
        let config = TransportConfig {
            http,
            ..TransportConfig::default()
        };
        let transport = Transport::new(raw.workload.clone(), config);
        let request = http::Request::from_parts(raw.parts, Full::new(Bytes::from(raw.body)));
        let received = transport.send(raw.peer.endpoint(), request).await?;
        let (head, body) = received.response.into_parts();
        let whole = tokio::time::timeout(Duration::from_secs(30), body.collect()).await??;
        Ok(Told {
            status: head.status,
            headers: head.headers,
            trailers: whole.trailers().cloned().unwrap_or_default(),
            body: whole.to_bytes(),
        })
    }

    /// The reason of the last record.
    fn reason(&self) -> Option<String> {
        let records = self.world.log.records();
        let reason = records.last()?.reason.as_ref()?;
        Some(reason.as_str().to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_and_its_task_read_again() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let asked = bench.raw(&Request::SendMessage(send("who")))?;
    let told = bench.signed(asked).await?;
    assert_eq!(told.status, StatusCode::OK);
    assert_eq!(told.headers[CONTENT_TYPE], "application/grpc");
    assert_eq!(Status::read(&told.headers), None, "the status comes last");
    assert_eq!(told.ended()?, Status::ok());
    let message = grpc::unframe(&told.body, told.body.len())?;
    match grpc::read_response(Operation::SendMessage, message)? {
        Response::SendMessage(SendMessageResponse::Message(message)) => {
            assert_eq!(message.text(), "for one for alice");
        }
        other => return Err(format!("{other:?}").into()),
    }

    let told = bench
        .signed(bench.raw(&Request::SendMessage(send("task")))?)
        .await?;
    let message = grpc::unframe(&told.body, told.body.len())?;
    let Response::SendMessage(SendMessageResponse::Task(made)) =
        grpc::read_response(Operation::SendMessage, message)?
    else {
        return Err("no task".into());
    };
    assert_eq!(made.status.state, TaskState::Completed);
    let told = bench.signed(bench.get(&made.id)?).await?;
    let message = grpc::unframe(&told.body, told.body.len())?;
    let Response::Task(read) = grpc::read_response(Operation::GetTask, message)? else {
        return Err("no task".into());
    };
    assert_eq!((read.id, read.artifacts), (made.id, made.artifacts));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_frames_with_the_status_behind_them() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let asked = bench.raw(&Request::SendStreamingMessage(send("task")))?;
    let told = bench.signed(asked).await?;
    assert_eq!(told.ended()?, Status::ok());
    let mut frames = grpc::Deframer::new(1 << 20);
    frames.push(&told.body);
    let mut events = Vec::new();
    while let Some(message) = frames.take()? {
        events.push(grpc::read_event(&message)?);
    }
    frames.end()?;
    assert!(matches!(&events[0], StreamResponse::Task(_)), "{events:?}");
    let artifacts = events
        .iter()
        .filter(|e| matches!(e, StreamResponse::ArtifactUpdate(_)));
    assert_eq!(artifacts.count(), 1);
    let last = events.last().and_then(StreamResponse::state);
    assert_eq!(last, Some(TaskState::Completed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_protocol_is_a_status_with_its_reason() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let mut other_version = bench.get("t-1")?;
    let version = HeaderName::from_static("a2a-version");
    other_version
        .parts
        .headers
        .insert(version, HeaderValue::from_static("9.9"));
    let mut unknown = bench.get("t-1")?;
    unknown.parts.uri = unknown.peer.uri("/lf.a2a.v1.A2AService/DropTask")?;
    for (raw, code, kind) in [
        (
            bench.get("no-such")?,
            Code::NotFound,
            ErrorKind::TaskNotFound,
        ),
        (
            bench.get("")?,
            Code::InvalidArgument,
            ErrorKind::InvalidParams,
        ),
        (
            bench.raw(&Request::SendMessage(send("error")))?,
            Code::InvalidArgument,
            ErrorKind::ContentTypeNotSupported,
        ),
        (
            other_version,
            Code::FailedPrecondition,
            ErrorKind::VersionNotSupported,
        ),
        (unknown, Code::Unimplemented, ErrorKind::MethodNotFound),
    ] {
        let told = bench.signed(raw).await?;
        assert_eq!((told.status, told.body.len()), (StatusCode::OK, 0));
        assert_eq!((told.ended()?.code(), told.kind()?), (code, Some(kind)));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_none_is_refused_by_its_reason() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let good = bench.get("t-1")?.body;
    let with = |at: usize, byte: u8| {
        let mut body = good.clone();
        body[at] = byte;
        body
    };
    for (name, body, code) in [
        ("good", good.clone(), Code::NotFound),
        ("compressed", with(0, 1), Code::Unimplemented),
        ("flag", with(0, 2), Code::InvalidArgument),
        ("too long", with(1, 255), Code::ResourceExhausted),
        ("empty", Vec::new(), Code::InvalidArgument),
        ("cut", good[..4].to_vec(), Code::InvalidArgument),
        ("two", [&good[..], &good].concat(), Code::InvalidArgument),
        (
            "no protobuf",
            grpc::frame(b"\xff").to_vec(),
            Code::InvalidArgument,
        ),
    ] {
        let mut raw = bench.get("t-1")?;
        raw.body = body;
        let told = bench.signed(raw).await?;
        assert_eq!(told.ended()?.code(), code, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_proved_is_told_by_a_status_and_a_challenge() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let mut no_token = bench.get("t-1")?;
    no_token.parts.headers.remove(AUTHORIZATION);
    no_token.sign()?;
    let unsigned = bench.get("t-1")?;
    let mut changed = bench.get("t-1")?;
    changed.sign()?;
    changed.body = grpc::frame(b"\x12\x01x").into();
    for (raw, code, challenge, reason) in [
        (no_token, Code::Unauthenticated, true, "token.missing"),
        (unsigned, Code::PermissionDenied, false, "signature.missing"),
        (changed, Code::PermissionDenied, false, "signature.digest"),
    ] {
        let told = bench.send(raw, HttpVersion::Auto).await?;
        assert_eq!((told.status, told.body.len()), (StatusCode::OK, 0));
        assert_eq!(told.ended()?.code(), code, "{reason}");
        assert_eq!(told.headers.contains_key(WWW_AUTHENTICATE), challenge);
        assert_eq!(bench.reason().as_deref(), Some(reason));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_goes_over_http_2_or_not_at_all() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let mut raw = bench.get("t-1")?;
    raw.sign()?;
    let error = bench
        .send(raw, HttpVersion::Http1)
        .await
        .expect_err("HTTP/1.1");
    let error = error.downcast::<TlsError>()?;
    assert_eq!(error.reason(), "tls.no_http2");

    let mut raw = bench.get("t-1")?;
    raw.parts.version = Version::HTTP_11;
    raw.sign()?;
    let told = bench.send(raw, HttpVersion::Http1).await?;
    assert_eq!(told.status, StatusCode::HTTP_VERSION_NOT_SUPPORTED);

    let mut raw = bench.get("t-1")?;
    let json = HeaderValue::from_static("application/json");
    raw.parts.headers.insert(CONTENT_TYPE, json);
    let told = bench.signed(raw).await?;
    assert_eq!(told.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    Ok(())
}

/// A call of `one` for alice, by gRPC.
async fn call(bench: &Bench) -> Result<Call, Failure> {
    let one = bench.world.client_for("one", "alice").await?;
    let call = one.call(bench.world.worker.peer());
    Ok(call.binding(ProtocolBinding::Grpc))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_calls_by_grpc() -> Result<(), Failure> {
    let bench = Bench::new().await?;
    let answer = call(&bench).await?.send("who").await?;
    assert_eq!(answer.text(), "for one for alice");
    let task = call(&bench).await?.send("task").await?;
    let task = task.task().ok_or("no task")?;
    let read = call(&bench).await?.get_task(&task.id, None).await?;
    assert_eq!(read.artifacts, task.artifacts);

    let mut events = call(&bench).await?.stream("task").await?;
    let mut last = None;
    while let Some(event) = events.next().await {
        last = event?.state().or(last);
    }
    assert_eq!(last, Some(TaskState::Completed));

    let error = call(&bench).await?.get_task("no-such", None).await;
    let error = error.expect_err("no such task");
    let kind = match &error {
        ClientError::Agent(error) => Some(error.kind()),
        _ => None,
    };
    assert_eq!(kind, Some(ErrorKind::TaskNotFound), "{error}");
    let error = call(&bench).await?.stream("error").await.err();
    assert_eq!(error.map(|e| e.reason()), Some("client.agent_error"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_who_may_not() -> Result<(), Failure> {
    let policy = POLICY.replace("\"ListTasks\", ", "");
    let policy = Policy::from_toml(&policy)?;
    let bench = Bench::with(|worker| worker.policy(policy)).await?;
    let asked = call(&bench).await?.list_tasks(Default::default()).await;
    match asked.expect_err("the policy does not allow it") {
        ClientError::Refused { status: 403, .. } => {}
        other => return Err(other.into()),
    }
    assert_eq!(
        bench.reason().as_deref(),
        Some("policy.operation_not_allowed")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_0_3_is_served_only_where_the_agent_says_so() -> Result<(), Failure> {
    for serves in [true, false] {
        let bench = Bench::with(|worker| worker.allow_v0_3(serves)).await?;
        let world = &bench.world;
        let client = Client::builder(bench.one.clone(), world.authority.oauth_endpoint());
        let client = client.allow_v0_3().build()?;
        let grant = client.oauth().login("alice", &"work".parse()?).await?;
        let one = client.on_behalf_of_user(grant);
        let call = || {
            let call = one.call(world.worker.peer());
            call.binding(ProtocolBinding::Grpc)
                .version(a2a::Version::V0_3)
        };
        // And whoever does not ask the card first.
        let asked = Request::SendMessage(send("who"));
        let mut raw = bench.raw(&asked)?;
        let (path, message) = grpc::v03::write_request(&asked)?;
        raw.parts.uri = bench.world.worker.peer().uri(path)?;
        raw.body = grpc::frame(&message).into();
        let headers = &mut raw.parts.headers;
        headers.insert("a2a-version", HeaderValue::from_static("0.3"));
        let told = bench.signed(raw).await?;
        let want = if serves {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        assert_eq!(told.status, want);
        if !serves {
            let error = call().send("who").await.expect_err("no 0.3");
            assert_eq!(error.reason(), "card.no_interface");
            continue;
        }
        let answer = call().send("who").await?;
        assert_eq!(answer.text(), "for one for alice");
        let mut events = call().stream("task").await?;
        let mut last = None;
        while let Some(event) = events.next().await {
            last = event?.state().or(last);
        }
        assert_eq!(last, Some(TaskState::Completed));
        let error = call().get_task("no-such", None).await;
        let reason = error.expect_err("no such task").reason();
        assert_eq!(reason, "client.agent_error");
    }
    Ok(())
}

//! Any operation over any binding, with every proof and without our client.

use bytes::Bytes;
#[cfg(feature = "grpc")]
use countersign::a2a::grpc;
use countersign::a2a::jsonrpc::{self, Id};
use countersign::a2a::{A2aError, ErrorKind, Request, Response, StreamResponse, http_json, sse};
use countersign::crypto::random;
use countersign::httpsig::{Profile, Signer};
use countersign::tls::{HttpVersion, Transport, TransportConfig};
use countersign::workload::Workload;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;

use super::raw::{DIRECTORY, claims};
use super::{Failure, World};

/// The bindings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wire {
    JsonRpc,
    HttpJson,
    #[cfg(feature = "grpc")]
    Grpc,
}

impl Wire {
    pub(crate) const ALL: &[Self] = &[
        Self::JsonRpc,
        Self::HttpJson,
        #[cfg(feature = "grpc")]
        Self::Grpc,
    ];
}

/// An agent that calls for somebody over one binding.
pub(crate) struct WireSpeaker<'a> {
    world: &'a World,
    workload: Workload,
    transport: Transport,
    user: &'static str,
    pub(crate) wire: Wire,
    /// Headers besides those that every call has; a version replaces the usual one.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer before anything was made of it.
pub(crate) struct Answered {
    wire: Wire,
    request: Request,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
}

/// What was answered: whole, with the error if it was one.
pub(crate) type Outcome<T> = Result<T, A2aError>;

impl<'a> WireSpeaker<'a> {
    pub(crate) async fn new(
        world: &'a World,
        wire: Wire,
        agent: &str,
        user: &'static str,
    ) -> Result<Self, Failure> {
        let workload = world.client(agent).await?.workload().clone();
        let http = if wire == Wire::JsonRpc {
            HttpVersion::Http1
        } else {
            HttpVersion::Http2
        };
        let config = TransportConfig {
            http,
            ..TransportConfig::default()
        };
        Ok(Self {
            world,
            transport: Transport::new(workload.clone(), config),
            workload,
            user,
            wire,
            headers: Vec::new(),
        })
    }

    /// Method, path and query, media type and body of a request.
    fn written(
        &self,
        request: &Request,
    ) -> Result<(Method, String, &'static str, Vec<u8>), Failure> {
        Ok(match self.wire {
            Wire::JsonRpc => {
                let body = jsonrpc::write_request(&Id::from(1), request);
                (Method::POST, "/a2a".to_owned(), "application/json", body)
            }
            Wire::HttpJson => {
                let written = http_json::write_request(request)?;
                let path = format!("/a2a/rest{}", written.path_and_query);
                let body = written.body.unwrap_or_default();
                (written.method, path, "application/a2a+json", body)
            }
            #[cfg(feature = "grpc")]
            Wire::Grpc => {
                let (path, message) = grpc::write_request(request);
                let body = grpc::frame(&message).to_vec();
                (Method::POST, path.to_owned(), "application/grpc", body)
            }
        })
    }

    /// Sends a request with every proof.
    pub(crate) async fn open(&self, request: &Request) -> Result<Answered, Failure> {
        let peer = self.world.worker.peer();
        let mut proved = claims(self.world.authority.issuer(), &self.workload, peer);
        proved["sub"] = self.user.into();
        let token = self.world.authority.danger().token(&proved)?;
        let (method, path, media, body) = self.written(request)?;
        let bearer = format!("Bearer {}", token.expose());
        let mut asked = http::Request::builder()
            .method(method)
            .uri(peer.uri(&path)?)
            .header(AUTHORIZATION, bearer);
        if !body.is_empty() {
            asked = asked.header(CONTENT_TYPE, media);
        }
        #[cfg(feature = "grpc")]
        if self.wire == Wire::Grpc {
            asked = asked.header("te", "trailers");
        }
        if !self.headers.iter().any(|(name, _)| *name == "a2a-version") {
            asked = asked.header("a2a-version", "1.0");
        }
        for (name, value) in &self.headers {
            asked = asked.header(*name, value);
        }
        let (mut parts, ()) = asked.body(())?.into_parts();
        let key = self.workload.current().key().clone();
        let now = self.workload.clock().now();
        let signer = Signer::new(key, DIRECTORY, Profile::a2a())?;
        signer.sign(&mut parts, peer.target(), &body, now, random())?;
        let asked = http::Request::from_parts(parts, Full::new(Bytes::from(body)));
        let received = self.transport.send(peer.endpoint(), asked).await?;
        let (head, body) = received.response.into_parts();
        Ok(Answered {
            wire: self.wire,
            request: request.clone(),
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    /// Asks and gives the one answer.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Outcome<Response>, Failure> {
        self.open(request).await?.answer().await
    }

    /// Asks and gives the whole stream.
    pub(crate) async fn stream(
        &self,
        request: &Request,
    ) -> Result<Outcome<Vec<StreamResponse>>, Failure> {
        let mut stream = match self.open(request).await?.events().await? {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let mut all = Vec::new();
        while let Some(event) = stream.next().await? {
            match event {
                Ok(event) => all.push(event),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(all))
    }
}

impl Answered {
    /// The one answer.
    pub(crate) async fn answer(self) -> Result<Outcome<Response>, Failure> {
        let operation = self.request.operation();
        let limits = countersign::jose::JsonLimits::default();
        let (status, wire) = (self.status, self.wire);
        #[cfg(feature = "grpc")]
        let head = self.headers.clone();
        let whole = self.body.collect().await?;
        #[cfg(feature = "grpc")]
        let trailers = whole.trailers().cloned();
        let body = whole.to_bytes();
        Ok(match wire {
            Wire::JsonRpc => {
                if status != StatusCode::OK {
                    return Ok(Err(A2aError::from_http_json(status.as_u16(), None)));
                }
                jsonrpc::read_response(&body, limits, &Id::from(1), operation)
            }
            Wire::HttpJson if status == StatusCode::OK => {
                http_json::read_response(operation, &body, limits)
            }
            Wire::HttpJson => {
                let error = http_json::read_error(status.as_u16(), &body, limits);
                assert_eq!(error.kind().http_status(), status.as_u16(), "{error}");
                Err(error)
            }
            #[cfg(feature = "grpc")]
            Wire::Grpc => {
                assert_eq!(status, StatusCode::OK);
                let end = trailers.as_ref().unwrap_or(&head);
                match grpc::Status::read(end).ok_or("no status")?.error() {
                    Some(error) => Err(error),
                    None => grpc::read_response(operation, grpc::unframe(&body, 4 << 20)?),
                }
            }
        })
    }

    /// Everything that the caller is told, but for the time.
    pub(crate) async fn told(self) -> Result<String, Failure> {
        let show = |headers: &HeaderMap| {
            let shown = headers.iter().filter(|(name, _)| *name != "date");
            let mut shown: Vec<String> = shown.map(|(n, v)| format!("{n}: {v:?}")).collect();
            shown.sort();
            shown.join("\n")
        };
        let head = format!("{}\n{}", self.status, show(&self.headers));
        let whole = self.body.collect().await?;
        let end = whole.trailers().map(show).unwrap_or_default();
        let body = whole.to_bytes();
        Ok(format!("{head}\n{}\n{end}", String::from_utf8_lossy(&body)))
    }

    /// The stream, unless it was refused.
    pub(crate) async fn events(self) -> Result<Outcome<Stream>, Failure> {
        let media = self.headers.get(CONTENT_TYPE).ok_or("no media type")?;
        let media = media.to_str()?.to_owned();
        #[cfg(feature = "grpc")]
        if self.wire == Wire::Grpc {
            if let Some(status) = grpc::Status::read(&self.headers) {
                return Ok(Err(status.error().ok_or("an empty stream")?));
            }
            return Ok(Ok(Stream::new(self)));
        }
        if media == "text/event-stream" {
            return Ok(Ok(Stream::new(self)));
        }
        // A refusal is an answer like any other; the reader does not know what was asked.
        let (status, wire) = (self.status, self.wire);
        let body = self.body.collect().await?.to_bytes();
        let value: Value = serde_json::from_slice(&body)?;
        let error = match wire {
            Wire::JsonRpc => A2aError::from_json_rpc(&value["error"]),
            _ => Some(A2aError::from_http_json(status.as_u16(), Some(&value))),
        };
        Ok(Err(error.ok_or("no error")?))
    }
}

/// A stream of events.
pub(crate) struct Stream {
    wire: Wire,
    body: Incoming,
    lines: sse::Parser,
    #[cfg(feature = "grpc")]
    frames: grpc::Deframer,
    waiting: std::collections::VecDeque<Vec<u8>>,
    end: Option<Outcome<()>>,
}

impl Stream {
    fn new(answered: Answered) -> Self {
        Self {
            wire: answered.wire,
            body: answered.body,
            lines: sse::Parser::default(),
            #[cfg(feature = "grpc")]
            frames: grpc::Deframer::new(4 << 20),
            waiting: std::collections::VecDeque::new(),
            end: None,
        }
    }

    /// The next event; an error is the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Outcome<StreamResponse>>, Failure> {
        loop {
            if let Some(data) = self.waiting.pop_front() {
                return Ok(Some(self.read(&data)));
            }
            match self.end.take() {
                Some(Err(error)) => {
                    self.end = Some(Ok(()));
                    return Ok(Some(Err(error)));
                }
                Some(Ok(())) => return Ok(None),
                None => self.fill().await?,
            }
        }
    }

    fn read(&self, data: &[u8]) -> Outcome<StreamResponse> {
        let limits = countersign::jose::JsonLimits::default();
        match self.wire {
            Wire::JsonRpc => jsonrpc::parse_result(data, limits, &Id::from(1)),
            Wire::HttpJson => http_json::read_event(data, limits),
            #[cfg(feature = "grpc")]
            Wire::Grpc => grpc::read_event(data),
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        let Some(frame) = self.body.frame().await else {
            self.end = Some(Ok(()));
            return Ok(());
        };
        let frame = frame?;
        #[cfg(feature = "grpc")]
        if let Some(trailers) = frame.trailers_ref() {
            let status = grpc::Status::read(trailers).ok_or("no status")?;
            self.end = Some(status.error().map_or(Ok(()), Err));
            return Ok(());
        }
        let data = frame.into_data().unwrap_or_default();
        #[cfg(feature = "grpc")]
        if self.wire == Wire::Grpc {
            self.frames.push(&data);
            while let Some(message) = self.frames.take()? {
                self.waiting.push_back(message.to_vec());
            }
            return Ok(());
        }
        let events = self.lines.feed(&data)?;
        self.waiting
            .extend(events.into_iter().map(|event| event.data.into()));
        Ok(())
    }
}

/// Which error an outcome is; none for an answer.
pub(crate) fn kind<T>(outcome: &Outcome<T>) -> Option<ErrorKind> {
    outcome.as_ref().err().map(A2aError::kind)
}

//! One accepted connection, from the handshake to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower_service::Service;

use super::body::AnsweringBody;
use super::bond::{Bond, poll_driver};
use super::crypto::{certified_key, is_h2, server_side};
use super::dial::refuses_certificate;
use super::io::{BondedIo, alert_in, header_list_limit};
use super::registry::Registry;
use super::verifier::{PeerVerifier, Refused};
use super::{ClientCertificate, RefusedHandshake, ServeOptions, TlsRefusal};
use crate::svid::Usage;
use crate::workload::{Snapshot, Workload};

/// How long, and for how many bytes, a refused client is listened to, so that it reads our alert
/// before the connection is reset.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 64 << 10;

/// How long a handshake may take while every slot is taken: whoever connects and says nothing must
/// not keep the others out for the whole deadline.
const PATIENCE_WHEN_FULL: Duration = Duration::from_secs(1);

/// What all connections of one listener share.
pub(super) struct Server {
    pub(super) workload: Workload,
    pub(super) options: ServeOptions,
    pub(super) registry: Registry,
    key: Mutex<Option<(u64, Arc<CertifiedKey>)>>,
    stopping: AtomicBool,
    /// Whether somebody waits for a slot.
    pub(super) full: watch::Sender<bool>,
}

impl Server {
    pub(super) fn new(workload: Workload, options: ServeOptions) -> Self {
        Self {
            workload,
            options,
            registry: Registry::new(),
            key: Mutex::new(None),
            stopping: AtomicBool::new(false),
            full: watch::Sender::new(false),
        }
    }

    pub(super) fn shut_down(&self) {
        self.stopping.store(true, Ordering::Release);
        self.registry.drain();
    }

    /// Our certificate for the TLS stack, made once for each generation.
    fn key(&self, own: &Snapshot) -> Result<Arc<CertifiedKey>, rustls::Error> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some((generation, key)) if *generation == own.generation() => Ok(Arc::clone(key)),
            _ => {
                let key = certified_key(own.chain(), own.key())?;
                *held = Some((own.generation(), Arc::clone(&key)));
                Ok(key)
            }
        }
    }

    fn refused(&self, remote: SocketAddr, error: RefusedHandshake) {
        tracing::debug!(%remote, %error, word = error.reason(), "handshake refused");
        if let Some(told) = &self.options.on_refused {
            told(&TlsRefusal { remote, error });
        }
    }

    /// Shakes hands; what went wrong is reported here.
    async fn shake_hands(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
    ) -> Option<(TlsStream<TcpStream>, Arc<Bond>)> {
        let done = tokio::select! {
            biased;
            done = self.handshake(stream) => done,
            after = self.patience() => {
                self.refused(remote, RefusedHandshake::Timeout { after });
                return None;
            }
        };
        match done {
            Ok(done) => Some(done),
            Err((error, stream)) => {
                self.refused(remote, error);
                if let Some(stream) = stream {
                    linger(stream).await;
                }
                None
            }
        }
    }

    /// Ends when a handshake has taken too long, and says how long that is.
    async fn patience(&self) -> Duration {
        let whole = self.options.handshake_timeout;
        let short = whole.min(PATIENCE_WHEN_FULL);
        tokio::time::sleep(short).await;
        let mut full = self.full.subscribe();
        tokio::select! {
            // The sender lives as long as this does.
            _ = full.wait_for(|full| *full) => short,
            () = tokio::time::sleep(whole - short) => whole,
        }
    }

    async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Arc<Bond>), (RefusedHandshake, Option<TcpStream>)> {
        let broken = |e: std::io::Error| {
            let what = e.to_string();
            (RefusedHandshake::Broken { what }, None)
        };
        stream.set_nodelay(true).map_err(broken)?;
        let clock = self.workload.clock();
        let own = self
            .workload
            .usable(clock.now())
            .map_err(|e| (RefusedHandshake::OwnExpired(e), None))?;
        let required = self.options.client_certificate == ClientCertificate::Required;
        let verifier = PeerVerifier::of_client(own.bundles().clone(), Arc::clone(clock), required);
        let (config, verdict) = self
            .key(&own)
            .and_then(|key| server_side(&key, verifier))
            .map_err(|e| {
                let what = e.to_string();
                (RefusedHandshake::Protocol { what }, None)
            })?;
        let accepting = TlsAcceptor::from(config).accept(stream).into_fallible();
        let stream = accepting.await.map_err(|(error, stream)| {
            let refused = match verdict.get() {
                Some(Err(Refused::Svid(error))) => RefusedHandshake::Certificate(error.clone()),
                _ => why(&error),
            };
            (refused, Some(stream))
        })?;
        let proven = verdict.get().and_then(|v| v.as_ref().ok()).cloned();
        let bundle = proven.as_ref().and_then(|proven| {
            let domain = proven.peer.id().trust_domain_name();
            own.bundles().get(domain).cloned()
        });
        let http1 = !is_h2(stream.get_ref().1.alpn_protocol());
        let bond = Arc::new(Bond::new(
            proven,
            Usage::Client,
            Some(&own),
            bundle,
            Arc::clone(clock),
            http1,
            &self.registry,
        ));
        self.registry.add(&bond);
        // A shutdown that began during the handshake has not seen this connection.
        if self.stopping.load(Ordering::Acquire) {
            bond.drain();
        }
        Ok((stream, bond))
    }
}

fn why(error: &std::io::Error) -> RefusedHandshake {
    if let Some(alert) = alert_in(error).filter(|alert| refuses_certificate(*alert)) {
        return RefusedHandshake::RejectedUs {
            alert: format!("{alert:?}"),
        };
    }
    let inner = error.get_ref().and_then(|e| e.downcast_ref());
    match inner {
        Some(rustls::Error::NoCertificatesPresented) => RefusedHandshake::NoCertificate,
        Some(other) => RefusedHandshake::Protocol {
            what: other.to_string(),
        },
        None => RefusedHandshake::Broken {
            what: error.to_string(),
        },
    }
}

/// Reads on for a moment: a socket closed with unread bytes is reset, and the alert lost.
async fn linger(mut stream: TcpStream) {
    let read = async {
        stream.shutdown().await?;
        let mut left = LINGER_BYTES;
        let mut buffer = [0; 4096];
        while left > 0 {
            match stream.read(&mut buffer).await? {
                0 => break,
                n => left = left.saturating_sub(n),
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // Nothing depends on how this ends.
    let _ = tokio::time::timeout(LINGER, read).await;
}

/// Serves one connection until its end.
pub(super) async fn connection<S, B>(
    server: Arc<Server>,
    stream: TcpStream,
    remote: SocketAddr,
    slot: Option<OwnedSemaphorePermit>,
    service: S,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Some((stream, bond)) = server.shake_hands(stream, remote).await else {
        return;
    };
    let io = TokioIo::new(BondedIo::new(stream, Arc::clone(&bond)));
    let max = server.options.max_request_header.max(8 << 10);
    let idle = server.options.idle_timeout;
    let streams = server.options.max_streams;
    let answering = Arc::clone(&bond);
    let service = service_fn(move |request| {
        answer(
            Arc::clone(&server),
            Arc::clone(&answering),
            service.clone(),
            request,
        )
    });
    let mut drained = false;
    if bond.is_http1() {
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            // Counts while nothing is asked, too: a request's own deadline is the registry's.
            .header_read_timeout(idle)
            .max_header_size(max)
            .serve_connection(io, service);
        let mut serving = pin!(serving);
        std::future::poll_fn(|cx| {
            let drain = |c: std::pin::Pin<&mut _>| http1::Connection::graceful_shutdown(c);
            poll_driver(&bond, cx, serving.as_mut(), drain, &mut drained)
        })
        .await;
    } else {
        let serving = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(header_list_limit(max))
            .max_concurrent_streams(streams)
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .serve_connection(io, service);
        let mut serving = pin!(serving);
        std::future::poll_fn(|cx| {
            let drain = |c: std::pin::Pin<&mut _>| http2::Connection::graceful_shutdown(c);
            poll_driver(&bond, cx, serving.as_mut(), drain, &mut drained)
        })
        .await;
    }
    drop(slot);
}

/// The connection no longer stands; it is closed without an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection no longer stands on valid certificates and present trust")]
struct Over;

/// One request: checked again, named, answered.
async fn answer<S, B>(
    server: Arc<Server>,
    bond: Arc<Bond>,
    mut service: S,
    mut request: Request<Incoming>,
) -> Result<Response<AnsweringBody<B>>, Over>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body + Unpin,
{
    let active = bond.begin();
    let now = server.workload.clock().now();
    bond.check(now, &server.workload.current())
        .map_err(|_| Over)?;
    if let Some(peer) = bond.peer() {
        request.extensions_mut().insert(peer.clone());
    }
    let ready = std::future::poll_fn(|cx| service.poll_ready(cx)).await;
    let answered = match ready {
        Ok(()) => service.call(request).await,
        Err(never) => match never {},
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(never) => match never {},
    };
    // RFC 9112 §9.6: the client sends nothing more on this connection, so nothing can be lost.
    if bond.is_http1() && (now >= bond.leaving_from() || bond.is_leaving()) {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response.map(|body| AnsweringBody::new(body, active)))
}

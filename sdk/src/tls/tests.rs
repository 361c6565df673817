//! Connections over real sockets on the loopback.

mod certificates;
mod enrolment;
mod lifetime;
mod limits;
mod pooling;
mod rotation;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Extension, Router};
use countersign_fixtures::ca::Ca;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::crypto::{certified_key, client_config, client_side};
use super::verifier::PeerVerifier;
use super::{
    Endpoint, HttpVersion, Received, ServeOptions, TlsError, TlsRefusal, Transport,
    TransportConfig, serve,
};
use crate::svid::PeerIdentity;
use crate::workload::Workload;
use crate::workload::testing::bundles;

const BOTH: [HttpVersion; 2] = [HttpVersion::Http1, HttpVersion::Http2];

/// A server that is running, and what it refused.
struct Running {
    address: std::net::SocketAddr,
    refused: Arc<Mutex<Vec<TlsRefusal>>>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(workload: Workload, mut options: ServeOptions, router: Router) -> Self {
        let refused = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&refused);
        options.on_refused = Some(Arc::new(move |refusal: &TlsRefusal| {
            seen.lock().expect("no panic").push(refusal.clone());
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(serve(listener, workload, options, router, async {
            drop(stopped.await);
        }));
        Self {
            address,
            refused,
            stop: Some(stop),
            task,
        }
    }

    /// Serves `echo` by the rules of `options`.
    async fn echo(workload: Workload, options: ServeOptions) -> Self {
        Self::start(workload, options, router()).await
    }

    fn endpoint(&self, id: &str) -> Endpoint {
        let base = format!("https://{}", self.address).parse().expect("a URL");
        Endpoint::new(base, id.parse().expect("an ID")).expect("an endpoint")
    }

    /// The words of what was refused, once there are `count`.
    async fn refusals(&self, count: usize) -> Vec<&'static str> {
        eventually(|| self.refused.lock().expect("no panic").len() >= count).await;
        let refused = self.refused.lock().expect("no panic");
        refused.iter().map(|r| r.error.reason()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until `true`, for five seconds at most.
async fn eventually(mut is: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen in five seconds");
}

fn router() -> Router {
    Router::new()
        .route("/who", get(who))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/ticks", get(ticks))
        .route("/slow", get(slow))
}

async fn who(peer: Option<Extension<PeerIdentity>>) -> String {
    peer.map_or("nobody".into(), |Extension(peer)| peer.id().to_string())
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(600)).await;
    "done"
}

/// An answer that never ends: a byte every 20 ms.
async fn ticks() -> axum::body::Body {
    let ticks = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((
            Ok::<_, std::convert::Infallible>(Bytes::from_static(b".")),
            (),
        ))
    });
    axum::body::Body::from_stream(ticks)
}

fn transport(workload: &Workload, http: HttpVersion) -> Transport {
    let config = TransportConfig {
        http,
        connect_timeout: Duration::from_secs(5),
        answer_timeout: Duration::from_secs(5),
        ..TransportConfig::default()
    };
    Transport::new(workload.clone(), config)
}

async fn get_from(transport: &Transport, to: &Endpoint, path: &str) -> Result<Received, TlsError> {
    let request = Request::get(path).body(Full::default()).expect("a request");
    transport.send(to, request).await
}

/// What the server says who we are.
async fn who_am_i(transport: &Transport, to: &Endpoint) -> Result<String, TlsError> {
    let received = get_from(transport, to, "/who").await?;
    assert_eq!(received.peer.id(), to.id());
    let body = received.response.into_body().collect().await;
    let body = body.expect("a whole body").to_bytes();
    Ok(String::from_utf8(body.to_vec()).expect("text"))
}

fn word<T>(result: Result<T, TlsError>) -> &'static str {
    result.map_or_else(|e| e.reason(), |_| "fine")
}

/// An authority of the domain all tests but those of foreign domains live in.
fn authority() -> Ca {
    Ca::new("a.test")
}

/// A connection of the planner on which anything can be written.
async fn by_hand(ca: &Ca, planner: &Workload, running: &Running) -> TlsStream<TcpStream> {
    let own = planner.current();
    let key = certified_key(own.chain(), own.key()).expect("a key");
    let base = client_config(Some(key), HttpVersion::Http1).expect("a config");
    let clock = Arc::clone(planner.clock());
    let expected = "spiffe://a.test/agent/booking".parse().expect("an ID");
    let verifier = PeerVerifier::of_server(bundles(&[ca]), clock, expected);
    let (config, _) = client_side(&base, verifier);
    let stream = TcpStream::connect(running.address).await.expect("connects");
    let name = ServerName::try_from("peer.invalid").expect("a name");
    let connecting = TlsConnector::from(config).connect(name, stream);
    connecting.await.expect("a handshake")
}

//! The accept loop.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tower_service::Service;

use super::ServeOptions;
use super::connection::{Server, connection};
use super::registry::{Patience, TICK};
use crate::workload::Workload;

/// The pause after the operating system had no socket to give.
const BREATH: Duration = Duration::from_millis(50);

/// Serves `service` over mutual TLS until `shutdown` resolves and requests had time to finish.
///
/// Every request carries the [`PeerIdentity`](crate::svid::PeerIdentity) proven on its connection
/// as an extension; with [`ClientCertificate::Optional`](super::ClientCertificate::Optional) it
/// may lack one. It is checked for every request that the certificates on both sides are still
/// valid and that the peer's trust was not withdrawn; a connection that no longer stands is
/// closed within a second, in the middle of an answer too. Dropping the future closes everything.
///
/// ```no_run
/// # async fn f(workload: countersign::workload::Workload) -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Extension, Router, routing::get};
/// use countersign::svid::PeerIdentity;
/// use countersign::tls::{ServeOptions, serve};
/// async fn hello(Extension(peer): Extension<PeerIdentity>) -> String {
///     format!("hello, {}", peer.id())
/// }
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8443").await?;
/// let router = Router::new().route("/", get(hello));
/// let until = async { drop(tokio::signal::ctrl_c().await) };
/// serve(listener, workload, ServeOptions::default(), router, until).await;
/// # Ok(())
/// # }
/// ```
pub async fn serve<S, B>(
    listener: TcpListener,
    workload: Workload,
    options: ServeOptions,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(options.max_connections.max(1)));
    let server = Arc::new(Server::new(workload, options));
    let mut tasks = JoinSet::new();
    {
        let mut watch = Watch::new(&server);
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                () = watch.next() => {}
                Some(ended) = tasks.join_next() => report(ended),
                (stream, remote, slot) = accept(&listener, &slots, &server) => {
                    tasks.spawn(connection(Arc::clone(&server), stream, remote, slot, service.clone()));
                }
            }
        }
    }
    drop(listener);
    finish(&server, tasks).await;
}

/// Lets requests finish, as long as that is allowed to take.
async fn finish(server: &Server, mut tasks: JoinSet<()>) {
    server.shut_down();
    let drained = async {
        let mut watch = Watch::new(server);
        loop {
            tokio::select! {
                () = watch.next() => {}
                ended = tasks.join_next() => match ended {
                    Some(ended) => report(ended),
                    None => break,
                },
            }
        }
    };
    if tokio::time::timeout(server.options.drain, drained)
        .await
        .is_err()
    {
        tracing::warn!(
            left = tasks.len(),
            "connections were still busy after the shutdown's deadline and are closed"
        );
    }
    tasks.shutdown().await;
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

/// Looks the connections over at every tick and at every change of certificate or trust.
struct Watch<'a> {
    server: &'a Server,
    changed: tokio::sync::watch::Receiver<u64>,
    ticks: tokio::time::Interval,
    patience: Patience,
}

impl<'a> Watch<'a> {
    fn new(server: &'a Server) -> Self {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            server,
            changed: server.workload.changed(),
            ticks,
            patience: Patience {
                header: server.options.header_timeout,
                idle: server.options.idle_timeout,
            },
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            // The sender lives in the workload that the server holds.
            _ = self.changed.changed() => {}
            _ = self.ticks.tick() => self.server.registry.advance(),
        }
        let workload = &self.server.workload;
        let now = workload.clock().now();
        let own = workload.current();
        self.server.registry.sweep(now, &own, Some(self.patience));
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    server: &Server,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let slot = match Arc::clone(slots).try_acquire_owned() {
        Ok(slot) => Some(slot),
        Err(_) => {
            server.full.send_replace(true);
            // The semaphore is never closed, so there always is a slot in the end.
            Arc::clone(slots).acquire_owned().await.ok()
        }
    };
    server
        .full
        .send_if_modified(|full| std::mem::replace(full, false));
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => return (stream, remote, slot),
            Err(error) => match error.kind() {
                // The client went away before it was accepted.
                ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionRefused => {}
                _ => {
                    tracing::error!(%error, "no connection can be accepted; trying again");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
}

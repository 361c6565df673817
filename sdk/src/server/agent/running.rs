//! An agent that takes calls.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::audit::AuditLog;
use crate::client::{Client, Peer};
use crate::server::default_handler::DefaultRequestHandler;

/// How long tasks under way have to come to their end.
const GRACE: Duration = Duration::from_secs(10);

/// An agent that takes calls. Dropping it stops it.
pub struct RunningAgent {
    pub(super) local: SocketAddr,
    pub(super) peer: Peer,
    pub(super) client: Client,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) handler: Arc<DefaultRequestHandler>,
    pub(super) stop: Option<oneshot::Sender<()>>,
    pub(super) serving: JoinHandle<()>,
}

impl RunningAgent {
    /// The address listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// How others address it.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The client that its executor calls on with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where its decisions are recorded.
    pub fn audit(&self) -> &Arc<dyn AuditLog> {
        &self.audit
    }

    /// Takes no more calls and waits until those under way are answered. Tasks have ten seconds to
    /// come to their end; what is not done by then goes on in another instance that shares the task
    /// store, or after the next start (see
    /// [`AgentExecutor::resume`](crate::server::AgentExecutor::resume)). Last, its stores are closed, but
    /// for those of which there are other clones.
    pub async fn shutdown(self) {
        self.shutdown_within(GRACE).await;
    }

    /// [`RunningAgent::shutdown`] with another time for tasks to come to their end.
    pub async fn shutdown_within(mut self, grace: Duration) {
        drop(self.stop.take());
        self.handler.shutdown(grace).await;
        // An error here is a panic of the accept loop, which was reported when it happened.
        let _ = (&mut self.serving).await;
        self.handler.close().await;
    }
}

impl fmt::Debug for RunningAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunningAgent({} at {})", self.peer.id(), self.local)
    }
}

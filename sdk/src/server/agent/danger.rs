//! An agent that proves nobody: for the public test kits and for measurements.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::card::{Places, terms};
use super::work::Work;
use super::{Agent, AgentError, ExtendedCards};
use crate::clock::SystemClock;
use crate::server::binding::{Front, Gate};
use crate::server::default_handler::DefaultRequestHandler;
use crate::server::published::OpenCard;
use crate::server::routes;
use crate::server::task::AgentExecutor;

/// How long requests may finish after the shutdown.
const DRAIN: Duration = Duration::from_secs(2);

/// What takes the proofs away; from [`Agent::danger`].
#[derive(Debug)]
pub struct Danger {
    pub(super) agent: Agent,
    grpc: Option<SocketAddr>,
}

impl Agent {
    /// The way to an agent that proves nobody. Nothing here belongs into production.
    ///
    /// ```no_run
    /// # use countersign::a2a::AgentSkill;
    /// # use countersign::server::{Agent, AgentExecutor, AgentError};
    /// # async fn f(executor: impl AgentExecutor) -> Result<(), AgentError> {
    /// let agent = Agent::without_identity("kit", "Answers a test kit")
    ///     .skill(AgentSkill::new("echo", "Echo", "Says it again").tagged(["test"]));
    /// let running = agent.danger().serve_unauthenticated("127.0.0.1:9999", executor).await?;
    /// println!("{}", running.origin());
    /// # Ok(())
    /// # }
    /// ```
    pub fn danger(self) -> Danger {
        Danger {
            agent: self,
            grpc: None,
        }
    }
}

impl Danger {
    /// Serves JSON-RPC at this path instead of `/a2a`; kits know places of their own.
    #[must_use]
    pub fn json_rpc_path(mut self, path: &str) -> Self {
        path.trim_end_matches('/')
            .clone_into(&mut self.agent.paths.json_rpc);
        self
    }

    /// Serves HTTP+JSON below this path instead of `/a2a/rest`.
    #[must_use]
    pub fn rest_path(mut self, path: &str) -> Self {
        path.trim_end_matches('/')
            .clone_into(&mut self.agent.paths.rest);
        self
    }

    /// Listens on this address too, which the card then names for gRPC.
    #[must_use]
    pub fn grpc_address(mut self, address: SocketAddr) -> Self {
        self.grpc = Some(address);
        self
    }

    /// Starts the agent on `address` without TLS and without any proof: whoever reaches it is served,
    /// and every caller sees the tasks of all. All bindings are there; HTTP/2 without negotiation.
    ///
    /// Executors meet [`Requester::Unauthenticated`](crate::server::Requester::Unauthenticated), and
    /// nothing can be done on its behalf. The card has no security requirements and no signature.
    ///
    /// # Errors
    /// [`AgentError::NotLoopback`] when other machines could reach it, [`AgentError::Listen`]; as
    /// [`Agent::serve`] what the card lacks or promises too much.
    pub async fn serve_unauthenticated(
        self,
        address: &str,
        executor: impl AgentExecutor,
    ) -> Result<UnauthenticatedAgent, AgentError> {
        let agent = self.agent;
        agent.check_skills()?;
        let listener = loopback(address).await?;
        let listening = |source| AgentError::Listen {
            address: address.to_owned(),
            source,
        };
        let local = listener.local_addr().map_err(listening)?;
        let mut listeners = vec![listener];
        let mut grpc = cfg!(feature = "grpc").then_some(local);
        if let Some(address) = self.grpc {
            let also = loopback(&address.to_string()).await?;
            grpc = also.local_addr().ok();
            listeners.push(also);
        }
        let origin = format!("http://{local}");
        let places = Places {
            origin: &origin,
            grpc: grpc.map(|address| address.to_string()),
            paths: &agent.paths,
        };
        let card = match agent.own_card.clone() {
            Some(card) => {
                agent.check_capabilities(&card)?;
                agent.check_written(&card, &places)?;
                card
            }
            None => agent.outline(&places).build_open(),
        };
        let extended = ExtendedCards {
            public: card.clone(),
            extend: agent.extended,
            security: None,
        };
        let work = Work {
            executor: Arc::new(executor),
            client: None,
            clock: Arc::new(SystemClock),
            store: agent.store,
            push: agent.push,
            close_when_interrupted: agent.close_when_interrupted,
            task_limits: agent.task_limits,
        };
        let handler = Arc::new(work.start(extended));
        let front = Arc::new(Front {
            gate: Gate::Open(agent.limits),
            terms: terms(&card, agent.v03),
            handler: handler.clone(),
        });
        tracing::warn!(
            %local,
            "THIS AGENT PROVES NOBODY: any process on this machine may call it and see every task"
        );
        let router = routes::open_router(front, OpenCard::new(&card), &agent.paths);
        let (stop, stopped) = watch::channel(());
        let serving = listeners.into_iter().map(|listener| {
            let mut stopped = stopped.clone();
            let until = async move {
                // Dropping the sender is the signal.
                let _ = stopped.changed().await;
            };
            // Otherwise the end of an answer may wait for the peer to acknowledge its beginning.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let serving = axum::serve(listener, router.clone()).with_graceful_shutdown(until);
            tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the unauthenticated agent stopped");
                }
            })
        });
        Ok(UnauthenticatedAgent {
            local,
            origin,
            grpc,
            handler,
            serving: serving.collect(),
            stop: Some(stop),
        })
    }
}

/// Listens on `address` if only this machine can reach it.
async fn loopback(address: &str) -> Result<TcpListener, AgentError> {
    let listening = |source| AgentError::Listen {
        address: address.to_owned(),
        source,
    };
    let found = tokio::net::lookup_host(address).await.map_err(listening)?;
    let found: Vec<SocketAddr> = found.collect();
    if let Some(&open) = found.iter().find(|found| !found.ip().is_loopback()) {
        return Err(AgentError::NotLoopback { address: open });
    }
    TcpListener::bind(&*found).await.map_err(listening)
}

/// An agent that serves anybody on this machine. Dropping it stops it.
pub struct UnauthenticatedAgent {
    local: SocketAddr,
    origin: String,
    grpc: Option<SocketAddr>,
    handler: Arc<DefaultRequestHandler>,
    stop: Option<watch::Sender<()>>,
    serving: Vec<JoinHandle<()>>,
}

impl UnauthenticatedAgent {
    /// The address listened on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Scheme, host and port: the card is below it.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where gRPC is served.
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc
    }

    /// Takes no more calls; those under way have two seconds.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        self.handler.shutdown(DRAIN).await;
        for serving in &mut self.serving {
            if tokio::time::timeout(DRAIN, &mut *serving).await.is_err() {
                serving.abort();
            }
        }
        self.handler.close().await;
    }
}

impl Drop for UnauthenticatedAgent {
    fn drop(&mut self) {
        for serving in &self.serving {
            serving.abort();
        }
    }
}

impl fmt::Debug for UnauthenticatedAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnauthenticatedAgent({})", self.origin)
    }
}

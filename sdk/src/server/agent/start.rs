//! From settings to a running agent.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::card::{Issuer, Places, enforced, terms};
use super::extended::Security;
use super::work::Work;
use super::{Agent, AgentError, ExtendedCards, RunningAgent};
use crate::a2a::AgentCard;
use crate::card;
use crate::client::{Client, Peer};
use crate::httpsig::DIRECTORY_PATH;
use crate::oauth::metadata_url;
use crate::server::binding::{Front, Gate};
use crate::server::inbound::Inbound;
use crate::server::published::Cards;
use crate::server::routes;
use crate::server::task::AgentExecutor;
use crate::tls;
use crate::workload::Workload;

/// How long a start waits for the authority's metadata.
const METADATA_TIME: Duration = Duration::from_secs(5);

impl Agent {
    /// Starts the agent on `address`, for example `127.0.0.1:0` for any free port.
    ///
    /// # Errors
    /// [`AgentError`], when the port is taken, the certificate unusable, or card and pipeline differ.
    pub async fn serve(
        mut self,
        address: &str,
        executor: impl AgentExecutor,
    ) -> Result<RunningAgent, AgentError> {
        let (workload, authority) = self.identity.take().ok_or(AgentError::NoIdentity)?;
        self.check_skills()?;
        let listening = |source| AgentError::Listen {
            address: address.to_owned(),
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(listening)?;
        let local = listener.local_addr().map_err(listening)?;
        let url = self
            .public_origin
            .clone()
            .unwrap_or(format!("https://{local}"));
        let clock = workload.clock().clone();
        let own = workload.usable(clock.now())?;
        let peer = Peer::new(&url, workload.id().as_str())?;
        let client = Client::builder(workload.clone(), authority)
            .key_directory(format!("{url}{DIRECTORY_PATH}"))
            .build()?;

        let issuer = self.issuer(&client).await;
        let card = self.declared(&peer, &workload, &issuer)?;
        let inbound = self.inbound(&client, &peer);
        let mut options = self.options;
        options
            .on_refused
            .get_or_insert_with(|| inbound.refused_handshakes());
        let extended = ExtendedCards {
            public: card.clone(),
            extend: self.extended,
            security: Some(Security {
                workload: workload.clone(),
                issuer,
                policy: self.policy,
            }),
        };
        let work = Work {
            executor: Arc::new(executor),
            client: Some(client.clone()),
            clock,
            store: self.store,
            push: self.push,
            close_when_interrupted: self.close_when_interrupted,
            task_limits: self.task_limits,
        };
        let handler = Arc::new(work.start(extended));
        let front = Arc::new(Front {
            gate: Gate::Proving(Box::new(inbound)),
            terms: terms(&card, self.v03),
            handler: handler.clone(),
        });
        let cards = Cards::new(card, workload.clone(), peer.target().clone());
        // A card that cannot be signed unambiguously is known now, not at the first request.
        cards.published(&own)?;

        let (stop, stopped) = oneshot::channel::<()>();
        let router = routes::router(front, cards, &self.paths);
        let serving = tls::serve(listener, workload, options, router, async {
            // Dropping the sender stops the server too.
            let _ = stopped.await;
        });
        Ok(RunningAgent {
            local,
            peer,
            client,
            audit: self.audit,
            handler,
            stop: Some(stop),
            serving: tokio::spawn(serving),
        })
    }

    /// Where tokens are issued: as set, else as the authority says, else by custom.
    async fn issuer(&self, client: &Client) -> Issuer {
        let oauth = client.oauth();
        let issuer = oauth.issuer().to_owned();
        let by_custom = format!("{issuer}/token");
        let token_url = match &self.token_url {
            Some(url) => url.clone(),
            None => match tokio::time::timeout(METADATA_TIME, oauth.metadata()).await {
                Ok(Ok(metadata)) => metadata.token_url().to_owned(),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "no metadata of the authority; the card says {by_custom}");
                    by_custom
                }
                Err(_) => {
                    tracing::warn!("the authority is silent; the card says {by_custom}");
                    by_custom
                }
            },
        };
        let by_custom = format!("{issuer}{}", crate::oauth::METADATA_PATH);
        Issuer {
            metadata_url: metadata_url(&issuer).unwrap_or(by_custom),
            token_url,
            issuer,
        }
    }

    /// The card, which declares exactly what is enforced.
    fn declared(
        &self,
        peer: &Peer,
        workload: &Workload,
        issuer: &Issuer,
    ) -> Result<AgentCard, AgentError> {
        let own = self.own_card.as_ref();
        let skills = own.map_or(&self.skills, |card| &card.skills);
        let enforced = enforced(workload, issuer, &self.policy, skills);
        let demanded = enforced.oauth.as_ref().map(|oauth| &oauth.scopes);
        if demanded.is_some_and(|scopes| scopes.is_empty()) {
            return Err(AgentError::NoScopes);
        }
        let places = Places {
            origin: peer.origin(),
            grpc: cfg!(feature = "grpc").then(|| grpc_address(peer)),
            paths: &self.paths,
        };
        let Some(card) = own else {
            let card = self.outline(&places).build(&enforced)?;
            card::check_declared(&card, &enforced)?;
            return Ok(card);
        };
        self.check_capabilities(card)?;
        card::check_declared(card, &enforced)?;
        self.check_written(card, &places)?;
        Ok(card.clone())
    }

    fn inbound(&self, client: &Client, peer: &Peer) -> Inbound {
        let inbound = Inbound::new(client, peer.target().clone(), self.policy.clone())
            .audit(self.audit.clone())
            .limits(self.limits)
            .skew(self.skew);
        match &self.replay {
            Some(store) => inbound.replay_store(store.clone()),
            None => inbound,
        }
    }
}

/// Host and port, as gRPC names an address (A2A §4.4.6); the port always stands there.
fn grpc_address(peer: &Peer) -> String {
    let address = &peer.target().authority;
    let after_host = address.rsplit(']').next().unwrap_or(address);
    if after_host.contains(':') {
        address.clone()
    } else {
        format!("{address}:443")
    }
}

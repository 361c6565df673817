//! A whole agent: certificate, card, pipeline and executor put together.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use indexmap::IndexMap;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::binding::{Front, Gate, Terms};
use super::engine::{Engine, Handler};
use super::executor::AgentExecutor;
use super::inbound::{Inbound, Limits};
use super::legacy_store::{MemoryTaskStore, TaskStore};
use super::published::Cards;
use super::routes::{self, RPC_PATH};
use crate::a2a::{AgentCard, AgentSkill, Operation};
use crate::audit::{AuditLog, MemoryLog};
use crate::card::{self, CardBuilder, CardError, Enforced, OAuthEnforced};
use crate::client::{Client, ClientError, Peer};
use crate::httpsig::{DIRECTORY_PATH, ReplayStore};
use crate::oauth::AuthorityEndpoint;
use crate::policy::Policy;
use crate::tls::{self, ServeOptions};
use crate::workload::{Workload, WorkloadError};

/// Why an agent did not start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is another process using the port?")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Our own certificate is unusable.
    #[error("our own certificate: {0}")]
    Workload(#[from] WorkloadError),
    /// The client side could not be set up.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The policy demands no scope of anybody, so there is no token that a card could ask for.
    #[error(
        "the policy demands no scope for any skill or operation of this agent, so its card could \
         not say which token to bring; give [skills.<id>] scopes"
    )]
    NoScopes,
    /// The card is not one, or declares something else than what is enforced.
    #[error("the Agent Card: {0}")]
    Card(#[from] CardError),
}

/// An agent that is being put together. [`Agent::serve`] starts it.
///
/// The card's security schemes are derived from what the pipeline enforces: mutual TLS, a bound
/// token of the authority, and a signed request. A policy that is empty lets nobody in.
pub struct Agent {
    card: CardBuilder,
    skills: Vec<AgentSkill>,
    own_card: Option<AgentCard>,
    workload: Workload,
    authority: AuthorityEndpoint,
    policy: Arc<Policy>,
    audit: Arc<dyn AuditLog>,
    store: Arc<dyn TaskStore>,
    replay: Option<Arc<dyn ReplayStore>>,
    limits: Limits,
    options: ServeOptions,
    public_origin: Option<String>,
}

impl Agent {
    /// An agent with this name and description, identity and authority; its policy refuses all.
    pub fn new(
        name: &str,
        description: &str,
        workload: Workload,
        authority: AuthorityEndpoint,
    ) -> Self {
        Self {
            card: CardBuilder::new(name, description, env!("CARGO_PKG_VERSION")),
            skills: Vec::new(),
            own_card: None,
            workload,
            authority,
            policy: Arc::new(Policy::empty()),
            audit: Arc::new(MemoryLog::default()),
            store: Arc::new(MemoryTaskStore::default()),
            replay: None,
            limits: Limits::default(),
            options: ServeOptions::default(),
            public_origin: None,
        }
    }

    /// The agent's own version, for its card. Default: that of this crate.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.card = self.card.version(version);
        self
    }

    /// Adds a skill to the card; the scopes it demands are those of the policy.
    #[must_use]
    pub fn skill(mut self, skill: AgentSkill) -> Self {
        self.skills.push(skill);
        self
    }

    /// Who may do what, for whom.
    #[must_use]
    pub fn policy(mut self, policy: impl Into<Arc<Policy>>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Where decisions are recorded. Default: this process's memory, which takes
    /// [`MemoryLog::CAPACITY`] records; after that every call is refused, so that none goes
    /// unrecorded. An agent that stays up wants a [`JsonLinesLog`](crate::audit::JsonLinesLog).
    #[must_use]
    pub fn audit(mut self, log: Arc<dyn AuditLog>) -> Self {
        self.audit = log;
        self
    }

    /// Where tasks are kept. Default: this process's memory.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.store = store;
        self
    }

    /// Where nonces are kept. Default: this process's memory.
    #[must_use]
    pub fn replay_store(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.replay = Some(store);
        self
    }

    /// How much is read of a request.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How connections are accepted.
    #[must_use]
    pub fn options(mut self, options: ServeOptions) -> Self {
        self.options = options;
        self
    }

    /// The `https` origin that callers use, when it is not the address listened on.
    #[must_use]
    pub fn public_origin(mut self, origin: &str) -> Self {
        self.public_origin = Some(origin.to_owned());
        self
    }

    /// A card written by hand. It must declare exactly what is enforced, or the agent does not start.
    #[must_use]
    pub fn card(mut self, card: AgentCard) -> Self {
        self.own_card = Some(card);
        self
    }

    /// Starts the agent on `address`, for example `127.0.0.1:0` for any free port.
    ///
    /// # Errors
    /// [`AgentError`], when the port is taken, the certificate unusable, or card and pipeline differ.
    pub async fn serve(
        self,
        address: &str,
        executor: impl AgentExecutor,
    ) -> Result<RunningAgent, AgentError> {
        let listening = |source| AgentError::Listen {
            address: address.to_owned(),
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(listening)?;
        let local = listener.local_addr().map_err(listening)?;
        let url = self.public_origin.unwrap_or(format!("https://{local}"));
        let workload = self.workload;
        let clock = workload.clock().clone();
        let own = workload.usable(clock.now())?;
        let peer = Peer::new(&url, workload.id().as_str())?;

        let skills = self
            .own_card
            .as_ref()
            .map_or(&self.skills, |card| &card.skills);
        let enforced = enforced(&workload, &self.authority, &self.policy, skills);
        if enforced
            .oauth
            .as_ref()
            .is_some_and(|oauth| oauth.scopes.is_empty())
        {
            return Err(AgentError::NoScopes);
        }
        let card = match self.own_card {
            Some(card) => card,
            None => {
                let card = self
                    .card
                    .interface(format!("{url}{RPC_PATH}"))
                    .streaming(true);
                self.skills
                    .into_iter()
                    .fold(card, CardBuilder::skill)
                    .build(&enforced)?
            }
        };
        card::check_declared(&card, &enforced)?;

        let client = Client::builder(workload.clone(), self.authority)
            .key_directory(format!("{url}{DIRECTORY_PATH}"))
            .build()?;
        let mut inbound = Inbound::new(&client, peer.target().clone(), self.policy)
            .audit(self.audit.clone())
            .limits(self.limits);
        if let Some(store) = self.replay {
            inbound = inbound.replay_store(store);
        }
        let mut options = self.options;
        options
            .on_refused
            .get_or_insert_with(|| inbound.refused_handshakes());
        let executor: Arc<dyn AgentExecutor> = Arc::new(executor);
        let engine = Engine::new(executor, self.store, Some(client.clone()), clock);
        let skills = card.skills.iter().map(|skill| skill.id.clone());
        let front = Arc::new(Front {
            gate: Gate::Proving(Box::new(inbound)),
            terms: Terms {
                skills: skills.collect(),
                ..Terms::default()
            },
            handler: Arc::new(Handler(Arc::new(engine))),
        });
        let cards = Arc::new(Cards {
            origin: peer.target().clone(),
            card,
            signed: ArcSwapOption::empty(),
            workload: workload.clone(),
        });
        // A card that cannot be signed unambiguously is known now, not at the first request.
        cards.published(&own)?;

        let (stop, stopped) = oneshot::channel::<()>();
        let router = routes::router(front, cards);
        let serving = tls::serve(listener, workload, options, router, async {
            // Dropping the sender stops the server too.
            let _ = stopped.await;
        });
        Ok(RunningAgent {
            local,
            peer,
            client,
            audit: self.audit,
            stop: Some(stop),
            serving: tokio::spawn(serving),
        })
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Agent({})", self.workload.id())
    }
}

/// What the pipeline enforces, for the card to declare.
fn enforced(
    workload: &Workload,
    authority: &AuthorityEndpoint,
    policy: &Policy,
    skills: &[AgentSkill],
) -> Enforced {
    let issuer = authority.issuer.clone();
    let demands = skills.iter().map(|skill| {
        let scopes = policy.skill(&skill.id).map(|needs| needs.scopes.iter());
        let scopes = scopes.into_iter().flatten().map(str::to_owned).collect();
        (skill, scopes)
    });
    let demands: Vec<(&AgentSkill, Vec<String>)> = demands.collect();
    // A scope is described by the skills and operations that demand it.
    let by_skill = demands.iter().flat_map(|(skill, list)| {
        list.iter()
            .map(|scope| (scope.clone(), skill.description.clone()))
    });
    let by_operation = Operation::ALL.into_iter().flat_map(|operation| {
        let needs = policy.operation(operation).map(|needs| needs.scopes.iter());
        needs
            .into_iter()
            .flatten()
            .map(move |scope| (scope.to_owned(), operation.to_string()))
    });
    let mut scopes: IndexMap<String, String> = IndexMap::new();
    for (scope, text) in by_skill.chain(by_operation) {
        let known = scopes.entry(scope).or_default();
        if !known.is_empty() {
            known.push_str("; ");
        }
        known.push_str(&text);
    }
    Enforced {
        mtls: true,
        oauth: Some(OAuthEnforced {
            token_url: format!("{issuer}/token"),
            metadata_url: format!("{issuer}/.well-known/oauth-authorization-server"),
            scopes,
            issuer,
        }),
        signature_profile: Some("a2a".to_owned()),
        agent: workload.id().clone(),
        audience: workload.id().to_string(),
        skills: demands
            .into_iter()
            .map(|(skill, list)| (skill.id.clone(), list))
            .collect(),
    }
}

/// An agent that takes calls. Dropping it stops it.
pub struct RunningAgent {
    local: SocketAddr,
    peer: Peer,
    client: Client,
    audit: Arc<dyn AuditLog>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
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

    /// Takes no more calls and waits until those under way are answered.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // An error here is a panic of the accept loop, which was reported when it happened.
        let _ = (&mut self.serving).await;
    }
}

impl fmt::Debug for RunningAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunningAgent({} at {})", self.peer.id(), self.local)
    }
}

//! An agent that is being put together.

use std::fmt;
use std::sync::Arc;

use super::Extend;
use crate::a2a::{AgentCard, AgentExtension, AgentSkill};
use crate::audit::{AuditLog, MemoryLog};
use crate::card::CardBuilder;
use crate::clock::Skew;
use crate::httpsig::ReplayStore;
use crate::oauth::AuthorityEndpoint;
use crate::policy::Policy;
use crate::server::inbound::Limits;
use crate::server::push::PushSettings;
use crate::server::requester::Requester;
use crate::server::routes::Paths;
use crate::server::store::{MemoryTaskStore, TaskStore};
use crate::server::task::TaskLimits;
use crate::tls::ServeOptions;
use crate::workload::Workload;

/// An agent that is being put together. [`Agent::serve`] starts it.
///
/// The card's security schemes are derived from what the pipeline enforces: mutual TLS, a bound
/// token of the authority, and a signed request; its capabilities from what is set here. At least
/// one skill is needed ([`Agent::skill`]), and a policy that is empty lets nobody in. It is reached
/// at one address by three bindings: JSON-RPC at `/a2a`, HTTP+JSON below `/a2a/rest`, and gRPC with
/// the feature `grpc`.
pub struct Agent {
    pub(super) card: CardBuilder,
    pub(super) skills: Vec<AgentSkill>,
    pub(super) extensions: Vec<AgentExtension>,
    pub(super) tenants: Vec<String>,
    pub(super) streaming: bool,
    pub(super) v03: bool,
    pub(super) extended: Option<Arc<Extend>>,
    pub(super) own_card: Option<AgentCard>,
    pub(super) identity: Option<(Workload, AuthorityEndpoint)>,
    pub(super) token_url: Option<String>,
    pub(super) policy: Arc<Policy>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) store: Arc<dyn TaskStore>,
    pub(super) push: Option<PushSettings>,
    pub(super) close_when_interrupted: bool,
    pub(super) task_limits: TaskLimits,
    pub(super) replay: Option<Arc<dyn ReplayStore>>,
    pub(super) limits: Limits,
    pub(super) skew: Skew,
    pub(super) options: ServeOptions,
    pub(super) public_origin: Option<String>,
    pub(super) paths: Paths,
}

impl Agent {
    /// An agent with this name and description, identity and authority; its policy refuses all.
    pub fn new(
        name: &str,
        description: &str,
        workload: Workload,
        authority: AuthorityEndpoint,
    ) -> Self {
        let agent = Self::without_identity(name, description);
        Self {
            identity: Some((workload, authority)),
            ..agent
        }
    }

    /// An agent that has no certificate and can prove nobody: for test kits and measurements. Only
    /// [`Agent::danger`] starts it.
    pub fn without_identity(name: &str, description: &str) -> Self {
        Self {
            card: CardBuilder::new(name, description, env!("CARGO_PKG_VERSION")),
            skills: Vec::new(),
            extensions: Vec::new(),
            tenants: Vec::new(),
            streaming: true,
            v03: false,
            extended: None,
            own_card: None,
            identity: None,
            token_url: None,
            policy: Arc::new(Policy::empty()),
            audit: Arc::new(MemoryLog::default()),
            store: Arc::new(MemoryTaskStore::default()),
            push: None,
            close_when_interrupted: false,
            task_limits: TaskLimits::default(),
            replay: None,
            limits: Limits::default(),
            skew: Skew::default(),
            options: ServeOptions::default(),
            public_origin: None,
            paths: Paths::default(),
        }
    }

    /// The agent's own version, for its card. Default: that of this crate.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.card = self.card.version(version);
        self
    }

    /// Adds a skill to the card; the scopes it demands are those of the policy. A card needs at least
    /// one (A2A §5.7): without any the agent does not start
    /// ([`AgentError::NoSkill`](super::AgentError::NoSkill)).
    #[must_use]
    pub fn skill(mut self, skill: AgentSkill) -> Self {
        self.skills.push(skill);
        self
    }

    /// Declares an extension on the card. One that is `required` refuses every call that does not
    /// name it in `A2A-Extensions`; answers tell which of the named ones are in force.
    #[must_use]
    pub fn extension(mut self, extension: AgentExtension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Serves this tenant too: the card then has interfaces that name it, and tasks of one tenant
    /// are not seen at another. It parts what one owner has; a tenant is no right, and who may call
    /// is the policy's to say. A request that names a tenant which was not added is refused.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenants.push(tenant.into());
        self
    }

    /// Whether it streams. Default: it does; otherwise SendStreamingMessage and SubscribeToTask are
    /// refused as unsupported.
    #[must_use]
    pub fn streaming(mut self, streams: bool) -> Self {
        self.streaming = streams;
        self
    }

    /// Whether callers of A2A 0.3 are served too, over the same bindings. Default: no; a request
    /// that asks for 0.3, or for no version, is then told that it is not supported.
    ///
    /// A call of 0.3 brings every proof that one of 1.0 does. It is off all the same, because 0.3
    /// is a second reading of the same addresses that few callers need, without tenants or lists of
    /// tasks; and because with it a client of 1.0 that leaves its version out is no longer told so
    /// before its message is read. The card names the interfaces of 0.3 behind those of 1.0; a card
    /// [written by hand](Agent::card) has to name them itself. It stays a card of 1.0; who asks for
    /// it with `A2A-Version: 0.3`, as a header or in the query, gets it in the form of 0.3, unsigned.
    #[must_use]
    pub fn allow_v0_3(mut self, accept: bool) -> Self {
        self.v03 = accept;
        self
    }

    /// The card for proved callers, made out of the public one for each of them: with more skills,
    /// for example. What skills demand is written into it as into the public one, and it is signed.
    ///
    /// ```
    /// # use countersign::{a2a::AgentSkill, server::Agent};
    /// # fn f(agent: Agent) -> Agent {
    /// agent.extended_card(|_caller, mut card| {
    ///     card.skills.push(AgentSkill::new("refund", "Refund", "Pays back").tagged(["money"]));
    ///     card
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn extended_card(
        mut self,
        extend: impl Fn(&Requester, AgentCard) -> AgentCard + Send + Sync + 'static,
    ) -> Self {
        self.extended = Some(Arc::new(extend));
        self
    }

    /// Where the authority issues tokens, for the card. Default: what its metadata (RFC 8414) says
    /// when the agent starts, and `{issuer}/token` when it cannot be asked.
    #[must_use]
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// How far the clocks of callers and issuers may differ from ours. Default 5 s.
    #[must_use]
    pub fn skew(mut self, skew: Skew) -> Self {
        self.skew = skew;
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

    /// Where tasks are kept. Default: this process's memory. The agent closes the store when it is shut
    /// down; who uses it for longer keeps a clone.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.store = store;
        self
    }

    /// Sends push notifications with these settings. Default: the agent sends none and says so.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use countersign::server::{Agent, push::PushSettings, store::MemoryPushConfigStore};
    /// # fn f(agent: Agent) -> Agent {
    /// agent.push(PushSettings::new(Arc::new(MemoryPushConfigStore::default())))
    /// # }
    /// ```
    #[must_use]
    pub fn push(mut self, settings: PushSettings) -> Self {
        self.push = Some(settings);
        self
    }

    /// Whether the stream of a message ends when its task waits for an authorization. Default: it
    /// stays open (A2A §7.6.1). When the task waits for input, it always ends (§11.7).
    #[must_use]
    pub fn close_streams_when_interrupted(mut self, close: bool) -> Self {
        self.close_when_interrupted = close;
        self
    }

    /// How much is held of one task, and for those who follow it.
    #[must_use]
    pub fn task_limits(mut self, limits: TaskLimits) -> Self {
        self.task_limits = limits;
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

    /// A card written by hand, which takes the place of the one that skills, extensions and tenants
    /// would make. It must declare exactly what is enforced, and name the agent's own interfaces of
    /// the versions that are served, or the agent does not start.
    #[must_use]
    pub fn card(mut self, card: AgentCard) -> Self {
        self.own_card = Some(card);
        self
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity {
            Some((workload, _)) => write!(f, "Agent({})", workload.id()),
            None => f.write_str("Agent(without identity)"),
        }
    }
}

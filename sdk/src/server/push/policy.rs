//! Which webhooks an agent tells, and what each must prove.

use super::error::WebhookError;
use super::place::WebhookPath;
use crate::httpsig::{Host, Scheme, WebUrl};
use crate::id::SpiffeId;
use crate::policy::Owner;
use crate::web::{AddressRules, Network, permits_port};

/// Which webhooks may be registered, and how the receiver proves itself. How a webhook is reached is
/// decided here alone: a configuration has no say in it.
///
/// The default: only `https`, only at public addresses, and the receiver must be the agent that owns
/// the task, proved by mutual TLS. What the operator adds comes before that, the first match counts.
///
/// A notification is a signed POST of this agent over its own certificate, to a URL that the caller
/// chose, with an `Authorization` that the caller chose. At the caller's own agent that gains the
/// caller nothing. At another agent, which may obey this one's certificate alone, the caller would
/// have this agent ask for whatever it names; so where notifications go there is for the operator
/// to say ([`WebhookPath`]), and the caller chooses the query and what is below at most. A server of
/// the public web knows nothing of the certificate, so its paths are the caller's.
///
/// ```
/// use countersign::server::push::PushPolicy;
/// let policy = PushPolicy::default()
///     .web("hooks.example.com")? // the public web: TLS, roots of the system
///     .agent("bus.example", "/events/", "spiffe://travel.example/agent/bus".parse()?)?
///     .network("10.20.0.0/16".parse()?); // agents that are not on public addresses
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PushPolicy {
    rules: Vec<WebhookRule>,
    addresses: AddressRules,
    owners_agent_elsewhere: bool,
    plain_http: bool,
}

/// One rule of a [`PushPolicy`]: for which hosts, and who must be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WebhookRule {
    /// The agent that owns the task, by mutual TLS. A task that several agents share has no such
    /// agent.
    OwnersAgent {
        /// At which hosts.
        at: HostPattern,
    },
    /// This agent, by mutual TLS, where it takes notifications.
    Agent {
        /// At which hosts.
        at: HostPattern,
        /// At which paths.
        path: WebhookPath,
        /// Who must be there.
        id: SpiffeId,
    },
    /// A server of the public web: a certificate for its host name, from a root of the system.
    Web {
        /// At which hosts.
        at: HostPattern,
    },
}

/// Hosts: one (`hooks.example.com`), all below a name (`*.example.com`), or any (`*`). Addresses
/// match `*` only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern(String);

/// What the receiver has to prove.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Proof {
    /// Mutual TLS as this agent.
    Agent(SpiffeId),
    /// A certificate for the host name.
    Web,
    /// Nothing.
    Nothing,
}

impl HostPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`WebhookError::Pattern`] when it is none.
    pub fn new(text: &str) -> Result<Self, WebhookError> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        let read: Result<WebUrl, _> = format!("https://{name}/").parse();
        match read {
            _ if text == "*" => Ok(Self(text.to_owned())),
            Ok(url) if matches!(&url.host, Host::Name(_)) && url.authority() == name => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(WebhookError::Pattern {
                text: text.to_owned(),
            }),
        }
    }

    fn matches(&self, host: &Host) -> bool {
        match (host, self.0.strip_prefix('*')) {
            (_, Some("")) => true,
            (Host::Name(name), Some(suffix)) => name.len() > suffix.len() && name.ends_with(suffix),
            (Host::Name(name), None) => *name == self.0,
            (Host::Address(_), _) => false,
        }
    }
}

impl Default for PushPolicy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            addresses: AddressRules::default(),
            owners_agent_elsewhere: true,
            plain_http: false,
        }
    }
}

impl PushPolicy {
    /// Adds a rule behind those that were added before, and before the default.
    #[must_use]
    pub fn rule(mut self, rule: WebhookRule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Webhooks at these hosts are servers of the public web.
    ///
    /// # Errors
    /// [`WebhookError::Pattern`] when `at` is no [`HostPattern`].
    pub fn web(self, at: &str) -> Result<Self, WebhookError> {
        let at = HostPattern::new(at)?;
        Ok(self.rule(WebhookRule::Web { at }))
    }

    /// Webhooks at these hosts are this agent, whosever the task is: at `path`, and below it when it
    /// ends with a slash.
    ///
    /// # Errors
    /// [`WebhookError::Pattern`] when `at` is no [`HostPattern`], [`WebhookError::Path`] when `path`
    /// is no [`WebhookPath`].
    pub fn agent(self, at: &str, path: &str, id: SpiffeId) -> Result<Self, WebhookError> {
        let (at, path) = (HostPattern::new(at)?, WebhookPath::new(path)?);
        Ok(self.rule(WebhookRule::Agent { at, path, id }))
    }

    /// Webhooks are only where a rule says; the owner's agent is not told elsewhere.
    #[must_use]
    pub fn only_listed(mut self) -> Self {
        self.owners_agent_elsewhere = false;
        self
    }

    /// Webhooks may be in this private network.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.addresses = self.addresses.network(network);
        self
    }

    /// Ways to make the policy weaker.
    pub fn danger(self) -> Danger {
        Danger(self)
    }

    /// What the receiver at `url` has to prove when `owner`'s task is told about.
    pub(super) fn proof(&self, url: &WebUrl, owner: &Owner) -> Result<Proof, WebhookError> {
        let refused = |why| WebhookError::NotAllowed {
            origin: url.to_string(),
            why,
        };
        if url.scheme == Scheme::Http {
            return match self.plain_http {
                true => Ok(Proof::Nothing),
                false => Err(refused("it is not https")),
            };
        }
        if !permits_port(url.port) {
            return Err(refused("the port is another service's"));
        }
        let rule = self.rules.iter().find(|rule| rule.at().matches(&url.host));
        match rule {
            Some(WebhookRule::Web { .. }) => Ok(Proof::Web),
            Some(WebhookRule::Agent { path, .. }) if !path.holds(url.target.path()) => Err(
                refused("the agent there takes no notifications at this path"),
            ),
            Some(WebhookRule::Agent { id, .. }) => Ok(Proof::Agent(id.clone())),
            None if !self.owners_agent_elsewhere => Err(refused("the host is not listed")),
            Some(WebhookRule::OwnersAgent { .. }) | None => match owner.agent() {
                Some(agent) => Ok(Proof::Agent(agent.clone())),
                None => Err(refused("the task belongs to no one agent")),
            },
        }
    }

    /// Where notifications may go.
    pub(super) fn addresses(&self) -> &AddressRules {
        &self.addresses
    }
}

impl WebhookRule {
    fn at(&self) -> &HostPattern {
        match self {
            Self::OwnersAgent { at } | Self::Agent { at, .. } | Self::Web { at } => at,
        }
    }
}

/// Ways to make a [`PushPolicy`] weaker, all in one place that is easy to search for.
#[derive(Clone, Debug)]
pub struct Danger(PushPolicy);

impl Danger {
    /// Webhooks may be on this machine, where anything may listen. For tests.
    pub fn allow_loopback(mut self) -> PushPolicy {
        self.0.addresses = self.0.addresses.danger().allow_loopback();
        self.0
    }

    /// Webhooks may be plain `http`: the receiver proves nothing, and whoever is on the way reads the
    /// task, the token and the credentials. For tests.
    pub fn allow_plain_http(mut self) -> PushPolicy {
        self.0.plain_http = true;
        self.0
    }
}

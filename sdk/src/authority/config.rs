//! What the authority is told at its start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::crypto::Algorithm;
use crate::id::{SpiffeId, TrustDomain};
use crate::token::Scopes;
use crate::workload::WorkloadError;

/// What callers print when they start an authority.
pub const BANNER: &str = "development authority: every key is new at each start, whoever reaches \
     this machine can be given tokens, nothing here is for production";

/// The longest life of a certificate that can be configured.
const SVID_TTL_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest life of a token that can be configured.
const TOKEN_TTL_MAX: Duration = Duration::from_secs(3600);

/// Settings of an [`Authority`](super::Authority).
///
/// ```
/// use countersign::authority::AuthorityConfig;
/// let mut config = AuthorityConfig::new("travel.example".parse()?);
/// config.agents.insert("front-desk".into(), "trips:read trips:write".parse()?);
/// config.agents.insert("planner".into(), "trips:read".parse()?);
/// config.users.insert("alice".into(), "trips:read trips:write".parse()?);
/// config.logins.insert("front-desk".into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AuthorityConfig {
    /// The domain whose names it gives out.
    pub trust_domain: TrustDomain,
    /// Where it listens: a loopback address, port 0 for any free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The agents there are, and the scopes each is allowed at most. The agent `name` is called
    /// `spiffe://<trust domain>/agent/<name>`.
    pub agents: BTreeMap<String, Scopes>,
    /// The users there are, and what each has granted.
    pub users: BTreeMap<String, Scopes>,
    /// Which agents may log users in.
    pub logins: BTreeSet<String>,
    /// Life of a certificate. Default 1 h, from 1 s to 24 h.
    pub svid_ttl: Duration,
    /// Life of a token. Default 300 s, from 1 s to 1 h.
    pub token_ttl: Duration,
    /// The algorithm of the tokens' signatures. Default Ed25519.
    pub algorithm: Algorithm,
}

impl AuthorityConfig {
    /// The defaults: nobody is known, so nobody is given anything.
    pub fn new(trust_domain: TrustDomain) -> Self {
        Self {
            trust_domain,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            agents: BTreeMap::new(),
            users: BTreeMap::new(),
            logins: BTreeSet::new(),
            svid_ttl: Duration::from_secs(3600),
            token_ttl: Duration::from_secs(300),
            algorithm: Algorithm::Ed25519,
        }
    }

    /// Adds an agent, which is allowed `scopes` at most.
    #[must_use]
    pub fn agent(mut self, name: &str, scopes: Scopes) -> Self {
        self.agents.insert(name.to_owned(), scopes);
        self
    }

    /// Adds a user, who has granted `scopes`.
    #[must_use]
    pub fn user(mut self, name: &str, scopes: Scopes) -> Self {
        self.users.insert(name.to_owned(), scopes);
        self
    }

    /// Lets `agent` log users in.
    #[must_use]
    pub fn login(mut self, agent: &str) -> Self {
        self.logins.insert(agent.to_owned());
        self
    }

    /// Listens on this port of the loopback address; 0 is any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.listen.set_port(port);
        self
    }

    /// The ID of the agent `name`.
    pub(super) fn agent_id(&self, name: &str) -> Result<SpiffeId, AuthorityError> {
        let wrong = || AuthorityError::AgentName {
            name: name.to_owned(),
        };
        if name.contains('/') {
            return Err(wrong());
        }
        let id = self.trust_domain.workload(&format!("/agent/{name}"));
        id.map_err(|_| wrong())
    }

    /// Refuses what would weaken or cannot work.
    pub(super) fn check(&self) -> Result<(), AuthorityError> {
        if !self.listen.ip().is_loopback() {
            return Err(AuthorityError::NotLoopback { at: self.listen });
        }
        for (what, life, max) in [
            ("certificates", self.svid_ttl, SVID_TTL_MAX),
            ("tokens", self.token_ttl, TOKEN_TTL_MAX),
        ] {
            if life < Duration::from_secs(1) || life > max {
                return Err(AuthorityError::Life { what, life, max });
            }
        }
        for name in self.agents.keys() {
            self.agent_id(name)?;
        }
        if let Some(name) = self.logins.iter().find(|n| !self.agents.contains_key(*n)) {
            return Err(AuthorityError::UnknownAgent { name: name.clone() });
        }
        // A user who is called like an agent could be taken for it where only `sub` is looked at.
        let fits = |name: &str| {
            !name.is_empty() && !name.contains(|c: char| c.is_control() || c == ':' || c == '/')
        };
        if let Some(name) = self.users.keys().find(|name| !fits(name)) {
            return Err(AuthorityError::UserName { name: name.clone() });
        }
        Ok(())
    }
}

/// Why the authority did not start, or cannot do what it was told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The address can be reached from other machines.
    #[error("{at} is not a loopback address; the development authority listens on no other")]
    NotLoopback {
        /// The configured address.
        at: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {at}: {why}; choose another port, or 0 for any free one")]
    Listen {
        /// The configured address.
        at: SocketAddr,
        /// What the system said.
        why: std::io::ErrorKind,
    },
    /// The name cannot be the last part of a SPIFFE ID.
    #[error("{name:?} cannot name an agent: only a-z, A-Z, 0-9, '.', '-' and '_' are allowed")]
    AgentName {
        /// The name.
        name: String,
    },
    /// There is no agent of this name.
    #[error("there is no agent {name:?}")]
    UnknownAgent {
        /// The name.
        name: String,
    },
    /// The name could be mistaken for an agent's.
    #[error("{name:?} cannot name a user: it is empty or has ':', '/' or a control character")]
    UserName {
        /// The name.
        name: String,
    },
    /// A life is too short or too long.
    #[error("{what} cannot live for {life:?}: from 1 s to {max:?} is allowed")]
    Life {
        /// Of what.
        what: &'static str,
        /// The configured life.
        life: Duration,
        /// The longest.
        max: Duration,
    },
    /// A key or certificate of its own could not be made.
    #[error("the authority's own {what} could not be made")]
    Own {
        /// What.
        what: &'static str,
    },
    /// Its own certificate cannot be used.
    #[error("the authority's own identity: {0}")]
    Identity(#[source] WorkloadError),
}

impl AuthorityError {
    /// The fixed word.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotLoopback { .. } => "authority.not_loopback",
            Self::Listen { .. } => "authority.listen",
            Self::AgentName { .. } => "authority.agent_name",
            Self::UnknownAgent { .. } => "authority.unknown_agent",
            Self::UserName { .. } => "authority.user_name",
            Self::Life { .. } => "authority.life",
            Self::Own { .. } => "authority.own",
            Self::Identity(_) => "authority.identity",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> AuthorityConfig {
        let mut config = AuthorityConfig::new("travel.example".parse().expect("a domain"));
        config.agents.insert("planner".into(), Scopes::default());
        config.users.insert("alice".into(), Scopes::default());
        config.logins.insert("planner".into());
        config
    }

    #[test]
    fn each_bad_setting_is_refused_with_its_reason() {
        type Change = fn(&mut AuthorityConfig);
        let secs = Duration::from_secs;
        assert!(good().check().is_ok());
        let cases: [(Change, &str); 11] = [
            (
                |c| c.listen = ([0, 0, 0, 0], 0).into(),
                "authority.not_loopback",
            ),
            (
                |c| c.listen = ([192, 168, 1, 2], 0).into(),
                "authority.not_loopback",
            ),
            (
                |c| c.svid_ttl = Duration::from_millis(999),
                "authority.life",
            ),
            (
                |c| c.svid_ttl = SVID_TTL_MAX + Duration::from_secs(1),
                "authority.life",
            ),
            (
                |c| c.token_ttl = TOKEN_TTL_MAX + Duration::from_secs(1),
                "authority.life",
            ),
            (
                |c| drop(c.agents.insert("a b".into(), Scopes::default())),
                "authority.agent_name",
            ),
            (
                |c| drop(c.agents.insert("a/b".into(), Scopes::default())),
                "authority.agent_name",
            ),
            (
                |c| drop(c.agents.insert(String::new(), Scopes::default())),
                "authority.agent_name",
            ),
            (
                |c| {
                    c.logins.insert("desk".into());
                },
                "authority.unknown_agent",
            ),
            (
                |c| drop(c.users.insert(String::new(), Scopes::default())),
                "authority.user_name",
            ),
            (
                |c| drop(c.users.insert("spiffe://t/a".into(), Scopes::default())),
                "authority.user_name",
            ),
        ];
        for (change, want) in cases {
            let mut config = good();
            change(&mut config);
            assert_eq!(config.check().map_err(|e| e.reason()), Err(want));
        }
        let mut edge = good();
        (edge.svid_ttl, edge.token_ttl) = (SVID_TTL_MAX, TOKEN_TTL_MAX);
        edge.listen = "[::1]:0".parse().expect("an address");
        assert!(edge.check().is_ok());
        (edge.svid_ttl, edge.token_ttl) = (secs(1), secs(1));
        assert!(edge.check().is_ok());
    }
}

//! Why an agent does not start.

use std::net::SocketAddr;

use crate::card::CardError;
use crate::client::ClientError;
use crate::workload::WorkloadError;

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
    /// A card written by hand says that the agent can do what it was not set up to do.
    #[error("the Agent Card declares {capability}, which this agent is not set up for")]
    Capability {
        /// The member of `capabilities`.
        capability: &'static str,
    },
    /// A card written by hand names an interface that is not served so.
    #[error("the Agent Card names the interface {url:?} ({binding}, A2A {version}), {why}")]
    Interface {
        /// Its URL.
        url: String,
        /// Its binding.
        binding: String,
        /// Its version of the protocol.
        version: String,
        /// What is not so.
        why: &'static str,
    },
    /// A card written by hand names no interface of something that is served.
    #[error("the Agent Card names no interface of {served}, which this agent was set up to serve")]
    NoInterface {
        /// A version of the protocol, or a tenant.
        served: String,
    },
    /// The agent was given no skill.
    #[error(
        "the agent has no skill, and a card needs at least one (A2A §4.4.1, §5.7): say what it can \
         do with .skill(AgentSkill::new(id, name, description).tagged([..]))"
    )]
    NoSkill,
    /// The agent has neither certificate nor authority, so it cannot prove its callers.
    #[error("the agent has no identity; only serve_unauthenticated() behind danger() can start it")]
    NoIdentity,
    /// An agent that proves nobody was to be reached from elsewhere.
    #[error(
        "{address} can be reached from other machines; without proofs only loopback may be used"
    )]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
}

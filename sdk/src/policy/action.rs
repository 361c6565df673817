//! What a caller asks for.

use serde::{Deserialize, Serialize};

use crate::a2a::Operation;
use crate::delegation::{Caller, Principal};
use crate::id::SpiffeId;

/// To whom a task belongs: the agent that began it and for whom.
///
/// A policy may leave one of the two open (see [`Sharing`]); a tenant always separates.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<SpiffeId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Principal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
}

/// Among whom tasks are shared.
///
/// Sharing lets a caller see, follow, cancel and continue the tasks of another. It lends no
/// authority: while an executor works for one caller, messages of the others are refused, and when
/// it has returned, the next message is served for the one who sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// Among nobody: a task belongs to the agent that began it, for the one it acted for.
    #[default]
    Nobody,
    /// Among all agents that act for the same person, or the same first agent.
    Principal,
    /// Among all for whom one agent acts.
    Agent,
}

impl Owner {
    /// Who owns what `caller` begins, when nothing is shared.
    pub fn of(caller: &Caller) -> Self {
        Self::shared(caller, Sharing::Nobody)
    }

    /// Who owns what `caller` begins, when tasks are shared in this way.
    ///
    /// An agent that acts for itself has a principal of its own, so it shares with nobody else.
    pub fn shared(caller: &Caller, sharing: Sharing) -> Self {
        let agent = caller.agent().clone();
        let principal = caller.principal().clone();
        let (agent, principal) = match (sharing, &principal) {
            (Sharing::Nobody, _) | (Sharing::Principal, Principal::App) => {
                (Some(agent), Some(principal))
            }
            (Sharing::Principal, Principal::User { .. } | Principal::Agent { .. }) => {
                (None, Some(principal))
            }
            (Sharing::Agent, _) => (Some(agent), None),
        };
        Self {
            agent,
            principal,
            tenant: None,
        }
    }

    /// Whom everybody is at an agent that proves nobody: it has neither agent nor principal, so no
    /// proved caller is the same.
    pub const fn unauthenticated() -> Self {
        Self {
            agent: None,
            principal: None,
            tenant: None,
        }
    }

    /// The same owner at this tenant.
    #[must_use]
    pub fn at_tenant(mut self, tenant: Option<&str>) -> Self {
        self.tenant = tenant.filter(|t| !t.is_empty()).map(str::to_owned);
        self
    }

    /// Whether several callers have the same tasks.
    pub fn is_shared(&self) -> bool {
        self.agent.is_some() != self.principal.is_some()
    }

    /// The agent; `None` when tasks are shared among agents.
    pub fn agent(&self) -> Option<&SpiffeId> {
        self.agent.as_ref()
    }

    /// For whom; `None` when tasks are shared among all for whom the agent acts.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The tenant; `None` when the interface names none.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// A text that names this owner and no other: for stores, which keep it and read it back.
    pub fn to_text(&self) -> String {
        // Members are written in the order of their declaration, so equal owners have equal texts.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Owner::to_text`] wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// What a caller asks for: an operation, and the skill it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// The operation.
    pub operation: Operation,
    /// The skill, by its ID in the card; nothing when the operation is about none.
    pub skill: Option<String>,
    /// To whom the task belongs that the operation is about, when there is one already.
    pub resource_owner: Option<Owner>,
    /// What is asked for along with it: a message may bring a push configuration. It is permitted
    /// with that or not at all.
    pub also: Option<Operation>,
}

impl Action {
    /// `operation`, about no skill and no existing task.
    pub const fn new(operation: Operation) -> Self {
        Self {
            operation,
            skill: None,
            resource_owner: None,
            also: None,
        }
    }

    /// About this skill.
    #[must_use]
    pub fn with_skill(mut self, skill: impl Into<String>) -> Self {
        self.skill = Some(skill.into());
        self
    }

    /// Together with `operation`.
    #[must_use]
    pub const fn with_also(mut self, operation: Operation) -> Self {
        self.also = Some(operation);
        self
    }

    /// About a task that belongs to `owner`.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.resource_owner = Some(owner);
        self
    }
}

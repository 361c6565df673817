//! What a caller asks for.

use crate::a2a::Operation;
use crate::delegation::{Caller, Principal};
use crate::id::SpiffeId;

/// To whom a task belongs: the agent that began it and for whom.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Owner {
    agent: SpiffeId,
    principal: Principal,
}

impl Owner {
    /// Who owns what `caller` begins.
    pub fn of(caller: &Caller) -> Self {
        Self {
            agent: caller.agent().clone(),
            principal: caller.principal().clone(),
        }
    }

    /// The agent.
    pub fn agent(&self) -> &SpiffeId {
        &self.agent
    }

    /// For whom.
    pub fn principal(&self) -> &Principal {
        &self.principal
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
}

impl Action {
    /// `operation`, about no skill and no existing task.
    pub const fn new(operation: Operation) -> Self {
        Self {
            operation,
            skill: None,
            resource_owner: None,
        }
    }

    /// About this skill.
    #[must_use]
    pub fn with_skill(mut self, skill: impl Into<String>) -> Self {
        self.skill = Some(skill.into());
        self
    }

    /// About a task that belongs to `owner`.
    #[must_use]
    pub fn with_owner(mut self, owner: Owner) -> Self {
        self.resource_owner = Some(owner);
        self
    }
}

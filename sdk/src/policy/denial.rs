//! A decision against the caller, with its reason.

use std::fmt;

use super::Action;
use crate::a2a::Operation;
use crate::delegation::Caller;
use crate::id::SpiffeId;
use crate::token::{Challenge, Scopes};

/// Which rule an action broke.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DenialReason {
    /// The policy says nothing about this agent.
    #[error("the policy has no rule for {agent}")]
    NoRule {
        /// Who is calling.
        agent: SpiffeId,
    },
    /// The agent's role does not have the operation.
    #[error("the role {role:?} does not allow the operation {}", operation.as_str())]
    OperationNotAllowed {
        /// The agent's role.
        role: String,
        /// What was asked for.
        operation: Operation,
    },
    /// The policy declares skills, the message names none, and no rule says that this is fine.
    #[error("{} names no skill, and the policy does not allow that", operation.as_str())]
    SkillNotNamed {
        /// What was asked for.
        operation: Operation,
    },
    /// The policy declares no such skill.
    #[error("the policy has no skill {skill:?}")]
    UnknownSkill {
        /// What was asked for.
        skill: String,
    },
    /// The agent's role does not have the skill.
    #[error("the role {role:?} does not allow the skill {skill:?}")]
    SkillNotAllowed {
        /// The agent's role.
        role: String,
        /// What was asked for.
        skill: String,
    },
    /// The task belongs to somebody else.
    #[error("the task belongs to another caller")]
    NotOwner,
    /// The token does not grant what the action needs.
    #[error("the action needs the scope \"{needed}\", the token lacks \"{missing}\"")]
    ScopeNotGranted {
        /// All that is needed.
        needed: Scopes,
        /// What of it the token does not grant.
        missing: Scopes,
    },
    /// The token grants it, but the agent's role may not use it: a call has at most the rights that
    /// user and agent have in common.
    #[error("the action needs the scope \"{needed}\", the role {role:?} lacks \"{missing}\"")]
    RoleExceeded {
        /// The agent's role.
        role: String,
        /// All that is needed.
        needed: Scopes,
        /// What of it the role does not have.
        missing: Scopes,
    },
    /// The action is done for users only, and the call is for none.
    #[error("the action needs a user, the agent calls for itself")]
    NeedsUser,
}

impl DenialReason {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoRule { .. } => "policy.no_rule",
            Self::OperationNotAllowed { .. } => "policy.operation_not_allowed",
            Self::SkillNotNamed { .. } => "policy.skill_not_named",
            Self::UnknownSkill { .. } => "policy.unknown_skill",
            Self::SkillNotAllowed { .. } => "policy.skill_not_allowed",
            Self::NotOwner => "policy.not_owner",
            Self::ScopeNotGranted { .. } => "policy.scope_not_granted",
            Self::RoleExceeded { .. } => "policy.role_exceeded",
            Self::NeedsUser => "policy.needs_user",
        }
    }
}

/// The decision not to permit an action.
#[derive(Debug)]
pub struct Denial(Box<Parts>);

#[derive(Debug)]
struct Parts {
    caller: Caller,
    action: Action,
    rule: Option<String>,
    why: DenialReason,
}

impl Denial {
    pub(super) fn new(
        caller: Caller,
        action: Action,
        rule: Option<String>,
        why: DenialReason,
    ) -> Self {
        Self(Box::new(Parts {
            caller,
            action,
            rule,
            why,
        }))
    }

    /// Who asked.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// For what.
    pub fn action(&self) -> &Action {
        &self.0.action
    }

    /// The rule of the policy that decided, as its place in the file; nothing when none fits.
    pub fn rule(&self) -> Option<&str> {
        self.0.rule.as_deref()
    }

    /// Which rule was broken, with both values.
    pub fn why(&self) -> &DenialReason {
        &self.0.why
    }

    /// The fixed word for the audit record.
    pub fn reason(&self) -> &'static str {
        self.0.why.reason()
    }

    /// All scopes the action needs, when a token with more of them would change the decision.
    pub fn needs(&self) -> Option<&Scopes> {
        match &self.0.why {
            DenialReason::ScopeNotGranted { needed, .. } => Some(needed),
            DenialReason::NoRule { .. }
            | DenialReason::OperationNotAllowed { .. }
            | DenialReason::SkillNotNamed { .. }
            | DenialReason::UnknownSkill { .. }
            | DenialReason::SkillNotAllowed { .. }
            | DenialReason::NotOwner
            | DenialReason::RoleExceeded { .. }
            | DenialReason::NeedsUser => None,
        }
    }

    /// What the peer is told with status 403 (RFC 6750 §3.1), when asking for more scope can help.
    pub fn challenge(&self) -> Option<Challenge> {
        self.needs().map(Challenge::insufficient_scope)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.why.fmt(f)
    }
}

impl std::error::Error for Denial {}

//! The policy itself: roles, agents, and what skills and operations need.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Sharing;
use crate::a2a::Operation;
use crate::id::{IdError, SpiffeId};
use crate::token::{ScopeError, Scopes};

/// Why a policy was not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or TOML with a key that means nothing here.
    #[error("the policy cannot be read: {0}")]
    Syntax(#[source] Box<toml::de::Error>),
    /// An agent is not named by a SPIFFE ID.
    #[error("agents.{name:?} is not named by a SPIFFE ID: {error}")]
    Agent {
        /// The name.
        name: String,
        /// What is wrong with it.
        #[source]
        error: IdError,
    },
    /// An agent has a role that is not declared.
    #[error("agents.{agent:?} has the role {role:?}, which is not declared")]
    UndeclaredRole {
        /// The agent.
        agent: SpiffeId,
        /// The role.
        role: String,
    },
    /// A role has a skill that is not declared.
    #[error("roles.{role:?} has the skill {skill:?}, which is not declared")]
    UndeclaredSkill {
        /// The role.
        role: String,
        /// The skill.
        skill: String,
    },
    /// A name is no operation of A2A.
    #[error("{place} names the operation {name:?}, which A2A does not have")]
    UnknownOperation {
        /// Where in the policy.
        place: String,
        /// The name.
        name: String,
    },
    /// A scope is malformed.
    #[error("{place} has a malformed scope: {error}")]
    Scope {
        /// Where in the policy.
        place: String,
        /// What is wrong with it.
        #[source]
        error: ScopeError,
    },
    /// The same name is declared twice.
    #[error("{place} is declared twice")]
    Repeated {
        /// Where in the policy.
        place: String,
    },
}

impl PolicyError {
    /// The fixed word for the operator's log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "policy.syntax",
            Self::Agent { .. } => "policy.agent_name",
            Self::UndeclaredRole { .. } => "policy.undeclared_role",
            Self::UndeclaredSkill { .. } => "policy.undeclared_skill",
            Self::UnknownOperation { .. } => "policy.unknown_operation",
            Self::Scope { .. } => "policy.scope",
            Self::Repeated { .. } => "policy.repeated",
        }
    }
}

/// What agents of a role may do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Role {
    /// The scopes they may use, when a token grants them.
    pub scopes: Scopes,
    /// The operations they may call.
    pub operations: Vec<Operation>,
    /// The skills they may ask for.
    pub skills: BTreeSet<String>,
}

/// What a skill or an operation needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Requirement {
    /// The scopes the token must grant and the role must have.
    pub scopes: Scopes,
    /// Whether the call must be for a user.
    pub needs_user: bool,
}

/// Who may do what. Cloning is cheap; the default is the empty policy, which refuses everything.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(super) rules: Arc<Rules>,
    generation: u64,
}

#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) roles: HashMap<String, Role>,
    pub(super) agents: HashMap<SpiffeId, String>,
    pub(super) skills: HashMap<String, Requirement>,
    pub(super) operations: HashMap<Operation, Requirement>,
    pub(super) sharing: Sharing,
}

impl Policy {
    /// The policy that refuses everything.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads a policy from TOML: `[roles.<name>]` with `scopes`, `operations` and `skills`,
    /// `[agents."<SPIFFE ID>"]` with `role`, `[skills.<id>]` and `[operations.<Name>]` with `scopes`
    /// and `needs_user`, `[tasks]` with `shared` (`"nobody"`, `"principal"` or `"agent"`; see
    /// [`Sharing`]). Any other key is an error.
    ///
    /// An operation that stands in nobody's role is nobody's: there is no right to one's own tasks
    /// without `GetTask`, `ListTasks`, `CancelTask` and `SubscribeToTask` in the role. What a role
    /// with an operation reaches are its caller's own tasks, never those of others. A message that
    /// brings a push configuration along needs `CreateTaskPushNotificationConfig`, too.
    ///
    /// # Errors
    /// [`PolicyError`] naming the place.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        super::file::read(text)
    }

    /// A policy put together in code.
    ///
    /// ```
    /// use countersign::a2a::Operation;
    /// use countersign::policy::{Policy, Requirement, Role};
    /// let booking = "spiffe://travel.example/agent/booking".parse()?;
    /// let policy = Policy::builder()
    ///     .skill("charge", Requirement { scopes: "payments.charge".parse()?, needs_user: true })
    ///     .role("booker", Role {
    ///         scopes: "payments.charge".parse()?,
    ///         operations: vec![Operation::SendMessage],
    ///         skills: ["charge".to_owned()].into(),
    ///     })
    ///     .agent(booking, "booker")
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

    /// A number that no other policy of this process has, except that all empty ones have 0; it
    /// grows with every policy made.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What the skill `id` needs; nothing when the policy knows no such skill.
    pub fn skill(&self, id: &str) -> Option<&Requirement> {
        self.rules.skills.get(id)
    }

    /// What `operation` needs, whatever the skill; nothing when the policy says nothing of it.
    pub fn operation(&self, operation: Operation) -> Option<&Requirement> {
        self.rules.operations.get(&operation)
    }

    /// Among whom tasks are shared.
    pub fn sharing(&self) -> Sharing {
        self.rules.sharing
    }

    /// Whether this agent has a role at all: whether its connection is worth keeping.
    pub fn admits_peer(&self, agent: &SpiffeId) -> bool {
        self.rules.agents.contains_key(agent)
    }
}

/// Puts a policy together; see [`Policy::builder`].
#[derive(Debug, Default)]
pub struct PolicyBuilder {
    rules: Rules,
    repeated: Option<String>,
}

impl PolicyBuilder {
    /// Declares a role.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>, role: Role) -> Self {
        let name = name.into();
        if self.rules.roles.insert(name.clone(), role).is_some() {
            self.repeated = Some(format!("roles.{name:?}"));
        }
        self
    }

    /// Gives an agent its role.
    #[must_use]
    pub fn agent(mut self, agent: SpiffeId, role: impl Into<String>) -> Self {
        let given = self.rules.agents.insert(agent.clone(), role.into());
        if given.is_some() {
            self.repeated = Some(format!("agents.\"{agent}\""));
        }
        self
    }

    /// Declares a skill and what it needs.
    #[must_use]
    pub fn skill(mut self, id: impl Into<String>, needs: Requirement) -> Self {
        let id = id.into();
        if self.rules.skills.insert(id.clone(), needs).is_some() {
            self.repeated = Some(format!("skills.{id:?}"));
        }
        self
    }

    /// Says what an operation needs, whatever the skill.
    #[must_use]
    pub fn operation(mut self, operation: Operation, needs: Requirement) -> Self {
        if self.rules.operations.insert(operation, needs).is_some() {
            self.repeated = Some(format!("operations.{}", operation.as_str()));
        }
        self
    }

    /// Says among whom tasks are shared. Default: [`Sharing::Nobody`].
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.rules.sharing = sharing;
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// [`PolicyError::Repeated`], [`PolicyError::UndeclaredRole`] or
    /// [`PolicyError::UndeclaredSkill`].
    pub fn build(self) -> Result<Policy, PolicyError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        if let Some(place) = self.repeated {
            return Err(PolicyError::Repeated { place });
        }
        let rules = self.rules;
        for (agent, role) in &rules.agents {
            if !rules.roles.contains_key(role) {
                return Err(PolicyError::UndeclaredRole {
                    agent: agent.clone(),
                    role: role.clone(),
                });
            }
        }
        for (name, role) in &rules.roles {
            let mut skills = role.skills.iter();
            if let Some(skill) = skills.find(|skill| !rules.skills.contains_key(*skill)) {
                return Err(PolicyError::UndeclaredSkill {
                    role: name.clone(),
                    skill: skill.clone(),
                });
            }
        }
        Ok(Policy {
            rules: Arc::new(rules),
            generation: 1 + MADE.fetch_add(1, Ordering::Relaxed),
        })
    }
}

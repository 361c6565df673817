//! Who makes a request, as the agent's own code sees it.

use std::fmt;
use std::sync::Arc;

use crate::audit::Admitted;
use crate::delegation::{Actor, Caller};
use crate::id::SpiffeId;

/// Who makes a request.
///
/// An agent that was started in the ordinary way meets [`Requester::Proved`] only. The other one
/// comes to agents that were started behind [`Agent::danger`](super::Agent::danger); it holds
/// nothing that could be mistaken for a proof, and nothing can be done on its behalf.
#[derive(Clone, Debug)]
pub enum Requester {
    /// A caller whose every proof was checked, permitted and recorded.
    Proved(Arc<Admitted>),
    /// Anybody: this agent proves nothing of anybody.
    Unauthenticated,
}

impl Requester {
    /// Whether the caller was proved.
    pub const fn is_proved(&self) -> bool {
        matches!(self, Self::Proved(_))
    }

    /// The record of the call's admission, when the caller was proved.
    pub const fn admitted(&self) -> Option<&Arc<Admitted>> {
        match self {
            Self::Proved(admitted) => Some(admitted),
            Self::Unauthenticated => None,
        }
    }

    /// Who calls, for whom and through whom, when that was proved.
    pub fn proved(&self) -> Option<&Caller> {
        self.admitted().map(|admitted| admitted.caller())
    }

    /// The agent that calls.
    pub fn agent(&self) -> Option<&SpiffeId> {
        self.proved().map(Caller::agent)
    }

    /// The user it calls for, or the agent that began the chain; nothing when it calls for itself.
    pub fn on_behalf_of(&self) -> Option<&str> {
        self.proved().and_then(Caller::on_behalf_of)
    }

    /// The agents before the caller, newest first: history, never a right.
    pub fn through(&self) -> &[Actor] {
        self.proved().map_or(&[], Caller::through)
    }
}

/// One phrase: `booking for alice through planner, front-desk`.
impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.proved() {
            Some(caller) => caller.fmt(f),
            None => f.write_str("somebody unauthenticated"),
        }
    }
}

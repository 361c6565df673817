//! The card for known callers (A2A §3.1.11).

use std::sync::Arc;

use async_trait::async_trait;

use super::card::{Issuer, enforced};
use crate::a2a::{A2aError, AgentCard, ErrorKind};
use crate::card::{CardError, secure, sign_card};
use crate::policy::Policy;
use crate::server::default_handler::ExtendedCard;
use crate::server::handler::ServerCallContext;
use crate::server::requester::Requester;
use crate::workload::Workload;

/// Makes the card for a caller out of the public one.
pub(in crate::server) type Extend = dyn Fn(&Requester, AgentCard) -> AgentCard + Send + Sync;

/// Answers GetExtendedAgentCard.
pub(in crate::server) struct ExtendedCards {
    /// The public card.
    pub(super) public: AgentCard,
    pub(super) extend: Option<Arc<Extend>>,
    /// What the card is secured and signed with; nothing when the agent proves nobody.
    pub(super) security: Option<Security>,
}

/// What a card says of security, and with what it is signed.
pub(super) struct Security {
    pub(super) workload: Workload,
    pub(super) issuer: Issuer,
    pub(super) policy: Arc<Policy>,
}

impl ExtendedCards {
    /// The card for this caller, signed; its skills demand what the policy demands for them.
    ///
    /// # Errors
    /// `UnsupportedOperation` when the card promises none, `ExtendedAgentCardNotConfigured` when it
    /// does and there is none.
    pub(in crate::server) fn card_for(&self, caller: &Requester) -> Result<AgentCard, A2aError> {
        if self.public.capabilities.extended_agent_card != Some(true) {
            let message = "This agent has no extended card";
            return Err(A2aError::new(ErrorKind::UnsupportedOperation, message));
        }
        let Some(extend) = &self.extend else {
            let message = "No extended card is configured";
            let kind = ErrorKind::ExtendedAgentCardNotConfigured;
            return Err(A2aError::new(kind, message));
        };
        let made = extend(caller, self.public.clone());
        let Some(security) = &self.security else {
            return Ok(made);
        };
        security.signed(made).map_err(|error| {
            tracing::error!(%error, "the extended card cannot be served");
            A2aError::internal()
        })
    }
}

#[async_trait]
impl ExtendedCard for ExtendedCards {
    async fn card(&self, call: &ServerCallContext) -> Result<AgentCard, A2aError> {
        self.card_for(call.requester())
    }
}

impl Security {
    fn signed(&self, card: AgentCard) -> Result<AgentCard, CardError> {
        let enforced = enforced(&self.workload, &self.issuer, &self.policy, &card.skills);
        let card = secure(card, &enforced)?;
        let own = self.workload.current();
        let bytes = sign_card(&card, own.key(), own.chain())?;
        serde_json::from_slice(&bytes).map_err(|error| CardError::Shape(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promised_card_that_is_not_there_is_another_error_than_none_promised() {
        for (promised, configured, want) in [
            (None, false, Err(ErrorKind::UnsupportedOperation)),
            (Some(false), true, Err(ErrorKind::UnsupportedOperation)),
            (
                Some(true),
                false,
                Err(ErrorKind::ExtendedAgentCardNotConfigured),
            ),
            (Some(true), true, Ok("extended".to_owned())),
        ] {
            let mut public = AgentCard::default();
            public.capabilities.extended_agent_card = promised;
            let extend: Arc<Extend> = Arc::new(|_, mut card| {
                "extended".clone_into(&mut card.name);
                card
            });
            let cards = ExtendedCards {
                public,
                extend: configured.then_some(extend),
                security: None,
            };
            let got = cards.card_for(&Requester::Unauthenticated);
            let got = got.map(|card| card.name).map_err(|error| error.kind());
            assert_eq!(got, want, "{promised:?} {configured}");
        }
    }
}

//! GetExtendedAgentCard (A2A §3.1.11).

use std::sync::Arc;

use super::attempt::Got;
use super::call::Call;
use super::error::ClientError;
use crate::a2a::{GetExtendedAgentCardRequest, Request};
use crate::card::{TrustedKeys, VerifiedCard};

impl Call {
    /// GetExtendedAgentCard: the card for known callers, verified as the public one is. From now on
    /// it is used for all calls of the session it was got in, that is of the
    /// [`OnBehalfOf`](super::OnBehalfOf) this call began at and of its clones, while its proof
    /// holds.
    ///
    /// # Errors
    /// [`ClientError`], naming the step that refused; [`ClientError::Card`] when it is not signed
    /// by the agent that gave it.
    pub async fn extended_card(self) -> Result<Arc<VerifiedCard>, ClientError> {
        let request = Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default());
        let Got::Card(signed) = self.made(request).await? else {
            return Err(ClientError::Answer {
                what: "no card where one should be".into(),
            });
        };
        let workload = &self.client.0.workload;
        // The same trust must vouch for it later as now.
        let public = self.client.kept_card(&self.intent.peer).await?;
        let own = workload.current();
        let keys = TrustedKeys::bundles(own.bundles().clone());
        let card = Arc::new(signed.verify(&keys, workload.clock().now())?);
        let extended = &self.intent.extended;
        extended.keep(&self.intent.peer, card.clone(), &public);
        Ok(card)
    }
}

//! Whether a webhook may be told, and at which addresses.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::error::WebhookError;
use super::policy::{Proof, PushPolicy};
use crate::httpsig::WebUrl;
use crate::policy::Owner;
use crate::web::Resolver;

/// A webhook that may be told now: what it has to prove, and the addresses that were checked.
///
/// Made only by [`Guard::check`]; nothing else is connected to. It is for one attempt: names are
/// looked up and checked again for the next.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    url: WebUrl,
    proof: Proof,
    addresses: Vec<SocketAddr>,
}

impl Webhook {
    pub(super) fn url(&self) -> &WebUrl {
        &self.url
    }

    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// At least one.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

/// Says which webhooks may be told.
#[derive(Clone)]
pub(super) struct Guard {
    policy: PushPolicy,
    resolver: Arc<dyn Resolver>,
}

impl Guard {
    pub(super) fn new(policy: PushPolicy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver }
    }

    /// Checks the URL, the policy, and every address that the name has now.
    pub(super) async fn check(&self, url: &str, owner: &Owner) -> Result<Webhook, WebhookError> {
        let url: WebUrl = url.parse()?;
        let proof = self.policy.proof(&url, owner)?;
        let rules = self.policy.addresses();
        let addresses = rules.check(&url, &*self.resolver).await?;
        Ok(Webhook {
            url,
            proof,
            addresses,
        })
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

//! The guard between a URL of a stranger and a connection of ours.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::error::WebhookError;
use super::policy::{Proof, PushPolicy};
use super::resolve::Resolver;
use super::webhook_url::{Host, WebhookUrl};
use crate::policy::Owner;

/// How long a name may take.
const LOOKUP: Duration = Duration::from_secs(5);

/// How many addresses of a name are tried; all of them are checked.
const MAX_ADDRESSES: usize = 8;

/// A webhook that may be told now: what it has to prove, and the addresses that were checked.
///
/// Made only by [`Guard::check`]; nothing else is connected to. It is for one attempt: names are
/// looked up and checked again for the next.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    url: WebhookUrl,
    proof: Proof,
    addresses: Vec<SocketAddr>,
}

impl Webhook {
    pub(super) fn url(&self) -> &WebhookUrl {
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
        let url: WebhookUrl = url.parse()?;
        let proof = self.policy.proof(&url, owner)?;
        let found = match &url.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.resolve(name).await?,
        };
        // One address that is not permitted is enough to refuse: a name with a public and a private
        // address is how guards that look at the first are passed.
        for address in &found {
            self.policy
                .permits(*address)
                .map_err(|class| WebhookError::Address {
                    host: url.host.to_string(),
                    address: *address,
                    class,
                })?;
        }
        let addresses = found.into_iter().take(MAX_ADDRESSES);
        let addresses = addresses.map(|ip| (ip, url.port).into()).collect();
        Ok(Webhook {
            url,
            proof,
            addresses,
        })
    }

    async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, WebhookError> {
        let unresolved = |what: String| WebhookError::Unresolved {
            host: name.to_owned(),
            what,
        };
        if !self.policy.permits_name(name) {
            return Err(unresolved("it is this machine's own".to_owned()));
        }
        let found = tokio::time::timeout(LOOKUP, self.resolver.resolve(name)).await;
        let found = found.map_err(|_| unresolved(format!("no answer within {LOOKUP:?}")))?;
        let found = found.map_err(|error| unresolved(error.to_string()))?;
        if found.is_empty() {
            return Err(unresolved("the answer is empty".to_owned()));
        }
        Ok(found)
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

//! The key of a signature, from where the signature says it is.

use std::sync::Arc;

use crate::clock::{ManualClock, UnixTime};
use crate::crypto::KeyThumbprint;
use crate::discovery::{DirectoryResolver, DiscoveryError, fetch_card};
use crate::httpsig::directory::{DirectoryUrl, Reading};
use crate::httpsig::signature_agent::SignatureAgentCard;
use crate::httpsig::{AgentKind, HttpVerifyingKey, SignatureError, WantedKey, WebUrlError};
use crate::web::Fetcher;

/// Why there is no key.
#[derive(Debug)]
pub(super) struct NoKey {
    pub(super) reason: &'static str,
    pub(super) what: String,
}

impl From<SignatureError> for NoKey {
    fn from(error: SignatureError) -> Self {
        let reason = error.reason();
        let what = error.to_string();
        Self { reason, what }
    }
}

impl From<DiscoveryError> for NoKey {
    fn from(error: DiscoveryError) -> Self {
        let reason = error.reason();
        let what = error.to_string();
        Self { reason, what }
    }
}

/// Looks the key up at its signature agent.
pub(super) async fn resolve(
    fetcher: &Fetcher,
    wanted: &WantedKey<'_>,
    now: UnixTime,
) -> Result<HttpVerifyingKey, NoKey> {
    let agent = wanted.agent.ok_or(SignatureError::AgentMissing)?;
    let keyid = wanted.keyid.and_then(|keyid| keyid.parse().ok());
    let keyid: KeyThumbprint = keyid.ok_or_else(|| wanted.unknown())?;
    let wrong = |error: WebUrlError| DiscoveryError::Url { rule: error.rule };
    let url = if agent.kind() == AgentKind::Card {
        let (card, _) = fetch_card(fetcher, agent.url()).await?;
        if let Some(key) = in_card(&card, keyid, now) {
            return key.ok_or_else(|| wanted.unknown().into());
        }
        let url = card.jwks_uri.ok_or_else(|| wanted.unknown())?;
        DirectoryUrl::at(&url).map_err(wrong)?
    } else {
        DirectoryUrl::of_agent(agent).map_err(wrong)?
    };
    let resolver = DirectoryResolver::new(fetcher.clone(), Arc::new(ManualClock::at(now)));
    Ok(resolver.key(&url, keyid).await?.key)
}

/// The key of a card that has its keys in it; `None` when it has not.
fn in_card(
    card: &SignatureAgentCard,
    keyid: KeyThumbprint,
    now: UnixTime,
) -> Option<Option<HttpVerifyingKey>> {
    let set = card.jwks.as_ref()?.to_string();
    let read = Reading::default().elsewhere().read(set.as_bytes()).ok()?;
    Some(read.key(keyid, now).cloned())
}

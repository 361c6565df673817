//! Signature agent cards and registries, fetched.

use std::sync::Arc;

use super::error::DiscoveryError;
use crate::httpsig::WebUrl;
use crate::httpsig::signature_agent::{
    CardWarning, MAX_CARD, MAX_REGISTRY, Registry, RegistryWarning, SignatureAgentCard,
};
use crate::web::{Fetched, Fetcher};

/// Fetches and reads the signature agent card at `url`, which is compared, letter by letter, with
/// its `client_id`.
///
/// # Errors
/// [`DiscoveryError`] when it cannot be fetched, or is no card of this URL.
pub async fn fetch_card(
    fetcher: &Fetcher,
    url: &str,
) -> Result<(SignatureAgentCard, Vec<CardWarning>), DiscoveryError> {
    let fetched = fetch(fetcher, url, "application/json", MAX_CARD).await?;
    let read = SignatureAgentCard::read(&fetched.body, url);
    read.map_err(|error| DiscoveryError::Card(Arc::new(error)))
}

/// Fetches and reads the registry at `url`.
///
/// # Errors
/// [`DiscoveryError`] when it cannot be fetched, or is no registry.
pub async fn fetch_registry(
    fetcher: &Fetcher,
    url: &str,
) -> Result<(Registry, Vec<RegistryWarning>), DiscoveryError> {
    let fetched = fetch(fetcher, url, "text/plain", MAX_REGISTRY).await?;
    Registry::read(&fetched.body).map_err(DiscoveryError::Registry)
}

async fn fetch(
    fetcher: &Fetcher,
    url: &str,
    accept: &'static str,
    max: usize,
) -> Result<Fetched, DiscoveryError> {
    let url: Result<WebUrl, _> = url.parse();
    let url = url.map_err(|error| DiscoveryError::Url { rule: error.rule })?;
    Ok(fetcher.get(&url, accept, max).await?)
}

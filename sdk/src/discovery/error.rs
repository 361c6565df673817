//! Why a key was not found.

use std::sync::Arc;

use crate::crypto::KeyThumbprint;
use crate::httpsig::directory::DirectoryError;
use crate::httpsig::signature_agent::{CardError, RegistryError};
use crate::web::FetchError;

/// Why a key was not found, or a document not read. A signature whose key was not found is
/// unverified: nothing is known about it. It is not invalid, which would say that somebody forged it
/// (draft-ietf-webbotauth-httpsig-protocol).
#[derive(Clone, Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// What was fetched is no key directory.
    #[error(transparent)]
    Directory(Arc<DirectoryError>),
    /// What was fetched is no signature agent card.
    #[error(transparent)]
    Card(Arc<CardError>),
    /// What was fetched is no registry.
    #[error(transparent)]
    Registry(RegistryError),
    /// The URL is none that can be fetched.
    #[error("the URL {rule}")]
    Url {
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The directory was fetched, and the key is not in it, or not valid now.
    #[error("the directory {directory} does not have the key {keyid}")]
    KeyAbsent {
        /// The directory, see [`DirectoryUrl::identifier`](crate::httpsig::directory::DirectoryUrl).
        directory: String,
        /// The key.
        keyid: KeyThumbprint,
    },
    /// As much is fetched, from this origin or from all, as may be at a time.
    #[error("too much is fetched from {origin}, or from everywhere")]
    Busy {
        /// Scheme and authority.
        origin: String,
    },
    /// The program ends, or this is not called within a tokio runtime.
    #[error("the fetch was interrupted")]
    Interrupted,
}

impl DiscoveryError {
    /// The fixed word for the audit record.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.reason(),
            Self::Directory(error) => error.reason(),
            Self::Card(error) => error.reason(),
            Self::Registry(error) => error.reason(),
            Self::Url { .. } => "discovery.url",
            Self::KeyAbsent { .. } => "discovery.key_absent",
            Self::Busy { .. } => "discovery.busy",
            Self::Interrupted => "discovery.interrupted",
        }
    }

    /// Whether the directory itself said that the key is none of its own.
    pub const fn is_key_absent(&self) -> bool {
        matches!(self, Self::KeyAbsent { .. })
    }

    /// The network or the server failed, which may be over soon.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Fetch(error) => error.is_transient() || error.retry_after().is_some(),
            _ => false,
        }
    }
}

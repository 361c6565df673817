//! Where certificates come from.

use std::time::Duration;

use async_trait::async_trait;

use super::{Material, WorkloadError};

/// Gives out the workload's certificate, key and trust bundles.
///
/// [`Workload`](super::Workload) asks at half the life of what it holds, and again with growing
/// pauses when an answer fails.
#[async_trait]
pub trait IdentitySource: Send + Sync {
    /// The newest material there is. May be what was given before.
    ///
    /// # Errors
    /// [`WorkloadError`] when there is none; what is held stays in use until it expires.
    async fn fetch(&self) -> Result<Material, WorkloadError>;

    /// How often to look although nothing is due, for a source that others write to.
    /// `None`, the default, asks at half life only.
    fn poll_every(&self) -> Option<Duration> {
        None
    }
}

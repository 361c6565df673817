//! Certificates that the program itself hands in.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{IdentitySource, Material, WorkloadError};

/// Material held in memory, for a program that gets its certificates in its own way.
///
/// New material is seen within a second of [`MemorySource::replace`].
///
/// ```no_run
/// # async fn f(first: countersign::workload::Material, next: countersign::workload::Material)
/// # -> Result<(), countersign::workload::WorkloadError> {
/// use std::sync::Arc;
/// use countersign::clock::SystemClock;
/// use countersign::workload::{MemorySource, Workload};
/// let source = Arc::new(MemorySource::new(first));
/// let workload = Workload::start(source.clone(), Arc::new(SystemClock)).await?;
/// source.replace(next);
/// # Ok(())
/// # }
/// ```
pub struct MemorySource(Mutex<Material>);

impl MemorySource {
    /// A source of this material.
    pub fn new(material: Material) -> Self {
        Self(Mutex::new(material))
    }

    /// Gives this material from now on.
    pub fn replace(&self, material: Material) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = material;
    }
}

#[async_trait]
impl IdentitySource for MemorySource {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.clone())
    }

    fn poll_every(&self) -> Option<Duration> {
        Some(Duration::from_millis(500))
    }
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemorySource")
    }
}

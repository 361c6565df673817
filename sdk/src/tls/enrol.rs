//! The first certificate of a workload.

use std::sync::Arc;

use super::AuthoritySource;
use crate::clock::Clock;
use crate::workload::{Enrolment, Workload, WorkloadError};

/// Enrols at the authority with a one-time code and keeps the certificate fresh from then on.
///
/// # Errors
/// [`WorkloadError`] when the authority cannot be reached, proves to be another, or refuses the code.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn enrol(enrolment: Enrolment, clock: Arc<dyn Clock>) -> Result<Workload, WorkloadError> {
    let source = AuthoritySource::new(enrolment, clock.clone());
    Workload::start(Arc::new(source), clock).await
}

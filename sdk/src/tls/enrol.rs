//! The first certificate of a workload.

use std::sync::Arc;

use super::AuthoritySource;
use crate::clock::SystemClock;
use crate::workload::{Enrolment, Workload, WorkloadError};

/// Enrols at the authority with a one-time code and keeps the certificate fresh from then on, by the
/// machine's clock; [`Workload::start`] takes any other clock and source.
///
/// # Errors
/// [`WorkloadError`] when the authority cannot be reached, proves to be another, or refuses the code.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn enrol(enrolment: Enrolment) -> Result<Workload, WorkloadError> {
    let clock = Arc::new(SystemClock);
    let source = AuthoritySource::new(enrolment, clock.clone());
    Workload::start(Arc::new(source), clock).await
}

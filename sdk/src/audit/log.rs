//! Where records go.

use std::sync::Arc;

use super::{AuditError, Draft, Record};

/// A log that gives every record its place in one chain. [`super::conformance::check`] is the test
/// of these promises.
pub trait AuditLog: Send + Sync {
    /// Stores the record before it returns, as the next of the chain; calls from several threads
    /// still make one chain. [`Draft::seal`] does the linking.
    ///
    /// # Errors
    /// [`AuditError`] when it was not stored; then what was to be recorded must not happen.
    fn append(&self, draft: Draft) -> Result<Record, AuditError>;
}

impl<L: AuditLog + ?Sized> AuditLog for Arc<L> {
    fn append(&self, draft: Draft) -> Result<Record, AuditError> {
        (**self).append(draft)
    }
}

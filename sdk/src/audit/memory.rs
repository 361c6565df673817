//! A log in memory, for tests and demonstrations.

use std::fmt;
use std::sync::Mutex;

use super::{AuditError, AuditLog, Draft, Head, Record};

/// A log that keeps its records in memory, up to a number of them; a full one refuses.
pub struct MemoryLog {
    records: Mutex<Vec<Record>>,
    capacity: usize,
}

impl MemoryLog {
    /// How many records [`MemoryLog::default`] holds.
    pub const CAPACITY: usize = 1 << 16;

    /// A log of at most `capacity` records.
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            records: Mutex::new(Vec::new()),
            capacity,
        }
    }

    /// All records, oldest first.
    pub fn records(&self) -> Vec<Record> {
        // Records are only ever pushed whole, so a panic elsewhere leaves them in order.
        match self.records.lock() {
            Ok(records) => records.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::with_capacity(Self::CAPACITY)
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

impl AuditLog for MemoryLog {
    fn append(&self, draft: Draft) -> Result<Record, AuditError> {
        let mut records = self.records.lock().map_err(|_| AuditError::Stopped)?;
        if records.len() >= self.capacity {
            let records = records.len();
            return Err(AuditError::Full { records });
        }
        let head = records.last().map_or(Head::default(), Record::head);
        let (record, _) = draft.seal(&head)?;
        records.push(record.clone());
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{conformance, testing::draft};
    use super::*;

    #[test]
    fn the_memory_log_keeps_the_promises() {
        conformance::check(|| Box::new(MemoryLog::default()));
        conformance::check(|| Box::new(std::sync::Arc::new(MemoryLog::default())));
    }

    #[test]
    fn a_full_log_refuses_exactly_after_its_capacity() {
        let log = MemoryLog::with_capacity(2);
        assert!(log.append(draft("1")).is_ok());
        assert!(log.append(draft("2")).is_ok());
        let refused = log.append(draft("3")).map(drop).map_err(|e| e.reason());
        assert_eq!(refused, Err("audit.full"));
        assert_eq!(log.records().len(), 2);
    }
}

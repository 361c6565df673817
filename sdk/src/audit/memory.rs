//! A log in memory, for tests and demonstrations.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{AuditError, AuditLog, Draft, Head, Record};

/// A log that keeps its records in memory, up to a number of them; a full one refuses.
///
/// Refusals take at most half of the room: whoever can reach an agent can cause them, and must not
/// be able to fill the log so that nobody is let in any more.
pub struct MemoryLog {
    kept: Mutex<Kept>,
    capacity: usize,
}

struct Kept {
    records: Vec<Record>,
    refusals: usize,
}

impl MemoryLog {
    /// How many records [`MemoryLog::default`] holds.
    pub const CAPACITY: usize = 1 << 16;

    /// A log of at most `capacity` records.
    pub const fn with_capacity(capacity: usize) -> Self {
        Self {
            kept: Mutex::new(Kept {
                records: Vec::new(),
                refusals: 0,
            }),
            capacity,
        }
    }

    /// All records, oldest first.
    pub fn records(&self) -> Vec<Record> {
        // Records are only ever pushed whole, so a panic elsewhere leaves them in order.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.records.clone()
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
        let mut kept = self.kept.lock().map_err(|_| AuditError::Stopped)?;
        let records = kept.records.len();
        let flooded = draft.is_refusal() && kept.refusals >= self.capacity.div_ceil(2);
        if flooded || records >= self.capacity {
            return Err(AuditError::Full { records });
        }
        let head = kept.records.last().map_or(Head::default(), Record::head);
        let (record, _) = draft.seal(&head)?;
        kept.records.push(record.clone());
        kept.refusals += usize::from(record.is_refusal());
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{context, draft};
    use super::super::{Decision, conformance};
    use super::*;

    #[test]
    fn the_memory_log_keeps_the_promises() {
        conformance::check(|| Box::new(MemoryLog::default()));
        conformance::check(|| Box::new(std::sync::Arc::new(MemoryLog::default())));
    }

    fn permitted() -> Draft {
        Draft::new(context(), "test", Decision::Permitted)
    }

    #[test]
    fn a_full_log_refuses_exactly_after_its_capacity() {
        let log = MemoryLog::with_capacity(2);
        assert!(log.append(permitted()).is_ok());
        assert!(log.append(draft("2")).is_ok());
        let refused = log.append(permitted()).map(drop).map_err(|e| e.reason());
        assert_eq!(refused, Err("audit.full"));
        assert_eq!(log.records().len(), 2);
    }

    #[test]
    fn refusals_leave_half_of_the_room_to_what_is_permitted() {
        let log = MemoryLog::with_capacity(4);
        assert!(log.append(draft("1")).is_ok());
        assert!(log.append(draft("2")).is_ok());
        let flooded = log.append(draft("3")).map(drop).map_err(|e| e.reason());
        assert_eq!(flooded, Err("audit.full"));
        assert!(log.append(permitted()).is_ok());
        assert!(log.append(permitted()).is_ok());
        assert!(log.append(permitted()).is_err());
    }
}

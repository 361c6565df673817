//! The audit log of the demonstration: a file that can be verified, and the records to show.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use countersign::audit::{AuditError, AuditLog, Draft, JsonLinesLog, Record};

use crate::agents::Failure;

/// Writes to a file and remembers what it wrote.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: JsonLinesLog<File>,
    kept: Mutex<Vec<Record>>,
}

impl Ledger {
    /// A new log at `path`, in place of an older one.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            file: JsonLinesLog::new(File::create(path)?),
            kept: Mutex::default(),
        })
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many records there are now, to look for what comes after.
    pub(crate) fn mark(&self) -> usize {
        self.records().len()
    }

    /// The reason of the first refusal since `mark`, and who recorded it.
    pub(crate) fn refusal_since(&self, mark: usize) -> Option<(String, String)> {
        let records = self.records();
        let refused = records.get(mark..)?.iter().find(|r| r.is_refusal())?;
        let service = refused.service.short_name().to_owned();
        Some((refused.reason.clone()?.to_string(), service))
    }
}

impl AuditLog for Ledger {
    fn append(&self, draft: Draft) -> Result<Record, AuditError> {
        let record = self.file.append(draft)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(record.clone());
        Ok(record)
    }
}

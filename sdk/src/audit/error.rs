//! Why a record was not stored, or a log not believed.

use std::io;

use super::RecordHash;

/// Why a record was not stored. The action it was for must then not happen.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The record could not be written.
    #[error("the audit record could not be written: {0}")]
    Write(#[source] io::Error),
    /// An earlier record could not be written whole, so that nothing may follow it.
    #[error("the audit log stopped after a record that could not be written")]
    Stopped,
    /// The record has no JSON form.
    #[error("the audit record cannot be put into JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// The log holds as many records as it may.
    #[error("the audit log is full with {records} records")]
    Full {
        /// How many it holds.
        records: usize,
    },
    /// Another process writes to the same file.
    #[error("the audit log is in use by another process")]
    InUse,
    /// The log to be continued is broken.
    #[error("the audit log cannot be continued: {0}")]
    Broken(#[source] ChainBroken),
}

impl AuditError {
    /// The fixed word for the operator's log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Write(_) => "audit.write",
            Self::Stopped => "audit.stopped",
            Self::Encode(_) => "audit.encode",
            Self::Full { .. } => "audit.full",
            Self::InUse => "audit.in_use",
            Self::Broken(broken) => broken.reason(),
        }
    }
}

/// What is wrong with a log, and at which line, counted from 1.
#[derive(Debug, thiserror::Error)]
pub enum ChainBroken {
    /// The log could not be read.
    #[error("line {line} cannot be read: {error}")]
    Read {
        /// Where.
        line: u64,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The last line is not whole.
    #[error("line {line} is truncated")]
    Truncated {
        /// Which.
        line: u64,
    },
    /// The line is not what was written: its hash is that of something else, or it is no record.
    #[error("line {line} was changed")]
    Changed {
        /// Which.
        line: u64,
    },
    /// The line is a record of its own making, but follows another one than the line before.
    #[error("line {line} was replaced, or the line before it: it follows the record {follows}")]
    Replaced {
        /// Which.
        line: u64,
        /// The record it says it follows.
        follows: RecordHash,
    },
    /// Records are missing before this line.
    #[error("before line {line} the records {first} to {last} were dropped")]
    Dropped {
        /// Before which.
        line: u64,
        /// The number of the first one that is missing.
        first: u64,
        /// The number of the last one that is missing.
        last: u64,
    },
    /// The record belongs elsewhere.
    #[error("line {line} was reordered: it is record {found}, record {expected} belongs there")]
    Reordered {
        /// Which.
        line: u64,
        /// The number of the record that belongs there.
        expected: u64,
        /// The number of the record that stands there.
        found: u64,
    },
    /// The log ends before a record that is known to have been written.
    #[error("the log ends after line {line}, but {records} records were written")]
    Cut {
        /// Its last line.
        line: u64,
        /// How many there were.
        records: u64,
    },
    /// The record of that number is not the one that is known to have been written.
    #[error("line {line} has the hash {found}, the record written there had {written}")]
    Rewritten {
        /// Which.
        line: u64,
        /// The hash of what stands there.
        found: RecordHash,
        /// The hash of what was written.
        written: RecordHash,
    },
}

impl ChainBroken {
    /// The fixed word for the operator's log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Read { .. } => "audit.read",
            Self::Truncated { .. } => "audit.truncated",
            Self::Changed { .. } => "audit.changed",
            Self::Replaced { .. } => "audit.replaced",
            Self::Dropped { .. } => "audit.dropped",
            Self::Reordered { .. } => "audit.reordered",
            Self::Cut { .. } => "audit.cut",
            Self::Rewritten { .. } => "audit.rewritten",
        }
    }

    /// The line, counted from 1.
    pub const fn line(&self) -> u64 {
        match self {
            Self::Read { line, .. }
            | Self::Truncated { line }
            | Self::Changed { line }
            | Self::Replaced { line, .. }
            | Self::Dropped { line, .. }
            | Self::Reordered { line, .. }
            | Self::Cut { line, .. }
            | Self::Rewritten { line, .. } => *line,
        }
    }
}

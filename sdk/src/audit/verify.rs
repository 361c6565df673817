//! Reading a log back and following its chain.

use std::io::BufRead;

use super::draft::{HASH_CLOSE, HASH_OPEN};
use super::{ChainBroken, Decision, Head, Record, RecordHash};
use crate::jose::{JsonLimits, parse_typed};

/// The longest line that can be a record, in bytes. What is recorded of strangers is bounded, so no
/// record comes near.
pub(super) const MAX_LINE: usize = 64 << 10;

/// What a log holds whose chain is whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// How many records permit.
    pub permitted: u64,
    /// How many records refuse.
    pub refused: u64,
    /// Where the chain ends; its number is how many records there are.
    pub head: Head,
}

/// Checks that a log of JSON lines is the one that was written: every record unchanged, none missing
/// between the first and the last, all in order.
///
/// Whether records are missing after the last one, or whether the whole log was written anew, only
/// [`verify_to`] can tell, with a [`Head`] that was kept elsewhere.
///
/// ```
/// use countersign::audit::verify;
/// let broken = verify("{\"seq\":1}\n".as_bytes()).unwrap_err();
/// assert_eq!((broken.line(), broken.reason()), (1, "audit.changed"));
/// ```
///
/// # Errors
/// [`ChainBroken`] with the first line that is wrong.
pub fn verify(reader: impl BufRead) -> Result<Summary, ChainBroken> {
    follow(reader, None)
}

/// As [`verify`], and also that the record `known` is in the log.
///
/// # Errors
/// As there; [`ChainBroken::Cut`] when the log ends before `known`, [`ChainBroken::Rewritten`] when
/// another record stands in its place.
pub fn verify_to(reader: impl BufRead, known: &Head) -> Result<Summary, ChainBroken> {
    let summary = follow(reader, Some(known))?;
    if summary.head.seq < known.seq {
        return Err(ChainBroken::Cut {
            line: summary.head.seq,
            records: known.seq,
        });
    }
    Ok(summary)
}

fn follow(mut reader: impl BufRead, known: Option<&Head>) -> Result<Summary, ChainBroken> {
    let mut summary = Summary::default();
    let mut buffer = Vec::new();
    loop {
        let line = summary.head.seq + 1;
        if !read_line(&mut reader, &mut buffer, line)? {
            return Ok(summary);
        }
        let record = read_record(&buffer).ok_or(ChainBroken::Changed { line })?;
        if record.seq != line {
            return Err(misplaced(reader, &record, line));
        }
        if record.prev != summary.head.hash {
            return Err(ChainBroken::Replaced {
                line,
                follows: record.prev,
            });
        }
        if let Some(known) = known.filter(|known| known.seq == line && known.hash != record.hash) {
            return Err(ChainBroken::Rewritten {
                line,
                found: record.hash,
                written: known.hash,
            });
        }
        match record.decision {
            Decision::Permitted => summary.permitted += 1,
            Decision::Refused => summary.refused += 1,
        }
        summary.head = record.head();
    }
}

/// Reads one line without its line feed; `false` at the end.
fn read_line(
    reader: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    line: u64,
) -> Result<bool, ChainBroken> {
    buffer.clear();
    // One byte more than a line and its line feed may have, so that a longer one is seen.
    let mut bounded = std::io::Read::take(reader, MAX_LINE as u64 + 2);
    bounded
        .read_until(b'\n', buffer)
        .map_err(|error| ChainBroken::Read { line, error })?;
    if buffer.is_empty() {
        return Ok(false);
    }
    if buffer.pop_if(|last| *last == b'\n').is_none() {
        return Err(if buffer.len() > MAX_LINE {
            ChainBroken::Changed { line }
        } else {
            ChainBroken::Truncated { line }
        });
    }
    Ok(true)
}

/// The record of a line whose hash is that of the line.
pub(super) fn read_record(line: &[u8]) -> Option<Record> {
    if line.len() > MAX_LINE {
        return None;
    }
    let digits_end = line.len().checked_sub(HASH_CLOSE.len())?;
    let members_end = digits_end.checked_sub(RecordHash::DIGITS + HASH_OPEN.len())?;
    if !line[members_end..].starts_with(HASH_OPEN) || !line.ends_with(HASH_CLOSE) {
        return None;
    }
    let mut canonical = line[..members_end].to_vec();
    canonical.push(b'}');
    let hash = RecordHash::of(&canonical);
    if line[digits_end - RecordHash::DIGITS..digits_end] != hash.digits() {
        return None;
    }
    let limits = JsonLimits {
        bytes: MAX_LINE,
        ..JsonLimits::default()
    };
    parse_typed(line, limits).ok()
}

/// Says what happened to a whole record that stands at the wrong line.
fn misplaced(mut reader: impl BufRead, record: &Record, line: u64) -> ChainBroken {
    let reordered = ChainBroken::Reordered {
        line,
        expected: line,
        found: record.seq,
    };
    if record.seq < line {
        return reordered;
    }
    let mut buffer = Vec::new();
    let mut at = line + 1;
    while read_line(&mut reader, &mut buffer, at).unwrap_or(false) {
        if read_record(&buffer).is_some_and(|later| later.seq == line) {
            return reordered;
        }
        at += 1;
    }
    ChainBroken::Dropped {
        line,
        first: line,
        last: record.seq - 1,
    }
}

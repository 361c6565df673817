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

#[cfg(test)]
mod tests {
    use super::super::testing::{draft, lines};
    use super::*;

    fn outcome(lines: &[String]) -> Result<u64, (u64, &'static str)> {
        let whole = lines.concat();
        let summary = verify(whole.as_bytes());
        summary
            .map(|summary| summary.head.seq)
            .map_err(|broken| (broken.line(), broken.reason()))
    }

    /// A log that was changed in one way.
    fn changed(change: impl FnOnce(&mut Vec<String>)) -> Result<u64, (u64, &'static str)> {
        let mut lines = lines(6);
        change(&mut lines);
        outcome(&lines)
    }

    #[test]
    fn a_whole_log_is_summed_up() {
        assert_eq!(outcome(&[]), Ok(0));
        let lines = lines(6);
        let summary = verify(lines.concat().as_bytes()).expect("whole");
        assert_eq!((summary.permitted, summary.refused), (0, 6));
        assert_eq!(summary.head.seq, 6);
        assert!(lines[5].contains(&summary.head.hash.to_string()));
    }

    #[test]
    fn the_line_that_is_wrong_is_named_and_how() {
        let edit = |from: &'static str, to: &'static str| {
            move |lines: &mut Vec<String>| {
                let text = lines[2].replacen(from, to, 1);
                assert_ne!(text, lines[2], "{from}");
                lines[2] = text;
            }
        };
        assert_eq!(
            changed(edit("record 3", "record 4")),
            Err((3, "audit.changed"))
        );
        assert_eq!(
            changed(edit("refused", "permitted")),
            Err((3, "audit.changed"))
        );
        assert_eq!(changed(edit(":", ": ")), Err((3, "audit.changed")));
        assert_eq!(changed(edit("\"}\n", "\" }\n")), Err((3, "audit.changed")));
        assert_eq!(changed(edit("\"}\n", "\"}\r\n")), Err((3, "audit.changed")));
        assert_eq!(
            changed(edit("\"hash\"", "\"Hash\"")),
            Err((3, "audit.changed"))
        );
        assert_eq!(
            changed(|lines| lines[2] = "\n".into()),
            Err((3, "audit.changed"))
        );
        assert_eq!(
            changed(|lines| lines[0] = "x\n".into()),
            Err((1, "audit.changed"))
        );

        assert_eq!(
            changed(|lines| drop(lines.remove(2))),
            Err((3, "audit.dropped"))
        );
        assert_eq!(
            changed(|lines| drop(lines.remove(0))),
            Err((1, "audit.dropped"))
        );
        assert_eq!(
            changed(|lines| drop(lines.drain(1..4))),
            Err((2, "audit.dropped"))
        );

        assert_eq!(
            changed(|lines| lines.swap(2, 3)),
            Err((3, "audit.reordered"))
        );
        assert_eq!(
            changed(|lines| lines.swap(0, 5)),
            Err((1, "audit.reordered"))
        );
        let twice = changed(|lines| lines.insert(2, lines[1].clone()));
        assert_eq!(twice, Err((3, "audit.reordered")));

        let cut = |by: usize| {
            changed(move |lines| {
                let last = &mut lines[5];
                last.truncate(last.len() - by);
            })
        };
        assert_eq!(cut(1), Err((6, "audit.truncated")));
        assert_eq!(cut(100), Err((6, "audit.truncated")));
    }

    #[test]
    fn what_was_dropped_is_said() {
        let mut lines = lines(6);
        lines.drain(1..4);
        let broken = verify(lines.concat().as_bytes()).expect_err("broken");
        assert_eq!(
            broken.to_string(),
            "before line 2 the records 2 to 4 were dropped"
        );
    }

    #[test]
    fn a_record_written_anew_no_longer_links() {
        let mut lines = lines(3);
        let first = verify(lines[0].as_bytes()).expect("whole").head;
        // Somebody writes record 2 anew, with a right hash and a right link.
        let (_, forged) = draft("forged").seal(&first).expect("sealed");
        lines[1] = String::from_utf8(forged).expect("UTF-8");
        assert_eq!(outcome(&lines), Err((3, "audit.replaced")));
    }

    #[test]
    fn a_head_kept_elsewhere_shows_what_was_cut_or_written_anew() {
        let lines = lines(4);
        let head_of = |n: usize| verify(lines[..n].concat().as_bytes()).expect("whole").head;
        let check = |lines: &[String], known: &Head| {
            let summary = verify_to(lines.concat().as_bytes(), known);
            summary
                .map(|summary| summary.head.seq)
                .map_err(|broken| (broken.line(), broken.reason()))
        };
        assert_eq!(check(&lines, &head_of(4)), Ok(4));
        assert_eq!(check(&lines, &head_of(2)), Ok(4));
        assert_eq!(check(&lines, &Head::default()), Ok(4));
        assert_eq!(check(&lines[..3], &head_of(4)), Err((3, "audit.cut")));
        assert_eq!(check(&[], &head_of(1)), Err((0, "audit.cut")));
        let anew = super::super::testing::lines(4);
        assert_eq!(check(&anew, &head_of(2)), Err((2, "audit.rewritten")));
    }

    #[test]
    fn a_line_ends_exactly_at_its_limit() {
        // Not a record whatever its length: only how it is refused tells the lengths apart.
        let reason = |len: usize, end: &str| {
            let text = format!("{}{end}", "x".repeat(len));
            verify(text.as_bytes()).expect_err("no record").reason()
        };
        assert_eq!(reason(MAX_LINE, ""), "audit.truncated");
        assert_eq!(reason(MAX_LINE + 1, ""), "audit.changed");
        let (_, line) = draft("x").seal(&Head::default()).expect("sealed");
        let padded = |len: usize| {
            let mut text = line[..line.len() - 1].to_vec();
            text.resize(len, b' ');
            read_record(&text).is_some()
        };
        assert!(padded(line.len() - 1));
        assert!(!padded(line.len()));
    }
}

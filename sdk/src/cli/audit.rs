//! `countersign audit`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::json;

use super::outcome::{Outcome, Stop};
use crate::audit::{self, ChainBroken, Head, Record, Summary};

/// No record comes near this many bytes.
const MAX_LINE: u64 = 64 << 10;
const COPY: &str = "keep this file as evidence, and compare it with a copy; from the named line on it proves nothing";

fn open(file: &Path) -> Result<BufReader<File>, Stop> {
    let wrong = |what: &dyn std::fmt::Display| {
        let what = format!("{}: {what}", file.display());
        Stop::failed("cli.file", what, "give the path of an audit log")
    };
    let opened = File::open(file).map_err(|e| wrong(&e))?;
    let about = opened.metadata().map_err(|e| wrong(&e))?;
    if about.is_dir() {
        return Err(wrong(&"is a directory"));
    }
    Ok(BufReader::new(opened))
}

fn broken(error: &ChainBroken) -> Stop {
    let stop = match error {
        ChainBroken::Read { .. } => Stop::failed(error.reason(), error, "read the file again"),
        _ => Stop::refused(error.reason(), error, COPY),
    };
    stop.with("line", error.line())
}

/// Prints every record, and whether it can be believed: a log whose chain is broken is shown up to
/// there.
pub(super) fn show(file: &Path) -> Result<Outcome, Stop> {
    let whole = audit::verify(open(file)?);
    let until = match &whole {
        Ok(summary) => summary.head.seq,
        Err(error) => error.line().saturating_sub(1),
    };
    let mut reader = open(file)?;
    let (mut text, mut records, mut line) = (String::new(), Vec::new(), Vec::new());
    for at in 1..=until {
        line.clear();
        let read = reader
            .by_ref()
            .take(MAX_LINE + 2)
            .read_until(b'\n', &mut line);
        read.map_err(|error| broken(&ChainBroken::Read { line: at, error }))?;
        let record: Record = serde_json::from_slice(&line)
            .map_err(|_| broken(&ChainBroken::Changed { line: at }))?;
        text += &format!("{}  {record}\n", record.time);
        records.push(record);
    }
    match whole {
        Ok(_) => Ok(Outcome::good(
            text,
            json!({ "ok": true, "records": records }),
        )),
        Err(error) => {
            let stop = broken(&error);
            let value = json!({
                "ok": false, "reason": stop.reason, "error": stop.what, "advice": stop.advice,
                "line": error.line(), "records": records,
            });
            let text = format!("{text}✗ {}\n  what to do: {}", stop.what, stop.advice);
            Ok(Outcome::bad(text, value))
        }
    }
}

/// Follows the chain; `known` is an end that an earlier look gave, kept elsewhere.
pub(super) fn verify(file: &Path, known: Option<&str>) -> Result<Outcome, Stop> {
    let known = known.map(head).transpose()?;
    let reader = open(file)?;
    let found = match &known {
        None => audit::verify(reader),
        Some(known) => audit::verify_to(reader, known),
    };
    let summary = found.map_err(|error| broken(&error))?;
    Ok(Outcome::good(
        sentence(&summary, known.is_some()),
        json!({
            "ok": true, "records": summary.head.seq, "permitted": summary.permitted,
            "refused": summary.refused, "last_hash": summary.head.hash.to_string(),
            "end_known": known.is_some(),
        }),
    ))
}

fn sentence(summary: &Summary, end_known: bool) -> String {
    let head = summary.head;
    let end = if end_known {
        "none cut off before the known end".to_owned()
    } else {
        format!(
            "to see later that none was cut off the end, keep elsewhere: --known {}:{}",
            head.seq, head.hash
        )
    };
    format!(
        "✓ {} records ({} permitted, {} refused), none changed, dropped or moved\n  {end}",
        head.seq, summary.permitted, summary.refused
    )
}

fn head(text: &str) -> Result<Head, Stop> {
    let parts = text.split_once(':');
    let parsed = parts.and_then(|(seq, hash)| {
        Some(Head {
            seq: seq.parse().ok()?,
            hash: hash.parse().ok()?,
        })
    });
    parsed.ok_or_else(|| {
        Stop::usage(
            "--known is not RECORDS:HASH",
            "give what an earlier `countersign audit verify` printed",
        )
    })
}

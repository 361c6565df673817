//! `countersign audit`.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::json;

use super::outcome::{Outcome, Stop};
use crate::audit::{self, Record};

fn open(file: &Path) -> Result<BufReader<File>, Stop> {
    let opened = File::open(file);
    let opened = opened.map_err(|e| {
        Stop::failed(
            format!("{}: {e}", file.display()),
            "give the path of an audit log",
        )
    })?;
    Ok(BufReader::new(opened))
}

pub(super) fn show(file: &Path) -> Result<Outcome, Stop> {
    let (mut text, mut records) = (String::new(), Vec::new());
    for (at, line) in open(file)?.lines().enumerate() {
        let line = line.map_err(|e| Stop::failed(e, "the log is not readable text"))?;
        let record: Record = serde_json::from_str(&line).map_err(|e| Stop::Refused {
            reason: "audit.line",
            what: format!("line {} is no record: {e}", at + 1),
        })?;
        text += &format!("{}  {record}\n", record.time);
        records.push(record);
    }
    Ok(Outcome::good(
        text,
        json!({ "ok": true, "records": records }),
    ))
}

pub(super) fn verify(file: &Path) -> Result<Outcome, Stop> {
    match audit::verify(open(file)?) {
        Ok(summary) => {
            let head = summary.head;
            let text = format!(
                "✓ {} records ({} permitted, {} refused), none changed, dropped or moved\n  last hash {}",
                head.seq, summary.permitted, summary.refused, head.hash
            );
            let value = json!({
                "ok": true, "records": head.seq, "permitted": summary.permitted,
                "refused": summary.refused, "last_hash": head.hash.to_string(),
            });
            Ok(Outcome::good(text, value))
        }
        Err(broken) => {
            let text = format!("✗ {broken}");
            let value = json!({
                "ok": false, "reason": broken.reason(), "line": broken.line(), "error": broken.to_string(),
            });
            Ok(Outcome::bad(text, value))
        }
    }
}

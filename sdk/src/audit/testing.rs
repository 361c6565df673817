//! Logs and contexts for the unit tests of this room.

use super::{AuditLog, Context, Decision, Draft, JsonLinesLog, TraceId};
use crate::token::testing::{NOW, PAYMENTS};

pub(super) fn context() -> Context {
    let service = PAYMENTS.parse().expect("a SPIFFE ID");
    Context::new(service, NOW, TraceId::fresh())
}

pub(super) fn draft(detail: &str) -> Draft {
    Draft::new(context(), "test", Decision::Refused).detail(detail)
}

/// The lines of a log of `n` records, each with its line feed.
pub(super) fn lines(n: usize) -> Vec<String> {
    let mut written = Vec::new();
    let log = JsonLinesLog::new(&mut written);
    for at in 1..=n {
        log.append(draft(&format!("record {at}"))).expect("stored");
    }
    drop(log);
    let text = String::from_utf8(written).expect("UTF-8");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

//! Logs and contexts for the unit tests of this room.

use super::{Context, Decision, Draft, Head, TraceId};
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
    let mut head = Head::default();
    let seal = |at| {
        let (record, line) = draft(&format!("record {at}")).seal(&head).expect("sealed");
        head = record.head();
        String::from_utf8(line).expect("UTF-8")
    };
    (1..=n).map(seal).collect()
}

//! The promises of an [`AuditLog`], as a test every implementation can run.

use std::sync::Arc;

use super::{AuditLog, Context, Decision, Draft, Head, Record, TraceId};
use crate::clock::UnixTime;

/// How many threads write at once, and how many records each of them writes.
const THREADS: u64 = 4;
const EACH: u64 = 25;

/// Checks that a new log keeps the promises of [`AuditLog`].
///
/// ```
/// use countersign::audit::{MemoryLog, conformance};
/// conformance::check(|| Box::new(MemoryLog::default()));
/// ```
///
/// # Panics
/// With the promise that was broken.
pub fn check(make: impl Fn() -> Box<dyn AuditLog>) {
    records_hold_what_was_given(&*make());
    records_make_one_chain(&*make());
    threads_make_one_chain(&Arc::from(make()));
}

fn draft(detail: &str) -> Draft {
    let Ok(service) = "spiffe://conformance.test/service".parse() else {
        panic!("the name of the service is a SPIFFE ID");
    };
    let context = Context::new(service, UnixTime::from_secs(1), TraceId::fresh());
    Draft::new(context, "conformance", Decision::Refused).detail(detail)
}

fn append(log: &dyn AuditLog, draft: Draft) -> Record {
    match log.append(draft) {
        Ok(record) => record,
        Err(error) => panic!("the log does not take a record: {error}"),
    }
}

fn follows(record: &Record, head: &Head) {
    assert_eq!(record.seq, head.seq + 1, "numbers grow by one from 1");
    assert_eq!(
        record.prev, head.hash,
        "a record links to the one before it"
    );
}

fn records_hold_what_was_given(log: &dyn AuditLog) {
    let given = draft("what was given");
    let expected = given.clone().seal(&Head::default());
    let record = append(log, given);
    assert_eq!(
        Some(record),
        expected.ok().map(|(record, _)| record),
        "a record is the draft, sealed"
    );
}

fn records_make_one_chain(log: &dyn AuditLog) {
    let mut head = Head::default();
    for at in 0..EACH {
        let record = append(log, draft(&at.to_string()));
        follows(&record, &head);
        head = record.head();
    }
}

fn threads_make_one_chain(log: &Arc<dyn AuditLog>) {
    let writers = (0..THREADS).map(|writer| {
        let log = Arc::clone(log);
        std::thread::spawn(move || {
            let one = |at| append(&*log, draft(&format!("{writer}.{at}")));
            (0..EACH).map(one).collect::<Vec<_>>()
        })
    });
    // All threads are started before the first is waited for.
    let writers: Vec<_> = writers.collect();
    let mut records: Vec<Record> = Vec::new();
    for writer in writers {
        let Ok(written) = writer.join() else {
            panic!("a writer could not append");
        };
        let numbers: Vec<_> = written.iter().map(|record| record.seq).collect();
        assert!(numbers.is_sorted(), "one writer's records keep their order");
        records.extend(written);
    }
    records.sort_by_key(|record| record.seq);
    assert_eq!(records.len() as u64, THREADS * EACH, "no record is lost");
    let mut head = Head::default();
    for record in &records {
        follows(record, &head);
        head = record.head();
    }
}

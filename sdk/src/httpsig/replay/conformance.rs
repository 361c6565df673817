//! What a [`ReplayStore`] promises, as tests that every implementation runs.
//!
//! ```
//! use countersign::httpsig::{MemoryReplayStore, replay::conformance};
//! conformance::check(|| Box::new(MemoryReplayStore::default()));
//! conformance::check_bounded(|entries| Box::new(MemoryReplayStore::with_entries(entries)));
//! ```

use std::sync::Barrier;
use std::thread;

use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;
use crate::httpsig::{ReplayError, ReplayStore};

const KEY: KeyThumbprint = KeyThumbprint::from_bytes([1; 32]);
const OTHER: KeyThumbprint = KeyThumbprint::from_bytes([2; 32]);

/// The time at which the tests begin.
const START: u64 = 1_735_689_600;

const fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

fn record(
    store: &dyn ReplayStore,
    key: KeyThumbprint,
    nonce: &str,
    until: u64,
    now: u64,
) -> Result<(), &'static str> {
    let answer = store.check_and_record(key, nonce, at(until), at(now));
    answer.map_err(|e: ReplayError| e.reason())
}

/// Runs the tests that hold for every store; `make` gives a new, empty one that holds a hundred
/// nonces at least.
///
/// # Panics
/// When a promise is broken, naming it.
pub fn check(make: impl Fn() -> Box<dyn ReplayStore>) {
    a_nonce_is_taken_once(&*make());
    it_is_remembered_to_its_last_second(&*make());
    of_many_at_once_one_wins(&*make());
}

/// Runs the tests of stores that hold a fixed number of nonces; `make` gives a new, empty one for
/// as many as it is told.
///
/// # Panics
/// When a promise is broken, naming it.
pub fn check_bounded(make: impl Fn(usize) -> Box<dyn ReplayStore>) {
    for entries in [0, 1, 2, 17, 100] {
        it_refuses_when_full(&*make(entries), entries);
    }
    expired_nonces_make_room(&*make(3));
}

fn a_nonce_is_taken_once(store: &dyn ReplayStore) {
    assert_eq!(record(store, KEY, "a", 60, 0), Ok(()), "a new nonce");
    assert_eq!(record(store, KEY, "a", 60, 0), Err("replay.seen"), "again");
    let later = record(store, KEY, "a", 120, 1);
    assert_eq!(later, Err("replay.seen"), "again with a later end");
    assert_eq!(record(store, KEY, "A", 60, 0), Ok(()), "in upper case");
    assert_eq!(record(store, KEY, "a ", 60, 0), Ok(()), "with a space");
    assert_eq!(record(store, KEY, "", 60, 0), Ok(()), "the empty one");
    assert_eq!(record(store, OTHER, "a", 60, 0), Ok(()), "of another key");
    assert_eq!(
        record(store, OTHER, "a", 60, 0),
        Err("replay.seen"),
        "again"
    );
}

fn it_is_remembered_to_its_last_second(store: &dyn ReplayStore) {
    assert_eq!(record(store, KEY, "a", 60, 0), Ok(()), "a new nonce");
    assert_eq!(
        record(store, KEY, "b", 59, 60),
        Err("replay.late"),
        "expired"
    );
    assert_eq!(
        record(store, KEY, "c", 60, 60),
        Ok(()),
        "in its last second"
    );
    let last = record(store, KEY, "a", 60, 60);
    assert_eq!(last, Err("replay.seen"), "again in its last second");
    let after = record(store, KEY, "a", 60, 61);
    assert_eq!(after, Err("replay.late"), "a second after its end");
    let anew = record(store, KEY, "a", 121, 61);
    assert_eq!(anew, Ok(()), "anew, after the first was forgotten");
}

fn of_many_at_once_one_wins(store: &dyn ReplayStore) {
    const THREADS: usize = 8;
    for round in 0..12 {
        let nonce = format!("nonce {round}");
        let start = Barrier::new(THREADS);
        let won = thread::scope(|scope| {
            let attempt = || {
                start.wait();
                record(store, KEY, &nonce, 60, 0).is_ok()
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(attempt)).collect();
            let outcomes = threads.into_iter().map(|t| t.join().unwrap_or(false));
            outcomes.filter(|won| *won).count()
        });
        assert_eq!(
            won, 1,
            "of {THREADS} that use one nonce at once, one is let in"
        );
    }
}

fn it_refuses_when_full(store: &dyn ReplayStore, entries: usize) {
    for index in 0..entries {
        let taken = record(store, KEY, &format!("nonce {index}"), 60, 0);
        assert_eq!(taken, Ok(()), "nonce {} of {entries}", index + 1);
    }
    let over = record(store, KEY, "one more", 60, 0);
    assert_eq!(over, Err("replay.full"), "one more than {entries}");
    for index in 0..entries {
        let kept = record(store, KEY, &format!("nonce {index}"), 60, 0);
        assert_eq!(kept, Err("replay.seen"), "nothing was forgotten for it");
    }
}

fn expired_nonces_make_room(store: &dyn ReplayStore) {
    for (nonce, until) in [("a", 10), ("b", 20), ("c", 30)] {
        assert_eq!(record(store, KEY, nonce, until, 0), Ok(()), "{nonce}");
    }
    let early = record(store, KEY, "d", 60, 10);
    assert_eq!(early, Err("replay.full"), "none has expired");
    assert_eq!(record(store, KEY, "d", 60, 11), Ok(()), "one has expired");
    let second = record(store, KEY, "e", 60, 11);
    assert_eq!(second, Err("replay.full"), "one, not two");
    assert_eq!(record(store, KEY, "b", 60, 11), Err("replay.seen"), "kept");
    assert_eq!(record(store, KEY, "e", 60, 31), Ok(()), "two have expired");
    assert_eq!(record(store, KEY, "f", 60, 31), Ok(()), "two have expired");
    assert_eq!(
        record(store, KEY, "g", 60, 31),
        Err("replay.full"),
        "not more"
    );
}

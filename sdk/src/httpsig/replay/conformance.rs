//! What a [`ReplayStore`] promises, as tests that every implementation runs.
//!
//! ```
//! use countersign::httpsig::MemoryReplayStore;
//! use countersign::httpsig::replay::conformance::{check, check_bounded, wait};
//!
//! check(|| Box::new(MemoryReplayStore::default()), |answer| wait(answer));
//! let bounded = |entries| Box::new(MemoryReplayStore::with_entries(entries)) as _;
//! check_bounded(bounded, |answer| wait(answer));
//! ```
//!
//! A store that needs a runtime is waited for on it, from several threads at once: with tokio, pass
//! `|answer| handle.block_on(answer)`.

use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;
use crate::httpsig::{Recording, ReplayError, ReplayStore};

const KEY: KeyThumbprint = KeyThumbprint::from_bytes([1; 32]);
const OTHER: KeyThumbprint = KeyThumbprint::from_bytes([2; 32]);

/// The time at which the tests begin.
const START: u64 = 1_735_689_600;

const fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(START + secs)
}

/// Waits for `future` on this thread, without a runtime.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A store, and how it is waited for.
struct Asked<'a> {
    store: &'a dyn ReplayStore,
    wait: &'a (dyn Fn(Recording<'_>) -> Result<(), ReplayError> + Sync),
}

impl Asked<'_> {
    fn record(
        &self,
        key: KeyThumbprint,
        nonce: &str,
        until: u64,
        now: u64,
    ) -> Result<(), &'static str> {
        let answer = self.store.check_and_record(key, nonce, at(until), at(now));
        (self.wait)(answer).map_err(|e| e.reason())
    }
}

/// Runs the tests that hold for every store; `make` gives a new, empty one that holds a hundred
/// nonces at least, and `wait` waits for its answers.
///
/// # Panics
/// When a promise is broken, naming it.
pub fn check(
    make: impl Fn() -> Box<dyn ReplayStore>,
    wait: impl Fn(Recording<'_>) -> Result<(), ReplayError> + Sync,
) {
    let tests = [
        a_nonce_is_taken_once,
        it_is_remembered_to_its_last_second,
        what_is_not_awaited_lets_nobody_in_twice,
        of_many_at_once_one_wins,
    ];
    for test in tests {
        let store = make();
        test(&Asked {
            store: &*store,
            wait: &wait,
        });
    }
}

/// Runs the tests of stores that hold a fixed number of nonces; `make` gives a new, empty one for
/// as many as it is told, and `wait` waits for its answers.
///
/// # Panics
/// When a promise is broken, naming it.
pub fn check_bounded(
    make: impl Fn(usize) -> Box<dyn ReplayStore>,
    wait: impl Fn(Recording<'_>) -> Result<(), ReplayError> + Sync,
) {
    let with = |entries, test: &dyn Fn(&Asked<'_>)| {
        let store = make(entries);
        test(&Asked {
            store: &*store,
            wait: &wait,
        });
    };
    for entries in [0, 1, 2, 17, 100] {
        with(entries, &|asked| it_refuses_when_full(asked, entries));
    }
    with(3, &expired_nonces_make_room);
    with(1, &an_expired_nonce_is_forgotten);
}

fn a_nonce_is_taken_once(asked: &Asked<'_>) {
    assert_eq!(asked.record(KEY, "a", 60, 0), Ok(()), "a new nonce");
    assert_eq!(asked.record(KEY, "a", 60, 0), Err("replay.seen"), "again");
    let later = asked.record(KEY, "a", 120, 1);
    assert_eq!(later, Err("replay.seen"), "again with a later end");
    assert_eq!(asked.record(KEY, "A", 60, 0), Ok(()), "in upper case");
    assert_eq!(asked.record(KEY, "a ", 60, 0), Ok(()), "with a space");
    assert_eq!(asked.record(KEY, "", 60, 0), Ok(()), "the empty one");
    assert_eq!(asked.record(OTHER, "a", 60, 0), Ok(()), "of another key");
    assert_eq!(asked.record(OTHER, "a", 60, 0), Err("replay.seen"), "again");
}

fn it_is_remembered_to_its_last_second(asked: &Asked<'_>) {
    assert_eq!(asked.record(KEY, "a", 60, 0), Ok(()), "a new nonce");
    assert_eq!(
        asked.record(KEY, "b", 59, 60),
        Err("replay.late"),
        "expired"
    );
    assert_eq!(asked.record(KEY, "c", 60, 60), Ok(()), "in its last second");
    let last = asked.record(KEY, "a", 60, 60);
    assert_eq!(last, Err("replay.seen"), "again in its last second");
    let after = asked.record(KEY, "a", 60, 61);
    assert_eq!(after, Err("replay.late"), "a second after its end");
}

fn what_is_not_awaited_lets_nobody_in_twice(asked: &Asked<'_>) {
    drop(asked.store.check_and_record(KEY, "a", at(60), at(0)));
    let let_in = (0..3).filter(|_| asked.record(KEY, "a", 60, 0).is_ok());
    assert!(let_in.count() <= 1, "after an answer nobody waited for");
}

fn of_many_at_once_one_wins(asked: &Asked<'_>) {
    const THREADS: usize = 8;
    for round in 0..12 {
        let nonce = format!("nonce {round}");
        let start = Barrier::new(THREADS);
        let won = thread::scope(|scope| {
            let attempt = || {
                start.wait();
                asked.record(KEY, &nonce, 60, 0).is_ok()
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

fn it_refuses_when_full(asked: &Asked<'_>, entries: usize) {
    for index in 0..entries {
        let taken = asked.record(KEY, &format!("nonce {index}"), 60, 0);
        assert_eq!(taken, Ok(()), "nonce {} of {entries}", index + 1);
    }
    let over = asked.record(KEY, "one more", 60, 0);
    assert_eq!(over, Err("replay.full"), "one more than {entries}");
    for index in 0..entries {
        let kept = asked.record(KEY, &format!("nonce {index}"), 60, 0);
        assert_eq!(kept, Err("replay.seen"), "nothing was forgotten for it");
    }
}

fn expired_nonces_make_room(asked: &Asked<'_>) {
    for (nonce, until) in [("a", 10), ("b", 20), ("c", 30)] {
        assert_eq!(asked.record(KEY, nonce, until, 0), Ok(()), "{nonce}");
    }
    let early = asked.record(KEY, "d", 60, 10);
    assert_eq!(early, Err("replay.full"), "none has expired");
    assert_eq!(asked.record(KEY, "d", 60, 11), Ok(()), "one has expired");
    let second = asked.record(KEY, "e", 60, 11);
    assert_eq!(second, Err("replay.full"), "one, not two");
    assert_eq!(asked.record(KEY, "b", 60, 11), Err("replay.seen"), "kept");
    assert_eq!(asked.record(KEY, "e", 60, 31), Ok(()), "two have expired");
    assert_eq!(asked.record(KEY, "f", 60, 31), Ok(()), "two have expired");
    assert_eq!(
        asked.record(KEY, "g", 60, 31),
        Err("replay.full"),
        "not more"
    );
}

fn an_expired_nonce_is_forgotten(asked: &Asked<'_>) {
    assert_eq!(asked.record(KEY, "a", 60, 0), Ok(()), "a new nonce");
    let anew = asked.record(KEY, "a", 121, 61);
    assert_eq!(anew, Ok(()), "anew, after the first was forgotten");
}

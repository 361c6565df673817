//! Nonces in memory, in a bounded number.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::UnixTime;
use crate::crypto::{KeyThumbprint, random, sha256};

use super::recording::Recording;
use super::replay_store::{ReplayError, ReplayStore};

/// What one nonce costs at most: sixteen bytes in a hash table at its emptiest and in a list at
/// its longest, and their share of the tables.
const BYTES_PER_NONCE: usize = 96;

const SHARDS: usize = 16;

/// Remembers nonces in memory. It holds a fixed number of them, refuses when it is full, and
/// forgets none before it has expired.
///
/// A process that starts anew has forgotten everything: signatures are as short-lived as they are
/// because of that. Several processes behind one name need a store that they share.
///
/// ```
/// use countersign::clock::UnixTime;
/// use countersign::crypto::KeyThumbprint;
/// use countersign::httpsig::{MemoryReplayStore, ReplayStore};
///
/// let store = MemoryReplayStore::default();
/// let (key, now) = (KeyThumbprint::from_bytes([7; 32]), UnixTime::from_secs(1_735_689_600));
/// # countersign::httpsig::replay::conformance::wait(async {
/// assert!(store.check_and_record(key, "once", now, now).await.is_ok());
/// assert!(store.check_and_record(key, "once", now, now).await.is_err());
/// # });
/// ```
#[derive(Debug)]
pub struct MemoryReplayStore {
    shards: [Mutex<Shard>; SHARDS],
    held: AtomicUsize,
    capacity: usize,
    /// Makes the place of a nonce unpredictable.
    salt: [u8; 16],
}

type Mark = [u8; 16];

#[derive(Debug, Default)]
struct Shard {
    marks: HashSet<Mark>,
    by_end: BTreeMap<UnixTime, Vec<Mark>>,
    /// The latest end among all that was forgotten. A nonce with this end or an earlier one could
    /// have been among them, should the clock have gone back.
    forgotten: Option<UnixTime>,
}

impl Shard {
    /// Forgets what has expired; says how many.
    fn sweep(&mut self, now: UnixTime) -> usize {
        let mut swept = 0;
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() >= now {
                break;
            }
            self.forgotten = self.forgotten.max(Some(*first.key()));
            let marks = first.remove();
            swept += marks.len();
            for mark in marks {
                self.marks.remove(&mark);
            }
        }
        swept
    }
}

impl MemoryReplayStore {
    /// A store for this many nonces.
    pub fn with_entries(entries: usize) -> Self {
        Self {
            shards: Default::default(),
            held: AtomicUsize::new(0),
            capacity: entries,
            salt: random(),
        }
    }

    /// A store that takes up to this many bytes, at 96 a nonce.
    pub fn with_bytes(bytes: usize) -> Self {
        Self::with_entries(bytes / BYTES_PER_NONCE)
    }

    /// How many nonces it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many nonces it holds, expired ones that were not yet forgotten included.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    fn mark(&self, key: KeyThumbprint, nonce: &str) -> Mark {
        let mut text = Vec::with_capacity(48 + nonce.len());
        text.extend_from_slice(&self.salt);
        text.extend_from_slice(key.as_bytes());
        text.extend_from_slice(nonce.as_bytes());
        let mut mark = Mark::default();
        mark.copy_from_slice(&sha256(&text)[..16]);
        mark
    }

    fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
        // Nothing between two changes of a shard can panic short of running out of memory.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one place, if there is one.
    fn reserve(&self) -> bool {
        let one_more = |held| (held < self.capacity).then_some(held + 1);
        self.held
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
    }

    fn sweep_all(&self, now: UnixTime) {
        for shard in &self.shards {
            let swept = Self::lock(shard).sweep(now);
            self.held.fetch_sub(swept, Ordering::AcqRel);
        }
    }

    fn record(
        &self,
        key: KeyThumbprint,
        nonce: &str,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<(), ReplayError> {
        let mark = self.mark(key, nonce);
        if self.held() >= self.capacity {
            self.sweep_all(now);
        }
        let mut shard = Self::lock(&self.shards[usize::from(mark[0]) % SHARDS]);
        let swept = shard.sweep(now);
        self.held.fetch_sub(swept, Ordering::AcqRel);
        if until < now || shard.forgotten >= Some(until) {
            return Err(ReplayError::Late { until, now });
        }
        if shard.marks.contains(&mark) {
            return Err(ReplayError::Seen { key });
        }
        if !self.reserve() {
            let entries = self.capacity;
            return Err(ReplayError::Full { entries });
        }
        shard.marks.insert(mark);
        shard.by_end.entry(until).or_default().push(mark);
        Ok(())
    }
}

impl Default for MemoryReplayStore {
    /// 64 MiB: 699,050 nonces, which is 10,000 a second for signatures of 60 s.
    fn default() -> Self {
        Self::with_bytes(64 << 20)
    }
}

impl ReplayStore for MemoryReplayStore {
    fn check_and_record<'a>(
        &'a self,
        key: KeyThumbprint,
        nonce: &'a str,
        until: UnixTime,
        now: UnixTime,
    ) -> Recording<'a> {
        Recording::now(self.record(key, nonce, until, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::replay::conformance;

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(NOW.secs() + secs)
    }

    #[test]
    fn memory_keeps_the_promises() {
        use conformance::{check, check_bounded, wait};
        let bounded = |entries| -> Box<dyn ReplayStore> {
            Box::new(MemoryReplayStore::with_entries(entries))
        };
        check(
            || Box::new(MemoryReplayStore::default()),
            |answer| wait(answer),
        );
        check_bounded(bounded, |answer| wait(answer));
    }

    #[test]
    fn bytes_are_counted_in_nonces() {
        assert_eq!(MemoryReplayStore::with_bytes(95).capacity(), 0);
        assert_eq!(MemoryReplayStore::with_bytes(96).capacity(), 1);
        assert_eq!(MemoryReplayStore::default().capacity(), 699_050);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_let_a_forgotten_nonce_in() {
        let store = MemoryReplayStore::with_entries(8);
        let key = KeyThumbprint::from_bytes([1; 32]);
        assert_eq!(store.record(key, "a", at(10), at(0)), Ok(()));
        store.sweep_all(at(11));
        assert_eq!(store.held(), 0);
        let again = store.record(key, "a", at(10), at(5));
        assert_eq!(again.map_err(|e| e.reason()), Err("replay.late"));
        // What lives longer than everything forgotten is as good as ever.
        assert_eq!(store.record(key, "b", at(11), at(5)), Ok(()));
    }

    #[test]
    fn refusals_take_no_room() {
        let store = MemoryReplayStore::with_entries(1);
        let key = KeyThumbprint::from_bytes([1; 32]);
        assert_eq!(
            store
                .record(key, "a", at(9), at(10))
                .map_err(|e| e.reason()),
            Err("replay.late")
        );
        assert_eq!(store.held(), 0);
        assert_eq!(store.record(key, "a", at(10), at(10)), Ok(()));
        assert_eq!(
            store
                .record(key, "a", at(10), at(10))
                .map_err(|e| e.reason()),
            Err("replay.seen")
        );
        assert_eq!(store.held(), 1);
    }
}

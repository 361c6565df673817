//! The notifications that are waited for.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::notification::TrustedSender;
use crate::crypto::{same_bytes, sha256};

/// Events of one task that are remembered, so that each is given out once.
const MAX_SEEN: usize = 4096;

/// What names a token here: only somebody who has it finds its digest.
pub(super) type TokenDigest = [u8; 32];

/// What names an event within its task.
pub(super) type EventKey = [u8; 16];

/// One configuration that was given out.
pub(super) struct Expectation {
    digest: TokenDigest,
    pub(super) from: TrustedSender,
    /// Held while an event is handled: the next one waits, and a copy of it does too.
    pub(super) state: tokio::sync::Mutex<State>,
}

/// How far it is.
#[derive(Default)]
pub(super) struct State {
    /// The task, once it is known.
    pub(super) task_id: Option<String>,
    /// Whether nothing more is waited for.
    pub(super) ended: bool,
    seen: HashSet<EventKey>,
    order: VecDeque<EventKey>,
}

impl State {
    pub(super) fn has_seen(&self, key: &EventKey) -> bool {
        self.seen.contains(key)
    }

    pub(super) fn remember(&mut self, key: EventKey) {
        if !self.seen.insert(key) {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_SEEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

/// All of them, in a bounded number.
pub(super) struct Expected {
    max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    by_token: HashMap<TokenDigest, Arc<Expectation>>,
    /// Those that are over, the one that is so longest first: they are kept to answer copies.
    over: VecDeque<TokenDigest>,
}

impl Expected {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for notifications with this token; `false` when as many as may be are waited for.
    pub(super) fn add(&self, token: &str, from: TrustedSender, task_id: Option<String>) -> bool {
        let digest = sha256(token.as_bytes());
        let mut inner = self.lock();
        while inner.by_token.len() >= self.max {
            let Some(oldest) = inner.over.pop_front() else {
                return false;
            };
            inner.by_token.remove(&oldest);
        }
        let state = State {
            task_id,
            ..State::default()
        };
        let expectation = Arc::new(Expectation {
            digest,
            from,
            state: tokio::sync::Mutex::new(state),
        });
        inner.by_token.insert(digest, expectation);
        true
    }

    /// What was given out with this token.
    pub(super) fn find(&self, token: &str) -> Option<Arc<Expectation>> {
        // The place in the table tells of the digest, of which nobody can choose a bit.
        let digest = sha256(token.as_bytes());
        let found = self.lock().by_token.get(&digest).cloned();
        found.filter(|found| same_bytes(&found.digest, &digest))
    }

    /// Its last event came, or nobody waits any more: it is forgotten when room is needed.
    pub(super) fn over(&self, expectation: &Expectation) {
        let mut inner = self.lock();
        if inner.by_token.contains_key(&expectation.digest)
            && !inner.over.contains(&expectation.digest)
        {
            inner.over.push_back(expectation.digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anyone() -> TrustedSender {
        TrustedSender::danger().whoever_has_the_token()
    }

    #[test]
    fn what_is_over_makes_room_and_what_is_waited_for_does_not() {
        let expected = Expected::new(2);
        assert!(expected.add("one", anyone(), None));
        assert!(expected.add("two", anyone(), None));
        assert!(!expected.add("three", anyone(), None));
        let two = expected.find("two").expect("it is waited for");
        expected.over(&two);
        expected.over(&two);
        assert!(expected.find("two").is_some(), "copies are still answered");
        assert!(expected.add("three", anyone(), None));
        assert!(expected.find("two").is_none());
        assert!(expected.find("one").is_some());
        assert!(!expected.add("four", anyone(), None));
    }

    #[test]
    fn the_memory_of_events_is_bounded_and_forgets_the_oldest() {
        let mut state = State::default();
        let key = |n: usize| (n as u128).to_be_bytes();
        for n in 0..MAX_SEEN {
            state.remember(key(n));
            state.remember(key(n));
        }
        assert!(state.has_seen(&key(0)));
        state.remember(key(MAX_SEEN));
        assert!(!state.has_seen(&key(0)));
        assert!(state.has_seen(&key(1)));
        assert_eq!(state.seen.len(), MAX_SEEN);
        assert_eq!(state.order.len(), MAX_SEEN);
    }
}

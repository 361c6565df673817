//! Tasks that are over, in the order of their ends: they make room for new ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::UnixTime;
use crate::policy::Owner;

/// Whose task, and its ID.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Name {
    pub(super) owner: Arc<Owner>,
    pub(super) id: Arc<str>,
}

/// Tasks that are over, and since when, the first first.
#[derive(Debug, Default)]
pub(super) struct Over {
    all: BTreeMap<u64, (Name, UnixTime)>,
    next: u64,
    /// Those before this one have no events any more.
    with_events: u64,
}

impl Over {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes note of an end; gives its place in the order.
    pub(super) fn push(&mut self, name: Name, now: UnixTime) -> u64 {
        let place = self.next;
        self.next += 1;
        self.all.insert(place, (name, now));
        place
    }

    pub(super) fn remove(&mut self, place: u64) {
        self.all.remove(&place);
    }

    /// The one that was over first.
    pub(super) fn first(&self) -> Option<&Name> {
        self.all.values().next().map(|(name, _)| name)
    }

    pub(super) fn get(&self, place: u64) -> Option<&Name> {
        self.all.get(&place).map(|(name, _)| name)
    }

    /// The next that has been over since before `is_old` and still has events.
    pub(super) fn next_old(&mut self, is_old: impl Fn(UnixTime) -> bool) -> Option<Name> {
        let (place, (name, since)) = self.all.range(self.with_events..).next()?;
        if !is_old(*since) {
            return None;
        }
        self.with_events = place + 1;
        Some(name.clone())
    }
}

//! All connections of one side, looked over again and again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::bond::Bond;
use crate::clock::UnixTime;
use crate::workload::Snapshot;

/// How often connections are looked over although nothing happened on them.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// What a server asks of its connections besides valid certificates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

/// All connections of one side, looked over at every tick and at every change of trust.
#[derive(Debug)]
pub(super) struct Registry {
    bonds: Mutex<Vec<Weak<Bond>>>,
    /// Counts looks, from 1; a coarse clock that costs a connection nothing to read.
    now_tick: Arc<AtomicU32>,
    any: AtomicBool,
    made: AtomicU64,
}

impl Registry {
    pub(super) fn new() -> Self {
        Self {
            bonds: Mutex::new(Vec::new()),
            now_tick: Arc::new(AtomicU32::new(1)),
            any: AtomicBool::new(false),
            made: AtomicU64::new(0),
        }
    }

    /// Connections made so far.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The ticks, for a connection to read.
    pub(super) fn now_tick(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.now_tick)
    }

    pub(super) fn tick(&self) -> u32 {
        self.now_tick.load(Ordering::Relaxed)
    }

    /// One tick passed.
    pub(super) fn advance(&self) {
        self.now_tick.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add(&self, bond: &Arc<Bond>) {
        let mut bonds = self.bonds.lock().unwrap_or_else(PoisonError::into_inner);
        bonds.push(Arc::downgrade(bond));
        self.made.fetch_add(1, Ordering::Relaxed);
        self.any.store(true, Ordering::Release);
    }

    #[cfg(all(test, feature = "server"))]
    pub(super) fn count(&self) -> usize {
        let bonds = self.bonds.lock().unwrap_or_else(PoisonError::into_inner);
        bonds.iter().filter(|bond| bond.strong_count() > 0).count()
    }

    /// Whether there may be connections.
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Cuts what no longer stands; with `patience` also ends what is idle, slow or near its end.
    pub(super) fn sweep(&self, now: UnixTime, own: &Snapshot, patience: Option<Patience>) {
        let tick = self.tick();
        let mut known = HashMap::new();
        let mut bonds = self.bonds.lock().unwrap_or_else(PoisonError::into_inner);
        bonds.retain(|weak| {
            let Some(bond) = weak.upgrade() else {
                return false;
            };
            if bond.check_with(now, own, &mut known).is_err() {
                return false;
            }
            if let Some(patience) = patience {
                bond.lose_patience(now, tick, patience);
            }
            true
        });
        self.any.store(!bonds.is_empty(), Ordering::Release);
    }

    /// Asks every connection to finish.
    pub(super) fn drain(&self) {
        let bonds = self.bonds.lock().unwrap_or_else(PoisonError::into_inner);
        bonds
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|b| b.drain());
    }
}

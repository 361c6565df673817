//! Which clone of a store is the last.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What one of the clones of a store has of it. The last that leaves closes it.
#[derive(Debug)]
pub(super) struct Share {
    all: Arc<AtomicUsize>,
    left: AtomicBool,
}

impl Share {
    /// That of a store which was just opened.
    pub(super) fn whole() -> Self {
        Self {
            all: Arc::new(AtomicUsize::new(1)),
            left: AtomicBool::new(false),
        }
    }

    /// This clone needs the store no longer; says whether no other does. Leaving twice is leaving once.
    pub(super) fn leave(&self) -> bool {
        !self.left.swap(true, Ordering::SeqCst) && self.all.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        self.all.fetch_add(1, Ordering::SeqCst);
        Self {
            all: Arc::clone(&self.all),
            left: AtomicBool::new(false),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_to_leave_is_the_last() {
        let one = Share::whole();
        let (two, three) = (one.clone(), one.clone());
        assert!(!two.leave() && !two.leave(), "two others are there");
        drop(three);
        assert!(one.leave(), "nobody else is there");
        assert!(!one.leave(), "it has left already");
    }
}

//! How many streams an owner has open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::wording::too_many_streams;
use crate::a2a::A2aError;
use crate::policy::Owner;

/// The streams that are open, by owner.
#[derive(Debug)]
pub(super) struct Places {
    /// How many one owner may have.
    max: usize,
    taken: Mutex<HashMap<Arc<Owner>, usize>>,
}

impl Places {
    pub(super) fn new(max: usize) -> Self {
        let taken = Mutex::default();
        Self { max, taken }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<Owner>, usize>> {
        // No code panics while it holds this lock; a poisoned one is still whole.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one of the owner's places.
    ///
    /// # Errors
    /// When all of them are taken.
    pub(super) fn take(self: &Arc<Self>, owner: &Owner) -> Result<Place, A2aError> {
        let mut taken = self.lock();
        let known = taken.get_key_value(owner);
        let (owner, count) = match known {
            Some((owner, count)) => (Arc::clone(owner), *count),
            None => (Arc::new(owner.clone()), 0),
        };
        if count >= self.max {
            return Err(too_many_streams(self.max));
        }
        taken.insert(Arc::clone(&owner), count + 1);
        let all = Arc::clone(self);
        Ok(Place { owner, all })
    }
}

/// The place of one stream, given back when it ends.
#[derive(Debug)]
pub(super) struct Place {
    owner: Arc<Owner>,
    all: Arc<Places>,
}

impl Place {
    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.all.lock();
        if let Some(count) = taken.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::testing::{app_only, delegated};

    #[test]
    fn each_owner_has_places_of_its_own_and_gives_them_back() {
        let places = Arc::new(Places::new(2));
        let (one, other) = (Owner::of(&delegated("work")), Owner::of(&app_only("work")));
        let mut of_one = vec![places.take(&one).expect("a place")];
        of_one.push(places.take(&one).expect("the last place"));
        let refused = places.take(&one).map(drop).expect_err("no place");
        assert_eq!(refused.metadata()["limit"], "owner.streams");
        let of_other = places.take(&other).expect("a place of its own");
        of_one.pop();
        of_one.push(places.take(&one).expect("the place that is free again"));
        assert!(places.take(&one).is_err());
        drop((of_one, of_other));
        assert!(places.lock().is_empty(), "nothing stays");
    }
}

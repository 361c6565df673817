//! The keys of an agent, and which of them signs: a new one is published before it is used, an old
//! one until nothing that it signed is valid any more.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;
use crate::httpsig::HttpSigningKey;
use crate::httpsig::input::MAX_LABELS;

/// The times of a change of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// How long the new key is published before it signs: at least as long as caches keep the
    /// directory. Default 10 minutes.
    pub lead: Duration,
    /// How long the keys before it are published once it signs: at least as long as a signature
    /// lives. Default 10 minutes.
    pub kept: Duration,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            lead: Duration::from_secs(600),
            kept: Duration::from_secs(600),
        }
    }
}

/// Why a key was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyRingError {
    /// As many keys are published as can prove themselves in one answer.
    #[error("{max} keys are published, and none of them is over")]
    Full {
        /// The limit.
        max: usize,
    },
    /// The key is there already.
    #[error("the key {thumbprint} is published already")]
    Repeated {
        /// The key.
        thumbprint: KeyThumbprint,
    },
}

/// One key of a [`KeyRing`].
#[derive(Clone, Debug)]
pub struct RingKey {
    key: HttpSigningKey,
    signs_from: UnixTime,
    until: Option<UnixTime>,
}

impl RingKey {
    /// The key.
    pub fn key(&self) -> &HttpSigningKey {
        &self.key
    }

    /// When it begins to sign.
    pub fn signs_from(&self) -> UnixTime {
        self.signs_from
    }

    /// When it is no longer published, if that is known: `exp` in the directory.
    pub fn until(&self) -> Option<UnixTime> {
        self.until
    }

    fn published(&self, now: UnixTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The keys that an agent publishes, at most eight.
///
/// ```
/// use countersign::clock::UnixTime;
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::directory::{KeyRing, Rotation};
///
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let mut ring = KeyRing::new(SigningKey::generate(Algorithm::Ed25519)?, now);
/// // Published at once, signs in ten minutes; the old one ends ten minutes after that.
/// ring.rotate(SigningKey::generate(Algorithm::Ed25519)?, now, Rotation::default())?;
/// let key = ring.signing_key(now).expect("there is always one");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// In the order in which they begin to sign.
    keys: Vec<RingKey>,
}

impl KeyRing {
    /// One key, which signs at once.
    pub fn new(key: impl Into<HttpSigningKey>, now: UnixTime) -> Self {
        let key = RingKey {
            key: key.into(),
            signs_from: now,
            until: None,
        };
        Self { keys: vec![key] }
    }

    /// Publishes `key` from now on, lets it sign after `times.lead`, and ends those that are there
    /// when it has signed for `times.kept`.
    ///
    /// # Errors
    /// [`KeyRingError`] when the key is there already, or there is no room for it.
    pub fn rotate(
        &mut self,
        key: impl Into<HttpSigningKey>,
        now: UnixTime,
        times: Rotation,
    ) -> Result<(), KeyRingError> {
        let key = key.into();
        self.prune(now);
        let thumbprint = key.verifying_key().thumbprint();
        let mut there = self.keys.iter().map(|key| key.key.verifying_key());
        if there.any(|key| key.thumbprint() == thumbprint) {
            return Err(KeyRingError::Repeated { thumbprint });
        }
        if self.keys.len() >= MAX_LABELS {
            return Err(KeyRingError::Full { max: MAX_LABELS });
        }
        let signs_from = now.plus(times.lead);
        let end = signs_from.plus(times.kept);
        for before in &mut self.keys {
            before.until = Some(before.until.map_or(end, |until| until.min(end)));
            // One that would begin later has been overtaken; it never signs.
            if before.signs_from > signs_from {
                before.signs_from = UnixTime::from_secs(u64::MAX);
            }
        }
        let at = self.keys.partition_point(|k| k.signs_from <= signs_from);
        let added = RingKey {
            key,
            signs_from,
            until: None,
        };
        self.keys.insert(at, added);
        Ok(())
    }

    /// The key that signs at `now`: the newest that has been published long enough.
    pub fn signing_key(&self, now: UnixTime) -> Option<&HttpSigningKey> {
        let mut newest = self.keys.iter().rev();
        let of_now = newest.find(|key| key.signs_from <= now && key.published(now));
        // A clock that was set back finds none that has begun: the oldest was published longest.
        let found = of_now.or_else(|| self.published(now).next());
        found.map(RingKey::key)
    }

    /// The keys that are in the directory at `now`.
    pub fn published(&self, now: UnixTime) -> impl Iterator<Item = &RingKey> {
        self.keys.iter().filter(move |key| key.published(now))
    }

    /// Forgets the keys that are over at `now`; gives how many.
    pub fn prune(&mut self, now: UnixTime) -> usize {
        let before = self.keys.len();
        self.keys.retain(|key| key.published(now));
        before - self.keys.len()
    }

    /// When the directory changes next.
    pub fn next_change(&self, now: UnixTime) -> Option<UnixTime> {
        self.published(now).filter_map(RingKey::until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::HttpAlgorithm;

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);
    const TIMES: Rotation = Rotation {
        lead: Duration::from_secs(100),
        kept: Duration::from_secs(50),
    };

    fn key() -> HttpSigningKey {
        HttpSigningKey::generate(HttpAlgorithm::Ed25519).expect("a key")
    }

    fn after(secs: u64) -> UnixTime {
        NOW.plus(Duration::from_secs(secs))
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_kept_until_its_signatures_are_over() {
        let (one, two) = (key(), key());
        let mut ring = KeyRing::new(one.clone(), NOW);
        ring.rotate(two.clone(), NOW, TIMES).expect("there is room");
        let first = one.verifying_key().thumbprint();
        let name = |key: &HttpSigningKey| match key.verifying_key().thumbprint() == first {
            true => "one",
            false => "two",
        };
        for (at, signs, published) in [
            (0, "one", vec!["one", "two"]),
            (99, "one", vec!["one", "two"]),
            (100, "two", vec!["one", "two"]),
            (149, "two", vec!["one", "two"]),
            (150, "two", vec!["two"]),
            (100_000, "two", vec!["two"]),
        ] {
            let now = after(at);
            assert_eq!(ring.signing_key(now).map(name), Some(signs), "{at}");
            let got: Vec<_> = ring.published(now).map(|key| name(key.key())).collect();
            assert_eq!(got, published, "{at}");
        }
        assert_eq!(ring.next_change(NOW), Some(after(150)));
        assert_eq!(ring.next_change(after(150)), None);
        assert_eq!((ring.prune(after(149)), ring.prune(after(150))), (0, 1));
        // A clock that was set back still has a key.
        let early = UnixTime::from_secs(0);
        assert_eq!(ring.signing_key(early).map(name), Some("two"));
    }

    #[test]
    fn a_key_that_was_overtaken_never_signs() {
        let (one, two, three) = (key(), key(), key());
        let mut ring = KeyRing::new(one, NOW);
        ring.rotate(two.clone(), NOW, TIMES).expect("there is room");
        let soon = Rotation {
            lead: Duration::from_secs(90),
            ..TIMES
        };
        ring.rotate(three.clone(), NOW, soon)
            .expect("there is room");
        for at in 90..200 {
            let signs = ring.signing_key(after(at)).expect("a key");
            assert_eq!(signs.verifying_key(), three.verifying_key(), "{at}");
        }
    }

    #[test]
    fn a_ring_takes_eight_keys_and_none_twice() {
        let first = key();
        let mut ring = KeyRing::new(first.clone(), NOW);
        let thumbprint = first.verifying_key().thumbprint();
        let again = ring.rotate(first, NOW, TIMES);
        assert_eq!(again, Err(KeyRingError::Repeated { thumbprint }));
        for _ in 1..8 {
            ring.rotate(key(), NOW, TIMES).expect("there is room");
        }
        let full = ring.rotate(key(), NOW, TIMES);
        assert_eq!(full, Err(KeyRingError::Full { max: 8 }));
        // When the seven that were replaced are over, there is room again.
        ring.rotate(key(), after(150), TIMES)
            .expect("there is room");
        assert_eq!(ring.published(after(150)).count(), 2);
    }
}

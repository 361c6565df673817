//! The issuer's keys, fetched seldom and by one at a time.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use crate::clock::UnixTime;
use crate::jose::JwkSet;

use super::OAuthError;

/// How long a set is used without asking again.
const FRESH: Duration = Duration::from_secs(3600);
/// How long a set is used when the issuer cannot be reached.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// A key that is not in the set makes us ask again, but not more often than this.
const REFETCH: Duration = Duration::from_secs(30);
/// After a failure with nothing to fall back on, the same error is given for this long.
const AGAIN: Duration = Duration::from_secs(1);

/// The key set of one issuer.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    known: ArcSwapOption<Known>,
    /// Held while fetching; remembers the last attempt.
    last: Mutex<Option<Attempt>>,
}

#[derive(Debug)]
struct Known {
    keys: Arc<JwkSet>,
    fetched: UnixTime,
}

#[derive(Debug)]
struct Attempt {
    at: UnixTime,
    error: Option<OAuthError>,
}

impl KeyCache {
    /// The set, fetched when there is none, when it is old, or when it lacks `kid`.
    ///
    /// The caller finds out by itself that a `kid` is still missing.
    pub(super) async fn get<F: Future<Output = Result<JwkSet, OAuthError>>>(
        &self,
        kid: Option<&str>,
        now: UnixTime,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<JwkSet>, OAuthError> {
        if let Some(keys) = self.serving(kid, now) {
            return Ok(keys);
        }
        let mut last = self.last.lock().await;
        // Whoever waited for the lock may find that the work was done meanwhile.
        if let Some(keys) = self.serving(kid, now) {
            return Ok(keys);
        }
        if let Some(attempt) = last.as_ref() {
            // A clock that was set back must not keep us from asking for longer.
            let ago = now.since(attempt.at);
            let within = |limit| now >= attempt.at && ago < limit;
            match (self.fallback(now), &attempt.error) {
                (Some(keys), _) if within(REFETCH) => return Ok(keys),
                (None, Some(error)) if within(AGAIN) => return Err(error.clone()),
                _ => {}
            }
        }
        let fetched = fetch().await;
        *last = Some(Attempt {
            at: now,
            error: fetched.as_ref().err().cloned(),
        });
        match fetched {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.known.store(Some(Arc::new(Known {
                    keys: Arc::clone(&keys),
                    fetched: now,
                })));
                Ok(keys)
            }
            Err(error) => self.fallback(now).ok_or(error),
        }
    }

    /// The set, when it is fresh and has the key.
    fn serving(&self, kid: Option<&str>, now: UnixTime) -> Option<Arc<JwkSet>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        let has = kid.is_none_or(|kid| known.keys.by_kid(kid).is_some());
        (has && now.since(known.fetched) < FRESH).then(|| Arc::clone(&known.keys))
    }

    /// The set, when it is not too old to be used at all.
    fn fallback(&self, now: UnixTime) -> Option<Arc<JwkSet>> {
        let known = self.known.load();
        let known = known.as_ref()?;
        (now.since(known.fetched) < STALE).then(|| Arc::clone(&known.keys))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::crypto::{Algorithm, SigningKey};

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

    fn after(secs: u64) -> UnixTime {
        NOW.plus(Duration::from_secs(secs))
    }

    struct Issuer {
        cache: KeyCache,
        key: SigningKey,
        fetches: AtomicUsize,
    }

    impl Issuer {
        fn new() -> Self {
            Self {
                cache: KeyCache::default(),
                key: SigningKey::generate(Algorithm::Ed25519).expect("generates"),
                fetches: AtomicUsize::new(0),
            }
        }

        async fn get(
            &self,
            kid: Option<&str>,
            now: UnixTime,
            up: bool,
        ) -> Result<usize, OAuthError> {
            let keys = self.cache.get(kid, now, async || {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                if up {
                    Ok(JwkSet::of([self.key.verifying_key()]))
                } else {
                    Err(OAuthError::Keys)
                }
            });
            keys.await.map(|keys| keys.len())
        }

        fn fetches(&self) -> usize {
            self.fetches.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn an_unknown_key_is_asked_for_once_in_thirty_seconds() {
        let issuer = Issuer::new();
        let kid = issuer.key.verifying_key().thumbprint().to_string();
        issuer.get(Some(&kid), NOW, true).await.expect("keys");
        issuer
            .get(Some(&kid), after(3599), true)
            .await
            .expect("keys");
        assert_eq!(issuer.fetches(), 1, "a known key asks nobody");
        for (at, want) in [(3700, 2), (3729, 2), (3730, 3), (3731, 3)] {
            issuer
                .get(Some("other"), after(at), true)
                .await
                .expect("keys");
            assert_eq!(issuer.fetches(), want, "after {at} s");
        }
    }

    #[tokio::test]
    async fn many_askers_cause_one_fetch() {
        let issuer = Issuer::new();
        let asks = (0..50).map(|_| issuer.get(None, NOW, true));
        for keys in futures_util::future::join_all(asks).await {
            assert_eq!(keys.expect("keys"), 1);
        }
        assert_eq!(issuer.fetches(), 1);
    }

    #[tokio::test]
    async fn an_old_set_is_used_for_a_day_while_the_issuer_is_away() {
        let issuer = Issuer::new();
        issuer.get(None, NOW, true).await.expect("keys");
        let day = STALE.as_secs();
        issuer
            .get(None, after(day - 1), false)
            .await
            .expect("stale");
        let gone = issuer.get(None, after(day), false).await;
        assert_eq!(gone.map_err(|e| e.reason()), Err("oauth.keys"));
        let back = issuer.get(None, after(day + 1), true).await;
        assert_eq!(back.expect("keys"), 1);
    }

    #[tokio::test]
    async fn a_failure_is_remembered_for_a_second_only() {
        let issuer = Issuer::new();
        for (at, want) in [(0, 1), (0, 1), (1, 2)] {
            let failed = issuer.get(None, after(at), false).await;
            assert_eq!(failed.map_err(|e| e.reason()), Err("oauth.keys"));
            assert_eq!(issuer.fetches(), want);
        }
    }
}

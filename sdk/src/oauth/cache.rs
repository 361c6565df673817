//! Tokens kept until they end, one request in flight for each.

use std::sync::Arc;
use std::time::Duration;

use indexmap::Equivalent;
use moka::future::Cache;

use crate::clock::UnixTime;
use crate::crypto::CertThumbprint;
use crate::token::Scopes;

use super::{BoundToken, OAuthError};

/// How many tokens are kept.
const CAPACITY: u64 = 10_000;
/// A token that ends sooner than this is not used from the cache any more.
const MARGIN: Duration = Duration::from_secs(10);
/// Nothing is kept longer, whatever its clock says.
const IDLE: Duration = Duration::from_secs(3600);

/// Everything that makes two requests for a token the same.
///
/// The issuer is not here: a cache belongs to one. Our certificate is: a token that is bound to the
/// last one is worth nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    audience: Box<str>,
    scopes: Scopes,
    subject: Option<[u8; 32]>,
    certificate: CertThumbprint,
}

/// The same, borrowed: a warm look-up allocates nothing. Fields stand in the order of [`Key`], so
/// that both hash alike.
#[derive(Clone, Copy, Hash, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) audience: &'a str,
    pub(super) scopes: &'a Scopes,
    /// Digest of the subject token; none for the agent's own token.
    pub(super) subject: Option<[u8; 32]>,
    pub(super) certificate: CertThumbprint,
}

impl Equivalent<Key> for Wanted<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.subject == key.subject
            && self.certificate == key.certificate
            && *self.audience == *key.audience
            && *self.scopes == key.scopes
    }
}

impl Wanted<'_> {
    fn key(self) -> Key {
        Key {
            audience: self.audience.into(),
            scopes: self.scopes.clone(),
            subject: self.subject,
            certificate: self.certificate,
        }
    }
}

/// The tokens of one issuer. Bounded; errors are not kept.
#[derive(Debug)]
pub(super) struct TokenCache(Cache<Key, BoundToken>);

impl TokenCache {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE);
        Self(cache.build())
    }

    /// The token, from the cache or got by `fetch`; whoever asks for the same meanwhile waits and
    /// shares what comes back, the error too. A token that was `rejected` is not given again.
    pub(super) async fn get<F: Future<Output = Result<BoundToken, OAuthError>>>(
        &self,
        wanted: Wanted<'_>,
        now: UnixTime,
        rejected: Option<&BoundToken>,
        fetch: impl FnOnce() -> F,
    ) -> Result<BoundToken, OAuthError> {
        if let Some(token) = self.0.get(&wanted).await {
            let good = rejected.is_none_or(|rejected| !token.is_same(rejected));
            if good && token.expires() > now.plus(MARGIN) {
                return Ok(token);
            }
            self.0.invalidate(&wanted).await;
        }
        // Boxed, so that a call that finds its token is not as large as one that has to ask for it.
        let got = Box::pin(self.0.try_get_with(wanted.key(), fetch())).await;
        got.map_err(Arc::unwrap_or_clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::secret::Secret;

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

    fn certificate(name: &str) -> CertThumbprint {
        CertThumbprint::of(name.as_bytes())
    }

    struct Server {
        cache: TokenCache,
        asked: AtomicUsize,
    }

    impl Server {
        fn new() -> Self {
            Self {
                cache: TokenCache::new(),
                asked: AtomicUsize::new(0),
            }
        }

        async fn get(&self, wanted: Wanted<'_>, now: UnixTime) -> Result<BoundToken, OAuthError> {
            self.get_but(wanted, now, None).await
        }

        async fn get_but(
            &self,
            wanted: Wanted<'_>,
            now: UnixTime,
            rejected: Option<&BoundToken>,
        ) -> Result<BoundToken, OAuthError> {
            let fetch = async || {
                self.asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                if wanted.audience == "down" {
                    return Err(OAuthError::Keys);
                }
                let text = Secret::new("a.b.c".into());
                let ends = NOW.plus(Duration::from_secs(300));
                let scopes = wanted.scopes.clone();
                let made =
                    BoundToken::new(&text, wanted.audience, scopes, ends, wanted.certificate);
                made.ok_or(OAuthError::Keys)
            };
            self.cache.get(wanted, now, rejected, fetch).await
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn only_the_very_same_request_is_answered_from_the_cache() {
        let (server, read) = (Server::new(), "trips:read".parse().expect("scopes"));
        let write: Scopes = "trips:write".parse().expect("scopes");
        let wanted = Wanted {
            audience: "booking",
            scopes: &read,
            subject: Some([1; 32]),
            certificate: certificate("mine"),
        };
        server.get(wanted, NOW).await.expect("a token");
        server.get(wanted, NOW).await.expect("a token");
        assert_eq!(server.asked(), 1);
        let others = [
            Wanted {
                audience: "planner",
                ..wanted
            },
            Wanted {
                scopes: &write,
                ..wanted
            },
            Wanted {
                subject: Some([2; 32]),
                ..wanted
            },
            Wanted {
                subject: None,
                ..wanted
            },
            Wanted {
                certificate: certificate("renewed"),
                ..wanted
            },
        ];
        for (at, other) in others.into_iter().enumerate() {
            let token = server.get(other, NOW).await.expect("a token");
            assert_eq!(token.certificate(), other.certificate);
            assert_eq!(server.asked(), at + 2, "{other:?}");
        }
    }

    #[tokio::test]
    async fn a_token_that_was_rejected_is_replaced_once() {
        let (server, scopes) = (Server::new(), Scopes::default());
        let wanted = Wanted {
            audience: "booking",
            scopes: &scopes,
            subject: None,
            certificate: certificate("mine"),
        };
        let first = server.get(wanted, NOW).await.expect("a token");
        for _ in 0..2 {
            // Whoever comes second with the same complaint finds the new one there.
            let other = server.get_but(wanted, NOW, Some(&first)).await;
            assert!(!other.expect("a token").is_same(&first));
            assert_eq!(server.asked(), 2);
        }
    }

    #[tokio::test]
    async fn a_token_is_used_until_ten_seconds_before_its_end() {
        let (server, scopes) = (Server::new(), Scopes::default());
        let wanted = Wanted {
            audience: "booking",
            scopes: &scopes,
            subject: None,
            certificate: certificate("mine"),
        };
        for (secs, want) in [(0, 1), (289, 1), (290, 2)] {
            let now = NOW.plus(Duration::from_secs(secs));
            server.get(wanted, now).await.expect("a token");
            assert_eq!(server.asked(), want, "after {secs} s");
        }
    }

    #[tokio::test]
    async fn many_askers_share_one_request_and_an_error_is_not_kept() {
        let (server, scopes) = (Server::new(), Scopes::default());
        for (audience, want) in [("booking", 1), ("down", 2)] {
            let wanted = Wanted {
                audience,
                scopes: &scopes,
                subject: None,
                certificate: certificate("mine"),
            };
            let asks = (0..50).map(|_| server.get(wanted, NOW));
            let answers = futures_util::future::join_all(asks).await;
            assert_eq!(server.asked(), want);
            assert!(answers.iter().all(|a| a.is_ok() == (audience == "booking")));
        }
        let wanted = Wanted {
            audience: "down",
            scopes: &scopes,
            subject: None,
            certificate: certificate("mine"),
        };
        server.get(wanted, NOW).await.expect_err("still down");
        assert_eq!(server.asked(), 3);
    }
}

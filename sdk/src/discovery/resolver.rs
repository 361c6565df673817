//! Whose key it is: key directories, fetched seldom and within bounds.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use http::header::CONTENT_TYPE;
use tokio::runtime::Handle;

use super::cache::{Cache, Look, doubled, jittered};
use super::error::DiscoveryError;
use super::origins::Origins;
use super::settings::{ResolverLimits, ResolverTimes};
use crate::clock::{Clock, UnixTime};
use crate::crypto::KeyThumbprint;
use crate::httpsig::directory::{Directory, DirectoryUrl, Divergence, Reading};
use crate::httpsig::{DIRECTORY_CONTENT_TYPE, HttpVerifyingKey, ResolvedKey};
use crate::web::{Fetched, Fetcher, Freshness};

const ACCEPT: &str = "application/http-message-signatures-directory+json, application/jwk-set+json, application/json";

/// Finds the keys of strangers: one cache for each (URL, key), so that the directory of one origin
/// says nothing about another's, whatever `keyid` it lists.
///
/// It never blames: a directory that cannot be fetched takes no key away that is known, and one
/// that was fetched replaces what was known, which is how a key is removed. Many who ask for one
/// directory cause one fetch, which goes on when they go away. Clones share everything.
#[derive(Clone)]
pub struct DirectoryResolver(Arc<Inner>);

struct Inner {
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    reading: Reading,
    times: ResolverTimes,
    limits: ResolverLimits,
    cache: Mutex<Cache>,
    flights: Mutex<HashMap<DirectoryUrl, Flight>>,
    origins: Mutex<Origins>,
}

type Outcome = Result<Arc<ResolvedDirectory>, DiscoveryError>;
type Flight = Shared<BoxFuture<'static, Outcome>>;

/// A key of a directory, and who answers for it.
#[derive(Clone, Debug)]
pub struct DirectoryKey {
    /// The key.
    pub key: HttpVerifyingKey,
    /// The directory that lists it: its URL, normalised, without the query. What a signature that
    /// verifies with the key can be attributed to.
    pub directory: String,
    /// When the directory was fetched.
    pub fetched: UnixTime,
    /// Whether it is older than it should be, because it cannot be fetched now.
    pub stale: bool,
}

impl From<DirectoryKey> for ResolvedKey {
    /// It was published.
    fn from(found: DirectoryKey) -> Self {
        Self::Published(found.key)
    }
}

/// A directory as it was fetched.
#[derive(Debug)]
pub struct ResolvedDirectory {
    url: DirectoryUrl,
    keys: Directory,
    fetched: UnixTime,
    fresh_until: UnixTime,
    usable_until: UnixTime,
    weight: usize,
}

impl ResolvedDirectory {
    /// Where it is.
    pub fn url(&self) -> &DirectoryUrl {
        &self.url
    }

    /// What is in it, with the ways in which it differs from the drafts.
    pub fn keys(&self) -> &Directory {
        &self.keys
    }

    /// When it was fetched.
    pub fn fetched(&self) -> UnixTime {
        self.fetched
    }

    /// When it is fetched again at the latest, if somebody asks for it.
    pub fn fresh_until(&self) -> UnixTime {
        self.fresh_until
    }

    /// A clock that was set back makes nothing fresh for longer.
    pub(super) fn is_fresh(&self, now: UnixTime) -> bool {
        self.fetched <= now && now < self.fresh_until
    }

    pub(super) fn is_usable(&self, now: UnixTime) -> bool {
        self.fetched <= now && now < self.usable_until
    }

    /// Bytes that it takes, roughly.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    fn key(
        &self,
        keyid: KeyThumbprint,
        now: UnixTime,
        stale: bool,
    ) -> Result<DirectoryKey, DiscoveryError> {
        let directory = self.url.identifier();
        match self.keys.key(keyid, now) {
            Some(key) => Ok(DirectoryKey {
                key: key.clone(),
                directory,
                fetched: self.fetched,
                stale,
            }),
            None => Err(DiscoveryError::KeyAbsent { directory, keyid }),
        }
    }
}

impl DirectoryResolver {
    /// A resolver with the default times and limits.
    pub fn new(fetcher: Fetcher, clock: Arc<dyn Clock>) -> Self {
        Self::with(
            fetcher,
            clock,
            Reading::default(),
            (ResolverTimes::default(), ResolverLimits::default()),
        )
    }

    /// A resolver that reads directories so, with these times and limits. Whether a directory is at
    /// the well-known path is known from its URL.
    pub fn with(
        fetcher: Fetcher,
        clock: Arc<dyn Clock>,
        reading: Reading,
        (times, limits): (ResolverTimes, ResolverLimits),
    ) -> Self {
        Self(Arc::new(Inner {
            fetcher,
            clock,
            reading,
            times,
            limits,
            cache: Mutex::default(),
            flights: Mutex::default(),
            origins: Mutex::default(),
        }))
    }

    /// The key `keyid` of the directory at `url`, if it can be used now. A directory that lacks it is
    /// fetched anew, at most once in [`ResolverTimes::interval`].
    ///
    /// # Errors
    /// [`DiscoveryError`]: the signature is unverified.
    pub async fn key(
        &self,
        url: &DirectoryUrl,
        keyid: KeyThumbprint,
    ) -> Result<DirectoryKey, DiscoveryError> {
        let (directory, stale) = self.find(url, Some(keyid)).await?;
        directory.key(keyid, self.0.clock.now(), stale)
    }

    /// The directory at `url`.
    ///
    /// # Errors
    /// [`DiscoveryError`] when it cannot be fetched, and there is none that may still be used.
    pub async fn directory(
        &self,
        url: &DirectoryUrl,
    ) -> Result<Arc<ResolvedDirectory>, DiscoveryError> {
        Ok(self.find(url, None).await?.0)
    }

    /// The directory, and whether it is older than it should be.
    async fn find(
        &self,
        url: &DirectoryUrl,
        key: Option<KeyThumbprint>,
    ) -> Result<(Arc<ResolvedDirectory>, bool), DiscoveryError> {
        let inner = &self.0;
        let now = inner.clock.now();
        let look = lock(&inner.cache).look(url, key, now, &inner.times);
        let look = match look {
            Look::Fetch => {
                let flight = self.flight(url, now);
                let fetched = match flight {
                    Ok(flight) => flight.await,
                    Err(busy) => Err(busy),
                };
                match fetched {
                    Ok(directory) => Look::Use(directory),
                    // A failure takes nothing away that is known.
                    Err(error) => {
                        let old = lock(&inner.cache).old(url, inner.clock.now());
                        old.unwrap_or(Look::Failed(error))
                    }
                }
            }
            look => look,
        };
        match look {
            Look::Use(directory) => Ok((directory, false)),
            Look::Old(directory) => Ok((directory, true)),
            Look::Failed(error) => Err(error),
            Look::Fetch => Err(DiscoveryError::Interrupted),
        }
    }

    /// The fetch of `url` that runs, or a new one.
    fn flight(&self, url: &DirectoryUrl, now: UnixTime) -> Result<Flight, DiscoveryError> {
        let inner = &self.0;
        let runtime = Handle::try_current().map_err(|_| DiscoveryError::Interrupted)?;
        let mut flights = lock(&inner.flights);
        if let Some(flight) = flights.get(url) {
            return Ok(flight.clone());
        }
        let origin = url.url().to_string();
        if !lock(&inner.origins).begin(&origin, &inner.limits, now) {
            return Err(DiscoveryError::Busy { origin });
        }
        let landing = Landing {
            inner: Arc::clone(inner),
            url: url.clone(),
            origin,
        };
        // On its own: those who ask may go away, and come back to what was fetched.
        let task = runtime.spawn(async move { landing.inner.fetch_and_keep(&landing.url).await });
        let flight = async { task.await.unwrap_or(Err(DiscoveryError::Interrupted)) };
        let flight = flight.boxed().shared();
        flights.insert(url.clone(), flight.clone());
        Ok(flight)
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        lock(&self.0.cache).sizes()
    }
}

/// Ends a flight, however it ends.
struct Landing {
    inner: Arc<Inner>,
    url: DirectoryUrl,
    origin: String,
}

impl Drop for Landing {
    fn drop(&mut self) {
        lock(&self.inner.flights).remove(&self.url);
        lock(&self.inner.origins).end(&self.origin);
    }
}

impl Inner {
    async fn fetch_and_keep(&self, url: &DirectoryUrl) -> Outcome {
        let whole = self.times.whole;
        let fetched = tokio::time::timeout(whole, self.fetch(url)).await;
        let timeout = || DiscoveryError::Fetch(crate::web::FetchError::Timeout(whole));
        let fetched = fetched.unwrap_or_else(|_| Err(timeout()));
        let mut cache = lock(&self.cache);
        match &fetched {
            Ok(directory) => cache.keep(directory.clone(), &self.limits),
            Err(error) => {
                let settings = (&self.times, &self.limits);
                cache.fail(url, error.clone(), self.clock.now(), settings);
            }
        }
        fetched
    }

    /// Tries again what may end otherwise, unless the server said when to come back.
    async fn fetch(&self, url: &DirectoryUrl) -> Outcome {
        let mut tries = 0;
        loop {
            let max = self.reading.bytes();
            let error = match self.fetcher.get(url.url(), ACCEPT, max).await {
                Ok(fetched) => return self.read(url, &fetched),
                Err(error) => error,
            };
            if !error.is_transient() || error.retry_after().is_some() || tries >= self.times.retries
            {
                return Err(error.into());
            }
            tokio::time::sleep(jittered(doubled(self.times.pause, tries))).await;
            tries += 1;
        }
    }

    fn read(&self, url: &DirectoryUrl, fetched: &Fetched) -> Outcome {
        let (now, times) = (self.clock.now(), &self.times);
        let reading = match url.is_well_known() {
            true => self.reading.clone(),
            false => self.reading.clone().elsewhere(),
        };
        let read = reading.read(&fetched.body);
        let mut keys = read.map_err(|error| DiscoveryError::Directory(Arc::new(error)))?;
        if url.is_well_known() && !is_directory(fetched) {
            keys.warn(None, Divergence::MediaType, true);
        }
        let said = Freshness::read(&fetched.headers);
        let fresh = said.fresh.unwrap_or(times.fresh);
        let fresh = fresh.min(times.most_fresh).max(times.interval);
        let stale = match said.never_stale {
            true => Duration::ZERO,
            false => times.stale,
        };
        let fresh_until = now.plus(fresh);
        Ok(Arc::new(ResolvedDirectory {
            url: url.clone(),
            weight: 1024 + fetched.body.len() + 512 * keys.len(),
            keys,
            fetched: now,
            fresh_until,
            usable_until: fresh_until.plus(stale),
        }))
    }
}

fn is_directory(fetched: &Fetched) -> bool {
    let media_type = fetched.headers.get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case(DIRECTORY_CONTENT_TYPE))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left in it is bounded and consistent enough to be asked: maps and counters.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for DirectoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryResolver")
            .field("fetcher", &self.0.fetcher)
            .field("reading", &self.0.reading)
            .field("times", &self.0.times)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

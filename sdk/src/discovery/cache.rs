//! What is known about directories, in bounded memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::error::DiscoveryError;
use super::resolver::ResolvedDirectory;
use super::settings::{MOST_NEGATIVE, MOST_RETRY_AFTER, ResolverLimits, ResolverTimes};
use crate::clock::UnixTime;
use crate::crypto::{KeyThumbprint, random};
use crate::httpsig::directory::DirectoryUrl;

/// The first pause after a failure of the network.
const FIRST: Duration = Duration::from_secs(5);

/// Directories and failures, apart: no failure pushes a directory out.
#[derive(Debug, Default)]
pub(super) struct Cache {
    kept: HashMap<DirectoryUrl, Kept>,
    failed: HashMap<DirectoryUrl, Failure>,
    bytes: usize,
    /// Counts uses.
    tick: u64,
}

#[derive(Debug)]
struct Kept {
    directory: Arc<ResolvedDirectory>,
    origin: String,
    used: u64,
}

#[derive(Debug)]
struct Failure {
    error: DiscoveryError,
    at: UnixTime,
    until: UnixTime,
    /// How many there were in a row.
    count: u32,
}

/// What to do about a directory that is wanted.
#[derive(Debug)]
pub(super) enum Look {
    /// Use this.
    Use(Arc<ResolvedDirectory>),
    /// Use this, which is old: it cannot be fetched.
    Old(Arc<ResolvedDirectory>),
    /// Nothing can be done now.
    Failed(DiscoveryError),
    /// Fetch it.
    Fetch,
}

impl Cache {
    /// What is known of `url`, for somebody who wants `key` of it.
    pub(super) fn look(
        &mut self,
        url: &DirectoryUrl,
        key: Option<KeyThumbprint>,
        now: UnixTime,
        times: &ResolverTimes,
    ) -> Look {
        let failure = self.failure(url, now);
        let Some(directory) = self.touch(url) else {
            return failure.map_or(Look::Fetch, Look::Failed);
        };
        if directory.is_fresh(now) {
            let has = key.is_none_or(|key| directory.keys().key(key, now).is_some());
            // A key that was added lately: ask again, but not for every stranger's word.
            let asked = now.since(directory.fetched()) < times.interval || failure.is_some();
            return match has || asked {
                true => Look::Use(directory),
                false => Look::Fetch,
            };
        }
        match failure {
            None => Look::Fetch,
            Some(_) if directory.is_usable(now) => Look::Old(directory),
            Some(error) => Look::Failed(error),
        }
    }

    /// What is kept of `url`, after it could not be fetched.
    pub(super) fn old(&mut self, url: &DirectoryUrl, now: UnixTime) -> Option<Look> {
        let directory = self.touch(url)?;
        if directory.is_fresh(now) {
            return Some(Look::Use(directory));
        }
        directory.is_usable(now).then_some(Look::Old(directory))
    }

    fn touch(&mut self, url: &DirectoryUrl) -> Option<Arc<ResolvedDirectory>> {
        self.tick += 1;
        let kept = self.kept.get_mut(url)?;
        kept.used = self.tick;
        Some(kept.directory.clone())
    }

    /// The last failure, while it is remembered.
    fn failure(&self, url: &DirectoryUrl, now: UnixTime) -> Option<DiscoveryError> {
        let failure = self.failed.get(url)?;
        let remembered = failure.at <= now && now < failure.until;
        remembered.then(|| failure.error.clone())
    }

    /// Keeps what was fetched, in the place of what was there.
    pub(super) fn keep(&mut self, directory: Arc<ResolvedDirectory>, limits: &ResolverLimits) {
        let url = directory.url().clone();
        self.failed.remove(&url);
        self.drop_kept(&url);
        let origin = url.url().to_string();
        let same = self.kept.values().filter(|kept| kept.origin == origin);
        if same.count() >= limits.of_origin {
            self.drop_oldest(|kept| kept.origin == origin);
        }
        while !self.kept.is_empty()
            && (self.kept.len() >= limits.directories
                || self.bytes + directory.weight() > limits.bytes)
        {
            self.drop_oldest(|_| true);
        }
        self.tick += 1;
        self.bytes += directory.weight();
        let kept = Kept {
            directory,
            origin,
            used: self.tick,
        };
        self.kept.insert(url, kept);
    }

    fn drop_oldest(&mut self, of: impl Fn(&Kept) -> bool) {
        let candidates = self.kept.iter().filter(|(_, kept)| of(kept));
        let oldest = candidates.min_by_key(|(_, kept)| kept.used);
        if let Some(url) = oldest.map(|(url, _)| url.clone()) {
            self.drop_kept(&url);
        }
    }

    fn drop_kept(&mut self, url: &DirectoryUrl) {
        if let Some(gone) = self.kept.remove(url) {
            self.bytes = self.bytes.saturating_sub(gone.directory.weight());
        }
    }

    /// Remembers that `url` could not be fetched. What is kept of it stays.
    pub(super) fn fail(
        &mut self,
        url: &DirectoryUrl,
        error: DiscoveryError,
        now: UnixTime,
        (times, limits): (&ResolverTimes, &ResolverLimits),
    ) {
        if self.failed.len() >= limits.failures && !self.failed.contains_key(url) {
            self.failed.retain(|_, failure| now < failure.until);
            let soonest = self.failed.iter().min_by_key(|(_, failure)| failure.until);
            let soonest = soonest.map(|(url, _)| url.clone());
            if self.failed.len() >= limits.failures
                && let Some(soonest) = soonest
            {
                self.failed.remove(&soonest);
            }
        }
        let before = self.failed.get(url).map_or(0, |failure| failure.count);
        let count = before.saturating_add(1);
        let negative = times.negative.min(MOST_NEGATIVE);
        let pause = match error.is_transient() {
            true => jittered(doubled(FIRST, before).min(negative)),
            false => negative,
        };
        let asked = match &error {
            DiscoveryError::Fetch(error) => error.retry_after().unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let pause = pause.max(asked.min(MOST_RETRY_AFTER));
        // The clock has whole seconds: one that has begun counts.
        let pause = Duration::from_secs(pause.as_secs() + u64::from(pause.subsec_nanos() > 0));
        let failure = Failure {
            error,
            at: now,
            until: now.plus(pause),
            count,
        };
        self.failed.insert(url.clone(), failure);
    }

    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        (self.kept.len(), self.failed.len(), self.bytes)
    }
}

/// `first`, doubled `times`.
pub(super) fn doubled(first: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
    first.saturating_mul(factor)
}

/// Up to half shorter by chance, so that those who failed together do not come back together.
pub(super) fn jittered(pause: Duration) -> Duration {
    let part = u32::from_be_bytes(random());
    pause - (pause / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
}

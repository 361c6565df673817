//! Time as an argument: checks never read a clock, they are told the time.
//!
//! ```
//! use countersign::clock::UnixTime;
//! assert_eq!(UnixTime::from_secs(0).to_string(), "1970-01-01T00:00:00Z");
//! ```

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z, as JWT NumericDate and RFC 9421 `created` count them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The time this many seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since the epoch.
    pub const fn secs(self) -> u64 {
        self.0
    }

    /// This time plus `by`, whole seconds; stops at the largest time there is.
    pub const fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.as_secs()))
    }

    /// This time minus `by`, whole seconds; stops at the epoch.
    pub const fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.as_secs()))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 in UTC; a time past the year 9999 is shown as its seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = i64::try_from(self.0)
            .ok()
            .and_then(|secs| time::OffsetDateTime::from_unix_timestamp(secs).ok());
        match date {
            Some(d) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                d.year(),
                u8::from(d.month()),
                d.day(),
                d.hour(),
                d.minute(),
                d.second()
            ),
            None => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// How far two honest clocks may differ. Default 5 s, at most 60 s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Skew(Duration);

impl Skew {
    /// The largest skew that can be configured.
    pub const MAX: Duration = Duration::from_secs(60);

    /// No tolerance at all.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// A skew of `by`, or `None` when it is over [`Skew::MAX`].
    pub fn new(by: Duration) -> Option<Self> {
        (by <= Self::MAX).then_some(Self(by))
    }

    /// The tolerance as a duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for Skew {
    fn default() -> Self {
        Self(Duration::from_secs(5))
    }
}

/// Where the pipelines get the time from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> UnixTime;

    /// The time now in milliseconds since the epoch, for timestamps that are shown and sorted by.
    fn unix_millis(&self) -> u64 {
        self.now().0.saturating_mul(1000)
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        UnixTime(since_epoch().as_secs())
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock before 1970 reads as the epoch: everything is then "not yet valid", nothing is let in.
fn since_epoch() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

/// A clock that stands still until it is moved, for tests and replays of recorded calls.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`.
    pub const fn at(now: UnixTime) -> Self {
        Self(AtomicU64::new(now.0))
    }

    /// Moves the clock to `now`, forwards or backwards.
    pub fn set(&self, now: UnixTime) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_as_rfc_3339() {
        assert_eq!(
            UnixTime::from_secs(1_795_354_571).to_string(),
            "2026-11-22T13:36:11Z"
        );
        assert_eq!(
            UnixTime::from_secs(u64::MAX).to_string(),
            format!("{} s after 1970", u64::MAX)
        );
    }

    #[test]
    fn skew_ends_at_sixty_seconds() {
        assert!(Skew::new(Duration::from_secs(60)).is_some());
        assert!(Skew::new(Duration::from_secs(61)).is_none());
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let late = UnixTime::from_secs(u64::MAX);
        assert_eq!(late.plus(Duration::from_secs(1)), late);
        let early = UnixTime::from_secs(0);
        assert_eq!(early.minus(Duration::from_secs(1)), early);
        assert_eq!(early.since(late), Duration::ZERO);
    }
}

//! How much is fetched from whom.

use std::collections::HashMap;
use std::time::Duration;

use super::settings::ResolverLimits;
use crate::clock::UnixTime;

const MINUTE: Duration = Duration::from_secs(60);
/// Origins that are counted at a time.
const MAX_ORIGINS: usize = 4096;

/// Counts fetches of each origin.
#[derive(Debug, Default)]
pub(super) struct Origins {
    running: usize,
    of: HashMap<String, Count>,
}

#[derive(Debug)]
struct Count {
    running: usize,
    /// When the minute began that is counted.
    since: UnixTime,
    fetches: u32,
}

impl Count {
    fn is_over(&self, now: UnixTime) -> bool {
        // A clock that was set back must not keep us from asking for longer.
        now < self.since || now.since(self.since) >= MINUTE
    }
}

impl Origins {
    /// Whether one more may begin; counts it if so.
    pub(super) fn begin(&mut self, origin: &str, limits: &ResolverLimits, now: UnixTime) -> bool {
        if self.running >= limits.at_once {
            return false;
        }
        if self.of.len() >= MAX_ORIGINS && !self.of.contains_key(origin) {
            self.of
                .retain(|_, count| count.running > 0 || !count.is_over(now));
            if self.of.len() >= MAX_ORIGINS {
                return false;
            }
        }
        let count = self.of.entry(origin.to_owned()).or_insert(Count {
            running: 0,
            since: now,
            fetches: 0,
        });
        if count.is_over(now) {
            (count.since, count.fetches) = (now, 0);
        }
        if count.running >= limits.at_once_of_origin || count.fetches >= limits.per_minute {
            return false;
        }
        count.running += 1;
        count.fetches += 1;
        self.running += 1;
        true
    }

    /// One that began is over.
    pub(super) fn end(&mut self, origin: &str) {
        self.running = self.running.saturating_sub(1);
        if let Some(count) = self.of.get_mut(origin) {
            count.running = count.running.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_735_689_600);

    #[test]
    fn an_origin_is_asked_so_often_and_no_more() {
        let limits = ResolverLimits {
            at_once: 3,
            at_once_of_origin: 2,
            per_minute: 4,
            ..ResolverLimits::default()
        };
        let mut origins = Origins::default();
        let after = |secs| NOW.plus(Duration::from_secs(secs));
        assert!(origins.begin("a", &limits, NOW) && origins.begin("a", &limits, NOW));
        assert!(!origins.begin("a", &limits, NOW), "two run");
        assert!(origins.begin("b", &limits, NOW));
        assert!(!origins.begin("c", &limits, NOW), "three run in all");
        for origin in ["a", "a", "b"] {
            origins.end(origin);
        }
        for _ in 0..2 {
            assert!(origins.begin("a", &limits, after(59)));
            origins.end("a");
        }
        assert!(!origins.begin("a", &limits, after(59)), "four in a minute");
        assert!(origins.begin("b", &limits, after(59)));
        assert!(origins.begin("a", &limits, after(60)));
    }

    #[test]
    fn a_flood_of_origins_takes_no_more_room() {
        let limits = ResolverLimits::default();
        let mut origins = Origins::default();
        for n in 0..MAX_ORIGINS {
            let origin = n.to_string();
            assert!(origins.begin(&origin, &limits, NOW));
            origins.end(&origin);
        }
        assert!(!origins.begin("one more", &limits, NOW));
        assert!(
            origins.begin("0", &limits, NOW),
            "one that is counted already"
        );
        let later = NOW.plus(MINUTE);
        assert!(origins.begin("one more", &limits, later));
        assert!(origins.of.len() <= 2);
    }
}

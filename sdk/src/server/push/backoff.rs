//! When a receiver that could not be reached is tried again.

use std::time::Duration;

use crate::crypto::random;

/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The pause after `attempts` (1 is the first) were in vain, without jitter.
fn nominal(attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1));
    let pause = doubled.and_then(|times| FIRST.checked_mul(times));
    pause.map_or(LONGEST, |pause| pause.min(LONGEST))
}

/// The pause after `attempts` were in vain, up to half of it shorter by chance, so that receivers that
/// went away together do not come back to a crowd; whole seconds. `None` when the pauses together
/// are over `patience`: then it is time to give up.
///
/// How long it has been is counted in attempts, which the store keeps, so a restart does not begin
/// the patience anew.
pub(super) fn pause(attempts: u32, patience: Duration) -> Option<Duration> {
    (1..=attempts).try_fold(Duration::ZERO, |sum, attempt| {
        let sum = sum + nominal(attempt);
        (sum <= patience).then_some(sum)
    })?;
    let pause = nominal(attempts).as_secs();
    let less = u64::from(u32::from_be_bytes(random())) % (pause / 2 + 1);
    Some(Duration::from_secs(pause - less))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let secs: Vec<u64> = (1..=13).map(|n| nominal(n).as_secs()).collect();
        assert_eq!(secs, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(nominal(u32::MAX), LONGEST);
    }

    #[test]
    fn a_pause_is_shortened_by_half_at_most() {
        for attempts in 1..=20 {
            let pause_secs = nominal(attempts).as_secs();
            for _ in 0..100 {
                let got = pause(attempts, DAY).expect("in time").as_secs();
                let least = pause_secs - pause_secs / 2;
                assert!((least..=pause_secs).contains(&got), "{attempts}: {got}");
            }
        }
    }

    #[test]
    fn patience_ends_exactly_where_the_pauses_exceed_it() {
        // 1 + 2 + 4 = 7.
        assert!(pause(3, Duration::from_secs(7)).is_some());
        assert!(pause(3, Duration::from_secs(6)).is_none());
        // 1 + … + 512 = 1023 in ten attempts, then 900 each: 94 of them end after 23 h 47 min.
        assert!(pause(104, DAY).is_some());
        assert!(pause(105, DAY).is_none());
        assert!(pause(u32::MAX, DAY).is_none());
    }
}

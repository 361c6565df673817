//! The time a caller waits at most (`grpc-timeout`): up to eight digits and a unit.

use std::time::Duration;

/// Nanoseconds of each unit, the finest first.
const UNITS: [(char, u128); 6] = [
    ('n', 1),
    ('u', 1_000),
    ('m', 1_000_000),
    ('S', 1_000_000_000),
    ('M', 60_000_000_000),
    ('H', 3_600_000_000_000),
];

/// Reads it; `None` when it is not of the standard's form.
///
/// ```
/// use countersign::a2a::grpc::read_timeout;
/// use std::time::Duration;
/// assert_eq!(read_timeout("250m"), Some(Duration::from_millis(250)));
/// assert_eq!(read_timeout("250"), None);
/// ```
pub fn read_timeout(text: &str) -> Option<Duration> {
    let (at, unit) = text.char_indices().next_back()?;
    let digits = &text[..at];
    let good = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let count: u64 = good.then(|| digits.parse().ok())??;
    let total = u128::from(count) * nanos;
    let secs = u64::try_from(total / 1_000_000_000).ok()?;
    Some(Duration::new(secs, (total % 1_000_000_000) as u32))
}

/// Writes it in the finest unit that fits, never longer than it is; at most 99,999,999 hours.
pub fn write_timeout(timeout: Duration) -> String {
    let nanos = timeout.as_nanos();
    for (unit, size) in UNITS {
        let count = nanos / size;
        if count <= 99_999_999 {
            return format!("{count}{unit}");
        }
    }
    "99999999H".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_read_back_and_never_grow() {
        for (timeout, wire) in [
            (Duration::ZERO, "0n"),
            (Duration::from_nanos(99_999_999), "99999999n"),
            (Duration::from_nanos(100_000_000), "100000u"),
            (Duration::from_millis(1500), "1500000u"),
            (Duration::from_secs(300), "300000m"),
            (Duration::from_secs(u64::MAX), "99999999H"),
        ] {
            assert_eq!(write_timeout(timeout), wire);
            assert!(
                read_timeout(wire).is_some_and(|read| read <= timeout),
                "{wire}"
            );
        }
        assert_eq!(read_timeout("2M"), Some(Duration::from_secs(120)));
        assert_eq!(read_timeout("1H"), Some(Duration::from_secs(3600)));
    }

    #[test]
    fn other_forms_are_refused() {
        assert!(read_timeout("99999999H").is_some());
        for bad in [
            "",
            "m",
            "1",
            "1s",
            "1 m",
            "-1m",
            "+1m",
            "1.5S",
            "100000000n",
            "1ms",
            "１m",
        ] {
            assert_eq!(read_timeout(bad), None, "{bad}");
        }
    }
}

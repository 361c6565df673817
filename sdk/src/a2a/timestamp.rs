//! Points in time on the wire (google.protobuf.Timestamp, A2A §5.6.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month, OffsetDateTime, Time};

use crate::clock::UnixTime;

/// A point in time between the years 1 and 9999, to the nanosecond.
///
/// Written in UTC with milliseconds, or with more digits when it has them; any RFC 3339 text is
/// read, whatever its offset.
///
/// ```
/// use countersign::a2a::Timestamp;
/// let time: Timestamp = "2026-11-22T15:36:11.5+02:00".parse()?;
/// assert_eq!(time.to_string(), "2026-11-22T13:36:11.500Z");
/// # Ok::<(), countersign::a2a::TimestampError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    secs: i64,
    nanos: u32,
}

/// A text is not an RFC 3339 date and time of the years 1 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an RFC 3339 date and time")]
pub struct TimestampError;

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

impl Timestamp {
    /// The time this many milliseconds after 1970; stops at the year 9999.
    pub fn from_millis(millis: u64) -> Self {
        let secs = i64::try_from(millis / 1000).unwrap_or(i64::MAX);
        let nanos = (millis % 1000) as u32 * 1_000_000;
        Self {
            secs: secs.min(*RANGE.end()),
            nanos,
        }
    }

    /// Seconds since 1970 and nanoseconds after them, when they are a time of the years 1 to 9999.
    #[cfg(feature = "grpc")]
    pub(super) fn from_parts(secs: i64, nanos: u32) -> Option<Self> {
        let fits = RANGE.contains(&secs) && nanos < 1_000_000_000;
        fits.then_some(Self { secs, nanos })
    }

    /// Seconds since 1970 and nanoseconds after them.
    #[cfg(feature = "grpc")]
    pub(super) const fn parts(self) -> (i64, u32) {
        (self.secs, self.nanos)
    }

    /// Milliseconds since 1970, rounded down; negative before.
    pub const fn unix_millis(self) -> i64 {
        self.secs * 1000 + (self.nanos / 1_000_000) as i64
    }

    /// Whole seconds since 1970, rounded down; a time before 1970 gives the epoch.
    pub fn unix_time(self) -> UnixTime {
        UnixTime::from_secs(u64::try_from(self.secs).unwrap_or_default())
    }
}

impl From<UnixTime> for Timestamp {
    fn from(time: UnixTime) -> Self {
        Self::from_millis(time.secs().saturating_mul(1000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = OffsetDateTime::from_unix_timestamp(self.secs).map_err(|_| fmt::Error)?;
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second) = t.to_hms();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match self.nanos {
            n if n % 1_000_000 == 0 => write!(f, ".{:03}Z", n / 1_000_000),
            n if n % 1000 == 0 => write!(f, ".{:06}Z", n / 1000),
            n => write!(f, ".{n:09}Z"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        read(text.as_bytes()).ok_or(TimestampError)
    }
}

/// RFC 3339 §5.6: `date "T" time [fraction] ("Z" | offset)`.
fn read(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.split_at_checked(9)?;
    if date[4] != b'-' || date[7] != b'-' || clock[3] != b':' || clock[6] != b':' {
        return None;
    }
    if !matches!(clock[0], b'T' | b't' | b' ') {
        return None;
    }
    let year = i32::try_from(digits(&date[..4])?).ok()?;
    let month = Month::try_from(two(&date[5..7])?).ok()?;
    let date = Date::from_calendar_date(year, month, two(&date[8..])?).ok()?;
    let second = two(&clock[7..])?;
    // A leap second is counted as the first second after it.
    let time = Time::from_hms(two(&clock[1..3])?, two(&clock[4..6])?, second.min(59)).ok()?;
    let leap = match second {
        0..=59 => 0,
        60 => 1,
        _ => return None,
    };
    let (nanos, rest) = fraction(rest)?;
    let utc = OffsetDateTime::new_utc(date, time).unix_timestamp();
    let secs = utc + leap - offset(rest)?;
    RANGE.contains(&secs).then_some(Timestamp { secs, nanos })
}

fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let end = rest.iter().position(|b| !b.is_ascii_digit())?;
    // Finer than a nanosecond is cut off.
    let kept = digits(&rest[..end.min(9)])?;
    let scale = 10_u32.pow(9 - u32::try_from(end.min(9)).ok()?);
    (end > 0).then_some((kept * scale, &rest[end..]))
}

/// Seconds that the local time is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let sign = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let [_, h1, h2, b':', m1, m2] = text else {
        return None;
    };
    let (hours, minutes) = (two(&[*h1, *h2])?, two(&[*m1, *m2])?);
    let fits = hours < 24 && minutes < 60;
    fits.then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |sum, b| {
        b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
    })
}

fn two(text: &[u8]) -> Option<u8> {
    u8::try_from(digits(text)?).ok()
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_rfc_3339_text_is_read_and_utc_is_written() {
        for (read, written) in [
            ("2026-11-22T13:36:11Z", "2026-11-22T13:36:11.000Z"),
            ("2026-11-22t13:36:11.142z", "2026-11-22T13:36:11.142Z"),
            ("2026-11-22T13:36:11.1425Z", "2026-11-22T13:36:11.142500Z"),
            (
                "2026-11-22T13:36:11.1234567899Z",
                "2026-11-22T13:36:11.123456789Z",
            ),
            ("2026-11-22T00:30:00-05:30", "2026-11-22T06:00:00.000Z"),
            ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00.000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            let time: Timestamp = read.parse().expect(read);
            assert_eq!(time.to_string(), written);
            assert_eq!(written.parse::<Timestamp>().expect(written), time);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T13:36:11",
            "2026-11-22T13:36:11.Z",
            "2026-11-22T13:36:11.5",
            "2026-13-22T13:36:11Z",
            "2026-02-30T13:36:11Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T13:36:61Z",
            "2026-11-22T13:36:11+24:00",
            "2026-11-22T13:36:11+0200",
            "2026-11-22T13:36:11Zx",
            "0001-01-01T00:00:00+00:01",
            "+026-11-22T13:36:11Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn times_order_as_they_happened() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert!(at("2026-11-22T13:36:11.001Z") > at("2026-11-22T13:36:11Z"));
        assert!(at("2026-11-22T13:36:11+01:00") < at("2026-11-22T13:36:11Z"));
        assert_eq!(
            Timestamp::from(UnixTime::from_secs(1_795_354_571)),
            at("2026-11-22T13:36:11Z")
        );
        assert_eq!(
            at("2026-11-22T13:36:11.9Z").unix_time(),
            UnixTime::from_secs(1_795_354_571)
        );
        assert_eq!(Timestamp::from_millis(u64::MAX).secs, *RANGE.end());
    }
}

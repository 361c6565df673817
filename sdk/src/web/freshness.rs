//! How long an answer may be used without asking again (RFC 9111).

use std::time::{Duration, SystemTime};

use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, RETRY_AFTER};
use http::{HeaderMap, HeaderName};

/// Longer is not told apart (RFC 9111 §1.2.2).
const MOST: u64 = 1 << 31;

/// What an answer says about being kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Freshness {
    /// How long it is fresh still, if it says so: `s-maxage`, `max-age` or `Expires`, less `Age`;
    /// zero with `no-store` and `no-cache`.
    pub fresh: Option<Duration>,
    /// Whether it must not be used when it is no longer fresh: `must-revalidate`,
    /// `proxy-revalidate`, `no-cache`, `no-store`.
    pub never_stale: bool,
}

impl Freshness {
    /// Reads the fields of an answer.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        let (mut shared, mut any, mut now) = (None, None, false);
        for directive in directives(headers) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "s-maxage" => shared = least(shared, seconds(value)),
                "max-age" => any = least(any, seconds(value)),
                "no-store" | "no-cache" => now = true,
                "must-revalidate" | "proxy-revalidate" => read.never_stale = true,
                _ => {}
            }
        }
        read.never_stale |= now;
        read.fresh = match (now, shared.or(any)) {
            (true, _) => Some(Duration::ZERO),
            (false, Some(secs)) => Some(less_age(secs, headers)),
            (false, None) => expires(headers).map(|secs| less_age(secs, headers)),
        };
        read
    }
}

/// RFC 9110 §10.2.3: seconds, or a date, which counts from the answer's own.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return Some(Duration::from_secs(seconds(text)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date(headers)?).unwrap_or_default())
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(CACHE_CONTROL).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// RFC 9111 §4.2.1: of several, the one that is over first; what is no number is over.
fn least(before: Option<u64>, next: u64) -> Option<u64> {
    Some(before.map_or(next, |before| before.min(next)))
}

fn seconds(text: &str) -> u64 {
    let text = text.trim().trim_matches('"');
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    // All digits: what does not parse is too large.
    text.parse().map_or(MOST, |secs: u64| secs.min(MOST))
}

fn less_age(secs: u64, headers: &HeaderMap) -> Duration {
    let age = text(headers, &AGE).map_or(0, seconds);
    Duration::from_secs(secs.saturating_sub(age))
}

/// RFC 9111 §5.3: a date that is none is in the past.
fn expires(headers: &HeaderMap) -> Option<u64> {
    let until = text(headers, &EXPIRES)?;
    let life = || {
        let until = httpdate::parse_http_date(until).ok()?;
        until.duration_since(date(headers)?).ok()
    };
    Some(life().map_or(0, |life| life.as_secs().min(MOST)))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, &DATE)?).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "Sun, 09 Sep 2001 01:46:40 GMT";
    const LATER: &str = "Sun, 09 Sep 2001 01:47:40 GMT";

    fn fields(fields: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn an_answer_is_fresh_for_as_long_as_it_says() {
        let control = |value: &'static str| vec![(CACHE_CONTROL, value)];
        for (given, fresh, never_stale) in [
            (vec![], None, false),
            (control("public"), None, false),
            (control("max-age=240"), Some(240), false),
            (control("Max-Age=\"240\", Public"), Some(240), false),
            (control("max-age=240, s-maxage=60"), Some(60), false),
            (control("max-age=240, max-age=60"), Some(60), false),
            (control("max-age=240, must-revalidate"), Some(240), true),
            (control("max-age=x"), Some(0), false),
            (control("max-age=-1"), Some(0), false),
            (control("max-age=99999999999999999999"), Some(MOST), false),
            (control("max-age=240, no-store"), Some(0), true),
            (control("no-cache"), Some(0), true),
            (
                vec![(CACHE_CONTROL, "max-age=240"), (AGE, "200")],
                Some(40),
                false,
            ),
            (
                vec![(CACHE_CONTROL, "max-age=240"), (AGE, "241")],
                Some(0),
                false,
            ),
            (vec![(DATE, AT), (EXPIRES, LATER)], Some(60), false),
            (vec![(DATE, LATER), (EXPIRES, AT)], Some(0), false),
            (vec![(DATE, AT), (EXPIRES, "0")], Some(0), false),
            (vec![(EXPIRES, LATER)], Some(0), false),
            (
                vec![(DATE, AT), (EXPIRES, LATER), (CACHE_CONTROL, "max-age=5")],
                Some(5),
                false,
            ),
        ] {
            let fresh = fresh.map(Duration::from_secs);
            let read = Freshness::read(&fields(&given));
            assert_eq!(read, Freshness { fresh, never_stale }, "{given:?}");
        }
    }

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_with_a_date() {
        for (given, want) in [
            (vec![(RETRY_AFTER, "120")], Some(120)),
            (vec![(RETRY_AFTER, "0")], Some(0)),
            (vec![(RETRY_AFTER, LATER), (DATE, AT)], Some(60)),
            (vec![(RETRY_AFTER, AT), (DATE, LATER)], Some(0)),
            (vec![(RETRY_AFTER, LATER)], None),
            (vec![(RETRY_AFTER, "soon")], None),
            (vec![], None),
        ] {
            let got = retry_after(&fields(&given));
            assert_eq!(got, want.map(Duration::from_secs), "{given:?}");
        }
    }
}

//! W3C Trace Context: which records of different agents belong to one call.

use std::fmt;
use std::str::FromStr;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hex;
use crate::crypto::random;

/// The header that carries the context (W3C Trace Context §3.2).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The name of a whole call over all agents: 16 bytes, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// A name nobody else has.
    pub fn fresh() -> Self {
        Self(random_not_zero())
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn digits(&self) -> [u8; 32] {
        let mut out = [0; 32];
        hex::write(&self.0, &mut out);
        out
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a trace ID: 32 lower-case hexadecimal digits, not all zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a trace ID")]
pub struct TraceIdError;

impl FromStr for TraceId {
    type Err = TraceIdError;

    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        not_zero(text).map(Self).ok_or(TraceIdError)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where in a trace a request stands. It relates records; it proves nothing.
///
/// ```
/// use countersign::audit::TraceContext;
/// let mut headers = http::HeaderMap::new();
/// let received = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// headers.insert("traceparent", received.parse()?);
/// let context = TraceContext::from_headers(&headers);
/// assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// let onward = context.child().traceparent(); // same trace, a span of our own
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceContext {
    trace_id: TraceId,
    span: [u8; 8],
    sampled: bool,
}

impl TraceContext {
    /// A new trace.
    pub fn fresh() -> Self {
        Self {
            trace_id: TraceId::fresh(),
            span: random_not_zero(),
            sampled: false,
        }
    }

    /// A span of our own within `trace`.
    pub fn within(trace: TraceId) -> Self {
        Self {
            trace_id: trace,
            span: random_not_zero(),
            sampled: false,
        }
    }

    /// The context of a request; a new trace when it has none, several or a malformed one.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let single = values.next().filter(|_| values.next().is_none());
        let read = single.and_then(|value| Self::parse(value.to_str().ok()?));
        read.unwrap_or_else(Self::fresh)
    }

    /// W3C Trace Context §3.2.2: version, trace ID, parent ID and flags.
    fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(55)?;
        let mut parts = known.split('-');
        let version: [u8; 1] = hex::decode(parts.next()?)?;
        // Version 00 ends here; a later one may go on after a dash; ff is no version.
        let fits = match version[0] {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let context = Self {
            trace_id: parts.next()?.parse().ok()?,
            span: not_zero(parts.next()?)?,
            sampled: hex::decode::<1>(parts.next()?)?[0] & 1 == 1,
        };
        (fits && parts.next().is_none()).then_some(context)
    }

    /// The name of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The same trace with a span of its own: for a request that this one causes.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span: random_not_zero(),
            ..*self
        }
    }

    /// The value of the header `traceparent`.
    pub fn traceparent(&self) -> String {
        String::from_utf8_lossy(&self.header()).into_owned()
    }

    /// `00-<trace>-<span>-<flags>` in hexadecimal digits.
    fn header(&self) -> [u8; 55] {
        let mut out = [b'-'; 55];
        hex::write(&[0], &mut out[..2]);
        hex::write(&self.trace_id.0, &mut out[3..35]);
        hex::write(&self.span, &mut out[36..52]);
        hex::write(&[u8::from(self.sampled)], &mut out[53..]);
        out
    }

    /// Puts the context into the headers of a request.
    pub fn insert(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_bytes(&self.header()) {
            headers.insert(TRACEPARENT, value);
        }
    }
}

fn random_not_zero<const N: usize>() -> [u8; N] {
    loop {
        let bytes = random();
        if bytes != [0; N] {
            return bytes;
        }
    }
}

fn not_zero<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).filter(|bytes| *bytes != [0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(TRACEPARENT, value.parse().expect("a header value"));
        }
        map
    }

    fn is_taken(values: &[&str]) -> bool {
        let context = TraceContext::from_headers(&headers(values));
        context.trace_id().to_string() == "0af7651916cd43dd8448eb211c80319c"
    }

    #[test]
    fn only_well_formed_contexts_are_taken() {
        for (value, want) in [
            (GOOD.to_owned(), true),
            (GOOD.replace("-01", "-ff"), true),
            (GOOD.replacen("00-", "01-", 1), true),
            (format!("{}-more", GOOD.replacen("00-", "01-", 1)), true),
            (format!("{}more", GOOD.replacen("00-", "01-", 1)), false),
            (format!("{GOOD}-more"), false),
            (GOOD.replacen("00-", "ff-", 1), false),
            (GOOD.to_uppercase(), false),
            (GOOD.replace("b7ad6b7169203331", "0000000000000000"), false),
            (GOOD[..54].to_owned(), false),
            (GOOD.replace("-01", "-0g"), false),
            (GOOD.replace('-', "_"), false),
            (GOOD.replace("-b7", "b-7"), false),
            (String::new(), false),
        ] {
            assert_eq!(is_taken(&[&value]), want, "{value}");
        }
        assert!(!is_taken(&[]));
        assert!(!is_taken(&[GOOD, GOOD]));
        assert!(
            "00000000000000000000000000000000"
                .parse::<TraceId>()
                .is_err()
        );
    }

    #[test]
    fn a_child_keeps_the_trace_and_has_its_own_span() {
        let context = TraceContext::from_headers(&headers(&[GOOD]));
        assert_eq!(context.traceparent(), GOOD);
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.traceparent(), GOOD);
        let mut onward = HeaderMap::new();
        child.insert(&mut onward);
        assert_eq!(TraceContext::from_headers(&onward), child);
        assert_ne!(TraceContext::fresh(), TraceContext::fresh());
    }
}

//! What a proxy says about the request that it received (RFC 7239, and the fields before it).

use std::net::IpAddr;

use http::HeaderMap;
use http::header::FORWARDED;

use super::network::ProxyNetwork;
use crate::httpsig::{Origin, Scheme, SignatureError};

/// The most elements that are read.
const MAX_ELEMENTS: usize = 32;

/// Which fields the proxies write. Only these are read: a proxy that writes one kind may pass the
/// other on as a client forged it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForwardedField {
    /// `Forwarded` with `host` and `proto` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-Host` and `X-Forwarded-Proto`, one value each: the proxies replace what was
    /// there.
    XForwarded,
}

impl ForwardedField {
    /// The origin that the client named, as the outermost of our proxies saw it.
    pub(super) fn origin(
        self,
        headers: &HeaderMap,
        proxies: &[ProxyNetwork],
    ) -> Result<Origin, SignatureError> {
        let said = match self {
            Self::Forwarded => by_forwarded(headers, proxies),
            Self::XForwarded => by_x_forwarded(headers),
        };
        let (host, proto) = said.ok_or_else(|| unknown(""))?;
        let scheme = match proto.to_ascii_lowercase().as_str() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(unknown(&host)),
        };
        let authority = host;
        Origin { scheme, authority }.normalized()
    }
}

pub(super) fn unknown(authority: &str) -> SignatureError {
    SignatureError::Origin {
        authority: authority.chars().take(256).collect(),
    }
}

fn by_x_forwarded(headers: &HeaderMap) -> Option<(String, String)> {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?.trim();
        (values.next().is_none() && !value.contains(',')).then(|| value.to_owned())
    };
    Some((one("x-forwarded-host")?, one("x-forwarded-proto")?))
}

/// RFC 7239 §4: each proxy adds an element at the end. The last one is our peer's; the one before it
/// counts when it was one of our proxies that our peer was asked by, and so on.
fn by_forwarded(headers: &HeaderMap, proxies: &[ProxyNetwork]) -> Option<(String, String)> {
    let mut elements = Vec::new();
    for line in headers.get_all(FORWARDED) {
        for element in split(line.to_str().ok()?, ',')? {
            elements.push(Element::read(element)?);
            if elements.len() > MAX_ELEMENTS {
                return None;
            }
        }
    }
    let mut outermost = elements.pop()?;
    while let Some(asker) = outermost.asker
        && proxies.iter().any(|proxy| proxy.contains(asker))
        && let Some(before) = elements.pop()
    {
        outermost = before;
    }
    Some((outermost.host?, outermost.proto?))
}

#[derive(Default)]
struct Element {
    asker: Option<IpAddr>,
    host: Option<String>,
    proto: Option<String>,
}

impl Element {
    fn read(text: &str) -> Option<Self> {
        let mut element = Self::default();
        let mut seen = Vec::new();
        for pair in split(text, ';')? {
            if pair.trim().is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), unquoted(value.trim())?);
            // RFC 7239 §4: no parameter stands twice in an element.
            if seen.contains(&name) {
                return None;
            }
            match name.as_str() {
                "for" => element.asker = node(&value),
                "host" => element.host = Some(value),
                "proto" => element.proto = Some(value),
                _ => {}
            }
            seen.push(name);
        }
        Some(element)
    }
}

/// RFC 7239 §6: an address, perhaps with a port; anything else is nobody that we know.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let proper = port.is_empty() || port.starts_with(':');
        return proper.then(|| address.parse().ok())?;
    }
    let address = text.split_once(':').map_or(text, |(address, _)| address);
    address.parse().ok()
}

/// Splits at a sign outside of quotes; `None` when a quote does not end.
fn split(text: &str, at: char) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (index, sign) in text.char_indices() {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            sign if sign == at && !quoted => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// A token, or the text within quotes.
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let (mut text, mut escaped) = (String::new(), false);
    for sign in inner.chars() {
        match sign {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return None,
            sign => {
                escaped = false;
                text.push(sign);
            }
        }
    }
    (!escaped).then_some(text)
}

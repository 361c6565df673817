//! The URL of a stranger, read so strictly that no two programs can differ about its host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::uri::PathAndQuery;

use super::{Origin, Scheme};

/// The longest URL, in bytes.
const MAX_URL: usize = 2048;

/// Where a host is: an address, or a name that has to be looked up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
}

/// An `http` or `https` URL without user information and fragment, at most 2,048 bytes.
///
/// ```
/// use countersign::httpsig::WebUrl;
/// let url: WebUrl = "https://Bot.Example:443/a/../keys?x".parse()?;
/// assert_eq!(url.normalized().as_url(), "https://bot.example/keys?x");
/// # Ok::<(), countersign::httpsig::WebUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebUrl {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) target: PathAndQuery,
}

impl WebUrl {
    /// `host` or `host:port`, the port only when it is not the scheme's own.
    pub fn authority(&self) -> String {
        let own = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        if self.port == own {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Scheme and authority: what a signature is made for, and all of the URL that is logged, as
    /// path and query may hold a secret.
    pub fn origin(&self) -> Origin {
        Origin {
            scheme: self.scheme,
            authority: self.authority(),
        }
    }

    /// The whole URL; [`Display`](fmt::Display) leaves out path and query.
    pub fn as_url(&self) -> String {
        format!("{self}{}", self.target)
    }

    /// Its path.
    pub fn path(&self) -> &str {
        self.target.path()
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }
}

impl fmt::Display for WebUrl {
    /// Scheme and authority only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({self})")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Why a text is no URL that a stranger may send us to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the URL {rule}")]
pub struct WebUrlError {
    /// What is wrong with it.
    pub rule: &'static str,
}

impl FromStr for WebUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        if text.is_empty() || text.len() > MAX_URL {
            return Err(wrong("is empty or longer than 2048 bytes"));
        }
        // RFC 3986 §2, without the fragment, which is never sent.
        if !text.bytes().all(is_url_byte) {
            return Err(wrong(
                "has characters that a URL does not have, or a fragment",
            ));
        }
        let (scheme, rest) = split_scheme(text)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(wrong("carries user information"));
        }
        let (host, port) = split_authority(authority)?;
        let port = match (port, scheme) {
            (Some(port), _) => read_port(port)?,
            (None, Scheme::Http) => 80,
            (None, Scheme::Https) => 443,
        };
        let target = match target.as_bytes().first() {
            None => PathAndQuery::from_static("/"),
            Some(b'?') => format!("/{target}").parse().map_err(|_| not_a_path())?,
            Some(_) => target.parse().map_err(|_| not_a_path())?,
        };
        Ok(Self {
            scheme,
            host,
            port,
            target,
        })
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), WebUrlError> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or(wrong("does not begin with https://"))?;
    if scheme.eq_ignore_ascii_case("https") {
        Ok((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok((Scheme::Http, rest))
    } else {
        Err(wrong("does not begin with https://"))
    }
}

fn split_authority(authority: &str) -> Result<(Host, Option<&str>), WebUrlError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (inside, after) = rest
            .split_once(']')
            .ok_or(wrong("has a host in brackets that do not close"))?;
        // Ipv6Addr knows no zones (`%eth0`), and neither does the web.
        let address: Ipv6Addr = inside
            .parse()
            .map_err(|_| wrong("has brackets around something that is no IPv6 address"))?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return Err(wrong("has something behind the host that is no port")),
        };
        return Ok((Host::Address(address.into()), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    Ok((read_host(host)?, port))
}

fn read_host(host: &str) -> Result<Host, WebUrlError> {
    // Four decimal numbers without leading zeros, and no other form.
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let host = host.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // RFC 1123 §2.1; names of other scripts come in their ASCII form (RFC 5891), and a name ends
    // without its dot, so that there is one way to write it.
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(wrong("has a host that is neither a name nor an address"));
    }
    // Resolvers read `127.1`, `0x7f000001` and `017700000001` as addresses; no top-level domain
    // begins with a digit.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().next().is_none_or(|b| b.is_ascii_digit()) {
        return Err(wrong("has a host that is an address in another form"));
    }
    Ok(Host::Name(host))
}

fn read_port(port: &str) -> Result<u16, WebUrlError> {
    let plain = !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse().ok().filter(|_| plain);
    port.ok_or(wrong("has a port that is none"))
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte)
}

const fn wrong(rule: &'static str) -> WebUrlError {
    WebUrlError { rule }
}

const fn not_a_path() -> WebUrlError {
    wrong("has a path or query that is none")
}

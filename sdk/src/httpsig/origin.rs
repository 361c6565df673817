//! Where a message is for, as configured: never read from a header.

use std::str::FromStr;

use super::error::SignatureError;

/// The scheme of a URI.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> &'static str {
        match self {
            Self::Http => ":80",
            Self::Https => ":443",
        }
    }
}

/// Scheme and authority of a receiver: its own as configured when it verifies, the target's when
/// a request is signed. `@authority`, `@scheme` and `@target-uri` come from here, so a forged
/// `Host` field changes nothing.
///
/// ```
/// use countersign::httpsig::Origin;
/// let origin: Origin = "https://Booking.Example:443".parse()?;
/// assert_eq!(origin, Origin::https("booking.example"));
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// The scheme.
    pub scheme: Scheme,
    /// `host` or `host:port`. Upper case is lowered and the scheme's own port left out whenever
    /// it is written into a signature base.
    pub authority: String,
}

impl Origin {
    /// The origin `https://authority`.
    pub fn https(authority: impl Into<String>) -> Self {
        Self {
            scheme: Scheme::Https,
            authority: authority.into(),
        }
    }

    /// The same origin in lower case and without the scheme's own port.
    ///
    /// # Errors
    /// [`SignatureError::Origin`] when the authority is not `host` or `host:port`.
    pub fn normalized(&self) -> Result<Self, SignatureError> {
        let mut out = Vec::with_capacity(self.authority.len());
        self.write_authority(&mut out)?;
        Ok(Self {
            scheme: self.scheme,
            authority: String::from_utf8_lossy(&out).into_owned(),
        })
    }

    /// Appends the authority as `@authority` has it (RFC 9421 §2.2.3).
    pub(super) fn write_authority(&self, out: &mut Vec<u8>) -> Result<(), SignatureError> {
        let given = self.authority.as_str();
        let kept = given
            .strip_suffix(self.scheme.default_port())
            .unwrap_or(given);
        let start = out.len();
        out.extend_from_slice(kept.as_bytes());
        let mut allowed = !kept.is_empty() && !kept.starts_with(':');
        for byte in &mut out[start..] {
            // RFC 3986 §3.2.2: names, addresses in brackets, a port; no user, no percent escapes.
            allowed &= byte.is_ascii_alphanumeric() || b"-._~:[]".contains(byte);
            byte.make_ascii_lowercase();
        }
        if !allowed {
            return Err(SignatureError::Origin {
                authority: given.to_owned(),
            });
        }
        Ok(())
    }
}

impl FromStr for Origin {
    type Err = SignatureError;

    /// Reads `https://host`, `https://host:port` or the same with `http`; nothing may follow.
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let (scheme, authority) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(SignatureError::Origin {
                authority: text.to_owned(),
            });
        };
        let authority = authority.to_owned();
        Self { scheme, authority }.normalized()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_lowered_and_lose_the_schemes_own_port() {
        let cases = [
            ("https://WWW.Example.com:443", Some("www.example.com")),
            ("http://example.com:80", Some("example.com")),
            ("http://example.com:443", Some("example.com:443")),
            ("https://127.0.0.1:8443", Some("127.0.0.1:8443")),
            ("https://[::1]:8443", Some("[::1]:8443")),
            ("https://", None),
            ("https://:443", None),
            ("https://example.com/", None),
            ("https://user@example.com", None),
            ("https://example.com\n", None),
            ("https://exämple.com", None),
            ("ftp://example.com", None),
        ];
        for (text, want) in cases {
            let got = text.parse::<Origin>().ok().map(|o| o.authority);
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }
}

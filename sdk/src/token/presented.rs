//! The token as it stands in the request.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::{ParsedToken, TokenError};
use crate::crypto::sha256;
use crate::secret::Secret;

/// The longest token accepted unless configured otherwise, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 << 10;

/// A bearer token that was presented; nothing in it is proved. Debug shows nothing of it.
///
/// ```
/// use countersign::token::PresentedToken;
/// let mut headers = http::HeaderMap::new();
/// headers.insert("authorization", "Bearer abc.def.ghi".parse()?);
/// let token = PresentedToken::from_headers(&headers)?;
/// assert!(!format!("{token:?}").contains("abc"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PresentedToken {
    text: Secret,
    digest: [u8; 32],
}

impl PresentedToken {
    /// The token of the one `Authorization: Bearer` header, at most [`MAX_TOKEN_BYTES`] long.
    ///
    /// # Errors
    /// [`TokenError::Missing`], [`TokenError::Repeated`], [`TokenError::Scheme`],
    /// [`TokenError::Character`] or [`TokenError::TooLong`].
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, TokenError> {
        Self::from_headers_within(headers, MAX_TOKEN_BYTES)
    }

    /// As [`PresentedToken::from_headers`], with another limit in bytes.
    ///
    /// # Errors
    /// As there.
    pub fn from_headers_within(headers: &HeaderMap, max: usize) -> Result<Self, TokenError> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or(TokenError::Missing)?;
        let more = values.count();
        if more > 0 {
            return Err(TokenError::Repeated { count: more + 1 });
        }
        // RFC 9110 §11.4: credentials = auth-scheme 1*SP token68; the scheme's case does not matter.
        let (scheme, rest) = match value.as_bytes().iter().position(|b| *b == b' ') {
            Some(at) => value.as_bytes().split_at(at),
            None => return Err(TokenError::Scheme),
        };
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Err(TokenError::Scheme);
        }
        Self::from_bytes(rest.trim_ascii_start(), max)
    }

    /// A token that came in another way, as the `subject_token` of an exchange does.
    ///
    /// # Errors
    /// [`TokenError::Character`] or [`TokenError::TooLong`] (over [`MAX_TOKEN_BYTES`]).
    pub fn from_text(text: &str) -> Result<Self, TokenError> {
        Self::from_bytes(text.as_bytes(), MAX_TOKEN_BYTES)
    }

    fn from_bytes(bytes: &[u8], max: usize) -> Result<Self, TokenError> {
        if bytes.len() > max {
            let len = bytes.len();
            return Err(TokenError::TooLong { len, max });
        }
        // RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
        let end = bytes
            .iter()
            .rposition(|b| *b != b'=')
            .map_or(0, |at| at + 1);
        let fits = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
        if end == 0 || !bytes[..end].iter().all(fits) {
            return Err(TokenError::Character);
        }
        let text = str::from_utf8(bytes).map_err(|_| TokenError::Character)?;
        Ok(Self {
            text: Secret::new(text.to_owned()),
            digest: sha256(bytes),
        })
    }

    /// Takes the token apart, reading at most `max` bytes, and checks that it is an access token in
    /// JWT form by its `typ` and an algorithm of the list.
    ///
    /// # Errors
    /// [`TokenError`] naming the broken rule.
    pub fn parse(&self, max: usize) -> Result<ParsedToken<'_>, TokenError> {
        ParsedToken::parse(self.text.expose(), self.digest, max)
    }

    /// SHA-256 of the token: the key under which a cache may keep its [`super::SignedClaims`].
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    pub(super) fn into_secret(self) -> Secret {
        self.text
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(AUTHORIZATION, value.parse().expect("a header value"));
        }
        map
    }

    fn reason(values: &[&str]) -> &'static str {
        match PresentedToken::from_headers(&headers(values)) {
            Ok(_) => "accepted",
            Err(error) => error.reason(),
        }
    }

    #[test]
    fn exactly_one_bearer_token_is_taken() {
        for (values, want) in [
            (&["Bearer a.b.c"][..], "accepted"),
            (&["bEARER a.b.c"], "accepted"),
            (&["Bearer   a.b.c"], "accepted"),
            (&["Bearer aA0-._~+/=="], "accepted"),
            (&[], "token.missing"),
            (&["Bearer a", "Bearer a"], "token.malformed"),
            (&["Basic YTpi"], "token.malformed"),
            (&["Bearer"], "token.malformed"),
            (&["Bearer "], "token.malformed"),
            (&["Bearer =="], "token.malformed"),
            (&["Bearer a=b"], "token.malformed"),
            (&["Bearer a b"], "token.malformed"),
            (&["Bearer a,b"], "token.malformed"),
            (&["Bearer a\""], "token.malformed"),
            (&["Bearer\ta"], "token.malformed"),
            (&["Bearera"], "token.malformed"),
            (&["a.b.c"], "token.malformed"),
        ] {
            assert_eq!(reason(values), want, "{values:?}");
        }
        let mut opaque = HeaderMap::new();
        let bytes = http::HeaderValue::from_bytes(b"Bearer \xc3\xa4").expect("a header value");
        opaque.insert(AUTHORIZATION, bytes);
        let refused = PresentedToken::from_headers(&opaque).map_err(|e| e.reason());
        assert_eq!(refused.err(), Some("token.malformed"));
    }

    #[test]
    fn a_token_ends_exactly_at_16_kib() {
        let bearer = |len: usize| format!("Bearer {}", "a".repeat(len));
        assert_eq!(reason(&[&bearer(16 << 10)]), "accepted");
        assert_eq!(reason(&[&bearer((16 << 10) + 1)]), "token.too_long");
        let within = |len| {
            PresentedToken::from_headers_within(&headers(&["Bearer abcd"]), len)
                .map_err(|e| e.reason())
                .err()
        };
        assert_eq!(within(4), None);
        assert_eq!(within(3), Some("token.too_long"));
        let text = |len: usize| PresentedToken::from_text(&"a".repeat(len)).is_ok();
        assert!(text(16 << 10) && !text((16 << 10) + 1) && !text(0));
    }
}

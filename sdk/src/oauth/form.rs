//! `application/x-www-form-urlencoded`, both ways (RFC 6749 appendix B).

use std::fmt::Write as _;

/// The media type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Why a body is not a form that can be read in one way only.
#[cfg(any(test, feature = "authority"))]
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum FormError {
    /// A bad `%` escape, or bytes that are not UTF-8.
    Encoding,
    /// A parameter stands there twice.
    Repeated(String),
}

/// Writes the parameters in the order given.
pub(crate) fn encode_form(parameters: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in parameters {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            // Writing into a String cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

/// Reads a form. Parameters without a value are left out, as if they were not sent.
#[cfg(any(test, feature = "authority"))]
pub(crate) fn decode_form(body: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let text = std::str::from_utf8(body).map_err(|_| FormError::Encoding)?;
    let mut out: Vec<(String, String)> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescape(name)?, unescape(value)?);
        // RFC 6749 §3.2: a parameter must not be sent more than once, known or not.
        if names.contains(&name) {
            return Err(FormError::Repeated(name));
        }
        names.push(name.clone());
        // RFC 6749 §3.2: a parameter without a value counts as omitted.
        if !value.is_empty() {
            out.push((name, value));
        }
    }
    Ok(out)
}

#[cfg(any(test, feature = "authority"))]
fn unescape(text: &str) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || {
                    let digit = bytes.next().map(char::from);
                    digit
                        .and_then(|c| c.to_digit(16))
                        .ok_or(FormError::Encoding)
                };
                let value = digit()? * 16 + digit()?;
                out.push(u8::try_from(value).map_err(|_| FormError::Encoding)?);
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| FormError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_as_it_was_written() {
        let sent = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("scope", "trips:read trips:write"),
            ("login_hint", "ä+ü&=%"),
        ];
        let text = encode_form(&sent);
        assert!(text.contains("scope=trips%3Aread+trips%3Awrite"), "{text}");
        let read = decode_form(text.as_bytes()).expect("a form");
        let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(read, sent);
    }

    #[test]
    fn bad_escapes_and_repeated_names_are_refused() {
        let repeated = |name: &str| Err(FormError::Repeated(name.into()));
        for (body, want) in [
            (&b"a=1&b=2"[..], Ok(2)),
            (b"", Ok(0)),
            (b"a=&b", Ok(0)),
            (b"a=1&a=2", repeated("a")),
            (b"a=1&%61=2", repeated("a")),
            (b"a=&a=2", repeated("a")),
            (b"a=%", Err(FormError::Encoding)),
            (b"a=%4", Err(FormError::Encoding)),
            (b"a=%+1", Err(FormError::Encoding)),
            (b"a=%ff", Err(FormError::Encoding)),
            (b"a=\xff", Err(FormError::Encoding)),
        ] {
            assert_eq!(decode_form(body).map(|read| read.len()), want, "{body:?}");
        }
    }
}

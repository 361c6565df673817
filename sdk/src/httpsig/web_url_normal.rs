//! The one way to write a URL (RFC 3986 §6.2.2 and §6.2.3).

use http::uri::PathAndQuery;

use super::web_url::WebUrl;

impl WebUrl {
    /// The same URL as everybody writes it: percent escapes in upper case and only where they are
    /// needed, no `.` and `..`. Host, scheme and port are in one form already.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let path = without_dots(&plain_escapes(self.target.path()));
        let target = match self.target.query() {
            Some(query) => format!("{path}?{}", plain_escapes(query)),
            None => path,
        };
        Self {
            // Made of characters that were in the target before.
            target: PathAndQuery::try_from(target).unwrap_or_else(|_| self.target.clone()),
            ..self.clone()
        }
    }

    /// What names this URL's directory to others: normalised, without its query
    /// (draft-ietf-webbotauth-httpsig-protocol).
    pub fn identifier(&self) -> String {
        let normal = self.normalized();
        format!("{normal}{}", normal.path())
    }
}

/// §6.2.2.1 and §6.2.2.2.
fn plain_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let escaped = after.get(..2).filter(|hex| {
            let mut bytes = hex.bytes();
            bytes.all(|b| b.is_ascii_hexdigit())
        });
        let byte = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (escaped, byte) {
            (Some(_), Some(byte)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
            }
            (Some(hex), _) => {
                out.push('%');
                out.push_str(&hex.to_ascii_uppercase());
            }
            (None, _) => out.push('%'),
        }
        rest = escaped.map_or(after, |hex| &after[hex.len()..]);
    }
    out.push_str(rest);
    out
}

/// §5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    kept.pop();
                }
                // `/a/..` is `/`, not the empty path.
                if last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_mean_the_same_are_written_the_same() {
        for (text, want) in [
            ("https://bot.example", "https://bot.example/"),
            ("HTTPS://Bot.Example:443/", "https://bot.example/"),
            ("https://bot.example:8443", "https://bot.example:8443/"),
            ("https://bot.example/%7ea/%2f", "https://bot.example/~a/%2F"),
            ("https://bot.example/a/./b/../c", "https://bot.example/a/c"),
            ("https://bot.example/a/%2e%2E/c", "https://bot.example/c"),
            ("https://bot.example/../../c", "https://bot.example/c"),
            ("https://bot.example/a/..", "https://bot.example/"),
            ("https://bot.example/a/b/.", "https://bot.example/a/b/"),
            ("https://bot.example//a//", "https://bot.example//a//"),
            ("https://bot.example/A", "https://bot.example/A"),
            ("https://bot.example/%zz%4", "https://bot.example/%zz%4"),
            (
                "https://bot.example?%41=/../b",
                "https://bot.example/?A=/../b",
            ),
            (
                "https://[2606:2800:021F::1]/",
                "https://[2606:2800:21f::1]/",
            ),
        ] {
            let url: WebUrl = text.parse().expect(text);
            assert_eq!(url.normalized().as_url(), want, "{text}");
            let again: WebUrl = want.parse().expect(want);
            assert_eq!(again.normalized(), again, "{text}");
            let identifier = want.split('?').next();
            assert_eq!(Some(url.identifier().as_str()), identifier, "{text}");
        }
    }
}

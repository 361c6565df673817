//! Names as a sentence shows them.

use std::fmt;

/// The most characters of a name that are shown.
const MAX_CHARS: usize = 256;

/// A name for people: the last segment of a SPIFFE ID, any other name whole.
///
/// Names come from strangers. One that could be mistaken for the words around it, or that holds
/// anything but plain characters, is shown quoted and escaped; a long one is cut.
#[derive(Clone, Copy)]
pub(crate) struct ShortName<'a>(pub(crate) &'a str);

impl fmt::Display for ShortName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0.strip_prefix("spiffe://") {
            Some(rest) => rest.rsplit('/').next().unwrap_or_default(),
            None => self.0,
        };
        let plain = |c: char| c.is_alphanumeric() || "-._@+~/|".contains(c) || c == ':';
        let short = name.len() <= MAX_CHARS;
        if short && !name.is_empty() && name.chars().all(plain) && !name.ends_with(':') {
            return f.write_str(name);
        }
        let cut: String = name.chars().take(MAX_CHARS).collect();
        let more = if cut.len() < name.len() { "…" } else { "" };
        write!(f, "\"{}{more}\"", cut.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_never_mistaken_for_the_sentence() {
        for (name, want) in [
            ("spiffe://travel.test/agent/booking", "booking"),
            ("alice", "alice"),
            (
                "auth0|5f7c8ec7c33c6c004bbafe82",
                "auth0|5f7c8ec7c33c6c004bbafe82",
            ),
            ("alice@x.test", "alice@x.test"),
            ("Łucja", "Łucja"),
            ("alice through planner", "\"alice through planner\""),
            ("alice,bob", "\"alice,bob\""),
            ("alice:", "\"alice:\""),
            ("a\nb", "\"a\\nb\""),
            ("a\"b", "\"a\\\"b\""),
            ("a\u{202e}b", "\"a\\u{202e}b\""),
            ("spiffe://travel.test/a b", "\"a b\""),
            ("", "\"\""),
        ] {
            assert_eq!(ShortName(name).to_string(), want);
        }
    }

    #[test]
    fn a_name_is_cut_after_256_characters() {
        let name = |len: usize| ShortName(&"x".repeat(len)).to_string();
        assert_eq!(name(256), "x".repeat(256));
        assert_eq!(name(257), format!("\"{}…\"", "x".repeat(256)));
    }
}

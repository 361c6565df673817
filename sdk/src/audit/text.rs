//! Text from strangers, made fit for a record.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A text of at most 256 characters that holds no control characters and nothing that changes the
/// direction in which a terminal shows it.
///
/// What does not fit is replaced by U+FFFD, what is too long is cut and ends in `…`.
///
/// ```
/// use countersign::audit::Text;
/// assert_eq!(Text::from("a\nb").as_str(), "a\u{fffd}b");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Text(Box<str>);

impl Text {
    /// The most characters of a text.
    pub const MAX_CHARS: usize = 256;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let plain = |b: u8| matches!(b, b' '..=b'~');
        if text.len() <= Self::MAX_CHARS && text.bytes().all(plain) {
            return Self(text.into());
        }
        let mut out: String = text.chars().map(visible).take(Self::MAX_CHARS).collect();
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            out.pop();
            out.push('…');
        }
        Self(out.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

fn visible(c: char) -> char {
    // Line and paragraph separators, marks and overrides of direction, the byte order mark.
    let misleading = matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    if misleading || c.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Ok(text.as_ref().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_exactly_at_256_characters() {
        for c in ["x", "ä", "€"] {
            assert_eq!(Text::from(c.repeat(256)).as_str(), c.repeat(256));
            let cut = format!("{}…", c.repeat(255));
            assert_eq!(Text::from(c.repeat(257)).as_str(), cut);
        }
        assert_eq!(Text::from("").as_str(), "");
    }

    #[test]
    fn what_could_mislead_a_reader_is_replaced() {
        for bad in [
            '\0', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}',
        ] {
            let text = Text::from(format!("a{bad}b"));
            assert_eq!(text.as_str(), "a\u{fffd}b", "{bad:?}");
        }
        assert_eq!(Text::from("Łucja \"x\" 日本").as_str(), "Łucja \"x\" 日本");
    }
}

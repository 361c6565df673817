//! The text of `grpc-message`: UTF-8, percent-encoded outside printable ASCII.

use std::fmt::Write as _;

/// Writes it.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Reads it; what is not encoded properly stays as it is, as the standard asks.
pub(super) fn decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let decoded = match after {
            [high, low, ..] if first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match decoded {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back_and_stay_within_printable_ascii() {
        for (text, wire) in [
            ("", ""),
            ("no such task", "no such task"),
            ("100%", "100%25"),
            ("a\r\nb", "a%0D%0Ab"),
            ("Zürich ☕", "Z%C3%BCrich %E2%98%95"),
            ("~\u{7f}", "~%7F"),
        ] {
            assert_eq!(encode(text), wire);
            assert_eq!(decode(wire.as_bytes()), text);
        }
    }

    #[test]
    fn a_bad_encoding_is_kept_as_text() {
        for (wire, text) in [
            (&b"%"[..], "%"),
            (b"%4", "%4"),
            (b"%zz", "%zz"),
            (b"%4%41", "%4A"),
            (b"%ff", "\u{fffd}"),
            (b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(decode(wire), text);
        }
    }
}

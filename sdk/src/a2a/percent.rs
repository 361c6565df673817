//! Percent-encoding of path segments and query values (RFC 3986 §2.1).

/// Puts `text` at the end of `out`. Everything but unreserved characters is written as escapes, so
/// that a text can never end its segment or its parameter.
pub(super) fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
            continue;
        }
        let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
        out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
    }
}

/// The text behind the escapes; `None` when an escape is broken or the bytes are not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut half = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (half()?, half()?);
        out.push(u8::try_from(high << 4 | low).ok()?);
    }
    String::from_utf8(out).ok()
}

/// The same in a query, where forms write a space as `+`.
pub(super) fn decode_form(text: &str) -> Option<String> {
    if text.contains('+') {
        return decode(&text.replace('+', " "));
    }
    decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_reads_back_and_none_can_leave_its_place() {
        for text in [
            "",
            "t-1",
            "../../admin?x=",
            "a/b",
            "a%2Fb",
            "x:cancel",
            "gr\u{fc}n \u{1f98a}",
            "a+b &=#;",
            "\0\r\n\u{7f}",
        ] {
            let mut written = String::new();
            push_encoded(&mut written, text);
            assert!(
                written
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)),
                "{written}"
            );
            assert_eq!(decode(&written).as_deref(), Some(text));
            assert_eq!(decode_form(&written).as_deref(), Some(text));
        }
    }

    #[test]
    fn broken_escapes_are_no_text() {
        for text in ["%", "%4", "%g0", "%0g", "%+1", "%ff", "%ed%a0%80", "a%"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("a+b%2bc").as_deref(), Some("a+b+c"));
        assert_eq!(decode_form("a+b%2bc").as_deref(), Some("a b+c"));
    }
}

//! The shape that nearly every `Signature-Input` has, read without a detour.
//!
//! One member, written as RFC 9651 §4.1 serialises it, with texts and whole numbers only. Whatever
//! is in any way different is left to the full parser, which then also says what is wrong with it.

use std::borrow::Cow;

use sfv::{BareItemFromInput, Integer, KeyRef, StringRef};

use super::component::ComponentId;
use super::inputs::Member;

/// The member in this line, or `None` for another shape.
pub(super) fn read_canonical(line: &[u8]) -> Option<Member<'_>> {
    // From here on every text is visible ASCII without escapes. All bytes are looked at, because
    // that is done many at a time.
    let odd = |byte: u8| !matches!(byte, b' '..=b'~') | (byte == b'\\');
    if line.iter().fold(false, |found, byte| found | odd(*byte)) {
        return None;
    }
    let text = std::str::from_utf8(line).ok()?;
    let (label, rest) = text.split_once('=')?;
    let mut rest = rest.strip_prefix('(')?;
    let mut member = Member::new(KeyRef::from_str(label).ok()?.as_str());
    member.reserve();
    while !rest.starts_with(')') {
        if !member.components.is_empty() {
            rest = rest.strip_prefix(' ')?;
        }
        let (name, after) = quoted(rest)?;
        let (key, after) = match after.strip_prefix(";key=") {
            Some(after) => quoted(after).map(|(key, after)| (Some(key), after))?,
            None => (None, after),
        };
        member
            .components
            .push(Ok(ComponentId::new(name, key).ok()?));
        rest = after;
    }
    rest = &rest[1..];
    while !rest.is_empty() {
        let (name, value) = rest.strip_prefix(';')?.split_once('=')?;
        let name = KeyRef::from_str(name).ok()?;
        if member.params.iter().any(|(other, _)| *other == name) {
            return None;
        }
        let (value, after) = match quoted(value) {
            Some((text, after)) => {
                let text = Cow::Borrowed(StringRef::from_str(text).ok()?);
                (BareItemFromInput::String(text), after)
            }
            None => number(value)?,
        };
        member.params.push((name, value));
        rest = after;
    }
    Some(member)
}

/// A text, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}

/// A whole number without sign and leading zeros, and what follows it.
fn number<'a>(text: &str) -> Option<(BareItemFromInput<'a>, &str)> {
    let other = |byte: u8| !byte.is_ascii_digit();
    let end = text.bytes().position(other).unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    // RFC 9651 §3.3.1: at most fifteen digits.
    if end > 15 || (end > 1 && digits.starts_with('0')) || after.starts_with('.') {
        return None;
    }
    let number = Integer::try_from(digits.parse::<i64>().ok()?).ok()?;
    Some((BareItemFromInput::Integer(number), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::inputs::Inputs;

    const USUAL: &str = concat!(
        r#"sig1=("@method" "a" "signature-agent";key="sig1");created=1735689600;"#,
        r#"keyid="a b~";n=0;nonce="";tag="web-bot-auth""#
    );

    /// Everything that a verification looks at, as text.
    fn shown(member: Member<'_>) -> String {
        let label = member.label;
        let input = member.into_input();
        let input = input.unwrap_or_else(|error| panic!("{label}: {error}"));
        let mut params = Vec::new();
        input.write_params(&mut params);
        format!(
            "{label} {:?} {}",
            input.components,
            String::from_utf8_lossy(&params)
        )
    }

    #[test]
    fn the_usual_shape_is_read() {
        for usual in [USUAL.to_owned(), "a=()".to_owned(), "*=(\"x\")".to_owned()] {
            assert!(read_canonical(usual.as_bytes()).is_some(), "{usual}");
        }
        let other = [
            "",
            "a",
            "a=1",
            "a=\"(\"",
            "A=()",
            "a=( )",
            "a=(\"x\"  \"y\")",
            "a=(\"x\" )",
            "a=(x)",
            "a=();b",
            "a=();b=?1",
            "a=();b=:AAAA:",
            "a=();b=01",
            "a=();b=-1",
            "a=();b=1.5",
            "a=();B=1",
            "a=();b=1;b=1",
            "a=();b=1 ",
            " a=()",
            "a=(), b=()",
            "a=(\"x\";sf)",
            "a=(\"X\")",
            "a=(\"x\\\"\")",
            "a=();b=1234567890123456",
            "a=();b=\"\u{e4}\"",
            "a=(\"x\";key=\"a\";key=\"a\")",
        ];
        for other in other {
            assert!(read_canonical(other.as_bytes()).is_none(), "{other}");
        }
    }

    /// Changes the usual shape in every place, and wants no answer that the full parser would not
    /// give too.
    #[test]
    fn it_agrees_with_the_full_parser_or_leaves_it_to_it() {
        let usual = USUAL.as_bytes();
        let alphabet = b"\"\\()=; ,:?0a1A@*-._\t\x7f\xc3";
        let mut read = 0;
        let mut check = |line: &[u8]| {
            if let Some(member) = read_canonical(line) {
                let full = Inputs::parse(line).expect("the full parser reads it too");
                assert_eq!(
                    shown(member),
                    shown(full),
                    "{}",
                    String::from_utf8_lossy(line)
                );
                read += 1;
            }
        };
        for at in 0..=usual.len() {
            let (before, after) = usual.split_at(at);
            let (_, rest) = after.split_at(after.len().min(1));
            check(&[before, rest].concat());
            check(&[before, rest, after].concat());
            for byte in alphabet {
                check(&[before, &[*byte], rest].concat());
                check(&[before, &[*byte], after].concat());
            }
        }
        assert!(read > 500, "{read}");
    }
}

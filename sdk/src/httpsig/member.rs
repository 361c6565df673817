//! One member of a dictionary, without building the others.

use std::borrow::Cow;
use std::convert::Infallible;

use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser, StringRef};

/// What a dictionary has under a key.
#[derive(Debug)]
pub(super) enum Member<'a> {
    Absent,
    /// A string; `bare` when it has no parameters.
    Text {
        text: Cow<'a, StringRef>,
        bare: bool,
    },
    /// Something else.
    Other,
}

/// Looks for the member under `key`; `None` when the field is not a dictionary.
pub(super) fn find_member<'a>(field: &'a [u8], key: &str) -> Option<Member<'a>> {
    if let Some(text) = canonical(field, key) {
        return Some(Member::Text {
            text: Cow::Borrowed(text),
            bare: true,
        });
    }
    let find = Find {
        key,
        found: Member::Absent,
    };
    let find = Parser::new(field).parse_dictionary_with_visitor(find);
    find.ok().map(|find| find.found)
}

/// The text of a field that is `key="text"`, without escapes, and nothing else.
fn canonical<'a>(field: &'a [u8], key: &str) -> Option<&'a StringRef> {
    let key = KeyRef::from_str(key).ok()?.as_str();
    let text = field.strip_prefix(key.as_bytes())?.strip_prefix(b"=\"")?;
    let text = text.strip_suffix(b"\"")?;
    let plain = !text.iter().fold(false, |found, byte| {
        found | (*byte == b'"') | (*byte == b'\\')
    });
    StringRef::from_bytes(text).ok().filter(|_| plain)
}

struct Find<'k, 'a> {
    key: &'k str,
    found: Member<'a>,
}

struct Entry<'f, 'a>(&'f mut Member<'a>);

impl<'a> DictionaryVisitor<'a> for Find<'_, 'a> {
    type Out = Self;
    type Error = Infallible;

    fn entry(&mut self, key: &'a KeyRef) -> Result<impl EntryVisitor<'a>, Infallible> {
        // RFC 9651 §4.2.2: of two members under one key the last counts.
        Ok((key.as_str() == self.key).then_some(Entry(&mut self.found)))
    }

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl<'a> EntryVisitor<'a> for Entry<'_, 'a> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'a>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'a>, Infallible> {
        *self.0 = Member::Other;
        Ok(Ignored)
    }
}

impl<'a> ItemVisitor<'a> for Entry<'_, 'a> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'a>,
    ) -> Result<impl ParameterVisitor<'a, Out = ()>, Infallible> {
        *self.0 = match item {
            BareItemFromInput::String(text) => Member::Text { text, bare: true },
            _ => Member::Other,
        };
        Ok(self)
    }
}

impl<'a> ParameterVisitor<'a> for Entry<'_, 'a> {
    type Out = ();
    type Error = Infallible;

    fn parameter(&mut self, _: &'a KeyRef, _: BareItemFromInput<'a>) -> Result<(), Infallible> {
        if let Member::Text { bare, .. } = self.0 {
            *bare = false;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_none_finds_nothing() {
        let found = find_member(br#"a="x", b="y""#, r#"a="x", b"#);
        assert!(matches!(found, Some(Member::Absent)), "{found:?}");
    }

    #[test]
    fn members_are_told_apart() {
        let cases = [
            (r#"a="x""#, "x bare"),
            (r#"b=1, a="x\"y" , c"#, "x\"y bare"),
            (r#"a="x", b="y""#, "x bare"),
            (r#"a="x\\""#, "x\\ bare"),
            (r#"a="x\""#, "broken"),
            (r#"a="x"y""#, "broken"),
            (r#"a="x";p"#, "x"),
            (r#"a="x";p, a="y""#, "y bare"),
            (r#"a="x", a=1"#, "other"),
            ("a", "other"),
            ("a=(\"x\")", "other"),
            ("b=1", "absent"),
            ("", "absent"),
            ("a=", "broken"),
        ];
        for (field, want) in cases {
            let got = match find_member(field.as_bytes(), "a") {
                None => "broken".to_owned(),
                Some(Member::Absent) => "absent".to_owned(),
                Some(Member::Other) => "other".to_owned(),
                Some(Member::Text { text, bare }) => {
                    format!("{}{}", text.as_str(), if bare { " bare" } else { "" })
                }
            };
            assert_eq!(got, want, "{field}");
        }
    }
}

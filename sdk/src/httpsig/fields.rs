//! Values of fields: lines combined, members of dictionaries, strict forms (RFC 9421 §2.1).

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AsHeaderName;
use sfv::{
    Dictionary, FieldType as _, Item, ItemSerializer, List, ListEntry, ListSerializer, Parser,
};

use super::component::write_string;
use super::member::{Member, find_member};

/// The type of a structured field (RFC 9651 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// One item.
    Item,
    /// A list.
    List,
    /// A dictionary.
    Dictionary,
}

/// Fields whose type their standards give. `;sf` on any other field is refused, unless the view
/// of the message was told its type.
const KNOWN: [(&str, FieldType); 20] = [
    ("accept-ch", FieldType::List),
    ("accept-signature", FieldType::Dictionary),
    ("cache-status", FieldType::List),
    ("cdn-cache-control", FieldType::Dictionary),
    ("client-cert", FieldType::Item),
    ("client-cert-chain", FieldType::List),
    ("content-digest", FieldType::Dictionary),
    ("cross-origin-embedder-policy", FieldType::Item),
    ("cross-origin-opener-policy", FieldType::Item),
    ("origin-agent-cluster", FieldType::Item),
    ("priority", FieldType::Dictionary),
    ("proxy-status", FieldType::List),
    ("repr-digest", FieldType::Dictionary),
    ("signature", FieldType::Dictionary),
    ("signature-agent", FieldType::Dictionary),
    ("signature-error", FieldType::Dictionary),
    ("signature-input", FieldType::Dictionary),
    ("signature-key", FieldType::Dictionary),
    ("want-content-digest", FieldType::Dictionary),
    ("want-repr-digest", FieldType::Dictionary),
];

/// Why a field has no value of the asked form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoValue {
    /// The field or the member is not there.
    Absent,
    /// The field is not ASCII.
    NotAscii,
    /// The field is not of the type, or its type is not known.
    Refused(&'static str),
}

/// The lines of the field joined with `", "`, each without surrounding white space. A
/// `HeaderValue` holds no line break, so obsolete folds (RFC 9110 §5.5) never come here.
pub(super) fn combined(
    fields: &HeaderMap,
    name: impl AsHeaderName,
) -> Result<Cow<'_, [u8]>, NoValue> {
    // RFC 9421 §2.1: an empty field has the empty value, an absent one has none.
    let mut lines = fields.get_all(name).iter();
    let first = trim(lines.next().ok_or(NoValue::Absent)?.as_bytes());
    let mut value = Cow::Borrowed(first);
    for line in lines {
        let joined = value.to_mut();
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(trim(line.as_bytes()));
    }
    if value.is_ascii() {
        Ok(value)
    } else {
        Err(NoValue::NotAscii)
    }
}

/// Appends every line as a byte sequence, for `;bs` (RFC 9421 §2.1.3).
pub(super) fn write_binary(
    fields: &HeaderMap,
    name: &str,
    out: &mut Vec<u8>,
) -> Result<(), NoValue> {
    let mut found = false;
    for line in fields.get_all(name) {
        if found {
            out.extend_from_slice(b", ");
        }
        found = true;
        write_bytes(trim(line.as_bytes()), out);
    }
    if found { Ok(()) } else { Err(NoValue::Absent) }
}

/// Appends one member's strict value, for `;key` (RFC 9421 §2.1.2).
pub(super) fn write_member(
    fields: &HeaderMap,
    name: &str,
    key: &str,
    out: &mut Vec<u8>,
) -> Result<(), NoValue> {
    let field = combined(fields, name)?;
    let refused = NoValue::Refused("the field is not a dictionary");
    // The usual member needs no dictionary to be built.
    match find_member(&field, key).ok_or(refused)? {
        Member::Absent => return Err(NoValue::Absent),
        Member::Text { text, bare: true } => {
            write_string(text.as_str(), out);
            return Ok(());
        }
        Member::Text { .. } | Member::Other => {}
    }
    let dictionary: Dictionary = Parser::new(&*field).parse().map_err(|_| refused)?;
    let member = dictionary.get(key).ok_or(NoValue::Absent)?;
    let text = match member {
        // §2.1.2: a member without a value is the Boolean true, written out.
        ListEntry::Item(item) => serialize_item(item),
        ListEntry::InnerList(_) => serialize_list(std::slice::from_ref(member)),
    };
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends the field serialised again, for `;sf` (RFC 9421 §2.1.1).
pub(super) fn write_strict(
    fields: &HeaderMap,
    name: &str,
    more: &[(&str, FieldType)],
    out: &mut Vec<u8>,
) -> Result<(), NoValue> {
    let mut known = more.iter().chain(&KNOWN);
    let kind = known
        .find(|(field, _)| *field == name)
        .map(|(_, kind)| *kind);
    let kind = kind.ok_or(NoValue::Refused("the field's structured type is not known"))?;
    let field = combined(fields, name)?;
    let parser = Parser::new(&*field);
    let text = match kind {
        FieldType::Item => parser.parse::<Item>().ok().map(|v| serialize_item(&v)),
        FieldType::List => parser.parse::<List>().ok().map(|v| serialize_list(&v)),
        FieldType::Dictionary => parser
            .parse::<Dictionary>()
            .ok()
            .map(|v| v.serialize().unwrap_or_default()),
    };
    let text = text.ok_or(NoValue::Refused("the field is not of its structured type"))?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn serialize_item(item: &Item) -> String {
    ItemSerializer::new()
        .bare_item(&item.bare_item)
        .parameters(&item.params)
        .finish()
}

fn serialize_list(list: &[ListEntry]) -> String {
    let mut to = ListSerializer::new();
    to.members(list);
    to.finish().unwrap_or_default()
}

/// Appends `:base64:`.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b':');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The room is exactly what the encoding needs.
    let _ = STANDARD.encode_slice(bytes, &mut out[start..]);
    out.push(b':');
}

/// Without spaces and tabs at both ends.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn fields(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        map
    }

    #[test]
    fn lines_are_trimmed_and_joined() {
        let map = fields(&[
            ("a", b" \t1 "),
            ("a", b""),
            ("a", b"2\t"),
            ("b", b"  "),
            ("c", b"\xc3\xa4"),
        ]);
        let value = |name| combined(&map, name).map(Cow::into_owned);
        assert_eq!(value("a"), Ok(b"1, , 2".to_vec()));
        assert_eq!(value("b"), Ok(Vec::new()));
        assert_eq!(value("c"), Err(NoValue::NotAscii));
        assert_eq!(value("d"), Err(NoValue::Absent));
    }

    #[test]
    fn a_header_value_cannot_hold_a_fold() {
        assert!(HeaderValue::from_bytes(b"one\r\n two").is_err());
        assert!(HeaderValue::from_bytes(b"one\n two").is_err());
    }

    #[test]
    fn byte_sequences_may_hold_what_a_base_may_not() {
        let map = fields(&[("c", b"\xc3\xa4"), ("c", b" a, b ")]);
        let mut out = Vec::new();
        assert_eq!(write_binary(&map, "c", &mut out), Ok(()));
        assert_eq!(out, b":w6Q=:, :YSwgYg==:");
    }
}

//! The member of `Signature` that belongs to a label (RFC 9421 §4.2).

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::error::SignatureError;
use super::input::{MAX_FIELD, SIGNATURE, check_size};

/// The bytes signed under `label`.
pub(super) fn signature_of(headers: &HeaderMap, label: &str) -> Result<Vec<u8>, SignatureError> {
    let lines = headers.get_all(SIGNATURE);
    let mut first = lines.iter();
    if let (Some(line), None) = (first.next(), first.next())
        && let Some(bytes) = read_canonical(line.as_bytes(), label)
    {
        return Ok(bytes);
    }
    let mut found = Found {
        label,
        times: 0,
        bytes: None,
    };
    let mut total = 0;
    for line in lines {
        total += line.len();
        check_size("bytes of Signature", total, MAX_FIELD)?;
        found = Parser::new(line.as_bytes())
            .parse_dictionary_with_visitor(found)
            .map_err(|_| malformed("it is not a dictionary"))?;
    }
    match (found.times, found.bytes) {
        (0, _) => Err(SignatureError::Missing {
            field: "Signature",
            label: Some(label.to_owned()),
        }),
        (1, Some(bytes)) => Ok(bytes),
        (1, None) => Err(malformed("a signature is a byte sequence")),
        _ => Err(malformed("a label stands twice")),
    }
}

/// The bytes in a line that is `label=:base64:` with 64 bytes, and nothing else.
fn read_canonical(line: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = line.strip_prefix(label.as_bytes())?.strip_prefix(b"=:")?;
    let text = text.strip_suffix(b":").filter(|text| text.len() == 88)?;
    STANDARD.decode(text).ok()
}

const fn malformed(what: &'static str) -> SignatureError {
    SignatureError::Malformed {
        field: "Signature",
        what,
    }
}

struct Found<'l> {
    label: &'l str,
    times: usize,
    bytes: Option<Vec<u8>>,
}

struct Bytes<'f>(&'f mut Option<Vec<u8>>);

impl<'de> DictionaryVisitor<'de> for Found<'_> {
    type Out = Self;
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        if key.as_str() != self.label {
            return Ok(None);
        }
        self.times += 1;
        Ok(Some(Bytes(&mut self.bytes)))
    }

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl<'de> EntryVisitor<'de> for Bytes<'_> {
    type Error = Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Infallible> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Infallible> {
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for Bytes<'_> {
    type Out = ();
    type Error = Infallible;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Infallible> {
        if let BareItemFromInput::ByteSequence(bytes) = item {
            *self.0 = Some(bytes);
        }
        Ok(Ignored)
    }
}

//! What one member of `Signature-Input` says (RFC 9421 §4.1).

use http::HeaderName;
use sfv::{BareItemFromInput, ItemSerializer, KeyRef};

use super::component::{ComponentId, write_string};
use super::error::SignatureError;
use super::params::{ParamValue, write_number};
use crate::clock::UnixTime;

pub(super) const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("signature");

/// The longest `Signature-Input`, and the longest `Signature`, in bytes over all lines.
pub(super) const MAX_FIELD: usize = 8 * 1024;
/// The most signatures on one message.
pub(super) const MAX_LABELS: usize = 8;
/// The most components of one signature.
pub(super) const MAX_COMPONENTS: usize = 32;

/// One signature's components and parameters, in the order received.
pub(super) struct Input<'a> {
    pub(super) label: &'a str,
    pub(super) components: Vec<ComponentId<'a>>,
    pub(super) params: Params<'a>,
}

/// Parameters in the order received, unknown ones included.
pub(super) type Params<'a> = Vec<(&'a KeyRef, BareItemFromInput<'a>)>;

impl Input<'_> {
    /// The text parameter `name`.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, SignatureError> {
        match param(&self.params, name) {
            None => Ok(None),
            Some(BareItemFromInput::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(malformed("a parameter that is text is something else")),
        }
    }

    /// The time parameter `name`.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<UnixTime>, SignatureError> {
        match param(&self.params, name) {
            None => Ok(None),
            // RFC 9421 §2.3: whole seconds; before 1970 there was nothing to sign.
            Some(BareItemFromInput::Integer(secs)) => u64::try_from(i64::from(*secs))
                .map(|secs| Some(UnixTime::from_secs(secs)))
                .map_err(|_| malformed("a time is negative")),
            Some(_) => Err(malformed("a parameter that is a time is something else")),
        }
    }

    /// The parameter `name`, of the types that we write ourselves.
    pub(super) fn value(&self, name: &str) -> Option<ParamValue> {
        match param(&self.params, name)? {
            BareItemFromInput::Boolean(true) => Some(ParamValue::Flag),
            BareItemFromInput::String(text) => Some(ParamValue::Text(text.as_str().to_owned())),
            BareItemFromInput::Integer(number) => u64::try_from(i64::from(*number))
                .ok()
                .map(ParamValue::Integer),
            _ => None,
        }
    }

    /// Whether there is a parameter `name`, of whatever type.
    pub(super) fn has(&self, name: &str) -> bool {
        param(&self.params, name).is_some()
    }

    /// Refuses a component named twice (RFC 9421 §2.5).
    pub(super) fn refuse_repeated(&self) -> Result<(), SignatureError> {
        refuse_repeated(&self.components)
    }

    /// Appends the parameters as received (RFC 9421 §2.3).
    pub(super) fn write_params(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.params {
            out.push(b';');
            out.extend_from_slice(name.as_str().as_bytes());
            match value {
                BareItemFromInput::Boolean(true) => {}
                BareItemFromInput::Integer(number) if i64::from(*number) >= 0 => {
                    out.push(b'=');
                    write_number(i64::from(*number).unsigned_abs(), out);
                }
                BareItemFromInput::String(text) => {
                    out.push(b'=');
                    write_string(text.as_str(), out);
                }
                other => {
                    out.push(b'=');
                    let text = ItemSerializer::new().bare_item(other).finish();
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
}

/// Refuses a component named twice (RFC 9421 §2.5).
pub(super) fn refuse_repeated(components: &[ComponentId<'_>]) -> Result<(), SignatureError> {
    let mut seen = 0;
    for (index, one) in components.iter().enumerate() {
        let mark = one.fingerprint();
        let perhaps = seen & mark != 0;
        seen |= mark;
        if perhaps && components[..index].iter().any(|other| other.same_as(one)) {
            let component = one.to_string();
            return Err(SignatureError::ComponentRepeated { component });
        }
    }
    Ok(())
}

/// The parameter `name`.
pub(super) fn param<'p, 'a>(
    params: &'p Params<'a>,
    name: &str,
) -> Option<&'p BareItemFromInput<'a>> {
    let mut found = params.iter().filter(|(key, _)| key.as_str() == name);
    found.next().map(|(_, value)| value)
}

pub(super) fn check_size(what: &'static str, len: usize, max: usize) -> Result<(), SignatureError> {
    if len > max {
        return Err(SignatureError::TooLarge { what, len, max });
    }
    Ok(())
}

pub(super) const fn malformed(what: &'static str) -> SignatureError {
    SignatureError::Malformed {
        field: "Signature-Input",
        what,
    }
}

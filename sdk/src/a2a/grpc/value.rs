//! JSON values as google.protobuf has them: numbers are doubles, objects are maps.

use prost_types::value::Kind;
use serde_json::{Number, Value};

use super::wire::{Wire, Wrong};
use crate::a2a::Struct;

/// The largest whole number below which a double has no gaps.
const EXACT: f64 = 9_007_199_254_740_991.0;

impl Wire<prost_types::Value> for Value {
    fn from_wire(message: prost_types::Value) -> Result<Self, Wrong> {
        match message.kind {
            Some(Kind::NullValue(_)) => Ok(Self::Null),
            Some(Kind::NumberValue(number)) => read_number(number).map(Self::Number),
            Some(Kind::StringValue(text)) => Ok(Self::String(text)),
            Some(Kind::BoolValue(truth)) => Ok(Self::Bool(truth)),
            Some(Kind::StructValue(members)) => Struct::from_wire(members).map(Self::Object),
            Some(Kind::ListValue(list)) => super::wire::all("", list.values).map(Self::Array),
            // google.protobuf.Value: a value without a kind is an error.
            None => Err(Wrong::new("", "is a value without a kind")),
        }
    }

    fn to_wire(&self) -> prost_types::Value {
        let kind = match self {
            Self::Null => Kind::NullValue(0),
            Self::Bool(truth) => Kind::BoolValue(*truth),
            Self::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
            Self::String(text) => Kind::StringValue(text.clone()),
            Self::Array(items) => Kind::ListValue(prost_types::ListValue {
                values: super::wire::to_all(items),
            }),
            Self::Object(members) => Kind::StructValue(members.to_wire()),
        };
        prost_types::Value { kind: Some(kind) }
    }
}

/// A whole number is written without a fraction, so that its JSON is the same on every binding.
fn read_number(number: f64) -> Result<Number, Wrong> {
    let negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= EXACT && !negative_zero {
        return Ok(Number::from(number as i64));
    }
    // JSON has neither infinities nor NaN.
    Number::from_f64(number).ok_or_else(|| Wrong::new("", "is no finite number"))
}

impl Wire<prost_types::Struct> for Struct {
    fn from_wire(message: prost_types::Struct) -> Result<Self, Wrong> {
        let read = message
            .fields
            .into_iter()
            .map(|(name, value)| match Value::from_wire(value) {
                Ok(value) => Ok((name, value)),
                Err(wrong) => Err(wrong.under(&shown(&name))),
            });
        read.collect()
    }

    fn to_wire(&self) -> prost_types::Struct {
        let fields = self.iter();
        prost_types::Struct {
            fields: fields
                .map(|(name, value)| (name.clone(), value.to_wire()))
                .collect(),
        }
    }
}

/// A stranger's name of a member, short enough for an error.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Free-form members; none at all is the same as an empty object.
pub(super) fn metadata(field: &str, message: Option<prost_types::Struct>) -> Result<Struct, Wrong> {
    let read = message.map(|message| Struct::from_wire(message).map_err(|w| w.under(field)));
    Ok(read.transpose()?.unwrap_or_default())
}

/// Writes free-form members.
pub(super) fn to_metadata(members: &Struct) -> Option<prost_types::Struct> {
    (!members.is_empty()).then(|| members.to_wire())
}

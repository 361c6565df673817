//! JSON from strangers: depth and size are bounded, a repeated member is an error (RFC 8259 §4).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How much JSON is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JsonLimits {
    /// Nested arrays and objects; 64 by default.
    pub depth: usize,
    /// Bytes of text; 4 MiB by default.
    pub bytes: usize,
}

impl JsonLimits {
    /// The most nesting that can be configured: the parser's own stack guard ends at 127.
    pub const MAX_DEPTH: usize = 120;
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self {
            depth: 64,
            bytes: 4 << 20,
        }
    }
}

/// Why a text was not taken as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// More bytes than allowed.
    #[error("the JSON text has {len} bytes, {max} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Nested deeper than allowed.
    #[error("the JSON text is nested deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// More arrays and objects than allowed: in memory each takes a hundred times its text.
    #[error("the JSON text has over {max} arrays and objects")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// An object names a member twice.
    #[error("the JSON text has a repeated member at line {line} column {column}")]
    Repeated {
        /// Line of the text, from 1.
        line: usize,
        /// Column of the line, from 1.
        column: usize,
    },
    /// Not JSON, or not UTF-8, or text after its end.
    #[error("not JSON: {0}")]
    Syntax(#[source] serde_json::Error),
    /// JSON, but not of the expected shape.
    #[error("not the expected JSON: {0}")]
    Shape(#[source] serde_json::Error),
}

impl JsonError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "json.too_long",
            Self::TooDeep { .. } => "json.too_deep",
            Self::TooMany { .. } => "json.too_many",
            Self::Repeated { .. } => "json.repeated_member",
            Self::Syntax(_) => "json.syntax",
            Self::Shape(_) => "json.shape",
        }
    }
}

/// Reads one JSON value within `limits`.
///
/// # Errors
/// [`JsonError`] naming the broken limit or rule.
pub fn parse_json(text: &[u8], limits: JsonLimits) -> Result<Value, JsonError> {
    if text.len() > limits.bytes {
        return Err(JsonError::TooLong {
            len: text.len(),
            max: limits.bytes,
        });
    }
    let broken = Cell::new(Broken::Nothing);
    // An honest text has no more than one for every 32 bytes.
    let most = (limits.bytes / 32).max(1 << 17);
    let many = Cell::new(most);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let seed = Strict {
        left: limits.depth.min(JsonLimits::MAX_DEPTH),
        broken: &broken,
        many: &many,
    };
    let value = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match broken.get() {
        Broken::Depth => JsonError::TooDeep { max: limits.depth },
        Broken::Many => JsonError::TooMany { max: most },
        Broken::Repeated => JsonError::Repeated {
            line: error.line(),
            column: error.column(),
        },
        Broken::Nothing => JsonError::Syntax(error),
    })
}

/// Reads a typed value within `limits`; every object in the text is checked, also those `T` ignores.
///
/// # Errors
/// [`JsonError`] naming the broken limit or rule.
pub fn parse_typed<T: DeserializeOwned>(text: &[u8], limits: JsonLimits) -> Result<T, JsonError> {
    let value = parse_json(text, limits)?;
    T::deserialize(value).map_err(JsonError::Shape)
}

#[derive(Clone, Copy)]
enum Broken {
    Nothing,
    Depth,
    Many,
    Repeated,
}

/// Reads a value that may still be nested `left` deep.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: usize,
    broken: &'a Cell<Broken>,
    /// How many arrays and objects there may still be.
    many: &'a Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let Some(fewer) = self.many.get().checked_sub(1) else {
            self.broken.set(Broken::Many);
            return Err(E::custom("too many"));
        };
        self.many.set(fewer);
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                self.broken.set(Broken::Depth);
                Err(E::custom("too deep"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                self.broken.set(Broken::Repeated);
                return Err(serde::de::Error::custom("repeated member"));
            }
            let value = members.next_value_seed(inner)?;
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> &'static str {
        match parse_json(text.as_bytes(), JsonLimits::default()) {
            Ok(_) => "accepted",
            Err(error) => error.reason(),
        }
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn depth_ends_exactly_at_64() {
        assert_eq!(reason(&nested(64)), "accepted");
        assert_eq!(reason(&nested(65)), "json.too_deep");
        assert_eq!(reason(&nested(100_000)), "json.too_deep");
    }

    #[test]
    fn arrays_and_objects_end_exactly_at_131_072() {
        let text = |of: &str, len: usize| format!("[{}0]", format!("{of},").repeat(len - 1));
        for of in ["[0]", "{}", r#"{"a":0}"#] {
            assert_eq!(reason(&text(of, 1 << 17)), "accepted", "{of}");
            assert_eq!(reason(&text(of, (1 << 17) + 1)), "json.too_many", "{of}");
        }
    }

    #[test]
    fn length_ends_exactly_at_4_mib() {
        let text = |len: usize| format!("\"{}\"", "x".repeat(len - 2));
        assert_eq!(reason(&text(4 << 20)), "accepted");
        assert_eq!(reason(&text((4 << 20) + 1)), "json.too_long");
    }

    #[test]
    fn bad_texts_are_refused_with_their_reason() {
        for (text, want) in [
            (r#"{"a":1,"b":{"c":1,"c":2}}"#, "json.repeated_member"),
            (r#"{"a":1,"\u0061":2}"#, "json.repeated_member"),
            (r#"{"a":"\ud800"}"#, "json.syntax"),
            (r#"{"a":1} x"#, "json.syntax"),
            (r#"{"a":1e400}"#, "json.syntax"),
            (r#"{"a":NaN}"#, "json.syntax"),
            ("", "json.syntax"),
        ] {
            assert_eq!(reason(text), want, "{text}");
        }
        let bad_utf8 = parse_json(b"\"\xff\"", JsonLimits::default());
        assert_eq!(bad_utf8.map_err(|e| e.reason()), Err("json.syntax"));
    }
}

//! How ProtoJSON writes what serde would write otherwise.

use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Struct;

/// ProtoJSON: `null` is the same as an absent member.
pub(super) fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: Deserializer<'de>,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A text of a field without presence: `null` and `""` both mean unset.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.filter(|text| !text.is_empty()))
}

/// A member whose `null` is a value of its own (google.protobuf.Value).
pub(super) fn present<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(from).map(Some)
}

/// ProtoJSON int32: a whole number, or its digits as a text.
pub(super) fn int32<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    Ok(Option::<Int32>::deserialize(from)?.map(|number| number.0))
}

/// An int32 of a field without presence.
pub(super) fn int32_or_zero<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    Ok(int32(from)?.unwrap_or_default())
}

struct Int32(i32);

impl<'de> Deserialize<'de> for Int32 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Int32Visitor)
    }
}

struct Int32Visitor;

impl Visitor<'_> for Int32Visitor {
    type Value = Int32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of 32 bits")
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Int32, E> {
        let fits = i32::try_from(value);
        fits.map(Int32)
            .map_err(|_| E::custom(format_args!("{value} does not fit 32 bits")))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Int32, E> {
        let fits = i32::try_from(value);
        fits.map(Int32)
            .map_err(|_| E::custom(format_args!("{value} does not fit 32 bits")))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Int32, E> {
        let fits = value >= f64::from(i32::MIN) && value <= f64::from(i32::MAX);
        if fits && value.fract() == 0.0 {
            return Ok(Int32(value as i32));
        }
        Err(E::custom(format_args!(
            "{value} is no whole number of 32 bits"
        )))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Int32, E> {
        if let Ok(number) = value.parse() {
            return Ok(Int32(number));
        }
        // A text may have an exponent too, and nothing that JSON's numbers have not.
        let spaced = value.contains(|c: char| c.is_ascii_whitespace());
        match serde_json::from_str::<f64>(value) {
            Ok(number) if !spaced => self.visit_f64(number),
            _ => Err(E::custom("not a whole number of 32 bits")),
        }
    }
}

/// bytes as base64 (ProtoJSON): written with the standard alphabet and padding, read in any form.
pub(super) mod base64_bytes {
    use base64::Engine as _;
    use base64::alphabet::{STANDARD, URL_SAFE};
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    use base64::engine::{DecodePaddingMode, general_purpose};
    use bytes::Bytes;

    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const READ_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
    const READ_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

    pub(in crate::a2a) fn encode(bytes: &[u8]) -> String {
        general_purpose::STANDARD.encode(bytes)
    }

    pub(in crate::a2a) fn decode(text: &str) -> Option<Bytes> {
        let url_safe = text.bytes().any(|b| matches!(b, b'-' | b'_'));
        let reader = if url_safe {
            READ_URL_SAFE
        } else {
            READ_STANDARD
        };
        reader.decode(text).ok().map(Bytes::from)
    }
}

/// ProtoJSON: a member that is null is not set.
pub(super) fn set_members(members: &Struct) -> impl Iterator<Item = (&String, &Value)> {
    members.iter().filter(|(_, value)| !value.is_null())
}

/// A message of the proto; serde would also take the list of its members.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok().filter(|_| value.is_object())
}

/// The one member that a oneof has, or an error that names the message.
pub(super) fn exactly_one<T, E: serde::de::Error>(
    found: impl IntoIterator<Item = Option<T>>,
    message: &str,
) -> Result<T, E> {
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(E::custom(format_args!("{message} is empty"))),
        (Some(_), Some(_)) => Err(E::custom(format_args!("{message} has two contents"))),
    }
}

/// An enum of `a2a.proto`.
pub(super) trait ProtoEnum: Sized {
    fn by_name(name: &str) -> Option<Self>;
    fn by_number(number: i64) -> Option<Self>;
}

/// A name or a number that may be an enum's, for the zero value that some fields may have.
struct EnumVisitor<T>(std::marker::PhantomData<T>);

impl<T: ProtoEnum> Visitor<'_> for EnumVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an enum's value")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<T>, E> {
        if name.is_empty() || name.ends_with("_UNSPECIFIED") {
            return Ok(None);
        }
        let shown = || name.chars().take(64).collect::<String>();
        let found = T::by_name(name).map(Some);
        found.ok_or_else(|| E::custom(format_args!("unknown value {:?}", shown())))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<T>, E> {
        if number == 0 {
            return Ok(None);
        }
        let found = T::by_number(number).map(Some);
        found.ok_or_else(|| E::custom(format_args!("unknown value {number}")))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<T>, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// An enum of a field that may be unset; the proto's zero value says so too.
pub(super) fn enum_or_unset<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: ProtoEnum,
    D: Deserializer<'de>,
{
    from.deserialize_any(EnumVisitor(std::marker::PhantomData))
}

/// An enum of the protocol: written as its proto name, read as that or as its number. Any other is
/// refused, as is the proto's zero value, which says nothing.
macro_rules! proto_enum {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $text:literal $(= $number:literal)?,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of `a2a.proto`.
            pub const ALL: [Self; [$(Self::$variant,)+].len()] = [$(Self::$variant,)+];

            /// The name in `a2a.proto` and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl $crate::a2a::wire::ProtoEnum for $name {
            fn by_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn by_number(number: i64) -> Option<Self> {
                match number {
                    $($($number => Some(Self::$variant),)?)+
                    _ => None,
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let read = $crate::a2a::wire::enum_or_unset(from)?;
                read.ok_or_else(|| {
                    serde::de::Error::custom(concat!(stringify!($name), " is unspecified"))
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use proto_enum;

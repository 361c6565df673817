//! The links of the chain.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hex;
use crate::crypto::sha256;

/// A text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the 64 lower-case hexadecimal digits of a SHA-256 hash")]
pub struct HashError;

/// SHA-256 of a record's canonical form, as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RecordHash([u8; 32]);

impl RecordHash {
    /// How many characters the hash has as text.
    pub(super) const DIGITS: usize = 64;

    /// The hash of this canonical form.
    pub(super) fn of(canonical: &[u8]) -> Self {
        Self(sha256(canonical))
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn digits(&self) -> [u8; Self::DIGITS] {
        hex::encode(&self.0)
    }
}

impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl fmt::Debug for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        hex::decode(text).map(Self).ok_or(HashError)
    }
}

impl Serialize for RecordHash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl<'de> Deserialize<'de> for RecordHash {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The end of a chain: what the next record links to.
///
/// Kept elsewhere, it proves later that nothing was cut off the end ([`super::verify_to`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Head {
    /// The number of the last record, which is also how many there are; 0 when there is none.
    pub seq: u64,
    /// The hash of the last record; zeros when there is none.
    pub hash: RecordHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text_form() {
        let hash = RecordHash::of(b"");
        let text = hash.to_string();
        assert_eq!(
            text,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(text.parse(), Ok(hash));
        for bad in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &text.replace('e', "g"),
        ] {
            assert_eq!(bad.parse::<RecordHash>(), Err(HashError), "{bad}");
        }
    }
}

//! The bytes of a signature.

use std::fmt;

/// What fits in place; only RSA signatures are longer.
const SHORT: usize = 96;

/// The bytes of a signature, as they stand in the `Signature` field: 64 of Ed25519 and P-256, 96 of
/// P-384 (r ‖ s), 32 of HMAC, as many as the modulus has of RSA.
#[derive(Clone)]
pub struct MessageSignature(Bytes);

#[derive(Clone)]
enum Bytes {
    Short([u8; SHORT], u8),
    Long(Box<[u8]>),
}

impl MessageSignature {
    /// The signature with these bytes, as a signer somewhere else made it.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(bytes);
                Self(Bytes::Short(short, len))
            }
            _ => Self(Bytes::Long(bytes.into())),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short(bytes, len) => &bytes[..usize::from(*len)],
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for MessageSignature {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= SHORT {
            Self::from_bytes(&bytes)
        } else {
            Self(Bytes::Long(bytes.into()))
        }
    }
}

impl AsRef<[u8]> for MessageSignature {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for MessageSignature {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
impl Eq for MessageSignature {}

impl fmt::Debug for MessageSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageSignature({} bytes)", self.as_bytes().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_kept() {
        for len in [0, 1, 64, 95, 96, 97, 255, 256, 1024] {
            let bytes: Vec<u8> = (0..len).map(|index| index as u8).collect();
            assert_eq!(MessageSignature::from_bytes(&bytes).as_bytes(), bytes);
            assert_eq!(MessageSignature::from(bytes.clone()).as_bytes(), bytes);
        }
    }
}

//! Shared secrets, for HMAC.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::HttpKeyError;
use crate::crypto::KeyThumbprint;

/// What a secret says of itself when it is asked for its thumbprint.
const NAME: &[u8] = b"countersign: the name of a shared secret";

/// A secret that two parties share, for `hmac-sha256` (RFC 9421 §3.3.3). Whoever can verify with
/// it can sign, too, so that it proves nothing to a third party; Web Bot Auth and calls between
/// agents refuse it.
///
/// The bytes are wiped and cannot be read back. Cloning is cheap.
#[derive(Clone)]
pub struct SharedSecret(Arc<Keyed>);

struct Keyed {
    key: hmac::Key,
    id: KeyThumbprint,
}

impl SharedSecret {
    /// The fewest bytes: as many as the digest has (RFC 2104 §3).
    pub const MIN_LEN: usize = 32;

    /// The secret with these bytes, which must be random, not a password.
    ///
    /// # Errors
    /// [`HttpKeyError::Short`] for less than [`Self::MIN_LEN`] bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, HttpKeyError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() < Self::MIN_LEN {
            return Err(HttpKeyError::Short {
                len: bytes.len(),
                min: Self::MIN_LEN,
            });
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let mut id = [0; 32];
        id.copy_from_slice(hmac::sign(&key, NAME).as_ref());
        let id = KeyThumbprint::from_bytes(id);
        Ok(Self(Arc::new(Keyed { key, id })))
    }

    /// A name for the secret, to tell it from others: an HMAC over a fixed text. It tells no more
    /// than any signature does. It is not the thumbprint of RFC 7638, which would be a digest of
    /// the secret itself (§7 there warns of that).
    pub fn id(&self) -> KeyThumbprint {
        self.0.id
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&self.0.key, message).as_ref());
        out
    }

    /// Compares in constant time.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), HttpKeyError> {
        hmac::verify(&self.0.key, message, signature).map_err(|_| HttpKeyError::Signature)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedSecret({})", self.0.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_as_many_bytes_as_its_digest() {
        assert!(SharedSecret::new(vec![7; 32]).is_ok());
        let short = SharedSecret::new(vec![7; 31]);
        let (len, min) = (31, 32);
        assert_eq!(short.map(drop), Err(HttpKeyError::Short { len, min }));
    }

    #[test]
    fn a_tag_is_whole_or_worth_nothing() {
        let secret = SharedSecret::new(vec![7; 32]).expect("a secret");
        let tag = secret.sign(b"message");
        assert_eq!(secret.verify(b"message", &tag), Ok(()));
        for wrong in [&tag[..31], &tag[..0], &[&tag[..], &[0]].concat()] {
            let refused = secret.verify(b"message", wrong);
            assert_eq!(refused, Err(HttpKeyError::Signature));
        }
        let other = SharedSecret::new(vec![8; 32]).expect("a secret");
        assert_eq!(other.verify(b"message", &tag), Err(HttpKeyError::Signature));
        assert_ne!(secret.id(), other.id());
    }
}

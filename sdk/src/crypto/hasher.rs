//! Digests of what comes piece by piece.

use aws_lc_rs::digest::{Context, SHA256, SHA512};

/// A digest that is fed piece by piece.
///
/// ```
/// use countersign::crypto::{Hasher, sha256};
/// let mut hasher = Hasher::sha256();
/// hasher.update(b"to");
/// hasher.update(b"gether");
/// assert_eq!(hasher.finish(), sha256(b"together"));
/// ```
#[derive(Clone)]
pub struct Hasher(Context);

impl Hasher {
    /// SHA-256.
    pub fn sha256() -> Self {
        Self(Context::new(&SHA256))
    }

    /// SHA-512.
    pub fn sha512() -> Self {
        Self(Context::new(&SHA512))
    }

    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces: 32 or 64 bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hasher({:?})", self.0.algorithm())
    }
}

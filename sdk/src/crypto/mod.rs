//! The closed list of algorithms, keys, thumbprints, digests and random numbers.
//!
//! One provider (aws-lc-rs) does the arithmetic, for TLS and for everything here.

mod digest;
mod hasher;
mod key;
mod thumbprint;

pub use digest::{fill_random, random, same_bytes, sha256, sha384, sha512};
pub use hasher::Hasher;
pub use key::{Algorithm, KeyError, Signature, SigningKey, VerifyingKey};
pub use thumbprint::{CertThumbprint, KeyThumbprint, ThumbprintError};

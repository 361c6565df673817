//! Keys for HTTP message signatures, and who signs with them.
//!
//! The list of algorithms is that of RFC 9421 §3.3 and is wider than the one for tokens and cards.
//! Both keep to types of their own, so that no RSA key and no shared secret can get into those.

mod algorithm;
mod der;
mod error;
mod jwk;
mod made;
mod pem;
mod pkcs8;
mod rsa;
mod secret;
mod set;
mod signer;
mod signing;
mod test_keys;
mod verifying;

pub use algorithm::HttpAlgorithm;
pub use error::HttpKeyError;
pub use made::MessageSignature;
pub use secret::SharedSecret;
pub use set::HttpKeySet;
pub use signer::{MessageSigner, SignerError, Signing};
pub use signing::HttpSigningKey;
pub use verifying::HttpVerifyingKey;

pub(crate) use test_keys::is_public_test_key;

#[cfg(test)]
mod tests;

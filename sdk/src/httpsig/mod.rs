//! HTTP message signatures (RFC 9421), digests (RFC 9530), replay, key directory.

mod agent;
mod base;
mod component;
mod coverage;
mod digest;
mod error;
mod fields;
mod input;
mod origin;
mod output;
mod params;
mod profile;
mod query;
mod replay_memory;
mod replay_store;
mod sign;
mod verified;
mod verify;
mod view;

pub mod directory;
pub mod replay;

#[cfg(test)]
mod tests;

pub use base::signature_base;
pub use component::{ComponentId, ComponentName, ComponentParam};
pub use digest::{DigestError, content_digest, verify_content_digest};
pub use error::SignatureError;
pub use fields::FieldType;
pub use origin::{Origin, Scheme};
pub use params::{ParamValue, SignatureFields, SignatureParams, sign_message};
pub use profile::{Danger, Profile};
pub use replay_memory::MemoryReplayStore;
pub use replay_store::{Fresh, ReplayError, ReplayStore};
pub use sign::Signer;
pub use verified::{VerifiedMessage, VerifiedRequest};
pub use verify::{Verifier, verify_message};
pub use view::{MessageView, RequestView, ResponseView};

/// Where an agent publishes the keys it signs requests with.
pub const DIRECTORY_PATH: &str = "/.well-known/http-message-signatures-directory";

/// The media type of a key directory at [`DIRECTORY_PATH`].
pub const DIRECTORY_CONTENT_TYPE: &str = "application/http-message-signatures-directory+json";

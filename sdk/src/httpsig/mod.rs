//! HTTP message signatures (RFC 9421), digests (RFC 9530), replay, key directory.
//!
//! The caller signs, the called verifies and takes the nonce; the peer is the one that the TLS
//! connection proved:
//!
//! ```
//! use countersign::clock::{Skew, UnixTime};
//! use countersign::crypto::random;
//! use countersign::httpsig::{Fresh, Origin, ReplayStore, Signer, Verifier};
//! use countersign::svid::PeerIdentity;
//! use http::request::Parts;
//! # type Error = Box<dyn std::error::Error>;
//!
//! fn outbound(signer: &Signer, mut parts: Parts, body: &[u8], now: UnixTime) -> Result<Parts, Error> {
//!     signer.sign(&mut parts, &Origin::https("booking.example"), body, now, random())?;
//!     Ok(parts)
//! }
//!
//! async fn inbound(
//!     verifier: &Verifier,
//!     seen: &dyn ReplayStore,
//!     (parts, body): (&Parts, &[u8]),
//!     peer: &PeerIdentity,
//!     now: UnixTime,
//! ) -> Result<Fresh, Error> {
//!     let verified = verifier.verify(parts, body, peer, now)?;
//!     Ok(verified.fresh(seen, Skew::default(), now).await?)
//! }
//! ```

mod accept;
mod agent;
mod base;
mod canonical;
mod component;
mod component_name;
mod coverage;
mod digest;
mod digest_algorithm;
mod digest_field;
mod digest_want;
mod draft;
mod error;
mod external;
mod fields;
mod inner;
mod input;
mod inputs;
mod keys;
mod member;
mod origin;
mod outcome;
mod output;
mod params;
mod prepared;
mod presented;
mod profile;
mod profile_builder;
mod profiles;
mod query;
mod recording;
mod replay_memory;
mod replay_store;
mod request_tie;
mod respond;
mod revision;
mod rules;
mod served;
mod sign;
mod streamed;
mod template;
mod value;
mod verified;
mod verify;
mod view;
mod web_url;
mod web_url_normal;
mod well_known;

pub mod body;
pub mod directory;
pub mod replay;
pub mod signature_agent;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_prepared;

pub use accept::{AcceptSignature, Wish, vary_by_accept_signature};
pub use agent::{AgentKind, SignatureAgent};
pub use base::signature_base;
pub use component::{ComponentId, ComponentParam};
pub use component_name::ComponentName;
pub use digest::{DigestError, content_digest, verify_content_digest};
pub use digest_algorithm::DigestAlgorithm;
pub use digest_field::{DigestCheck, Digests};
pub use digest_want::WantDigest;
pub use error::SignatureError;
pub use external::{ExternalSignError, ExternalSigner};
pub use fields::FieldType;
#[cfg(feature = "cli")]
pub(crate) use keys::is_public_test_key;
pub use keys::{
    HttpAlgorithm, HttpKeyError, HttpKeySet, HttpSigningKey, HttpVerifyingKey, MessageSignature,
    MessageSigner, SharedSecret, SignerError, Signing,
};
pub use origin::{Origin, Scheme};
pub use outcome::{Outcome, Refused, ResolvedKey, SignatureClaims, WantedKey, judge};
pub use params::{
    ParamValue, ParamsDanger, SignatureFields, SignatureParams, prepare_message, sign_message,
};
pub use prepared::{PreparedMessage, PreparedRequest};
pub use presented::{CheckedSignature, PresentedSignature};
pub use profile::{Danger, Profile};
pub use profile_builder::ProfileBuilder;
pub use recording::Recording;
pub use replay_memory::MemoryReplayStore;
pub use replay_store::{Fresh, ReplayError, ReplayStore};
pub use respond::sign_response;
pub use revision::{Revision, Tolerance};
pub use rules::SignerParam;
pub use served::ServedDocument;
pub use sign::Signer;
pub use streamed::VerifiedHead;
pub use verified::{VerifiedMessage, VerifiedRequest};
pub use verify::{Verifier, verify_message};
pub use view::{MessageView, RequestView, ResponseView};
pub use web_url::{Host, WebUrl, WebUrlError};
pub use well_known::{DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH};

//! Signatures where HTTP is served and sent: a tower layer that recognises who signed a request, one
//! that signs what is sent, and a client that signs every hop.
//!
//! ```
//! use std::sync::Arc;
//! use countersign::clock::SystemClock;
//! use countersign::discovery::DirectoryResolver;
//! use countersign::httpsig::{Origin, Profile, Revision};
//! use countersign::web::{AddressRules, Fetcher};
//! use countersign::webbotauth::{KeySource, OriginRule, Recognize};
//!
//! fn layer() -> Recognize {
//!     let fetcher = Fetcher::new(AddressRules::default());
//!     let keys = DirectoryResolver::new(fetcher, Arc::new(SystemClock));
//!     let here = OriginRule::fixed(Origin::https("shop.example"));
//!     let profile = Profile::web_bot_auth(Revision::Ietf01);
//!     Recognize::new(profile, KeySource::published(keys), here).let_unverified_through()
//! }
//! ```

mod answer;
mod body;
#[cfg(feature = "reqwest")]
mod client;
#[cfg(feature = "reqwest")]
mod client_error;
mod forwarded;
mod judge;
mod keys;
mod network;
mod origin;
mod problem;
mod recognition;
mod recognize;
#[cfg(feature = "reqwest")]
mod redirect;
mod send;
mod signer;
#[cfg(test)]
mod tests;

pub use answer::Detail;
pub use body::HeldBody;
#[cfg(feature = "reqwest")]
pub use client::{SigningClient, SigningClientDanger};
#[cfg(feature = "reqwest")]
pub use client_error::ClientError;
pub use forwarded::ForwardedField;
pub use keys::{KeyAnswer, KeySource};
pub use network::{ProxyNetwork, ProxyNetworkError};
pub use origin::{OriginRule, PeerAddress};
pub use recognition::{Recognition, Recognized, Unverified};
pub use recognize::{Mode, Recognize, RecognizeService};
#[cfg(feature = "reqwest")]
pub use redirect::Redirects;
pub use send::{SignRequests, SignRequestsService};
pub use signer::{RequestSigner, SendError};

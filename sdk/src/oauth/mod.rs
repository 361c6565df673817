//! Asking for tokens: for the agent itself, or for whoever it was called for.
//!
//! [`OAuth`] speaks to one authorization server with our certificate, over mutual TLS. It has no
//! secret to lose, and it sends no token on: the only way from a token we were called with to the
//! next agent is an exchange (RFC 8693), and what comes back is a [`BoundToken`] that was checked.
//!
//! ```no_run
//! use countersign::oauth::{OAuth, OAuthError};
//! use countersign::token::{Scopes, VerifiedToken};
//! async fn go_on(oauth: &OAuth, called_with: &VerifiedToken) -> Result<(), OAuthError> {
//!     let booking = "spiffe://travel.example/agent/booking";
//!     let token = oauth.exchange(called_with, booking, &Scopes::default()).await?;
//!     println!("may {} at {} until {}", token.scopes(), token.audience(), token.expires());
//!     Ok(())
//! }
//! ```

mod answer;
mod bound;
mod cache;
mod client;
mod error;
mod form;
mod keys;
mod metadata;
mod obtain;
mod wire;

pub use bound::{BoundToken, UserGrant};
pub use client::{AuthorityEndpoint, OAuth};
pub use error::OAuthError;
pub use metadata::{METADATA_PATH, Metadata, metadata_url};
#[cfg(feature = "client")]
pub(crate) use obtain::Whom;

#[cfg(all(test, feature = "authority"))]
pub(crate) use form::encode_form;
#[cfg(feature = "authority")]
pub(crate) use form::{FORM, FormError, decode_form};

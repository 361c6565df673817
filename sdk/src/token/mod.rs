//! Access tokens: what is presented, what is proved.
//!
//! A token passes four types, each made only from the one before: [`PresentedToken`] (a header was
//! well formed), [`ParsedToken`] (it is a JWT of the right type), [`SignedClaims`] (its issuer signed
//! it) and [`VerifiedToken`] (it is for us, for now, and bound to the certificate of this peer).
//!
//! ```
//! use countersign::clock::UnixTime;
//! use countersign::jose::JwkSet;
//! use countersign::svid::PeerIdentity;
//! use countersign::token::{PresentedToken, TokenError, TokenRules, VerifiedToken};
//! use std::sync::Arc;
//!
//! fn prove(headers: &http::HeaderMap, issuer: &str, keys: &JwkSet, rules: &TokenRules,
//!          peer: &PeerIdentity, now: UnixTime) -> Result<VerifiedToken, TokenError> {
//!     let presented = PresentedToken::from_headers(headers)?;
//!     let claims = presented.parse(countersign::token::MAX_TOKEN_BYTES)?.verify(keys, issuer)?;
//!     Arc::new(claims).check(presented, rules, peer, now)
//! }
//! ```

mod challenge;
mod claims;
mod error;
mod parsed;
mod presented;
mod reader;
mod scopes;
#[cfg(test)]
pub(crate) mod testing;
mod verified;

pub use challenge::{Challenge, ChallengeError};
pub use claims::SignedClaims;
pub use error::TokenError;
pub use parsed::ParsedToken;
pub use presented::{MAX_TOKEN_BYTES, PresentedToken};
pub use scopes::{ScopeError, Scopes};
pub use verified::{TokenRules, VerifiedToken};

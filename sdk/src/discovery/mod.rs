//! Finding the keys of those who sign (Web Bot Auth), on the public web.
//!
//! ```
//! use std::sync::Arc;
//! use countersign::clock::SystemClock;
//! use countersign::crypto::KeyThumbprint;
//! use countersign::discovery::{DirectoryResolver, DiscoveryError};
//! use countersign::httpsig::directory::DirectoryUrl;
//! use countersign::web::{AddressRules, Fetcher};
//!
//! fn resolver() -> DirectoryResolver {
//!     DirectoryResolver::new(Fetcher::new(AddressRules::default()), Arc::new(SystemClock))
//! }
//!
//! /// `url` is the member of `Signature-Agent` that the signature covers, `keyid` its parameter.
//! async fn key(
//!     resolver: &DirectoryResolver,
//!     url: &str,
//!     keyid: KeyThumbprint,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     let found = resolver.key(&DirectoryUrl::at(url)?, keyid).await?;
//!     println!("{} answers for {}", found.directory, found.key.thumbprint());
//!     Ok(())
//! }
//! ```
//!
//! A key that was not found makes a signature *unverified*, never *invalid*: see [`DiscoveryError`].

mod cache;
mod documents;
mod error;
mod origins;
mod resolver;
mod settings;
#[cfg(test)]
mod tests;

pub use documents::{fetch_card, fetch_registry};
pub use error::DiscoveryError;
pub use resolver::{DirectoryKey, DirectoryResolver, ResolvedDirectory};
pub use settings::{ResolverLimits, ResolverTimes};

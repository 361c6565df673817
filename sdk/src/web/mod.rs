//! The public web, as far as strangers can send us there: which addresses a URL may lead to,
//! connections that go to the very address that was checked, and documents fetched within bounds.
//!
//! ```
//! use countersign::web::{AddressRules, Fetcher};
//! // The public web, and a network of ours.
//! let rules = AddressRules::default().network("10.20.0.0/16".parse()?);
//! let fetcher = Fetcher::new(rules);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod error;
mod fetch;
mod freshness;
mod resolve;
mod rules;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

pub use address::{AddressClass, Network, NetworkError, class_of};
pub use error::{AddressError, FetchError};
pub use fetch::{Fetched, Fetcher};
pub use freshness::Freshness;
pub use resolve::{Resolver, SystemResolver};
#[cfg(feature = "server")]
pub(crate) use rules::permits_port;
pub use rules::{AddressRules, RulesDanger};
#[cfg(feature = "server")]
pub(crate) use tls::WebTls;

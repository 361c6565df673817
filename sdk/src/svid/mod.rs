//! X.509-SVID rules and trust bundles.
//!
//! [`verify_svid`] is the only way to a [`PeerIdentity`]: a chain that leads to a root of the trust
//! domain that the certificate itself names.

mod bundle;
mod error;
mod inspect;
mod peer;
mod verify;

#[cfg(feature = "net")]
pub(crate) use bundle::pem_of;
pub use bundle::{TrustBundle, TrustBundles};
pub use error::SvidError;
pub use peer::PeerIdentity;
pub use verify::{Usage, verify_svid};

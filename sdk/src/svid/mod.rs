//! X.509-SVID rules and trust bundles.

mod bundle;
mod error;
mod inspect;
mod peer;
mod verify;

pub use bundle::{TrustBundle, TrustBundles};
pub use error::SvidError;
pub use peer::PeerIdentity;
pub use verify::{Usage, verify_svid};

//! X.509-SVID rules and trust bundles.

mod peer;

pub use peer::PeerIdentity;

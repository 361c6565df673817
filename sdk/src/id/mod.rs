//! Names of agents and of the domains that vouch for them.

mod spiffe;

pub use spiffe::{IdError, SpiffeId, TrustDomain};

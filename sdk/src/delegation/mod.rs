//! Through whom: the act chain (RFC 8693 §4.1).
//!
//! [`caller`] joins the two proofs of a request, the token and the signature, into one [`Caller`]:
//! the agent that is calling, for whom it calls, and the agents through which that came about. It
//! is made only when both proofs name the same agent.

mod caller;
mod chain;
mod error;
mod name;
#[cfg(test)]
pub(crate) mod testing;

pub use caller::{Caller, Principal, caller};
pub use chain::{ActChain, Actor, ChainLimits};
pub use error::DelegationError;
pub(crate) use name::ShortName;

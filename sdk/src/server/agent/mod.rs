//! A whole agent: certificate, card, pipeline and executor put together.

mod builder;
mod card;
mod danger;
mod error;
mod extended;
mod in_process;
mod running;
mod start;
mod work;
mod written;

pub use builder::Agent;
pub use danger::{Danger, UnauthenticatedAgent};
pub use error::AgentError;
pub use in_process::InProcessAgent;
pub use running::RunningAgent;

pub(super) use extended::{Extend, ExtendedCards};

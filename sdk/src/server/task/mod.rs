//! Tasks: the executor's side of them, and the engine that runs, keeps and shows them.

mod begin;
mod cancel;
mod context;
mod engine;
mod events;
mod executor;
mod feed;
mod follow;
mod leases;
mod limits;
mod listing;
mod live;
mod page_token;
mod places;
mod progress;
mod push_hook;
mod recovery;
mod run;
mod send;
mod stream;
#[cfg(test)]
mod tests;
mod wording;
mod writer;

pub use context::{FollowUp, RequestContext, ResumeContext};
pub use events::EventQueue;
pub use executor::AgentExecutor;
pub use limits::TaskLimits;

pub(super) use engine::{Engine, EngineParts};

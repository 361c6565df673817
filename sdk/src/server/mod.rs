//! Being called: the inbound pipeline, tasks, and routers for axum.

mod agent;
mod engine;
mod executor;
mod inbound;
mod layer;
mod live;
mod refusal;
mod routes;
mod store;
mod tokens;

pub use agent::{Agent, AgentError, RunningAgent};
pub use executor::{AgentExecutor, EventQueue, RequestContext};
pub use inbound::{Inbound, Limits};
pub use layer::{ProveCaller, ProveCallerService, Proved};
pub use refusal::Refusal;
pub use store::{MemoryTaskStore, StoreError, TaskStore, conformance as store_conformance};

pub use async_trait::async_trait;

//! Being called: the inbound pipeline, tasks, and routers for axum.
//!
//! [`Agent`] is a whole agent around an [`AgentExecutor`]; the crate's front page starts one. An
//! application that has its own routes puts [`ProveCaller`] before them and takes [`Proved`]:
//!
//! ```
//! # use countersign::client::Client;
//! use axum::{Router, routing::get};
//! use countersign::a2a::Operation;
//! use countersign::httpsig::Origin;
//! use countersign::policy::{Action, Policy};
//! use countersign::server::{Inbound, ProveCaller, Proved};
//!
//! async fn stock(Proved(call): Proved) -> String {
//!     format!("seven left, said to {}", call.caller())
//! }
//!
//! fn app(client: &Client, policy: Policy) -> Router {
//!     let inbound = Inbound::new(client, Origin::https("shop.example"), policy);
//!     let layer = ProveCaller::new(inbound, Action::new(Operation::GetTask));
//!     Router::new().route("/stock", get(stock)).layer(layer)
//! }
//! ```

mod agent;
mod binding;
mod default_handler;
mod handler;
mod inbound;
mod layer;
mod lifetime;
mod published;
pub mod push;
mod refusal;
mod requester;
mod routes;
mod signature_agent;
pub mod store;
mod task;
mod this_machine;
mod tokens;
mod weight;

pub use agent::{Agent, AgentError, Danger, InProcessAgent, RunningAgent, UnauthenticatedAgent};
pub use default_handler::{DefaultRequestHandler, DefaultRequestHandlerBuilder, ExtendedCard};
pub use handler::{Events, Reply, RequestHandler, ServerCallContext};
pub use inbound::{Inbound, Limits};
pub use layer::{ProveCaller, ProveCallerService, Proved};
pub use refusal::Refusal;
pub use requester::Requester;
pub use signature_agent::{document_route, key_directory_route};
pub use task::{AgentExecutor, EventQueue, FollowUp, RequestContext, ResumeContext, TaskLimits};

pub use async_trait::async_trait;

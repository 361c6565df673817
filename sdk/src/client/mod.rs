//! Calling other agents: the outbound pipeline.

mod answer;
mod call;
mod cards;
mod connect;
mod error;
mod outbound;
mod plans;
mod signing;

pub use answer::{Answer, EventStream};
pub use call::{Call, OnBehalfOf};
pub use connect::{Client, ClientBuilder, Peer};
pub use error::ClientError;

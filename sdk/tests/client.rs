//! The client: every operation over every binding against a real agent, and what it makes of peers
//! that fail.

mod common;

#[path = "client/agent.rs"]
mod agent;
#[path = "client/current.rs"]
mod current;
#[path = "client/expiry.rs"]
mod expiry;
#[path = "client/faults.rs"]
mod faults;
#[path = "client/requests.rs"]
mod requests;
#[path = "client/streams.rs"]
mod streams;

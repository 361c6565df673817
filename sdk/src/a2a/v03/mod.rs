//! A2A 0.3, the version before 1.0: its JSON forms, read into and written from the types of 1.0.
//!
//! Nothing here knows a network. What 1.0 has and 0.3 cannot say is refused, never left out:
//! `ListTasks`, tenants, schemes that 0.3 does not know.

mod answer;
mod card;
mod content;
mod error;
mod form;
mod jsonrpc;
mod params;
mod push;
mod rest;
mod security;
mod send;
mod task;

pub use card::card_to_json;
pub use jsonrpc::{
    read_json_rpc, read_json_rpc_event, read_json_rpc_response, write_json_rpc,
    write_json_rpc_error, write_json_rpc_event, write_json_rpc_response,
};
pub use params::{method, operation};
pub use rest::{
    is_rest_path, read_rest_error, read_rest_event, read_rest_request, read_rest_response,
    write_rest_error, write_rest_event, write_rest_request, write_rest_response,
};

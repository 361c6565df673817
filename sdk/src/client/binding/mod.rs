//! How each binding writes a request and reads its answer: bytes and types, no I/O.

mod choose;
mod events;
mod form;
#[cfg(feature = "grpc")]
mod grpc;
mod http_json;
mod jsonrpc;
#[cfg(test)]
pub(super) mod testing;
mod v03;

pub(super) use choose::speaker;
pub(super) use form::{Binding, EventReader, Outgoing, Ready, Told};
#[cfg(feature = "grpc")]
pub(super) use grpc::Grpc;
pub(super) use http_json::HttpJson;
pub(super) use jsonrpc::JsonRpc;
pub(super) use v03::{HttpJsonV03, JsonRpcV03};

//! Where bytes become requests of the protocol and answers become bytes; what all bindings have in
//! common stands in [`serve`](serve::serve), once.

#[cfg(feature = "grpc")]
mod grpc;
mod http_json;
mod jsonrpc;
mod serve;
mod sse;
mod translate;
mod v03;

#[cfg(feature = "grpc")]
pub(super) use grpc::Grpc;
pub(super) use http_json::HttpJson;
pub(super) use jsonrpc::JsonRpc;
pub(super) use serve::{Front, Gate, Terms, serve};
pub(super) use sse::event_stream;
pub(super) use translate::{Binding, Call, read_parameters};
pub(super) use v03::{HttpJsonV03, JsonRpcV03, asks_for_v03};

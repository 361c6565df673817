//! How each binding writes a request and reads its answer: bytes and types, no I/O.

mod events;
mod form;
#[cfg(feature = "grpc")]
mod grpc;
mod jsonrpc;
#[cfg(test)]
pub(super) mod testing;

pub(super) use form::{Binding, EventReader, Ready, Told};
#[cfg(feature = "grpc")]
#[allow(unused_imports, reason = "spoken once the card chooses the binding")]
pub(super) use grpc::Grpc;
pub(super) use jsonrpc::JsonRpc;

//! How each binding writes a request and reads its answer: bytes and types, no I/O.

mod events;
mod form;
mod jsonrpc;
#[cfg(test)]
pub(super) mod testing;

pub(super) use form::{Binding, EventReader, Ready, Told};
pub(super) use jsonrpc::JsonRpc;

//! Bad input over real connections: each refused with its reason, and nothing left of it.
//!
//! What proofs are about goes over mutual TLS; the rest goes to an agent that proves nobody, which
//! is the same code behind the proofs.

mod common;

#[path = "bad_input/bytes.rs"]
mod bytes;
#[path = "bad_input/fields.rs"]
mod fields;
#[cfg(feature = "grpc")]
#[path = "bad_input/frames.rs"]
mod frames;
#[path = "bad_input/growth.rs"]
mod growth;
#[path = "bad_input/parameters.rs"]
mod parameters;
#[path = "bad_input/places.rs"]
mod places;
#[path = "bad_input/plain.rs"]
mod plain;
#[path = "bad_input/proofs.rs"]
mod proofs;
#[path = "bad_input/proved.rs"]
mod proved;
#[path = "bad_input/sent.rs"]
mod sent;
#[path = "bad_input/told.rs"]
mod told;

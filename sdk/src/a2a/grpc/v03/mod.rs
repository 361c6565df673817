//! gRPC of A2A 0.3 (`a2a.v1`), read into and written from the types of 1.0.
//!
//! The proto of 0.3 has no place for the metadata of a part, for the name of a file and for the
//! media type of what is no file: they are left out. Data that is no object goes as the member
//! `value` of one. What changes the meaning of a call is refused instead: `ListTasks`, tenants,
//! security that is required and that 0.3 does not know.

mod call;
mod card;
mod content;
mod params;
mod push;
mod task;

#[cfg(test)]
mod tests;

pub use call::{
    read_event, read_request, read_response, write_event, write_request, write_response,
};

//! The embedded authority for development.

mod ca;
mod codes;
mod forms;
mod proof;
mod refusal;

pub use refusal::Refusal;

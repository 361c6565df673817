//! The tests that every replay store has to pass.

pub mod conformance;

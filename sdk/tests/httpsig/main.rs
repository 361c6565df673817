//! HTTP message signatures from outside: profiles, outcomes, responses, several signatures.

mod accept;
mod changes;
mod faults;
mod generator;
mod negative;
mod responses;
mod several;

//! The crate web-bot-auth (Ed25519 only) against ours: each verifies what the other signs, neither
//! takes it changed, and the faults that are known of it are none of ours.

mod both_ways;
mod faults;
mod message;

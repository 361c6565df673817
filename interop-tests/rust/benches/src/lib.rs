//! Signature libraries of others and ours, all asked for the same: a Web Bot Auth signature with
//! Ed25519 over five components of one request, and its verification.

mod actpub;
mod http_msgsign;
mod httpsig_hyper;
mod library;
mod ours;
mod raw;
mod web_bot_auth;

pub use library::{Library, Signed, libraries, request};
pub use raw::Raw;

//! `countersign http`: sign and verify raw messages, and make the documents around them.

mod args;
mod base;
mod card;
mod choose;
mod chunked;
mod command;
mod directory;
mod fetch;
mod files;
mod keygen;
mod keys;
mod lint;
mod message;
mod parse;
mod private_jwk;
mod proved;
mod registry;
mod resolve;
mod serve;
mod sign;
mod sign_plain;
mod stop;
mod verdict;
mod verify;

pub(super) use command::{HttpCommand, run};

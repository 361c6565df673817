//! The command: look at cards, call agents, read tokens and audit logs, find what is wrong.
//!
//! `docs/command.md` shows each use. Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage,
//! 3 could not be carried out.

mod audit;
mod call;
mod card;
mod doctor;
mod identity;
mod outcome;
mod run;
mod token;

pub use run::main;

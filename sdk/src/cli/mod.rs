//! The command: look at cards, call agents, read tokens and audit logs, sign and verify HTTP messages,
//! find what is wrong.
//!
//! `docs/command.md` shows each use. Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage,
//! 3 could not be carried out.

mod advice;
mod audit;
mod call;
mod card;
mod checks;
mod doctor;
mod http;
mod identity;
mod outcome;
mod plain;
mod run;
mod token;
mod usage;

pub use run::main;

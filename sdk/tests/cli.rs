//! The `countersign` command: the real binary against a real authority and real agents.

mod common;

#[path = "cli/calls.rs"]
mod calls;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/http/mod.rs"]
mod http;
#[path = "cli/offline.rs"]
mod offline;
#[path = "cli/ran.rs"]
mod ran;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/stage.rs"]
mod stage;

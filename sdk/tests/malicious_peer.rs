//! A client against servers that prove who they are and mean no good.

mod common;

#[path = "malicious_peer/answers.rs"]
mod answers;
#[path = "malicious_peer/cards.rs"]
mod cards;
#[path = "malicious_peer/fake.rs"]
mod fake;
#[path = "malicious_peer/streams.rs"]
mod streams;

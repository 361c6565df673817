//! A client against servers that prove who they are and mean no good.

mod common;

#[path = "malicious_peer/answers.rs"]
mod answers;
#[path = "malicious_peer/cards.rs"]
mod cards;
#[path = "malicious_peer/fake.rs"]
mod fake;
#[cfg(feature = "grpc")]
#[path = "malicious_peer/grpc.rs"]
mod grpc;
#[path = "malicious_peer/lists.rs"]
mod lists;
#[path = "malicious_peer/others.rs"]
mod others;
#[path = "malicious_peer/streams.rs"]
mod streams;

//! Calling other agents: the outbound pipeline.
//!
//! A [`Client`] calls as one workload, a [`Peer`] is where to call and who must be there. Each call
//! says for whom it is made:
//!
//! ```no_run
//! # async fn f(client: countersign::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use countersign::Peer;
//!
//! let booking = Peer::new("https://127.0.0.1:4433", "spiffe://travel.example/agent/booking")?;
//! let alice = client.oauth().login("alice", &"trip:book".parse()?).await?;
//! let call = client.on_behalf_of_user(alice).call(&booking).skill("book");
//! println!("{}", call.send("A train to Bern on Friday").await?.text());
//! # Ok(()) }
//! ```

mod about;
mod answer;
mod attempt;
mod authorize;
mod binding;
mod builder;
mod call;
mod cards;
mod connect;
mod credentials;
mod current;
mod error;
mod extended;
mod follow;
mod intercept;
mod outbound;
mod pages;
mod peer;
mod plans;
mod push;
mod remote;
mod retry;
mod signing;
mod stream;
mod tasks;

pub use answer::Answer;
pub use async_trait::async_trait;
pub use builder::ClientBuilder;
pub use call::{Call, OnBehalfOf};
pub use connect::Client;
pub use credentials::{CredentialProvider, CredentialRequest, StaticCredentials};
pub use current::{CallScope, scope};
#[cfg(feature = "server")]
pub(crate) use current::{RoundDeadline, scope_in_rounds};
pub use error::ClientError;
pub use intercept::{AfterCall, BeforeCall, CallInterceptor};
pub use peer::Peer;
pub use remote::RemoteAgent;
pub use retry::RetryPolicy;
#[cfg(feature = "server")]
pub(crate) use signing::CurrentSigner;
pub use stream::EventStream;

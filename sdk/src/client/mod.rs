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

mod answer;
mod binding;
mod call;
mod cards;
mod connect;
mod current;
mod error;
mod outbound;
mod plans;
mod signing;
mod stream;

pub use answer::Answer;
pub use call::{Call, OnBehalfOf};
pub use connect::{Client, ClientBuilder, Peer};
pub use current::{CallScope, scope};
pub use error::ClientError;
#[cfg(feature = "server")]
pub(crate) use signing::CurrentSigner;
pub use stream::EventStream;

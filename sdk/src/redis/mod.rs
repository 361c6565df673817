//! Nonces in Redis, which the instances of one agent share.
//!
//! ```no_run
//! # async fn share(agent: countersign::server::Agent) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use countersign::redis::RedisReplayStore;
//!
//! let store = RedisReplayStore::connect("rediss://agent:password@redis.example/0").await?;
//! let agent = agent.replay_store(Arc::new(store));
//! # Ok(())
//! # }
//! ```

mod address;
mod error;
mod link;
mod options;
mod replay;
mod tls;

pub use error::RedisError;
pub use options::{Danger, RedisOptions};
pub use replay::RedisReplayStore;

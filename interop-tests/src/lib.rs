//! Foreign peers: programs in other languages that call Countersign, are called by it, or check
//! what it signs. None of them shares code with it.
//!
//! A row whose peer cannot be had on this machine is reported as ignored, with the reason;
//! `COUNTERSIGN_INTEROP=required` turns that into a failure.

mod child;
mod node;
mod postgres;
mod python;
mod redis;
mod row;
mod softhsm;

pub use child::{RunError, run};
pub use node::{Node, NodeError};
pub use postgres::{PASSWORD, Postgres, PostgresError, ServerTls};
pub use python::{Python, PythonError};
pub use redis::{RedisServer, RedisServerError};
pub use row::row;
pub use softhsm::{SoftHsmError, in_a_folder_of_its_own, library, make_token};

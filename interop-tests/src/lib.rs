//! Foreign peers: programs in other languages that call Countersign, are called by it, or check
//! what it signs. None of them shares code with it.
//!
//! A row whose peer cannot be had on this machine is reported as ignored, with the reason;
//! `COUNTERSIGN_INTEROP=required` turns that into a failure.

mod child;
mod postgres;
mod python;
mod redis;
mod row;

pub use child::{RunError, run};
pub use postgres::{PASSWORD, Postgres, PostgresError, ServerTls};
pub use python::{Python, PythonError};
pub use redis::{RedisServer, RedisServerError};
pub use row::row;

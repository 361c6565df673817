//! What the benches of whole calls share.

mod bare;
mod measure;
mod raw;
mod tls;
pub(crate) mod world;

pub(crate) use bare::{Answering, serve_bare};
pub(crate) use measure::{
    CALLERS, Caller, Failure, TEXT, Turn, measure, median, processor_seconds,
};
pub(crate) use raw::{RawCaller, Sender, connect};
pub(crate) use tls::{acceptor, connector};
pub(crate) use world::{World, proved_callers};

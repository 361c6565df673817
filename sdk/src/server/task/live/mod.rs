//! A task that this instance works on: what its executor made of it, and how much of that is kept.

mod keeping;
mod making;
mod state;

pub(super) use keeping::Batch;
pub(super) use making::{Ended, Offered};
pub(super) use state::Live;

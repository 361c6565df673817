//! The agent that Python calls.

use libtest_mimic::Failed;

use super::world::World;

/// Why there is no agent to call yet: goes when [`start_booking`] starts one.
pub(crate) const PENDING: Option<&str> = Some("there is no server to start yet");

/// A running agent; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Booking {
    /// Where its card is served, without a trailing slash.
    pub(crate) url: String,
    /// The https URL of the caller's key directory.
    pub(crate) signature_agent: String,
}

/// Starts the agent on the loopback interface, as the workload `world.booking`: it answers a
/// message with one that contains the text it was sent, to callers whose token `world.authority`
/// issued.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start_booking(_world: &World) -> Result<Booking, Failed> {
    Err(PENDING.unwrap_or_default().into())
}

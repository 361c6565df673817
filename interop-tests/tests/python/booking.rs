//! The agent that Python calls.

use std::path::PathBuf;

/// Why there is no agent to call yet: goes when [`start_booking`] starts one.
pub(crate) const PENDING: Option<&str> = Some("there is no server to start yet");

/// A running agent, and what a foreign caller needs to call it.
#[derive(Debug)]
pub(crate) struct Booking {
    /// Where its card is served, without a trailing slash.
    pub(crate) url: String,
    /// The SPIFFE ID that its certificate must name.
    pub(crate) id: String,
    /// PEM files of the caller: chain, private key and trusted roots. The key is PKCS#8 of
    /// version 1, as `SigningKey::generate` makes it: Python does not read version 2.
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) bundle: PathBuf,
    /// An access token for this agent that is bound to the caller's certificate.
    pub(crate) token: String,
    /// The https URL of the caller's key directory.
    pub(crate) signature_agent: String,
    /// Keeps server, authority and files alive until the row ends.
    #[expect(dead_code, reason = "held, never read")]
    pub(crate) alive: Box<dyn std::any::Any + Send>,
}

/// Starts the agent on the loopback interface.
///
/// # Errors
/// Why it cannot be started.
pub(crate) fn start_booking() -> Result<Booking, String> {
    Err(PENDING.unwrap_or_default().to_owned())
}

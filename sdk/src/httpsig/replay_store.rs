//! Each nonce once: the promise of a store, and the evidence that it was asked.

use crate::clock::{Skew, UnixTime};
use crate::crypto::KeyThumbprint;

use super::verified::VerifiedRequest;

/// Why a request is not taken as fresh.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// The nonce was used before.
    #[error("the nonce was used before with the key {key}")]
    Seen {
        /// The key it was used with.
        key: KeyThumbprint,
    },
    /// The store holds as much as it may, and nothing in it has expired.
    #[error("the replay store is full with {entries} nonces")]
    Full {
        /// How many it holds.
        entries: usize,
    },
    /// The nonce would have to be remembered until a time that was already forgotten.
    #[error("the signature could be used until {until}, it is {now}")]
    Late {
        /// The last second at which the signature could be used.
        until: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
}

impl ReplayError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Seen { .. } => "replay.seen",
            Self::Full { .. } => "replay.full",
            Self::Late { .. } => "replay.late",
        }
    }
}

/// Remembers nonces. What it promises is tested by [`conformance`](super::replay::conformance).
pub trait ReplayStore: Send + Sync {
    /// Records that `nonce` was used with `key`, in one step with the look whether it was before.
    /// It is remembered up to and including the second `until`.
    ///
    /// # Errors
    /// [`ReplayError::Seen`] when it was used before, [`ReplayError::Full`] when it cannot be
    /// recorded without forgetting another that has not expired, [`ReplayError::Late`] when
    /// `until` has passed.
    fn check_and_record(
        &self,
        key: KeyThumbprint,
        nonce: &str,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<(), ReplayError>;
}

/// A verified request that was not seen before: the evidence of step 3.
///
/// Made only by [`VerifiedRequest::fresh`]. It cannot be cloned: one request makes one caller.
#[derive(Debug)]
pub struct Fresh(VerifiedRequest);

impl Fresh {
    /// The request.
    pub fn request(&self) -> &VerifiedRequest {
        &self.0
    }
}

impl VerifiedRequest {
    /// Takes the nonce; it is kept until the signature has expired and `skew` has passed.
    ///
    /// # Errors
    /// [`ReplayError`] when the nonce was used before or cannot be recorded.
    pub fn fresh(
        self,
        store: &dyn ReplayStore,
        skew: Skew,
        now: UnixTime,
    ) -> Result<Fresh, ReplayError> {
        // Not shorter than the verifier would take the signature again.
        let until = self.until().max(self.expires().plus(skew.get()));
        store.check_and_record(self.keyid(), self.nonce(), until, now)?;
        Ok(Fresh(self))
    }
}

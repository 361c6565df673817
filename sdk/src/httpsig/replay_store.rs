//! Each nonce once: the promise of a store, and the evidence that it was asked.

use crate::clock::{Skew, UnixTime};
use crate::crypto::KeyThumbprint;

use super::recording::Recording;
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
    /// The store could not be asked, or its answer is none: nobody knows whether the nonce is new.
    #[error("the replay store {what}")]
    Unavailable {
        /// What is the matter with it, in fixed words.
        what: &'static str,
    },
}

impl ReplayError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Seen { .. } => "replay.seen",
            Self::Full { .. } => "replay.full",
            Self::Late { .. } => "replay.late",
            Self::Unavailable { .. } => "replay.unavailable",
        }
    }
}

/// Remembers nonces. What it promises is tested by [`conformance`](super::replay::conformance).
///
/// A store that is not sure says no: a request whose nonce could not be recorded is refused.
pub trait ReplayStore: Send + Sync {
    /// Records that `nonce` was used with `key`, in one step with the look whether it was before.
    /// It is remembered up to and including the second `until`, or longer.
    ///
    /// # Errors
    /// [`ReplayError::Seen`] when it was used before, [`ReplayError::Full`] when it cannot be
    /// recorded without forgetting another that has not expired, [`ReplayError::Late`] when
    /// `until` has passed, [`ReplayError::Unavailable`] when the store cannot tell.
    fn check_and_record<'a>(
        &'a self,
        key: KeyThumbprint,
        nonce: &'a str,
        until: UnixTime,
        now: UnixTime,
    ) -> Recording<'a>;
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
    /// Dropped before it answered, the nonce may have been taken, and nobody is let in for it.
    ///
    /// # Errors
    /// [`ReplayError`] when the nonce was used before or cannot be recorded.
    pub async fn fresh(
        self,
        store: &dyn ReplayStore,
        skew: Skew,
        now: UnixTime,
    ) -> Result<Fresh, ReplayError> {
        // Not shorter than the verifier would take the signature again.
        let until = self.until().max(self.expires().plus(skew.get()));
        store
            .check_and_record(self.keyid(), self.nonce(), until, now)
            .await?;
        Ok(Fresh(self))
    }
}

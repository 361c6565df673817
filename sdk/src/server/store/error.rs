//! Why a store could not answer.

/// Why a store could not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// No room for another entry, and none that is over can be dropped.
    #[error("the store holds {max} entries that are still needed and takes no more")]
    Full {
        /// How many it holds.
        max: usize,
    },
    /// This owner has so many entries that are still needed that another would leave too little room
    /// for those of others.
    #[error("the owner holds {held} entries that are still needed, and only {left} more have room")]
    OwnerFull {
        /// How many the owner holds.
        held: usize,
        /// How many more have room, whosever they are.
        left: usize,
    },
    /// The task was changed by somebody else since it was read; nothing has changed now.
    #[error("the task is at version {found}, not at {expected}")]
    Conflict {
        /// The version that the change was made for.
        expected: u64,
        /// The version that is kept.
        found: u64,
    },
    /// There is no such task of this owner.
    #[error("no such task")]
    NotFound,
    /// Something of this name is there already.
    #[error("it exists already")]
    Exists,
    /// Its ID is longer than stores keep.
    #[error("an ID of {bytes} bytes is over the limit of {max}")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// What is kept cannot be read; it was written by something else or damaged.
    #[error("what is kept cannot be read: {what}")]
    Damaged {
        /// What is wrong with it, without its content.
        what: String,
    },
    /// The place where things are kept cannot be reached or does not work.
    #[error("the store is unavailable: {what}")]
    Unavailable {
        /// What failed, without secrets.
        what: String,
    },
}

impl StoreError {
    /// Refuses an ID that is longer than [`MAX_ID_BYTES`](super::MAX_ID_BYTES).
    pub(super) const fn check_id(id: &str) -> Result<(), Self> {
        let (bytes, max) = (id.len(), super::MAX_ID_BYTES);
        if bytes > max {
            return Err(Self::TooLong { bytes, max });
        }
        Ok(())
    }

    /// The fixed word for logs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Full { .. } => "store.full",
            Self::OwnerFull { .. } => "store.owner_full",
            Self::Conflict { .. } => "store.conflict",
            Self::NotFound => "store.not_found",
            Self::Exists => "store.exists",
            Self::TooLong { .. } => "store.too_long",
            Self::Damaged { .. } => "store.damaged",
            Self::Unavailable { .. } => "store.unavailable",
        }
    }
}

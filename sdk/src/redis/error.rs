//! Why Redis cannot be used.

/// Why Redis cannot be used. No text holds a password, nor what a server sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RedisError {
    /// The URL or an option cannot be used.
    #[error("the address of Redis {what}")]
    Address {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The server is not reached, does not prove its name, or does not let us in.
    #[error("Redis {what}")]
    Unavailable {
        /// What is the matter with it.
        what: &'static str,
    },
    /// The server drops keys that have not expired when its memory is full, and with them nonces:
    /// `maxmemory-policy` has to be `noeviction`.
    #[error("Redis drops keys when its memory is full: maxmemory-policy is not noeviction")]
    Evicts,
}

impl RedisError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Address { .. } => "redis.address",
            Self::Unavailable { .. } => "redis.unavailable",
            Self::Evicts => "redis.evicts",
        }
    }

    /// What is the matter, in fixed words behind a subject.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Address { what } | Self::Unavailable { what } => what,
            Self::Evicts => "drops keys when its memory is full",
        }
    }
}

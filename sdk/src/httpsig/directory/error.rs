//! Why a document is no key directory.

use crate::jose::JsonError;

/// Why a document is no key directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Not JSON within the limits (64 KiB unless set otherwise, eight levels).
    #[error("the directory: {0}")]
    Json(#[from] JsonError),
    /// There is no array `keys`.
    #[error("the directory has no array of keys")]
    NoKeys,
    /// More keys than are read.
    #[error("the directory has {keys} keys, at most {max} are read")]
    TooMany {
        /// How many it has.
        keys: usize,
        /// The limit.
        max: usize,
    },
}

impl DirectoryError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "directory.json",
            Self::NoKeys => "directory.no_keys",
            Self::TooMany { .. } => "directory.too_many",
        }
    }
}

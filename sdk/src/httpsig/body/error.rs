//! Why a body is not what was digested.

use crate::httpsig::{DigestError, SignatureError};

/// Why a body ends before its end; `E` is the error of the body itself.
#[derive(Debug, thiserror::Error)]
pub enum BodyError<E> {
    /// It is not what was digested, or the digest that came behind it cannot be used.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// No digest came, neither before the body nor behind it.
    #[error("there is no digest of the body")]
    NoDigest,
    /// It is longer than allowed.
    #[error("the body has over {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// What stands behind it could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The body itself broke off.
    #[error("the body broke off: {0}")]
    Broken(E),
    /// It was asked for more after it had ended with an error.
    #[error("the body had ended with an error")]
    Over,
}

impl<E> BodyError<E> {
    /// The fixed word for the audit record.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Digest(error) => error.reason(),
            Self::NoDigest => "digest.missing",
            Self::TooLong { .. } => "body.too_long",
            Self::Signature(error) => error.reason(),
            Self::Broken(_) => "body.truncated",
            Self::Over => "body.over",
        }
    }
}

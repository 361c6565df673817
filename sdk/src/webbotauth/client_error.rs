//! Why a request of the signing client has no answer.

use super::signer::SendError;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// It was not signed, and not sent.
    #[error(transparent)]
    Unsigned(#[from] SendError),
    /// It was not answered.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The client cannot be made.
    #[error("there are no trusted roots, or TLS cannot be set up")]
    Tls,
    /// One redirect led to another too often.
    #[error("more than {max} redirects")]
    TooManyRedirects {
        /// The limit.
        max: usize,
    },
}

impl ClientError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned(error) => error.reason(),
            Self::Http(_) => "http.failed",
            Self::Tls => "http.tls",
            Self::TooManyRedirects { .. } => "http.redirects",
        }
    }
}

//! Why a workload has no usable identity.

use crate::clock::UnixTime;
use crate::crypto::KeyError;
use crate::id::SpiffeId;
use crate::svid::SvidError;

/// What went wrong with our own identity.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WorkloadError {
    /// Our certificate has ended and no newer one came.
    #[error(
        "our own certificate expired at {until}, it is {now}; see the log for why renewal failed"
    )]
    Expired {
        /// Its last second.
        until: UnixTime,
        /// The time it was asked for.
        now: UnixTime,
    },
    /// The source gave a certificate that breaks a rule.
    #[error("our own certificate is not usable: {0}")]
    Svid(#[from] SvidError),
    /// The certificate is not of the private key that came with it.
    #[error("our own certificate and private key do not belong together")]
    KeyMismatch,
    /// The private key cannot be used.
    #[error("our own private key is not usable: {0}")]
    Key(#[from] KeyError),
    /// A renewal brought the certificate of somebody else.
    #[error("the identity changed from {was} to {now} while running")]
    IdChanged {
        /// Who we are.
        was: SpiffeId,
        /// Who the new certificate names.
        now: SpiffeId,
    },
    /// A file cannot be read or is not what it should be.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The authority could not be reached, or did not prove that it is the authority.
    #[error("the authority {authority} cannot be asked: {what}")]
    Unreachable {
        /// Who was called.
        authority: SpiffeId,
        /// The fixed word of the connection's error.
        word: &'static str,
        /// What happened.
        what: String,
    },
    /// The authority answered with a refusal.
    #[error("the authority {authority} refused a certificate with status {status}: {what}")]
    Refused {
        /// Who was called.
        authority: SpiffeId,
        /// Its HTTP status.
        status: u16,
        /// Its word for the reason, when it gave one.
        what: String,
    },
    /// The authority's answer cannot be read.
    #[error("the authority {authority} gave an answer that cannot be used: {what}")]
    Answer {
        /// Who was called.
        authority: SpiffeId,
        /// What is wrong with it.
        what: String,
    },
    /// A source written by the application failed.
    #[error("the identity source failed: {0}")]
    Source(String),
}

impl WorkloadError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "workload.expired",
            Self::Svid(error) => error.reason(),
            Self::KeyMismatch => "workload.key_mismatch",
            Self::Key(_) => "workload.key",
            Self::IdChanged { .. } => "workload.id_changed",
            Self::File { .. } => "workload.file",
            Self::Unreachable { .. } => "workload.unreachable",
            Self::Refused { .. } => "workload.refused",
            Self::Answer { .. } => "workload.answer",
            Self::Source(_) => "workload.source",
        }
    }
}

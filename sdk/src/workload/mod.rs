//! Where an agent's certificate comes from, and how it stays fresh.
//!
//! A [`Workload`] is started with an [`IdentitySource`] and from then on renews itself. With the
//! embedded authority that is [`enrol`](crate::tls::enrol()); with certificates that something else
//! puts into files it is [`FileSource`].

mod current;
mod error;
mod file;
mod memory;
mod snapshot;
mod source;
#[cfg(test)]
pub(crate) mod testing;
mod wire;

pub use current::Workload;
pub use error::WorkloadError;
pub use file::FileSource;
pub use memory::MemorySource;
pub use snapshot::{Material, Snapshot};
pub use source::IdentitySource;
pub use wire::Enrolment;
pub(crate) use wire::{CERTIFICATE_PATH, CertificateAnswer, CertificateRequest, PROOF_TYP, Proof};

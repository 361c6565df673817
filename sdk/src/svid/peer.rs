//! The evidence that a certificate chain was checked.

use std::sync::Arc;

use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, VerifyingKey};
use crate::id::SpiffeId;

/// A workload whose certificate passed every X.509-SVID rule: the evidence of step 1.
///
/// Made only by the checks of this room. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct PeerIdentity(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    id: SpiffeId,
    certificate: CertThumbprint,
    key: VerifyingKey,
    not_after: UnixTime,
}

impl PeerIdentity {
    pub(super) fn new(
        id: SpiffeId,
        certificate: CertThumbprint,
        key: VerifyingKey,
        not_after: UnixTime,
    ) -> Self {
        Self(Arc::new(Parts {
            id,
            certificate,
            key,
            not_after,
        }))
    }

    /// A peer that proved nothing, for unit tests of the rooms above.
    #[cfg(test)]
    pub(crate) fn unproved(id: &str, certificate: &[u8], key: VerifyingKey) -> Self {
        let id = id.parse().expect("a SPIFFE ID");
        let never = UnixTime::from_secs(u64::MAX);
        Self::new(id, CertThumbprint::of(certificate), key, never)
    }

    /// Who it is.
    pub fn id(&self) -> &SpiffeId {
        &self.0.id
    }

    /// The leaf certificate's thumbprint, as `cnf.x5t#S256` names it (RFC 8705 §3.1).
    pub fn certificate(&self) -> CertThumbprint {
        self.0.certificate
    }

    /// The leaf certificate's public key.
    pub fn key(&self) -> &VerifyingKey {
        &self.0.key
    }

    /// The last second at which every certificate of the chain is still valid.
    pub fn not_after(&self) -> UnixTime {
        self.0.not_after
    }
}

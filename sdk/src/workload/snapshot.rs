//! What a workload is at one moment.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;

use super::WorkloadError;
use crate::clock::UnixTime;
use crate::crypto::SigningKey;
use crate::secret::Secret;
use crate::svid::{PeerIdentity, TrustBundles, Usage, pem_of, verify_svid};

/// What a source hands over: unchecked.
#[derive(Clone, Debug)]
pub struct Material {
    /// Our certificate first, then those between it and the root.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: Arc<SigningKey>,
    /// Whom to trust, ourselves among them.
    pub bundles: TrustBundles,
}

impl Material {
    /// Who we are by this material, every rule of a peer's certificate applied to our own.
    ///
    /// # Errors
    /// [`WorkloadError::Svid`] and [`WorkloadError::KeyMismatch`].
    pub fn check(&self, now: UnixTime) -> Result<PeerIdentity, WorkloadError> {
        verify_svid(&self.chain, &self.bundles, Usage::Client, now)?;
        let identity = verify_svid(&self.chain, &self.bundles, Usage::Server, now)?;
        if identity.key() != self.key.verifying_key() {
            return Err(WorkloadError::KeyMismatch);
        }
        Ok(identity)
    }
}

/// Our certificate, key and trust at one moment. Never changes; a change makes a new one.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) generation: u64,
    pub(super) identity: PeerIdentity,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: Arc<SigningKey>,
    pub(super) bundles: TrustBundles,
}

impl Snapshot {
    /// Counts up with every new certificate and every change of trust.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Who we are, checked as a peer would be.
    pub fn identity(&self) -> &PeerIdentity {
        &self.identity
    }

    /// Our certificate first, then those between it and the root.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The private key of our certificate.
    pub fn key(&self) -> &Arc<SigningKey> {
        &self.key
    }

    /// Our certificates as PEM text (RFC 7468 §5), as files hold them.
    pub fn chain_pem(&self) -> String {
        pem_of(&self.chain)
    }

    /// The private key as PEM text: for a file that only this workload can read.
    pub fn expose_key_pem(&self) -> Secret {
        let text = STANDARD.encode(self.key.expose_pkcs8());
        Secret::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"
        ))
    }

    /// Whom we trust.
    pub fn bundles(&self) -> &TrustBundles {
        &self.bundles
    }
}

//! Certificates from files that another program keeps fresh.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::{IdentitySource, Material, WorkloadError};
use crate::crypto::SigningKey;
use crate::id::TrustDomain;
use crate::svid::{TrustBundle, TrustBundles};

/// The largest file read, in bytes.
const FILE_MAX: usize = 1 << 20;

/// PEM files: our chain, our key (PKCS#8), and the roots of one or more trust domains.
///
/// The files are read again every 5 s, so that a new certificate and a changed trust are seen
/// soon; a mismatch between certificate and key, as while they are being replaced, is retried.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use countersign::clock::SystemClock;
/// use countersign::workload::{FileSource, Workload};
/// let files = FileSource::new("svid.pem", "key.pem").trust("travel.example".parse()?, "bundle.pem");
/// let workload = Workload::start(Arc::new(files), Arc::new(SystemClock)).await?;
/// println!("{} until {}", workload.id(), workload.current().identity().not_after());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSource {
    certificate: PathBuf,
    key: PathBuf,
    bundles: Vec<(TrustDomain, PathBuf)>,
    every: Duration,
}

impl FileSource {
    /// The files with our chain and our private key. Trust is added with [`FileSource::trust`].
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            bundles: Vec::new(),
            every: Duration::from_secs(5),
        }
    }

    /// Trusts the roots in `file` for `domain`, and for no other.
    #[must_use]
    pub fn trust(mut self, domain: TrustDomain, file: impl Into<PathBuf>) -> Self {
        self.bundles.push((domain, file.into()));
        self
    }

    /// Reads the files this often instead of every 5 s.
    #[must_use]
    pub fn every(mut self, pause: Duration) -> Self {
        self.every = pause;
        self
    }
}

#[async_trait]
impl IdentitySource for FileSource {
    async fn fetch(&self) -> Result<Material, WorkloadError> {
        let certificates = read(&self.certificate).await?;
        let chain = CertificateDer::pem_slice_iter(&certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| broken(&self.certificate, format!("not PEM certificates: {e:?}")))?;
        let key = read(&self.key).await?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&key)
            .map_err(|_| broken(&self.key, "no PKCS#8 private key in PEM"))?;
        let key = SigningKey::from_pkcs8(key.secret_pkcs8_der())?;
        let mut bundles = TrustBundles::default();
        for (domain, path) in &self.bundles {
            let pem = read(path).await?;
            let pem = std::str::from_utf8(&pem).map_err(|_| broken(path, "not text"))?;
            bundles = bundles.with(TrustBundle::from_pem(domain.clone(), pem)?);
        }
        Ok(Material {
            chain,
            key: Arc::new(key),
            bundles,
        })
    }

    fn poll_every(&self) -> Option<Duration> {
        Some(self.every)
    }
}

async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, WorkloadError> {
    let bytes = tokio::fs::read(path)
        .await
        .map_err(|e| broken(path, e.to_string()))?;
    if bytes.len() > FILE_MAX {
        return Err(broken(path, format!("over {FILE_MAX} bytes")));
    }
    Ok(Zeroizing::new(bytes))
}

fn broken(path: &Path, what: impl Into<String>) -> WorkloadError {
    WorkloadError::File {
        path: path.display().to_string(),
        what: what.into(),
    }
}

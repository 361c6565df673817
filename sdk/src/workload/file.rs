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

#[cfg(test)]
mod tests {
    use countersign_fixtures::ca::{Ca, Issued};

    use super::*;
    use crate::clock::SystemClock;
    use crate::workload::Workload;

    fn pem(label: &str, parts: &[&[u8]]) -> String {
        use base64::Engine as _;
        let body = |der: &&[u8]| base64::engine::general_purpose::STANDARD.encode(der);
        parts
            .iter()
            .map(|der| {
                format!(
                    "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
                    body(der)
                )
            })
            .collect()
    }

    fn write(folder: &Path, issued: &Issued, ca: &Ca) {
        let chain: Vec<&[u8]> = issued.chain.iter().map(AsRef::as_ref).collect();
        let put = |name: &str, text: String| std::fs::write(folder.join(name), text);
        put("svid.pem", pem("CERTIFICATE", &chain)).expect("written");
        put("key.pem", pem("PRIVATE KEY", &[&issued.pkcs8])).expect("written");
        put("bundle.pem", pem("CERTIFICATE", &[ca.root()])).expect("written");
    }

    fn source(folder: &Path) -> FileSource {
        FileSource::new(folder.join("svid.pem"), folder.join("key.pem"))
            .trust(
                "a.test".parse().expect("a domain"),
                folder.join("bundle.pem"),
            )
            .every(Duration::from_millis(200))
    }

    #[tokio::test]
    async fn new_files_are_seen_soon() {
        let ca = Ca::new("a.test");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &ca.leaf("/x"), &ca);
        let started = Workload::start(Arc::new(source(folder.path())), Arc::new(SystemClock));
        let workload = started.await.expect("good");
        assert_eq!(workload.id().as_str(), "spiffe://a.test/x");
        let mut changed = workload.changed();
        // Half a change is a mismatch: the old certificate stays.
        let next = ca.leaf("/x");
        let key = pem("PRIVATE KEY", &[&next.pkcs8]);
        std::fs::write(folder.path().join("key.pem"), key).expect("written");
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(workload.current().generation(), 1);
        write(folder.path(), &next, &ca);
        let seen = tokio::time::timeout(Duration::from_secs(5), changed.changed()).await;
        seen.expect("soon").expect("lives");
        assert_eq!(workload.current().chain(), next.chain);
    }

    #[tokio::test]
    async fn a_file_that_is_wrong_is_named() {
        let ca = Ca::new("a.test");
        for (file, content, want) in [
            ("svid.pem", "nonsense".into(), "svid.malformed"),
            ("key.pem", "nonsense".into(), "workload.file"),
            ("key.pem", pem("PRIVATE KEY", &[b"no key"]), "workload.key"),
            ("bundle.pem", "nonsense".into(), "svid.bundle"),
            ("svid.pem", "x".repeat(FILE_MAX + 1), "workload.file"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            write(folder.path(), &ca.leaf("/x"), &ca);
            std::fs::write(folder.path().join(file), content).expect("written");
            let clock = Arc::new(SystemClock);
            let started = Workload::start(Arc::new(source(folder.path())), clock).await;
            let error = started.expect_err(file);
            assert_eq!(error.reason(), want, "{file}: {error}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let error = source(folder.path()).fetch().await.expect_err("no files");
        assert!(error.to_string().contains("svid.pem"), "{error}");
    }
}

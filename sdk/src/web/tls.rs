//! TLS with servers of the public web: a certificate for the host name, from a trusted root.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::httpsig::Host;

/// Makes TLS connections, with the system's roots or with these.
pub(crate) struct WebTls {
    roots: Option<Vec<CertificateDer<'static>>>,
    /// Made at the first connection that needs it: reading the system's roots takes a while.
    connector: OnceCell<TlsConnector>,
}

impl WebTls {
    /// With these roots, or the system's.
    pub(crate) fn new(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        Self {
            roots,
            connector: OnceCell::new(),
        }
    }

    /// Speaks TLS 1.3 over `stream` with who can prove to be `host`.
    ///
    /// # Errors
    /// When it cannot, or there are no roots.
    pub(crate) async fn connect(
        &self,
        host: &Host,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        // RFC 9110 §4.3.4: the certificate is for the host of the URL, whatever address it led to.
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            Host::Address(address) => ServerName::IpAddress((*address).into()),
        };
        let connector = self.connector.get_or_try_init(|| self.make()).await?;
        connector.connect(name, stream).await
    }

    async fn make(&self) -> io::Result<TlsConnector> {
        let roots = match &self.roots {
            Some(roots) => roots.clone(),
            None => {
                let load = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
                let loaded = load.await.map_err(io::Error::other)?;
                for error in &loaded.errors {
                    tracing::warn!(%error, "a trusted root of the system could not be read");
                }
                loaded.certs
            }
        };
        connector_with(roots)
    }
}

fn connector_with(roots: Vec<CertificateDer<'static>>) -> io::Result<TlsConnector> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    if store.is_empty() {
        let what = "there are no trusted roots to check its certificate with";
        return Err(io::Error::other(what));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(io::Error::other)?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl fmt::Debug for WebTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebTls")
    }
}

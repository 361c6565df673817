//! The server's certificate, checked like that of any server of the web.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;

use super::error::RedisError;

/// How connections to `host` are made; without `roots` the system's are taken.
pub(super) fn connector(
    host: &str,
    roots: Option<Vec<CertificateDer<'static>>>,
) -> Result<(TlsConnector, ServerName<'static>), RedisError> {
    let unusable = |what| RedisError::Address { what };
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| unusable("names a host that no certificate can name"))?;
    let roots = roots.unwrap_or_else(|| rustls_native_certs::load_native_certs().certs);
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    if store.is_empty() {
        return Err(unusable("wants TLS, and there are no trusted roots"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| unusable("wants TLS, and the provider has no TLS 1.3"))?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), name))
}

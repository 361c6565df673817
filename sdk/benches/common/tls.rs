//! Mutual TLS with the certificates of the world, and nothing of ours around it.

use std::sync::Arc;

use countersign::tls::HttpVersion;
use countersign::workload::Workload;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::measure::Failure;
use super::world::World;

fn key_of(workload: &Workload) -> PrivateKeyDer<'static> {
    let pkcs8 = workload.current().key().expose_pkcs8().to_vec();
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8))
}

fn roots(workload: &Workload) -> Result<Arc<rustls::RootCertStore>, Failure> {
    let own = workload.current();
    let mut roots = rustls::RootCertStore::empty();
    let bundle = own
        .bundles()
        .get(workload.id().trust_domain_name())
        .ok_or("a bundle")?;
    for root in bundle.roots() {
        roots.add(root.clone())?;
    }
    Ok(Arc::new(roots))
}

fn chain(workload: &Workload) -> Vec<CertificateDer<'static>> {
    workload.current().chain().to_vec()
}

/// The worker's end.
pub(crate) fn acceptor(world: &World) -> Result<TlsAcceptor, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        roots(&world.worker)?,
        provider.clone(),
    );
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(chain(&world.worker), key_of(&world.worker))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The caller's end.
pub(crate) fn connector(world: &World, version: HttpVersion) -> Result<TlsConnector, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots(&world.caller)?)
        .with_client_auth_cert(chain(&world.caller), key_of(&world.caller))?;
    let spoken: &[u8] = match version {
        HttpVersion::Http2 => b"h2",
        _ => b"http/1.1",
    };
    config.alpn_protocols = vec![spoken.to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

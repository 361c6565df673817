//! The cryptographic provider as a value, and our certificate in the form the TLS stack wants.

use std::sync::{Arc, LazyLock};

use rustls::SignatureScheme;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group, sign};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use webpki::aws_lc_rs as algorithms;

use super::HttpVersion;
use super::verifier::{PeerVerifier, Verdict};
use crate::crypto::{Algorithm, SigningKey};

/// aws-lc-rs with the hybrid post-quantum group first. Never installed as the process default, so
/// that no other part of the program can change it.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let mut provider = default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some());
    provider.kx_groups = vec![
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
    ];
    provider.signature_verification_algorithms = HANDSHAKE_ALGORITHMS;
    Arc::new(provider)
});

/// What a peer may sign its handshake with: the keys an SVID may hold here.
pub(super) const HANDSHAKE_ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[algorithms::ED25519, algorithms::ECDSA_P256_SHA256],
    mapping: &[
        (SignatureScheme::ED25519, &[algorithms::ED25519]),
        (
            SignatureScheme::ECDSA_NISTP256_SHA256,
            &[algorithms::ECDSA_P256_SHA256],
        ),
    ],
};

/// What is announced: RFC 8446 §4.2.3 lets this list speak for the certificates above the leaf
/// too, and those may be signed with P-384. A handshake signed with it is refused all the same.
pub(super) const ANNOUNCED: [SignatureScheme; 3] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
];

const H2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A chain and its key for the TLS stack; made once for each snapshot.
pub(super) fn certified_key(
    chain: &[CertificateDer<'static>],
    key: &SigningKey,
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let der = PrivatePkcs8KeyDer::from(key.expose_pkcs8());
    let key = match key.algorithm() {
        Algorithm::Ed25519 => sign::any_eddsa_type(&der)?,
        Algorithm::EcdsaP256Sha256 => sign::any_ecdsa_type(&PrivateKeyDer::Pkcs8(der))?,
    };
    Ok(Arc::new(CertifiedKey::new(chain.to_vec(), key)))
}

/// The client side of one partition: everything but the verifier, which is one for each connection.
pub(super) fn client_config(
    own: Option<Arc<CertifiedKey>>,
    http: HttpVersion,
) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PeerVerifier::refuses_all()));
    let mut config = match own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own))),
        None => builder.with_no_client_auth(),
    };
    // A resumed session would carry a certificate over that was checked long ago.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    // The peer is named by its SPIFFE ID; a name in clear text would only tell observers.
    config.enable_sni = false;
    config.alpn_protocols = match http {
        HttpVersion::Auto => vec![H2.to_vec(), HTTP_1_1.to_vec()],
        HttpVersion::Http1 => vec![HTTP_1_1.to_vec()],
        HttpVersion::Http2 => vec![H2.to_vec()],
    };
    Ok(config)
}

/// The client side of one connection, and where its verdict will stand.
pub(super) fn client_side(
    base: &ClientConfig,
    verifier: PeerVerifier,
) -> (Arc<ClientConfig>, Arc<Verdict>) {
    let verdict = verifier.verdict();
    let mut config = base.clone();
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(verifier));
    (Arc::new(config), verdict)
}

/// The server side of one connection, and where its verdict will stand.
pub(super) fn server_side(
    key: &Arc<CertifiedKey>,
    verifier: PeerVerifier,
) -> Result<(Arc<ServerConfig>, Arc<Verdict>), rustls::Error> {
    let verdict = verifier.verdict();
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![H2.to_vec(), HTTP_1_1.to_vec()];
    Ok((Arc::new(config), verdict))
}

/// Whether the two sides agreed on HTTP/2.
pub(super) fn is_h2(alpn: Option<&[u8]>) -> bool {
    alpn == Some(H2)
}

//! The SVID checks inside the handshake.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    SignatureScheme,
};

use super::crypto::{ANNOUNCED, HANDSHAKE_ALGORITHMS};
use crate::clock::Clock;
use crate::id::SpiffeId;
use crate::svid::{PeerIdentity, SvidError, TrustBundles, Usage, verify_svid};

/// What was found in one handshake.
#[derive(Debug, Default)]
pub(super) struct Verdict(OnceLock<Result<Proven, Refused>>);

/// The peer, and the chain it showed, to be checked again when trust changes.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    pub(super) peer: PeerIdentity,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

#[derive(Clone, Debug)]
pub(super) enum Refused {
    Svid(SvidError),
    NotExpected(SpiffeId),
}

impl Verdict {
    /// `None` when no certificate was shown.
    pub(super) fn get(&self) -> Option<&Result<Proven, Refused>> {
        self.0.get()
    }
}

/// Checks the certificate of one connection's peer, and who it is.
#[derive(Debug)]
pub(super) struct PeerVerifier {
    bundles: TrustBundles,
    clock: Option<Arc<dyn Clock>>,
    expected: Option<SpiffeId>,
    required: bool,
    verdict: Arc<Verdict>,
}

impl PeerVerifier {
    /// For the server that must be `expected`.
    pub(super) fn of_server(
        bundles: TrustBundles,
        clock: Arc<dyn Clock>,
        expected: SpiffeId,
    ) -> Self {
        Self {
            bundles,
            clock: Some(clock),
            expected: Some(expected),
            required: true,
            verdict: Arc::default(),
        }
    }

    /// For a client, whoever it is.
    pub(super) fn of_client(bundles: TrustBundles, clock: Arc<dyn Clock>, required: bool) -> Self {
        Self {
            bundles,
            clock: Some(clock),
            expected: None,
            required,
            verdict: Arc::default(),
        }
    }

    /// Trusts nobody: holds the place until a connection brings its own.
    pub(super) fn refuses_all() -> Self {
        Self {
            bundles: TrustBundles::default(),
            clock: None,
            expected: None,
            required: true,
            verdict: Arc::default(),
        }
    }

    /// Where the verdict will stand after the handshake.
    pub(super) fn verdict(&self) -> Arc<Verdict> {
        Arc::clone(&self.verdict)
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        usage: Usage,
    ) -> Result<(), Error> {
        let Some(clock) = &self.clock else {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        };
        let chain: Vec<_> = std::iter::once(leaf)
            .chain(between)
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        let found = verify_svid(&chain, &self.bundles, usage, clock.now())
            .map_err(Refused::Svid)
            .and_then(|peer| match &self.expected {
                Some(expected) if expected != peer.id() => {
                    Err(Refused::NotExpected(peer.id().clone()))
                }
                _ => Ok(Proven { peer, chain }),
            });
        let refused = found.as_ref().err().map(alert_for);
        // A handshake shows one certificate; a second one would be refused here.
        if self.verdict.0.set(found).is_err() {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        match refused {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }
}

/// The peer learns by the alert no more than the kind of the broken rule (RFC 8446 §6.2).
fn alert_for(refused: &Refused) -> CertificateError {
    let error = match refused {
        Refused::NotExpected(_) => return CertificateError::ApplicationVerificationFailure,
        Refused::Svid(error) => error,
    };
    match error {
        SvidError::Malformed { .. }
        | SvidError::ChainTooLong { .. }
        | SvidError::TooLarge { .. } => CertificateError::BadEncoding,
        SvidError::Expired { .. } => CertificateError::Expired,
        SvidError::NotYetValid { .. } => CertificateError::NotValidYet,
        SvidError::TrustDomain { .. }
        | SvidError::Untrusted { .. }
        | SvidError::Intermediate(_)
        | SvidError::Bundle { .. } => CertificateError::UnknownIssuer,
        SvidError::KeyUsage(_) | SvidError::ExtendedKeyUsage { .. } | SvidError::Ca => {
            CertificateError::InvalidPurpose
        }
        SvidError::NoUriSan
        | SvidError::SeveralUriSans { .. }
        | SvidError::SpiffeId(_)
        | SvidError::Key => CertificateError::ApplicationVerificationFailure,
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, intermediates, Usage::Server)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &HANDSHAKE_ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ANNOUNCED.to_vec()
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, intermediates, Usage::Client)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &HANDSHAKE_ALGORITHMS)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ANNOUNCED.to_vec()
    }
}

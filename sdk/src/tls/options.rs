//! What can be set about connections.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::RefusedHandshake;

/// Which HTTP a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HttpVersion {
    /// HTTP/2 if the server has it, HTTP/1.1 otherwise.
    #[default]
    Auto,
    /// HTTP/1.1: one request at a time on a connection, least time for each.
    Http1,
    /// HTTP/2: many requests at once on one connection.
    Http2,
}

/// Settings of a [`Transport`](super::Transport).
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// Default [`HttpVersion::Auto`].
    pub http: HttpVersion,
    /// A change of this number retires every connection: set it when the policy changes.
    pub policy_generation: Option<Arc<AtomicU64>>,
    /// Name lookup, TCP and TLS together. Default 10 s.
    pub connect_timeout: Duration,
    /// From sending to the head of the answer. Default 120 s.
    pub answer_timeout: Duration,
    /// An unused connection is closed after this. Default 60 s, below the 90 s of servers, so
    /// that the side that may send is the side that closes.
    pub idle_timeout: Duration,
    /// Connections kept unused for one peer. Default 64.
    pub max_idle: usize,
    /// Handshakes in flight to one peer. Default 16.
    pub max_dials: usize,
    /// Bytes of an answer's header block. Default 64 KiB; at least 8 KiB.
    pub max_response_header: usize,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            http: HttpVersion::Auto,
            policy_generation: None,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60),
            max_idle: 64,
            max_dials: 16,
            max_response_header: 64 << 10,
        }
    }
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientCertificate {
    /// Without a valid one there is no connection.
    #[default]
    Required,
    /// None is allowed, and then the request carries no `PeerIdentity`; one that is shown must be
    /// valid. For the authority, whose clients come to get their first certificate.
    Optional,
}

/// Told of every refused handshake.
pub type OnRefused = Arc<dyn Fn(&TlsRefusal) + Send + Sync>;

/// Settings of [`serve`](super::serve()).
#[derive(Clone)]
pub struct ServeOptions {
    /// Default [`ClientCertificate::Required`].
    pub client_certificate: ClientCertificate,
    /// Default 10 s; at most one second while every slot is taken and somebody waits for one.
    pub handshake_timeout: Duration,
    /// From a request's first byte to the end of its header block (HTTP/1.1). Default 10 s.
    pub header_timeout: Duration,
    /// A connection without a request is closed after this. Default 90 s.
    pub idle_timeout: Duration,
    /// Connections at once, those in their handshake included; more wait. Default 4096.
    pub max_connections: usize,
    /// Bytes of a request's header block. Default 64 KiB; at least 8 KiB.
    pub max_request_header: usize,
    /// Requests at once on one HTTP/2 connection. Default 256.
    pub max_streams: u32,
    /// How long requests may finish after the shutdown. Default 10 s.
    pub drain: Duration,
    /// Told of every refused handshake, to be audited. Must not block.
    pub on_refused: Option<OnRefused>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            client_certificate: ClientCertificate::Required,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            max_connections: 4096,
            max_request_header: 64 << 10,
            max_streams: 256,
            drain: Duration::from_secs(10),
            on_refused: None,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeOptions")
            .field("client_certificate", &self.client_certificate)
            .field("handshake_timeout", &self.handshake_timeout)
            .field("header_timeout", &self.header_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("max_connections", &self.max_connections)
            .field("max_request_header", &self.max_request_header)
            .field("max_streams", &self.max_streams)
            .field("drain", &self.drain)
            .field("on_refused", &self.on_refused.is_some())
            .finish()
    }
}

/// A handshake that a server refused.
#[derive(Clone, Debug)]
pub struct TlsRefusal {
    /// Where it came from.
    pub remote: SocketAddr,
    /// Why it was refused.
    pub error: RefusedHandshake,
}

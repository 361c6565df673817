//! Why a request could not be sent, or its answer not be believed.

use std::time::Duration;

use crate::clock::UnixTime;
use crate::id::SpiffeId;
use crate::svid::SvidError;
use crate::workload::WorkloadError;

/// What went wrong on the way to a peer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TlsError {
    /// Nothing listens there, or the name has no address.
    #[error("cannot connect to {authority}: {what}; is the agent running, is the address right?")]
    Connect {
        /// Host and port.
        authority: String,
        /// What the operating system said.
        what: String,
    },
    /// A deadline passed.
    #[error("{authority} was {waiting} for over {after:?}")]
    Timeout {
        /// Host and port.
        authority: String,
        /// What was waited for.
        waiting: Waiting,
        /// The deadline that passed.
        after: Duration,
    },
    /// A valid workload answered, but not the one the call is for.
    #[error(
        "{found} answered instead of {expected}; is the address or the expected identity wrong?"
    )]
    PeerNotExpected {
        /// Who should have.
        expected: SpiffeId,
        /// Who did.
        found: SpiffeId,
    },
    /// The peer's certificate breaks a rule or leads to no root of its domain.
    #[error("the certificate shown for {expected} is refused: {error}")]
    PeerUntrusted {
        /// Who should have answered.
        expected: SpiffeId,
        /// The broken rule.
        error: SvidError,
    },
    /// The peer refused our certificate.
    #[error(
        "{peer} refused our identity {own} (alert: {alert}); does it trust our domain, and is our certificate in date there?"
    )]
    PeerRejectedUs {
        /// Who refused.
        peer: SpiffeId,
        /// Who we are.
        own: SpiffeId,
        /// The TLS alert.
        alert: String,
    },
    /// A certificate on the connection ended before the answer was there.
    #[error("the connection to {peer} ended with a certificate at {until}, it is {now}")]
    PeerExpired {
        /// The peer.
        peer: SpiffeId,
        /// The last second of the earliest certificate.
        until: UnixTime,
        /// The time now.
        now: UnixTime,
    },
    /// The peer's trust domain is trusted no more, or not yet.
    #[error("{peer} is in a trust domain we hold no bundle for; was its trust withdrawn?")]
    NotTrusted {
        /// The peer.
        peer: SpiffeId,
    },
    /// We have no valid certificate ourselves.
    #[error("nothing was sent: {0}")]
    OwnExpired(WorkloadError),
    /// The two sides have no protocol in common.
    #[error("no TLS 1.3 handshake with {authority}: {what}")]
    Handshake {
        /// Host and port.
        authority: String,
        /// What was wrong.
        what: String,
    },
    /// The URL cannot be called.
    #[error("the URL {url} {what}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The request needs HTTP/2, and the connection speaks HTTP/1.1.
    #[error("{authority} does not speak HTTP/2, which the request needs")]
    NoHttp2 {
        /// Host and port.
        authority: String,
    },
    /// The HTTP exchange broke.
    #[error("the HTTP exchange with {authority} failed: {what}")]
    Http {
        /// Host and port.
        authority: String,
        /// What happened.
        what: String,
    },
}

/// What a deadline was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// Connection and handshake.
    Connecting,
    /// The head of the answer.
    Answering,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting and shaking hands",
            Self::Answering => "answering",
        })
    }
}

impl TlsError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "tls.connect",
            Self::Timeout { .. } => "tls.timeout",
            Self::PeerNotExpected { .. } => "tls.peer_not_expected",
            Self::PeerUntrusted { .. } => "tls.peer_untrusted",
            Self::PeerRejectedUs { .. } => "tls.peer_rejected_us",
            Self::PeerExpired { .. } => "tls.peer_expired",
            Self::NotTrusted { .. } => "tls.not_trusted",
            Self::OwnExpired(_) => "tls.own_expired",
            Self::Handshake { .. } => "tls.handshake",
            Self::Url { .. } => "tls.url",
            Self::NoHttp2 { .. } => "tls.no_http2",
            Self::Http { .. } => "tls.http",
        }
    }

    /// The rule that the peer's certificate broke, when that was it.
    pub const fn svid(&self) -> Option<&SvidError> {
        match self {
            Self::PeerUntrusted { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Whether the peer may have acted on the request: then only a request that may be repeated
    /// should be.
    pub const fn may_have_arrived(&self) -> bool {
        match self {
            Self::Timeout { waiting, .. } => matches!(waiting, Waiting::Answering),
            Self::PeerExpired { .. } | Self::Http { .. } => true,
            Self::Connect { .. }
            | Self::PeerNotExpected { .. }
            | Self::PeerUntrusted { .. }
            | Self::PeerRejectedUs { .. }
            | Self::NotTrusted { .. }
            | Self::OwnExpired(_)
            | Self::Handshake { .. }
            | Self::NoHttp2 { .. }
            | Self::Url { .. } => false,
        }
    }
}

/// Why a server refused a handshake.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RefusedHandshake {
    /// The client did not finish in time.
    #[error("the handshake took over {after:?}")]
    Timeout {
        /// The deadline that passed.
        after: Duration,
    },
    /// The client showed no certificate, and one is required.
    #[error("the client showed no certificate")]
    NoCertificate,
    /// The client's certificate breaks a rule.
    #[error("the client's certificate is refused: {0}")]
    Certificate(SvidError),
    /// The client refused our certificate.
    #[error("the client refused our certificate (alert: {alert})")]
    RejectedUs {
        /// The TLS alert.
        alert: String,
    },
    /// We have no valid certificate to show.
    #[error("{0}")]
    OwnExpired(WorkloadError),
    /// Not TLS 1.3, or not TLS at all.
    #[error("no TLS 1.3 handshake: {what}")]
    Protocol {
        /// What was wrong.
        what: String,
    },
    /// The connection broke.
    #[error("the connection broke during the handshake: {what}")]
    Broken {
        /// What the operating system said.
        what: String,
    },
}

impl RefusedHandshake {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Timeout { .. } => "tls.timeout",
            Self::NoCertificate => "tls.no_certificate",
            Self::Certificate(error) => error.reason(),
            Self::RejectedUs { .. } => "tls.peer_rejected_us",
            Self::OwnExpired(_) => "tls.own_expired",
            Self::Protocol { .. } => "tls.handshake",
            Self::Broken { .. } => "tls.broken",
        }
    }
}

//! Why an address is not connected to, or a document not fetched.

use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;

use super::address::AddressClass;

/// Why a URL leads to no address that may be connected to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// The host is, or its name leads to, an address that is not permitted.
    #[error("{host} is at {address}, which is {class} and not permitted")]
    NotPermitted {
        /// The host of the URL.
        host: String,
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        class: AddressClass,
    },
    /// The name has no address.
    #[error("the name {host} has no address: {what}")]
    Unresolved {
        /// The host of the URL.
        host: String,
        /// What the resolver said.
        what: String,
    },
}

/// Why a document was not fetched. Nothing in it is from a URL's path or query.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not `https`.
    #[error("{origin} is not https")]
    NotHttps {
        /// Scheme and authority of the URL.
        origin: String,
    },
    /// The port belongs to another service: below 1024, and not 443.
    #[error("port {port} is another service's")]
    Port {
        /// The port of the URL.
        port: u16,
    },
    /// The URL leads to no address that may be connected to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No connection, no TLS, or an answer that is no HTTP.
    #[error("the connection to {origin}: {what}")]
    Connection {
        /// Scheme and authority of the URL.
        origin: String,
        /// What went wrong.
        what: String,
    },
    /// It took too long, from the look-up of the name to the last byte.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// Any answer but 200; redirects are not followed.
    #[error("the answer is {status}, not 200")]
    Status {
        /// The status.
        status: StatusCode,
        /// `Retry-After` of the answer.
        retry_after: Option<Duration>,
    },
    /// The content is coded, which was not asked for.
    #[error("the content is coded, which was not asked for")]
    Coded,
    /// The content is longer than wanted.
    #[error("the content is longer than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
}

impl FetchError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotHttps { .. } => "fetch.not_https",
            Self::Port { .. } => "fetch.port",
            Self::Address(AddressError::NotPermitted { .. }) => "fetch.address",
            Self::Address(AddressError::Unresolved { .. }) => "fetch.unresolved",
            Self::Connection { .. } => "fetch.connection",
            Self::Timeout(_) => "fetch.timeout",
            Self::Status { .. } => "fetch.status",
            Self::Coded => "fetch.coded",
            Self::TooLarge { .. } => "fetch.too_large",
        }
    }

    /// Whether the next attempt may end otherwise: the network, or an answer of 5xx.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::Timeout(_) => true,
            Self::Address(error) => matches!(error, AddressError::Unresolved { .. }),
            Self::Status { status, .. } => status.is_server_error(),
            Self::NotHttps { .. } | Self::Port { .. } | Self::Coded | Self::TooLarge { .. } => {
                false
            }
        }
    }

    /// How long the server wants to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

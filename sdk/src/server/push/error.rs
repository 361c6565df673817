//! Why a webhook is not taken, or a notification did not arrive.

use std::net::IpAddr;

use http::StatusCode;

use crate::a2a::A2aError;
use crate::httpsig::{SignatureError, WebUrlError};
use crate::tls::TlsError;
use crate::web::{AddressClass, AddressError};
use crate::workload::WorkloadError;

/// Why a webhook may not be told.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WebhookError {
    /// The URL breaks a rule.
    #[error("the webhook's URL {rule}")]
    Url {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A pattern of the policy is none.
    #[error("{text:?} is no host name in lower case, no `*.` before one, and not `*`")]
    Pattern {
        /// The text.
        text: String,
    },
    /// A path of the policy is none.
    #[error(
        "{text:?} is no path of plain parts, as `/notifications` or, with all below it, \
         `/notifications/`"
    )]
    Path {
        /// The text.
        text: String,
    },
    /// A value that would become a header field is none.
    #[error("{field} {rule}")]
    Header {
        /// The member of the configuration.
        field: &'static str,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// No rule of the policy is for this host, or none for this owner.
    #[error("no rule of the push policy allows the webhook at {origin}: {why}")]
    NotAllowed {
        /// Scheme, host and port of the webhook.
        origin: String,
        /// What is missing.
        why: &'static str,
    },
    /// The host is, or its name leads to, an address that notifications do not go to.
    #[error("the webhook at {host} is at {address}, which is {class} and not permitted")]
    Address {
        /// The host of the URL.
        host: String,
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        class: AddressClass,
    },
    /// The name has no address.
    #[error("the name {host} of the webhook has no address: {what}")]
    Unresolved {
        /// The host of the URL.
        host: String,
        /// What the resolver said.
        what: String,
    },
    /// The task has as many configurations as it may have.
    #[error("a task has at most {max} push configurations")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl WebhookError {
    /// The fixed word for logs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Url { .. } => "push.url",
            Self::Pattern { .. } => "push.pattern",
            Self::Path { .. } => "push.path",
            Self::Header { .. } => "push.header",
            Self::NotAllowed { .. } => "push.not_allowed",
            Self::Address { .. } => "push.address",
            Self::Unresolved { .. } => "push.unresolved",
            Self::TooMany { .. } => "push.too_many",
        }
    }

    /// What the caller is told. Where a name leads is not told: the answer would map our network.
    pub(super) fn to_a2a(&self) -> A2aError {
        match self {
            Self::Url { .. } => A2aError::invalid_param("url", self.to_string()),
            Self::Header { field, rule } => A2aError::invalid_param(*field, *rule),
            Self::Pattern { .. }
            | Self::Path { .. }
            | Self::NotAllowed { .. }
            | Self::Address { .. }
            | Self::Unresolved { .. } => {
                A2aError::invalid_param("url", "this agent sends no notifications there")
            }
            Self::TooMany { .. } => A2aError::invalid_param("taskId", self.to_string()),
        }
    }
}

impl From<WebUrlError> for WebhookError {
    fn from(error: WebUrlError) -> Self {
        Self::Url { rule: error.rule }
    }
}

impl From<AddressError> for WebhookError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NotPermitted {
                host,
                address,
                class,
            } => Self::Address {
                host,
                address,
                class,
            },
            AddressError::Unresolved { host, what } => Self::Unresolved { host, what },
        }
    }
}

/// Why one attempt to deliver a notification failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    #[error("our own certificate: {0}")]
    Workload(#[from] WorkloadError),
    #[error("the notification could not be signed: {0}")]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the connection to {origin}: {what}")]
    Connection { origin: String, what: String },
    #[error("no answer within {0:?}")]
    Timeout(std::time::Duration),
    #[error("the receiver answered {0}")]
    Status(StatusCode),
}

impl DeliveryError {
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Webhook(error) => error.reason(),
            Self::Workload(error) => error.reason(),
            Self::Signature(error) => error.reason(),
            Self::Tls(error) => error.reason(),
            Self::Connection { .. } => "push.connection",
            Self::Timeout(_) => "push.timeout",
            Self::Status(_) => "push.status",
        }
    }
}

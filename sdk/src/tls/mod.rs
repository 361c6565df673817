//! Connections that prove both ends.

mod accept;
mod authority;
mod endpoint;
mod error;
mod options;
mod transport;

pub use accept::serve;
pub use authority::AuthoritySource;
pub use endpoint::Endpoint;
pub use error::{RefusedHandshake, TlsError, Waiting};
pub use options::{
    ClientCertificate, HttpVersion, OnRefused, ServeOptions, TlsRefusal, TransportConfig,
};
pub use transport::{Received, Transport};

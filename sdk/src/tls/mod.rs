//! Connections that prove both ends.
//!
//! [`enrol`] gets a workload its certificate, [`serve()`] accepts connections, [`Transport`] makes
//! them. TLS 1.3 only, without resumption; the other end is named by its SPIFFE ID, never by DNS.

mod accept;
mod authority;
mod body;
mod bond;
mod connection;
mod crypto;
mod dial;
mod endpoint;
mod enrol;
mod error;
mod io;
mod keeper;
mod lease;
mod options;
mod partitions;
mod pool;
mod registry;
#[cfg(all(test, feature = "server"))]
mod tests;
mod transport;
mod verifier;

pub use accept::serve;
pub use authority::AuthoritySource;
pub use endpoint::Endpoint;
pub use enrol::enrol;
pub use error::{RefusedHandshake, TlsError, Waiting};
pub use options::{
    ClientCertificate, HttpVersion, OnRefused, ServeOptions, TlsRefusal, TransportConfig,
};
pub use transport::{Received, Transport};

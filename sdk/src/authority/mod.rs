//! The embedded certificate authority and authorization server, for development.
//!
//! One TLS listener on loopback gives out everything that agents need to prove themselves to each
//! other: certificates with a SPIFFE ID (for a code that works once, then for the certificate before),
//! and access tokens bound to those certificates (RFC 6749 client credentials, RFC 8693 exchange,
//! RFC 8705 binding, RFC 8707 resource, RFC 9068 form). A development login stands for the user.
//!
//! | path | what |
//! |---|---|
//! | `POST /workload/certificate` | first certificate, renewal |
//! | `GET /.well-known/oauth-authorization-server` | metadata (RFC 8414) |
//! | `GET /jwks` | the keys of its tokens |
//! | `POST /token` | client credentials, token exchange |
//! | `POST /login` | a token by which an agent acts for a user; nobody is asked |
//!
//! Every refusal has a fixed word ([`Refusal::reason`]) that goes into the audit log; the client
//! learns the standard's error code only. Start with [`Authority`].

mod ca;
mod certify;
mod codes;
mod config;
mod exchange;
mod forge;
mod forms;
mod http;
mod journal;
mod mint;
mod proof;
mod refusal;
mod service;
mod start;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use config::{AuthorityConfig, AuthorityError, BANNER};
pub use forge::Forge;
pub use refusal::Refusal;
pub use start::Authority;

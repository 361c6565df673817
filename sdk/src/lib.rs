//! Countersign: every agent-to-agent call proves who is calling, for whom and through whom.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod clock;
pub mod secret;

pub mod crypto;
pub mod id;

pub mod a2a;
pub mod jose;

pub mod httpsig;
pub mod svid;

pub mod card;
pub mod delegation;
pub mod token;

pub mod audit;
pub mod policy;

#[cfg(feature = "net")]
pub mod oauth;
#[cfg(feature = "net")]
pub mod tls;
#[cfg(feature = "net")]
pub mod workload;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "authority")]
pub mod authority;
#[cfg(feature = "cli")]
pub mod cli;

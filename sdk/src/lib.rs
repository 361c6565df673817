//! Agent-to-agent calls that prove **who is calling**, **for whom** and **through whom**.
//!
//! Agents call other agents over A2A, the Agent2Agent protocol. With this crate each agent has its
//! own workload certificate (SPIFFE X.509-SVID) and speaks mutual TLS both ways, publishes a signed
//! Agent Card, signs every request (RFC 9421), and calls on with a token that is bound to its
//! certificate and names everybody the authority came through (RFC 8693). The called agent has all
//! of it proved, decided by policy and recorded before its own code runs.
//!
//! # Calling
//!
//! ```no_run
//! # #[cfg(feature = "client")] mod example {
//! use countersign::{Client, enrol};
//! # use countersign::{oauth::AuthorityEndpoint, workload::Enrolment};
//!
//! # async fn example(enrolment: Enrolment, authority: AuthorityEndpoint)
//! # -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let workload = enrol(enrolment).await?;
//! let client = Client::new(workload, authority)?;
//! let id = "spiffe://travel.example/agent/booking";
//! let booking = client.connect("https://127.0.0.1:4433", id).await?;
//! let answer = client.on_own_behalf().call(&booking).send("Any trains to Bern?").await?;
//! println!("{}", answer.text());
//! # Ok(()) }
//! # }
//! ```
//!
//! # Being called
//!
//! Implement `AgentExecutor` and start it with `Agent`; or put one layer, `server::ProveCaller`,
//! before the routes of an existing axum application.
//!
//! ```no_run
//! # #[cfg(feature = "server")] mod example {
//! use countersign::a2a::{A2aError, AgentSkill};
//! use countersign::server::async_trait;
//! use countersign::{Agent, AgentExecutor, EventQueue, Policy, RequestContext, Workload};
//! # use countersign::oauth::AuthorityEndpoint;
//!
//! struct Greeter;
//!
//! #[async_trait]
//! impl AgentExecutor for Greeter {
//!     async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
//!         events.reply(format!("Hello, {}.", ctx.caller()));
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(workload: Workload, authority: AuthorityEndpoint)
//! # -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let policy = Policy::from_toml(&std::fs::read_to_string("policy.toml")?)?;
//! let agent = Agent::new("greeter", "Says hello", workload, authority)
//!     .skill(AgentSkill::new("greet", "Greet", "Says hello").tagged(["hello"]))
//!     .policy(policy)
//!     .serve("127.0.0.1:4433", Greeter)
//!     .await?;
//! # agent.shutdown().await;
//! # Ok(()) }
//! # }
//! ```
//!
//! An agent answers over JSON-RPC, HTTP+JSON and gRPC at once. What it keeps and whom it tells is a line
//! each: `Agent::store`, `Agent::push`; what it does after a restart is `AgentExecutor::resume`.
//!
//! # Rooms
//!
//! The modules are layers: each uses only those above it in this list. The first group does no I/O
//! and is what `--no-default-features` builds.
//!
//! - [`clock`], [`secret`] · [`id`], [`crypto`] · [`jose`], [`a2a`] · [`httpsig`], [`svid`] ·
//!   [`card`], [`token`], [`delegation`] · [`policy`], [`audit`]
//! - `workload`, `tls`, `web`, `discovery`, `oauth` (feature `net`), `redis`, `pkcs11` · `client` · `server`,
//!   `webbotauth` (feature `net`) · `authority` · `cli`
//!
//! # Features
//!
//! `client`, `server` and `grpc` (the gRPC binding of both) are on by default. `sqlite` and `postgres` add
//! stores for tasks and push configurations, `redis` one for nonces. `reqwest` adds a
//! client that signs what it sends to anybody. `authority` adds the embedded certificate authority and
//! authorization server for development, `cli` the `countersign` command. A feature adds names; `grpc`
//! adds the binding to an agent's card and to what a client speaks, and none takes anything away.

#![forbid(unsafe_code)]

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

#[cfg(feature = "pkcs11")]
pub mod pkcs11;

#[cfg(feature = "net")]
pub mod discovery;
#[cfg(feature = "net")]
pub mod oauth;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "net")]
pub mod tls;
#[cfg(feature = "net")]
pub mod web;
#[cfg(feature = "net")]
pub mod webbotauth;
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

pub use clock::SystemClock;
pub use delegation::Caller;
pub use id::SpiffeId;
pub use policy::Policy;

#[cfg(feature = "client")]
pub use client::{Client, Peer};
#[cfg(feature = "server")]
pub use server::{Agent, AgentExecutor, EventQueue, RequestContext};
#[cfg(feature = "net")]
pub use tls::enrol;
#[cfg(feature = "net")]
pub use workload::Workload;

/// Compiles the programs in the README.
#[cfg(all(doctest, feature = "client", feature = "server"))]
#[doc = include_str!("../../README.md")]
struct Readme;

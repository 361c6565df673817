//! Agent Cards: signing, verification, binding, planning.
//!
//! A server builds its card from what it enforces, and signs it with its workload key:
//!
//! ```
//! use countersign::a2a::AgentSkill;
//! use countersign::card::{CardBuilder, Enforced, OAuthEnforced, check_declared, sign_card};
//! use countersign::crypto::{Algorithm, SigningKey};
//!
//! let enforced = Enforced {
//!     mtls: true,
//!     oauth: Some(OAuthEnforced {
//!         issuer: "https://localhost:8443".into(),
//!         token_url: "https://localhost:8443/token".into(),
//!         metadata_url: "https://localhost:8443/.well-known/oauth-authorization-server".into(),
//!         scopes: [("booking:reserve".to_owned(), "Reserve a room".to_owned())].into(),
//!     }),
//!     signature_profile: Some("a2a".into()),
//!     agent: "spiffe://travel.example/agent/booking".parse()?,
//!     audience: "spiffe://travel.example/agent/booking".into(),
//!     skills: [("reserve".to_owned(), vec!["booking:reserve".to_owned()])].into(),
//! };
//! let card = CardBuilder::new("Booking", "Books hotels", "1.0.0")
//!     .interface("https://localhost:7003/")
//!     .skill(AgentSkill::new("reserve", "Reserve", "Reserves a room").tagged(["hotel"]))
//!     .build(&enforced)?;
//! check_declared(&card, &enforced)?;
//!
//! let key = SigningKey::generate(Algorithm::Ed25519)?;
//! let published = sign_card(&card, &key, &[])?; // with the certificate chain of `key`, normally
//! # assert!(published.starts_with(b"{"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A client reads nothing of a card before its signature was checked and tied to the peer that
//! served it:
//!
//! ```no_run
//! # use countersign::{card::*, clock::UnixTime, svid::{PeerIdentity, TrustBundles}};
//! # fn f(body: bytes::Bytes, peer: PeerIdentity, bundles: TrustBundles, now: UnixTime)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let card = SignedCard::received(body, peer).verify(&TrustedKeys::bundles(bundles), now)?;
//! let held = Held {
//!     certificate: true,
//!     token_issuers: vec!["https://localhost:8443".into()],
//!     ..Held::default()
//! };
//! let plan = plan(&card, &held, &Wanted::default())?;
//! println!("call {} with a token for {}", plan.interface_url(), plan.audience());
//! # Ok(())
//! # }
//! ```

mod authorization;
mod build;
mod canonical;
mod declared;
mod error;
mod extension;
mod keys;
mod lint;
mod meet;
mod plan;
mod protocol;
mod schema;
mod sign;
#[cfg(test)]
pub(crate) mod testing;
mod unsatisfiable;
mod verify;

pub use authorization::AuthorizationRequest;
#[cfg(feature = "server")]
pub(crate) use build::secure;
pub use build::{CardBuilder, Enforced, OAuthEnforced};
pub use canonical::canonical_form;
pub use declared::check_declared;
pub use error::{CardError, SignatureFault};
pub use extension::{CountersignParams, EXTENSION_URI};
pub use keys::TrustedKeys;
#[cfg(feature = "client")]
pub(crate) use meet::is_free;
pub use plan::{CredentialPlace, Held, Plan, Wanted, plan};
pub use protocol::{Protocol, ProtocolBinding};
pub use sign::sign_card;
pub use unsatisfiable::{Alternative, Missing, Unsatisfiable};
pub use verify::{SignedCard, VerifiedCard};

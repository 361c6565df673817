//! Who may do what, for whom.
//!
//! A [`Policy`] gives agents roles and says what skills and operations need. An action is permitted
//! when the caller's role allows it, the token grants every scope it needs and the role may use
//! those scopes: a call never has more rights than its user and never more than its agent. What is
//! not written down is refused, and an empty policy refuses everything.
//!
//! ```
//! use countersign::a2a::Operation;
//! use countersign::delegation::Caller;
//! use countersign::policy::{Action, Denial, Permit, Policy};
//!
//! let policy = Policy::from_toml(r#"
//!     [roles.booker]
//!     scopes = ["payments.charge"]
//!     operations = ["SendMessage"]
//!     skills = ["charge"]
//!
//!     [agents."spiffe://travel.example/agent/booking"]
//!     role = "booker"
//!
//!     [skills.charge]
//!     scopes = ["payments.charge"]
//!     needs_user = true
//! "#)?;
//!
//! fn decide(policy: &Policy, caller: Caller) -> Result<Permit, Denial> {
//!     policy.decide(caller, Action::new(Operation::SendMessage).with_skill("charge"))
//! }
//! # Ok::<(), countersign::policy::PolicyError>(())
//! ```

mod action;
mod decide;
mod denial;
mod file;
mod rules;

pub use action::{Action, Owner, Sharing};
pub use decide::Permit;
pub use denial::{Denial, DenialReason};
pub use rules::{Policy, PolicyBuilder, PolicyError, Requirement, Role};

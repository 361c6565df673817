//! Signing with keys that never leave a PKCS#11 token: a smart card, a hardware module, SoftHSM.
//!
//! ```no_run
//! use std::sync::Arc;
//! use countersign::httpsig::{ExternalSigner, Profile};
//! use countersign::pkcs11::{Pkcs11Key, Pkcs11Signer};
//! use countersign::secret::Secret;
//!
//! # async fn start(pin: Secret) -> Result<(), Box<dyn std::error::Error>> {
//! let key = Pkcs11Key::new("/usr/lib/softhsm/libsofthsm2.so")
//!     .token("agents")
//!     .pin(pin) // from a file or a secret store
//!     .label("planner");
//! let key = Arc::new(Pkcs11Signer::open(key).await?);
//! let directory = "https://planner.example/.well-known/http-message-signatures-directory";
//! let signer = ExternalSigner::new(key, directory, Profile::a2a())?;
//! # Ok(()) }
//! ```

mod error;
mod key;
mod public;
mod session;
mod signer;
mod token;

pub use error::Pkcs11Error;
pub use key::Pkcs11Key;
pub use signer::Pkcs11Signer;

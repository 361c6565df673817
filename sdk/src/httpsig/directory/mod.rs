//! The key directory of an agent: which keys sign its requests, and the proof that it has them
//! (draft-ietf-webbotauth-httpsig-protocol).
//!
//! ```
//! use std::time::Duration;
//! use countersign::clock::{Skew, UnixTime};
//! use countersign::crypto::{Algorithm, SigningKey};
//! use countersign::httpsig::{Origin, directory};
//!
//! // The agent answers GET on DIRECTORY_PATH:
//! let key = SigningKey::generate(Algorithm::Ed25519)?;
//! let origin = Origin::https("planner.example");
//! let now = UnixTime::from_secs(1_735_689_600); // your clock's
//! let body = directory::document([key.verifying_key()]);
//! let headers = directory::prove([&key], &origin, &body, now, Duration::from_secs(300))?;
//!
//! // Somebody who fetched it:
//! let found = directory::Directory::parse(&body)?;
//! let key = found.key(key.verifying_key().thumbprint(), now).expect("it is there");
//! directory::verify_proof(&headers, &body, &origin, key, now, Skew::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A host that serves its directory for long uses a [`KeyDirectory`], which renews the proofs, and a
//! [`KeyRing`], which says what key signs now. What others serve is read as strictly as [`Reading`]
//! says, and each divergence is named in [`Directory::warnings`].

mod divergence;
mod document;
mod error;
mod key_ring;
mod location;
mod proof;
mod read;
mod served;

pub use divergence::{DirectoryWarning, Divergence, Tolerance};
pub use document::document;
pub use error::DirectoryError;
pub use key_ring::{KeyRing, KeyRingError, RingKey, Rotation};
pub use location::DirectoryUrl;
pub use proof::{prove, verify_proof};
pub use read::{Directory, Reading};
pub use served::KeyDirectory;

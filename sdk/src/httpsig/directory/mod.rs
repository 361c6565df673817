//! The key directory of an agent: which keys sign its requests, and the proof that it has them
//! (draft-ietf-webbotauth-httpsig-protocol).
//!
//! ```
//!
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

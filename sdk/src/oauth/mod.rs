//! Asking for tokens.

mod answer;
mod bound;
mod error;
mod form;
mod keys;
mod metadata;

pub use bound::{BoundToken, UserGrant};
pub use error::OAuthError;
pub use metadata::{METADATA_PATH, Metadata};

#[cfg(feature = "authority")]
pub(crate) use form::{FORM, FormError, decode_form};

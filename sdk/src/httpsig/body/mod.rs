//! Bodies that are checked, or digested, while they flow (RFC 9530).
//!
//! A body that is not a stream of events is best read whole: nothing of it is seen before its
//! digest matched.
//!
//! ```
//! use bytes::Bytes;
//! use countersign::httpsig::body::{BodyError, collect};
//! use countersign::httpsig::{DigestError, Digests};
//! use http::HeaderMap;
//! use http_body::Body;
//!
//! async fn read<B: Body + Unpin>(headers: &HeaderMap, body: B) -> Result<Bytes, BodyError<B::Error>> {
//!     let digests = Digests::of_content(headers)?.ok_or(BodyError::NoDigest)?;
//!     Ok(collect(body, &digests, 4 << 20).await?.0)
//! }
//! ```
//!
//! A stream of events cannot wait for its end. [`CheckedBody`] lets it flow, and ends with an error
//! when it was another: what came before was not proved, and its reader must be able to take it back.
//! Its sender does not know the digest when the header leaves, either: [`DigestingBody`] puts it, and a
//! signature over it, behind the body.

mod checked;
mod collect;
mod digesting;
mod error;
#[cfg(test)]
mod tests;
mod trailers;

pub use checked::CheckedBody;
pub use collect::collect;
pub use digesting::DigestingBody;
pub use error::BodyError;
pub use trailers::{accepts_trailers, move_signatures};

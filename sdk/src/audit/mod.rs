//! Records that cannot be quietly changed.
//!
//! Every decision is stored before it takes effect, refusals too. [`admit`] turns a
//! [`Permit`](crate::policy::Permit) into [`Admitted`], and only when the record was stored;
//! [`refuse`] stores what was known when a request was turned away. Each [`Record`] carries the hash
//! of the one before, so that [`verify`] finds the first line that was changed, dropped or moved.
//!
//! ```
//! use countersign::audit::{AuditError, Admitted, Context, JsonLinesLog, TraceContext, admit};
//! use countersign::{clock::UnixTime, id::SpiffeId, policy::Permit};
//! use std::{fs::File, path::Path};
//!
//! fn store(permit: Permit, log: &JsonLinesLog<File>, me: &SpiffeId, now: UnixTime,
//!          headers: &http::HeaderMap) -> Result<Admitted, AuditError> {
//!     let trace = TraceContext::from_headers(headers);
//!     let admitted = admit(permit, log, Context::new(me.clone(), now, trace.trace_id()))?;
//!     // payments: booking for alice through planner, front-desk requested charge: permitted
//!     println!("{}", admitted.record());
//!     Ok(admitted)
//! }
//! ```

mod admit;
pub mod conformance;
mod draft;
mod error;
mod hash;
mod hex;
mod lines;
mod log;
mod memory;
mod record;
#[cfg(test)]
mod testing;
mod text;
mod trace;
mod verify;

pub use admit::{Admitted, Refused, admit, refuse};
pub use draft::{Context, Draft};
pub use error::{AuditError, ChainBroken};
pub use hash::{HashError, Head, RecordHash};
pub use lines::JsonLinesLog;
pub use log::AuditLog;
pub use memory::MemoryLog;
pub use record::{AccessMode, Decision, Named, Record, SignatureEvidence, TokenEvidence};
pub use text::Text;
pub use trace::{TraceContext, TraceId, TraceIdError};
pub use verify::{Summary, verify, verify_to};

//! JSON with limits, its canonical form, keys as JSON and signatures over JSON.

mod canonical;
mod json;
mod jwk;
mod jws;

pub use canonical::{CanonicalError, canonicalize};
pub use json::{JsonError, JsonLimits, parse_json, parse_typed};
pub use jwk::{Jwk, JwkError, JwkSet};
pub use jws::{Header, JwsError, ParsedJws, decode_base64url, encode_base64url, sign_compact};

//! The fields behind a body.

use http::HeaderMap;
use http::header::TE;

use crate::httpsig::input::{SIGNATURE, SIGNATURE_INPUT};

/// Whether the sender of a request with this header reads trailers: `TE: trailers` (RFC 9110
/// §10.1.4).
pub fn accepts_trailers(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(TE).iter().filter_map(|v| v.to_str().ok());
    let mut codings = lines.flat_map(|line| line.split(','));
    codings.any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
}

/// Moves the signatures of `trailers` to those of `headers`, so that they are found: a signature made
/// when the body had ended stands behind it (RFC 9421 §4). The rest stays where it is, apart.
///
/// A label that stands in both makes the message malformed, as anywhere else.
pub fn move_signatures(trailers: &mut HeaderMap, headers: &mut HeaderMap) {
    for name in [SIGNATURE_INPUT, SIGNATURE] {
        for line in trailers.get_all(&name) {
            headers.append(&name, line.clone());
        }
        trailers.remove(&name);
    }
}

//! `Content-Digest` (RFC 9530): what ties a body to a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::digest_field::Digests;
use crate::crypto::sha256;

/// The longest digest field that is read, in bytes.
pub(super) const MAX_HEADER: usize = 1024;

/// Why a digest field does not vouch for a body, or cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DigestError {
    /// Not a dictionary of what belongs into the field, or longer than 1 KiB.
    #[error("the digest field is malformed")]
    Malformed,
    /// Neither `sha-256` nor `sha-512` is there; the older algorithms prove nothing.
    #[error("the digest field has neither sha-256 nor sha-512")]
    Unsupported,
    /// A digest is of another body.
    #[error("the {algorithm} digest is of another body")]
    Mismatch {
        /// The algorithm.
        algorithm: &'static str,
    },
}

impl DigestError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "digest.malformed",
            Self::Unsupported => "digest.unsupported",
            Self::Mismatch { .. } => "digest.mismatch",
        }
    }
}

/// The `Content-Digest` of `body`, with SHA-256 (RFC 9530 §2).
///
/// ```
/// use countersign::httpsig::{content_digest, verify_content_digest};
/// let header = content_digest(br#"{"hello": "world"}"#);
/// assert_eq!(header, "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
/// assert!(verify_content_digest(&header, br#"{"hello": "world"}"#).is_ok());
/// ```
pub fn content_digest(body: &[u8]) -> String {
    String::from_utf8_lossy(&encode_digest(body)).into_owned()
}

/// `sha-256=:` 44 characters `:`.
pub(super) fn encode_digest(body: &[u8]) -> [u8; 54] {
    let mut out = *b"sha-256=:____________________________________________:";
    // 32 bytes are always 44 characters, the room between the colons.
    let _ = STANDARD.encode_slice(sha256(body), &mut out[9..53]);
    out
}

/// Checks the body against the header: one supported digest at least, and all supported ones must
/// match (RFC 9530 §2). `header` is the combined value of all its lines; `body` is what was
/// received, before any content coding is undone.
///
/// # Errors
/// [`DigestError`] naming the broken rule.
pub fn verify_content_digest(header: &str, body: &[u8]) -> Result<(), DigestError> {
    Digests::parse(header)?.verify(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::httpsig::DigestAlgorithm;

    const BODY: &[u8] = br#"{"hello": "world"}"#;
    const SHA_512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

    #[test]
    fn every_supported_digest_must_match_and_one_must_be_there() {
        let good = content_digest(BODY);
        let wrong = content_digest(b"another");
        let wrong_512 = DigestAlgorithm::Sha512.field(b"another");
        let cases = [
            (good.clone(), "fine"),
            (SHA_512.to_owned(), "fine"),
            (format!("{good}, {SHA_512}"), "fine"),
            (format!("md5=:AAAA:, {good};q=1"), "fine"),
            (wrong.clone(), "digest.mismatch"),
            (format!("{SHA_512}, {wrong}"), "digest.mismatch"),
            (format!("{good}, {wrong_512}"), "digest.mismatch"),
            (format!("{wrong}, {good}"), "fine"), // RFC 9651 §3.2: the last counts
            ("sha-256=:X48E:".to_owned(), "digest.mismatch"),
            ("md5=:AAAA:".to_owned(), "digest.unsupported"),
            (String::new(), "digest.unsupported"),
            ("sha-256=\"AAAA\"".to_owned(), "digest.malformed"),
            ("sha-256=(:AAAA:)".to_owned(), "digest.malformed"),
            ("sha-256".to_owned(), "digest.malformed"),
            ("sha-256=:AAAA".to_owned(), "digest.malformed"),
        ];
        for (header, want) in cases {
            let got = verify_content_digest(&header, BODY).map_or_else(|e| e.reason(), |()| "fine");
            assert_eq!(got, want, "{header}");
        }
    }

    #[test]
    fn a_header_of_one_kibibyte_is_read_and_no_more() {
        let mut header = content_digest(BODY);
        header.push_str(&" ".repeat(MAX_HEADER - header.len()));
        assert_eq!(header.len(), MAX_HEADER);
        assert_eq!(verify_content_digest(&header, BODY), Ok(()));
        header.push(' ');
        assert_eq!(
            verify_content_digest(&header, BODY),
            Err(DigestError::Malformed)
        );
    }
}

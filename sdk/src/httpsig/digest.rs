//! `Content-Digest` (RFC 9530): what ties a body to a signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use crate::crypto::{same_bytes, sha256, sha512};

/// The longest `Content-Digest` that is read, in bytes.
pub(super) const MAX_HEADER: usize = 1024;

/// Why a `Content-Digest` does not vouch for a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DigestError {
    /// Not a dictionary of byte sequences, or longer than 1 KiB.
    #[error("Content-Digest is not a dictionary of byte sequences")]
    Malformed,
    /// Neither `sha-256` nor `sha-512` is there; the older algorithms prove nothing.
    #[error("Content-Digest has neither sha-256 nor sha-512")]
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
    if header.len() > MAX_HEADER {
        return Err(DigestError::Malformed);
    }
    let found = Parser::new(header).parse_dictionary_with_visitor(Digests::default());
    let digests = found.map_err(|_| DigestError::Malformed)?;
    if digests.not_bytes {
        return Err(DigestError::Malformed);
    }
    if digests.sha256.is_none() && digests.sha512.is_none() {
        return Err(DigestError::Unsupported);
    }
    if digests
        .sha256
        .is_some_and(|d| !same_bytes(&d, &sha256(body)))
    {
        return Err(DigestError::Mismatch {
            algorithm: "sha-256",
        });
    }
    if digests
        .sha512
        .is_some_and(|d| !same_bytes(&d, &sha512(body)))
    {
        return Err(DigestError::Mismatch {
            algorithm: "sha-512",
        });
    }
    Ok(())
}

#[derive(Default)]
struct Digests {
    sha256: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
    not_bytes: bool,
}

struct Digest<'a> {
    to: Option<&'a mut Option<Vec<u8>>>,
    not_bytes: &'a mut bool,
}

type Never = std::convert::Infallible;

impl<'de> DictionaryVisitor<'de> for Digests {
    type Out = Self;
    type Error = Never;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Never> {
        let to = match key.as_str() {
            "sha-256" => Some(&mut self.sha256),
            "sha-512" => Some(&mut self.sha512),
            _ => None,
        };
        Ok(Digest {
            to,
            not_bytes: &mut self.not_bytes,
        })
    }

    fn finish(self) -> Result<Self, Never> {
        Ok(self)
    }
}

impl<'de> EntryVisitor<'de> for Digest<'_> {
    type Error = Never;

    fn item(self) -> Result<impl ItemVisitor<'de>, Never> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Never> {
        *self.not_bytes = true;
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for Digest<'_> {
    type Out = ();
    type Error = Never;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Never> {
        match (item, self.to) {
            (BareItemFromInput::ByteSequence(bytes), Some(to)) => *to = Some(bytes),
            (BareItemFromInput::ByteSequence(_), None) => {}
            _ => *self.not_bytes = true,
        }
        Ok(Ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"hello": "world"}"#;
    const SHA_512: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

    #[test]
    fn every_supported_digest_must_match_and_one_must_be_there() {
        let good = content_digest(BODY);
        let wrong = content_digest(b"another");
        let cases = [
            (good.clone(), "fine"),
            (SHA_512.to_owned(), "fine"),
            (format!("{good}, {SHA_512}"), "fine"),
            (format!("md5=:AAAA:, {good};q=1"), "fine"),
            (wrong.clone(), "digest.mismatch"),
            (format!("{SHA_512}, {wrong}"), "digest.mismatch"),
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

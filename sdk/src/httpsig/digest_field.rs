//! `Content-Digest` and `Repr-Digest`, read (RFC 9530 §2, §3).

use http::{HeaderMap, HeaderName};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::digest::{DigestError, MAX_HEADER};
use super::digest_algorithm::DigestAlgorithm;
use super::fields::combined;
use super::sign::CONTENT_DIGEST;
use crate::crypto::{Hasher, same_bytes, sha256, sha512};

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The digests that a field says, at least one of them supported.
///
/// Obsolete algorithms are passed over: they neither prove anything nor do harm beside one that does.
/// Every supported digest must match.
///
/// ```
/// use countersign::httpsig::Digests;
///
/// let field = "md5=:Sd/dVLAcvNLSq16eXua5uQ==:, \
///              sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
/// let digests = Digests::parse(field)?;
/// digests.verify(br#"{"hello": "world"}"#)?;
/// assert!(digests.verify(b"another").is_err());
/// # Ok::<(), countersign::httpsig::DigestError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Digests {
    sha256: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
}

impl Digests {
    /// Reads the combined value of all lines of a field.
    ///
    /// # Errors
    /// [`DigestError::Malformed`], and [`DigestError::Unsupported`] when no digest in it proves
    /// anything.
    pub fn parse(field: &str) -> Result<Self, DigestError> {
        if field.len() > MAX_HEADER {
            return Err(DigestError::Malformed);
        }
        let found = Parser::new(field).parse_dictionary_with_visitor(Reading::default());
        let found = found.map_err(|_| DigestError::Malformed)?;
        if found.not_bytes {
            return Err(DigestError::Malformed);
        }
        if found.sha256.is_none() && found.sha512.is_none() {
            return Err(DigestError::Unsupported);
        }
        Ok(Self {
            sha256: found.sha256,
            sha512: found.sha512,
        })
    }

    /// `Content-Digest`: of the body as it was received, before any content coding is undone.
    /// `None` when the field is not there.
    ///
    /// # Errors
    /// As for [`Digests::parse`].
    pub fn of_content(headers: &HeaderMap) -> Result<Option<Self>, DigestError> {
        Self::of(headers, CONTENT_DIGEST)
    }

    /// `Repr-Digest`: of the whole representation, in its content coding, also where the body is a
    /// range of it or, in the answer to a HEAD, is not there. `None` when the field is not there.
    ///
    /// No signature check looks at a representation: whoever has put it together does.
    ///
    /// # Errors
    /// As for [`Digests::parse`].
    pub fn of_representation(headers: &HeaderMap) -> Result<Option<Self>, DigestError> {
        Self::of(headers, REPR_DIGEST)
    }

    fn of(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, DigestError> {
        if !headers.contains_key(&name) {
            return Ok(None);
        }
        let value = combined(headers, name).map_err(|_| DigestError::Malformed)?;
        let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
        Self::parse(text).map(Some)
    }

    /// Whether there is a digest of this algorithm.
    pub fn has(&self, algorithm: DigestAlgorithm) -> bool {
        match algorithm {
            DigestAlgorithm::Sha256 => self.sha256.is_some(),
            DigestAlgorithm::Sha512 => self.sha512.is_some(),
        }
    }

    /// Checks the whole of what was digested, in constant time for each digest.
    ///
    /// # Errors
    /// [`DigestError::Mismatch`] naming the first digest that is of something else.
    pub fn verify(&self, data: &[u8]) -> Result<(), DigestError> {
        let sha256 = self.sha256.as_ref().map(|_| sha256(data));
        let sha512 = self.sha512.as_ref().map(|_| sha512(data));
        self.compare(
            sha256.as_ref().map(<[u8; 32]>::as_slice),
            sha512.as_ref().map(<[u8; 64]>::as_slice),
        )
    }

    /// The same for what comes piece by piece.
    pub fn begin(&self) -> DigestCheck {
        DigestCheck {
            digests: self.clone(),
            sha256: self.sha256.as_ref().map(|_| Hasher::sha256()),
            sha512: self.sha512.as_ref().map(|_| Hasher::sha512()),
        }
    }

    pub(super) fn compare(
        &self,
        sha256: Option<&[u8]>,
        sha512: Option<&[u8]>,
    ) -> Result<(), DigestError> {
        let matches = |said: &Option<Vec<u8>>, is: Option<&[u8]>| match (said, is) {
            (Some(said), Some(is)) => same_bytes(said, is),
            (Some(_), None) => false,
            (None, _) => true,
        };
        for (algorithm, matched) in [
            (DigestAlgorithm::Sha256, matches(&self.sha256, sha256)),
            (DigestAlgorithm::Sha512, matches(&self.sha512, sha512)),
        ] {
            if !matched {
                let algorithm = algorithm.name();
                return Err(DigestError::Mismatch { algorithm });
            }
        }
        Ok(())
    }
}

/// A check of what comes piece by piece; nothing is known before [`DigestCheck::finish`].
#[derive(Clone, Debug)]
#[must_use = "what was not finished was not checked"]
pub struct DigestCheck {
    digests: Digests,
    sha256: Option<Hasher>,
    sha512: Option<Hasher>,
}

impl DigestCheck {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        for hasher in [&mut self.sha256, &mut self.sha512].into_iter().flatten() {
            hasher.update(piece);
        }
    }

    /// Whether the pieces are what was digested.
    ///
    /// # Errors
    /// [`DigestError::Mismatch`] naming the first digest that is of something else.
    pub fn finish(self) -> Result<(), DigestError> {
        let sha256 = self.sha256.map(Hasher::finish);
        let sha512 = self.sha512.map(Hasher::finish);
        self.digests.compare(sha256.as_deref(), sha512.as_deref())
    }
}

#[derive(Default)]
struct Reading {
    sha256: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
    not_bytes: bool,
}

struct Digest<'a> {
    to: Option<&'a mut Option<Vec<u8>>>,
    not_bytes: &'a mut bool,
}

type Never = std::convert::Infallible;

impl<'de> DictionaryVisitor<'de> for Reading {
    type Out = Self;
    type Error = Never;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Never> {
        let to = match DigestAlgorithm::named(key.as_str()) {
            Some(DigestAlgorithm::Sha256) => Some(&mut self.sha256),
            Some(DigestAlgorithm::Sha512) => Some(&mut self.sha512),
            None => None,
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

    const DATA: &[u8] = b"one two three";

    fn both() -> Digests {
        let [one, other] = DigestAlgorithm::ALL.map(|algorithm| algorithm.field(DATA));
        Digests::parse(&format!("{one}, {other}")).expect("a field")
    }

    #[test]
    fn pieces_are_checked_like_the_whole() {
        let changed = |algorithm: DigestAlgorithm, data: &[u8]| {
            let mut digests = both();
            let wrong = Digests::parse(&algorithm.field(data)).expect("a field");
            match algorithm {
                DigestAlgorithm::Sha256 => digests.sha256 = wrong.sha256,
                DigestAlgorithm::Sha512 => digests.sha512 = wrong.sha512,
            }
            digests
        };
        let mismatch = |algorithm| Err(DigestError::Mismatch { algorithm });
        for (digests, want) in [
            (both(), Ok(())),
            (changed(DigestAlgorithm::Sha256, b"x"), mismatch("sha-256")),
            (changed(DigestAlgorithm::Sha512, b"x"), mismatch("sha-512")),
        ] {
            assert_eq!(digests.verify(DATA), want);
            for cut in 0..=DATA.len() {
                let mut check = digests.begin();
                check.update(&DATA[..cut]);
                check.update(&DATA[cut..]);
                assert_eq!(check.finish(), want, "cut at {cut}");
            }
        }
        let mut short = both().begin();
        short.update(&DATA[1..]);
        assert_eq!(short.finish(), mismatch("sha-256"));
    }

    #[test]
    fn each_field_is_read_from_all_its_lines() {
        let mut headers = HeaderMap::new();
        assert_eq!(Digests::of_content(&headers), Ok(None));
        let [one, other] = DigestAlgorithm::ALL.map(|algorithm| algorithm.field(DATA));
        for (name, value) in [
            ("content-digest", one.as_str()),
            ("content-digest", "md5=:AAAA:"),
            ("repr-digest", other.as_str()),
        ] {
            headers.append(name, value.parse().expect("a value"));
        }
        let content = Digests::of_content(&headers);
        let content = content.expect("well-formed").expect("there");
        assert!(content.has(DigestAlgorithm::Sha256) && !content.has(DigestAlgorithm::Sha512));
        let whole = Digests::of_representation(&headers);
        let whole = whole.expect("well-formed").expect("there");
        assert!(!whole.has(DigestAlgorithm::Sha256) && whole.has(DigestAlgorithm::Sha512));
        headers.append("repr-digest", "sha-512".parse().expect("a value"));
        let broken = Digests::of_representation(&headers);
        assert_eq!(broken, Err(DigestError::Malformed));
    }
}

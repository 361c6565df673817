//! `Want-Content-Digest` and `Want-Repr-Digest` (RFC 9530 §4).

use std::fmt;

use http::{HeaderMap, HeaderName};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{BareItemFromInput, KeyRef, Parser};

use super::digest::{DigestError, MAX_HEADER};
use super::digest_algorithm::DigestAlgorithm;
use super::fields::combined;

const WANT_CONTENT: HeaderName = HeaderName::from_static("want-content-digest");
const WANT_REPR: HeaderName = HeaderName::from_static("want-repr-digest");

/// Which digests the other side would like, as it says; a wish, which nobody has to fulfil.
///
/// ```
/// use countersign::httpsig::{DigestAlgorithm, WantDigest};
///
/// let want = WantDigest::parse("unixsum=10, sha-256=3, sha-512=9")?;
/// assert_eq!(want.preferred(), Some(DigestAlgorithm::Sha512));
/// let ask = WantDigest::new(&[DigestAlgorithm::Sha512, DigestAlgorithm::Sha256]);
/// assert_eq!(ask.to_string(), "sha-512=10, sha-256=9");
/// # Ok::<(), countersign::httpsig::DigestError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct WantDigest(Vec<(DigestAlgorithm, u8)>);

impl WantDigest {
    /// To ask for these, the first one most.
    pub fn new(algorithms: &[DigestAlgorithm]) -> Self {
        let mut wanted = Wanted::default();
        for (algorithm, weight) in algorithms.iter().zip((1..=10).rev()) {
            wanted.put(*algorithm, weight);
        }
        Self(wanted.known)
    }

    /// Reads the combined value of all lines of a field.
    ///
    /// # Errors
    /// [`DigestError::Malformed`] when it is no dictionary of integers from 0 to 10. A wish that
    /// cannot be read may be passed over.
    pub fn parse(field: &str) -> Result<Self, DigestError> {
        if field.len() > MAX_HEADER {
            return Err(DigestError::Malformed);
        }
        let read = Parser::new(field).parse_dictionary_with_visitor(Wanted::default());
        let wanted = read.map_err(|_| DigestError::Malformed)?;
        if wanted.malformed {
            return Err(DigestError::Malformed);
        }
        Ok(Self(wanted.known))
    }

    /// `Want-Content-Digest`; `None` when it is not there.
    ///
    /// # Errors
    /// As for [`WantDigest::parse`].
    pub fn of_content(headers: &HeaderMap) -> Result<Option<Self>, DigestError> {
        Self::of(headers, WANT_CONTENT)
    }

    /// `Want-Repr-Digest`; `None` when it is not there.
    ///
    /// # Errors
    /// As for [`WantDigest::parse`].
    pub fn of_representation(headers: &HeaderMap) -> Result<Option<Self>, DigestError> {
        Self::of(headers, WANT_REPR)
    }

    fn of(headers: &HeaderMap, name: HeaderName) -> Result<Option<Self>, DigestError> {
        if !headers.contains_key(&name) {
            return Ok(None);
        }
        let value = combined(headers, name).map_err(|_| DigestError::Malformed)?;
        let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
        Self::parse(text).map(Some)
    }

    /// The supported algorithm that is wanted most, SHA-256 of two that are wanted alike. `None`
    /// when none of ours is wanted: nothing needs to be sent then.
    pub fn preferred(&self) -> Option<DigestAlgorithm> {
        let mut best: Option<(DigestAlgorithm, u8)> = None;
        for algorithm in DigestAlgorithm::ALL {
            let weight = self.0.iter().find(|(known, _)| *known == algorithm);
            // RFC 9530 §4: 0 means that it is not acceptable.
            let weight = weight.map_or(0, |(_, weight)| *weight);
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((algorithm, weight));
            }
        }
        best.map(|(algorithm, _)| algorithm)
    }
}

impl fmt::Display for WantDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (algorithm, weight)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{algorithm}={weight}")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Wanted {
    known: Vec<(DigestAlgorithm, u8)>,
    malformed: bool,
}

impl Wanted {
    /// RFC 9651 §3.2: of a key that stands twice, the last counts.
    fn put(&mut self, algorithm: DigestAlgorithm, weight: u8) {
        self.known.retain(|(known, _)| *known != algorithm);
        self.known.push((algorithm, weight));
    }
}

struct Weight<'a> {
    wanted: &'a mut Wanted,
    algorithm: Option<DigestAlgorithm>,
}

type Never = std::convert::Infallible;

impl<'de> DictionaryVisitor<'de> for Wanted {
    type Out = Self;
    type Error = Never;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Never> {
        Ok(Weight {
            algorithm: DigestAlgorithm::named(key.as_str()),
            wanted: self,
        })
    }

    fn finish(self) -> Result<Self, Never> {
        Ok(self)
    }
}

impl<'de> EntryVisitor<'de> for Weight<'_> {
    type Error = Never;

    fn item(self) -> Result<impl ItemVisitor<'de>, Never> {
        Ok(self)
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Never> {
        self.wanted.malformed = true;
        Ok(Ignored)
    }
}

impl<'de> ItemVisitor<'de> for Weight<'_> {
    type Out = ();
    type Error = Never;

    fn bare_item(
        self,
        item: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Never> {
        let weight = match item {
            BareItemFromInput::Integer(weight) => u8::try_from(i64::from(weight)).ok(),
            _ => None,
        };
        match (weight.filter(|weight| *weight <= 10), self.algorithm) {
            (Some(weight), Some(algorithm)) => self.wanted.put(algorithm, weight),
            (Some(_), None) => {}
            (None, _) => self.wanted.malformed = true,
        }
        Ok(Ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supported_algorithm_that_is_wanted_most_is_preferred() {
        use DigestAlgorithm::{Sha256, Sha512};
        for (field, want) in [
            ("sha-256=1", Ok(Some(Sha256))),
            ("sha-512=3, sha-256=10, unixsum=0", Ok(Some(Sha256))),
            ("sha-512=10, sha-256=3", Ok(Some(Sha512))),
            ("sha-512=5, sha-256=5", Ok(Some(Sha256))),
            ("sha-256=0, sha-512=1", Ok(Some(Sha512))),
            ("sha-256=9, sha-512=5, sha-256=4", Ok(Some(Sha512))),
            ("sha-256=10;q=1", Ok(Some(Sha256))),
            ("sha-256=0", Ok(None)),
            ("md5=10", Ok(None)),
            ("", Ok(None)),
            ("sha-256=11", Err(DigestError::Malformed)),
            ("sha-256=-1", Err(DigestError::Malformed)),
            ("md5=11", Err(DigestError::Malformed)),
            ("sha-256=1.0", Err(DigestError::Malformed)),
            ("sha-256", Err(DigestError::Malformed)),
            ("sha-256=(1)", Err(DigestError::Malformed)),
            ("sha-256=", Err(DigestError::Malformed)),
        ] {
            let got = WantDigest::parse(field).map(|wanted| wanted.preferred());
            assert_eq!(got, want, "{field}");
        }
    }

    #[test]
    fn a_wish_is_read_as_it_is_written() {
        let ask = WantDigest::new(&[DigestAlgorithm::Sha512, DigestAlgorithm::Sha256]);
        let mut headers = HeaderMap::new();
        assert_eq!(WantDigest::of_content(&headers), Ok(None));
        let value = ask.to_string().parse().expect("a value");
        headers.insert("want-repr-digest", value);
        assert_eq!(WantDigest::of_content(&headers), Ok(None));
        assert_eq!(WantDigest::of_representation(&headers), Ok(Some(ask)));
    }
}

//! SPIFFE IDs (SPIFFE-ID §2).

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest trust domain name, in bytes (SPIFFE-ID §2.1).
const TRUST_DOMAIN_MAX: usize = 255;
/// The longest SPIFFE ID accepted, in bytes (SPIFFE-ID §2.3).
const ID_MAX: usize = 2048;

/// Why a text is not a SPIFFE ID or a trust domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdError {
    /// The scheme is not `spiffe`.
    #[error("a SPIFFE ID begins with \"spiffe://\"")]
    Scheme,
    /// The trust domain is empty.
    #[error("the trust domain is empty")]
    EmptyTrustDomain,
    /// The trust domain has a character other than `a-z 0-9 . - _`.
    #[error("the trust domain may hold only a-z, 0-9, '.', '-' and '_'")]
    TrustDomainCharacter,
    /// The trust domain is over 255 bytes.
    #[error("the trust domain is {len} bytes, {TRUST_DOMAIN_MAX} are allowed")]
    TrustDomainTooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// The ID is over 2048 bytes.
    #[error("the SPIFFE ID is {len} bytes, {ID_MAX} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A workload's ID needs a path.
    #[error("a workload's SPIFFE ID needs a path after the trust domain")]
    NoPath,
    /// The path has an empty segment or ends in `/`.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// The path has a `.` or `..` segment.
    #[error("the path has a relative segment")]
    RelativeSegment,
    /// The path has a character other than `a-z A-Z 0-9 . - _`.
    #[error("a path segment may hold only a-z, A-Z, 0-9, '.', '-' and '_'")]
    PathCharacter,
}

impl IdError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        "id.not_spiffe"
    }
}

/// The name of a domain that issues identities, always lower case.
///
/// ```
/// use countersign::id::TrustDomain;
/// let domain: TrustDomain = "travel.example".parse()?;
/// # Ok::<(), countersign::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustDomain(Arc<str>);

impl TrustDomain {
    /// The name, without scheme.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ID of the workload at `path` (begins with `/`) in this domain.
    ///
    /// # Errors
    /// [`IdError`] when the path breaks a rule of SPIFFE-ID §2.2.
    pub fn workload(&self, path: &str) -> Result<SpiffeId, IdError> {
        format!("spiffe://{}{path}", self.0).parse()
    }
}

impl FromStr for TrustDomain {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check_trust_domain(text)?;
        Ok(Self(text.into()))
    }
}

fn check_trust_domain(name: &str) -> Result<(), IdError> {
    if name.is_empty() {
        return Err(IdError::EmptyTrustDomain);
    }
    if name.len() > TRUST_DOMAIN_MAX {
        return Err(IdError::TrustDomainTooLong { len: name.len() });
    }
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    if name.bytes().all(fits) {
        Ok(())
    } else {
        Err(IdError::TrustDomainCharacter)
    }
}

/// The name of one workload: `spiffe://trust-domain/path`.
///
/// Compared byte for byte after the scheme and the trust domain were lower-cased.
///
/// ```
/// use countersign::id::SpiffeId;
/// let id: SpiffeId = "spiffe://travel.example/agent/booking".parse()?;
/// assert_eq!(id.path(), "/agent/booking");
/// # Ok::<(), countersign::id::IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    text: Arc<str>,
    domain_end: usize,
}

const PREFIX: &str = "spiffe://";

impl SpiffeId {
    /// The whole ID.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of the trust domain.
    pub fn trust_domain_name(&self) -> &str {
        &self.text[PREFIX.len()..self.domain_end]
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> TrustDomain {
        TrustDomain(self.trust_domain_name().into())
    }

    /// The path, with its leading `/`.
    pub fn path(&self) -> &str {
        &self.text[self.domain_end..]
    }

    /// The last segment of the path: how a person calls the agent.
    pub fn short_name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for SpiffeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > ID_MAX {
            return Err(IdError::TooLong { len: text.len() });
        }
        let scheme = text.get(..PREFIX.len()).ok_or(IdError::Scheme)?;
        if !scheme.eq_ignore_ascii_case(PREFIX) {
            return Err(IdError::Scheme);
        }
        let rest = &text[PREFIX.len()..];
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // SPIFFE-ID §2: the trust domain is compared without regard to case.
        let domain = domain.to_ascii_lowercase();
        check_trust_domain(&domain)?;
        check_path(path)?;
        Ok(Self {
            domain_end: PREFIX.len() + domain.len(),
            text: format!("{PREFIX}{domain}{path}").into(),
        })
    }
}

fn check_path(path: &str) -> Result<(), IdError> {
    let segments = path.strip_prefix('/').ok_or(IdError::NoPath)?;
    for segment in segments.split('/') {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        match segment {
            "" => return Err(IdError::EmptySegment),
            "." | ".." => return Err(IdError::RelativeSegment),
            s if !s.bytes().all(fits) => return Err(IdError::PathCharacter),
            _ => {}
        }
    }
    Ok(())
}

macro_rules! text_traits {
    ($name:ident, $field:tt) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$field)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.$field)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.$field)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
text_traits!(TrustDomain, 0);
text_traits!(SpiffeId, text);

// Not for `SpiffeId`: its hash covers two fields, so a map keyed by it cannot be asked with a `str`.
impl Borrow<str> for TrustDomain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spiffe_id_keeps_every_rule_of_the_standard() {
        let cases = [
            ("spiffe://a.test/x", Ok(())),
            ("SPIFFE://A.test/x", Ok(())),
            ("spiffe://10.0.0.1/x", Ok(())),
            ("https://a.test/x", Err(IdError::Scheme)),
            ("spiffe:/a.test/x", Err(IdError::Scheme)),
            ("", Err(IdError::Scheme)),
            ("spiffe:///x", Err(IdError::EmptyTrustDomain)),
            ("spiffe://a.test", Err(IdError::NoPath)),
            ("spiffe://a.test/", Err(IdError::EmptySegment)),
            ("spiffe://a.test//x", Err(IdError::EmptySegment)),
            ("spiffe://a.test/x/", Err(IdError::EmptySegment)),
            ("spiffe://a.test/./x", Err(IdError::RelativeSegment)),
            ("spiffe://a.test/../x", Err(IdError::RelativeSegment)),
            ("spiffe://a.test/%41", Err(IdError::PathCharacter)),
            ("spiffe://a.test/x?q", Err(IdError::PathCharacter)),
            ("spiffe://a.test/x#f", Err(IdError::PathCharacter)),
            ("spiffe://a.test:80/x", Err(IdError::TrustDomainCharacter)),
            ("spiffe://u@a.test/x", Err(IdError::TrustDomainCharacter)),
            ("spiffe://[::1]/x", Err(IdError::TrustDomainCharacter)),
            ("spiffe://ä.test/x", Err(IdError::TrustDomainCharacter)),
        ];
        for (text, want) in cases {
            assert_eq!(text.parse::<SpiffeId>().map(drop), want, "{text}");
        }
    }

    #[test]
    fn lengths_end_exactly_at_their_limits() {
        let domain = "d".repeat(255);
        assert!(domain.parse::<TrustDomain>().is_ok());
        let longer = "d".repeat(256);
        assert_eq!(
            longer.parse::<TrustDomain>(),
            Err(IdError::TrustDomainTooLong { len: 256 })
        );
        let id = |len: usize| {
            let head = "spiffe://a.test/";
            format!("{head}{}", "p".repeat(len - head.len()))
        };
        assert!(id(2048).parse::<SpiffeId>().is_ok());
        assert_eq!(
            id(2049).parse::<SpiffeId>(),
            Err(IdError::TooLong { len: 2049 })
        );
    }

    #[test]
    fn case_is_folded_in_the_trust_domain_only() {
        let id: SpiffeId = "Spiffe://A.Test/X".parse().expect("valid");
        assert_eq!(id.as_str(), "spiffe://a.test/X");
        assert_ne!(Ok(id), "spiffe://a.test/x".parse());
    }
}

//! Scopes (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScopeError {
    /// A scope token is empty: two spaces in a row, or one at an end.
    #[error("a scope token is empty")]
    Empty,
    /// A scope token has a character other than printable ASCII without space, `"` and `\`.
    #[error("a scope token holds a character that is not allowed")]
    Character,
}

impl ScopeError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Empty | Self::Character => "token.scope",
        }
    }
}

/// A set of scope tokens, in the order of their bytes. The empty set grants nothing.
///
/// ```
/// use countersign::token::Scopes;
/// let granted: Scopes = "travel.book travel.read".parse()?;
/// let needed: Scopes = "travel.read".parse()?;
/// assert!(needed.is_subset(&granted));
/// # Ok::<(), countersign::token::ScopeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Scopes(BTreeSet<Box<str>>);

impl Scopes {
    /// The set of these scope tokens.
    ///
    /// # Errors
    /// [`ScopeError`] when one of them is not a scope token.
    pub fn of<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Result<Self, ScopeError> {
        let mut set = BTreeSet::new();
        for token in tokens {
            let token = token.as_ref();
            check(token)?;
            set.insert(token.into());
        }
        Ok(Self(set))
    }

    /// Whether `token` is in the set. There are no wildcards: `a.*` is a name like any other.
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether all of this is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// What is in this and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// The scope tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// How many scope tokens there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
fn check(token: &str) -> Result<(), ScopeError> {
    if token.is_empty() {
        return Err(ScopeError::Empty);
    }
    let fits = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if token.bytes().all(fits) {
        Ok(())
    } else {
        Err(ScopeError::Character)
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;

    /// One space between two tokens; the empty text is the empty set.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        Self::of(text.split(' '))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.parse().expect("scopes")
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(scopes("b a b"), scopes("a b"));
        assert_eq!(scopes("b a").to_string(), "a b");
        assert_eq!(scopes("").to_string(), "");
        assert!(scopes("").is_empty());
    }

    #[test]
    fn only_the_characters_of_rfc_6749_are_taken() {
        for (text, want) in [
            ("!#[]~", Ok(())),
            ("a  b", Err(ScopeError::Empty)),
            (" a", Err(ScopeError::Empty)),
            ("a ", Err(ScopeError::Empty)),
            ("a\tb", Err(ScopeError::Character)),
            ("a\"b", Err(ScopeError::Character)),
            ("a\\b", Err(ScopeError::Character)),
            ("ä", Err(ScopeError::Character)),
            ("\u{7f}", Err(ScopeError::Character)),
        ] {
            assert_eq!(text.parse::<Scopes>().map(drop), want, "{text:?}");
        }
    }

    #[test]
    fn sets_combine_and_a_star_is_no_wildcard() {
        let user = scopes("p.approve p.create p.read");
        let agent = scopes("p.create p.read q");
        assert_eq!(user.intersection(&agent), scopes("p.create p.read"));
        assert_eq!(agent.difference(&user), scopes("q"));
        assert_eq!(user.union(&agent).len(), 4);
        assert!(!scopes("p.read").is_subset(&scopes("p.*")));
    }
}

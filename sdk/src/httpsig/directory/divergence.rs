//! How directories in use differ from the drafts.

use std::fmt;

/// What a reader takes although the drafts say otherwise, each by its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tolerance {
    /// At the well-known path, a `kid` that is not the key's thumbprint. The thumbprint counts.
    Kid,
    /// One JWK where a set belongs.
    BareJwk,
    /// `nbf` and `exp` in milliseconds.
    Milliseconds,
}

impl Tolerance {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Kid, Self::BareJwk, Self::Milliseconds];
}

/// How a directory differs from the drafts, or why a key of it is left out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Divergence {
    /// The key has no `kid`.
    KidMissing,
    /// At the well-known path, the `kid` is not the key's thumbprint.
    KidOther,
    /// `alg` is a name of JOSE; one wording of the drafts asks for names of the signature registry.
    AlgJose,
    /// `alg` is not the key's.
    AlgOther,
    /// The document is one JWK and no set.
    BareJwk,
    /// `nbf` or `exp` is in milliseconds.
    Milliseconds,
    /// The key is for another use than signatures.
    Use,
    /// The key is of a kind that is not taken, or no key.
    Key,
    /// The key comes with its private half.
    PrivateKey,
    /// The key is there twice; the first counts.
    Repeated,
    /// The answer has another media type than key directories have at the well-known path.
    MediaType,
}

impl Divergence {
    /// The fixed word for logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::KidMissing => "directory.kid_missing",
            Self::KidOther => "directory.kid_other",
            Self::AlgJose => "directory.alg_jose",
            Self::AlgOther => "directory.alg_other",
            Self::BareJwk => "directory.bare_jwk",
            Self::Milliseconds => "directory.milliseconds",
            Self::Use => "directory.use",
            Self::Key => "directory.key",
            Self::PrivateKey => "directory.private_key",
            Self::Repeated => "directory.repeated",
            Self::MediaType => "directory.media_type",
        }
    }

    /// What is to be said about it.
    const fn text(self) -> &'static str {
        match self {
            Self::KidMissing => "has no kid; it should be the thumbprint",
            Self::KidOther => "has a kid that is not its thumbprint",
            Self::AlgJose => "has an alg in the words of JOSE; leave it out",
            Self::AlgOther => "has an alg that is not its own",
            Self::BareJwk => "is not in a set",
            Self::Milliseconds => "has dates in milliseconds",
            Self::Use => "is for another use than signatures",
            Self::Key => "is of a kind that is not taken, or malformed",
            Self::PrivateKey => "comes with its private half, which everybody has now",
            Self::Repeated => "is there twice",
            Self::MediaType => "came under another media type than key directories have",
        }
    }
}

/// One divergence of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DirectoryWarning {
    /// Which key, counted from 0; none when it is about the whole document.
    pub key: Option<usize>,
    /// What is wrong.
    pub divergence: Divergence,
    /// Whether the key is used all the same.
    pub used: bool,
}

impl fmt::Display for DirectoryWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            Some(key) => write!(f, "key {key} {}", self.divergence.text())?,
            None => write!(f, "the directory {}", self.divergence.text())?,
        }
        f.write_str(if self.used { "" } else { " (left out)" })
    }
}

//! Why a certificate chain is not an X.509-SVID we trust.

use crate::clock::UnixTime;
use crate::id::{IdError, TrustDomain};

/// The broken rule, with both values where there are two.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SvidError {
    /// No certificate, bytes after one, or a structure that cannot be read.
    #[error("certificate {place} of the chain is malformed: {what}")]
    Malformed {
        /// 0 is the leaf.
        place: usize,
        /// What could not be read.
        what: &'static str,
    },
    /// The leaf names nobody.
    #[error("the certificate has no URI name, so it names no workload")]
    NoUriSan,
    /// The leaf names more than one URI (X509-SVID §2).
    #[error("the certificate has {count} URI names, exactly one is allowed")]
    SeveralUriSans {
        /// How many.
        count: usize,
    },
    /// The URI is no workload's SPIFFE ID.
    #[error("the certificate's URI name is not a workload's SPIFFE ID: {0}")]
    SpiffeId(IdError),
    /// A signing certificate was used as a leaf (X509-SVID §4.1).
    #[error("the certificate may sign others, so it must not name a workload")]
    Ca,
    /// Key usage is missing, not critical, or has the wrong bits (X509-SVID §4.3).
    #[error("key usage {0}")]
    KeyUsage(&'static str),
    /// Extended key usage is there without both serverAuth and clientAuth (X509-SVID §4.4).
    #[error("the extended key usage lacks {missing}")]
    ExtendedKeyUsage {
        /// Which of the two.
        missing: &'static str,
    },
    /// The leaf's key is of a kind this crate does not use.
    #[error("the certificate's key is neither Ed25519 nor ECDSA P-256")]
    Key,
    /// There is no bundle for the ID's trust domain.
    #[error("there is no trust bundle for {domain}")]
    TrustDomain {
        /// The domain of the presented ID.
        domain: TrustDomain,
    },
    /// No path leads to a root of the ID's own trust domain.
    #[error("no path leads to a root of {domain}: {why}")]
    Untrusted {
        /// The domain whose roots were tried.
        domain: TrustDomain,
        /// What the path building found.
        why: String,
    },
    /// A certificate of the chain, or every root, is past its end.
    #[error("a certificate expired at {not_after}, it is {now}")]
    Expired {
        /// Its last second.
        not_after: UnixTime,
        /// The time it was checked at.
        now: UnixTime,
    },
    /// A certificate of the chain is before its beginning.
    #[error("a certificate is not valid before {not_before}, it is {now}")]
    NotYetValid {
        /// Its first second.
        not_before: UnixTime,
        /// The time it was checked at.
        now: UnixTime,
    },
    /// A certificate between leaf and root may not sign (RFC 5280 §6.1.4).
    #[error("a certificate between leaf and root {0}")]
    Intermediate(&'static str),
    /// More certificates than allowed.
    #[error("the chain has {count} certificates, {max} are allowed")]
    ChainTooLong {
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// One certificate is larger than allowed.
    #[error("certificate {place} has {len} bytes, {max} are allowed")]
    TooLarge {
        /// 0 is the leaf.
        place: usize,
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A trust bundle is empty or holds something that is not a root.
    #[error("the trust bundle of {domain} {what}")]
    Bundle {
        /// Whose bundle.
        domain: TrustDomain,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl SvidError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "svid.malformed",
            Self::NoUriSan => "svid.no_uri_san",
            Self::SeveralUriSans { .. } => "svid.several_uri_sans",
            Self::SpiffeId(_) => "svid.spiffe_id",
            Self::Ca => "svid.ca",
            Self::KeyUsage(_) => "svid.key_usage",
            Self::ExtendedKeyUsage { .. } => "svid.extended_key_usage",
            Self::Key => "svid.key",
            Self::TrustDomain { .. } => "svid.trust_domain",
            Self::Untrusted { .. } => "svid.untrusted",
            Self::Expired { .. } => "svid.expired",
            Self::NotYetValid { .. } => "svid.not_yet_valid",
            Self::Intermediate(_) => "svid.intermediate",
            Self::ChainTooLong { .. } => "svid.chain_too_long",
            Self::TooLarge { .. } => "svid.too_large",
            Self::Bundle { .. } => "svid.bundle",
        }
    }
}

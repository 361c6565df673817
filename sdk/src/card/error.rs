//! Why a card was refused, on either side.

use crate::clock::UnixTime;
use crate::crypto::KeyError;
use crate::id::SpiffeId;
use crate::jose::{CanonicalError, JsonError, JwsError};
use crate::svid::SvidError;

/// The broken rule.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Not JSON, over the limits, or an object names a member twice.
    #[error("the card is not usable JSON: {0}")]
    Json(#[source] JsonError),
    /// JSON, but no Agent Card.
    #[error("the JSON is no Agent Card: {0}")]
    Shape(String),
    /// It has no canonical form that all implementations share.
    #[error("the card has no canonical form: {0}")]
    Canonical(#[source] CanonicalError),
    /// It carries no signature.
    #[error("the card is not signed")]
    Unsigned,
    /// It carries more signatures than are looked at.
    #[error("the card has {count} signatures, {max} are allowed")]
    TooManySignatures {
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// No signature verifies under a trusted key.
    #[error("no signature of the card verifies; number {place} does not because {fault}")]
    Signature {
        /// The first signature's place, from 0.
        place: usize,
        /// What is wrong with it.
        fault: SignatureFault,
    },
    /// A genuine card, but of another agent than the one that served it.
    #[error("the card was signed by {signer} and served by {peer}")]
    NotPeers {
        /// Whose signature verifies.
        signer: SpiffeId,
        /// Who served it.
        peer: SpiffeId,
    },
    /// The identity extension says something else than the signature.
    #[error("the card's identity extension has {member} {declared:?}, it should be {expected:?}")]
    Extension {
        /// The member of its parameters.
        member: &'static str,
        /// What the card says.
        declared: String,
        /// What it should say.
        expected: String,
    },
    /// The identity extension is there twice, or its parameters cannot be read.
    #[error("the card's identity extension is malformed: {0}")]
    ExtensionShape(String),
    /// Implementations would canonicalise the card differently, so a signature over it would not
    /// protect this field everywhere.
    #[error("the card's {field} {why}")]
    Ambiguous {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The interface is not reached over TLS.
    #[error("the interface {url:?} is not an https URL")]
    Interface {
        /// Its URL.
        url: String,
    },
    /// The card is larger than a reader takes.
    #[error("the card has {len} bytes, {max} are allowed")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A requirement names a scheme that the card does not define.
    #[error("{place} requires the scheme {scheme:?}, which the card does not define")]
    UndefinedScheme {
        /// Which requirement.
        place: String,
        /// The name.
        scheme: String,
    },
    /// The card promises a check that the server does not make.
    #[error("the card declares {scheme} ({detail}), which the server does not enforce")]
    DeclaredNotEnforced {
        /// The scheme's name, or the extension's member.
        scheme: String,
        /// What exactly.
        detail: String,
    },
    /// The server makes a check that the card does not tell of.
    #[error("the server enforces {scheme}, which {place} does not declare")]
    EnforcedNotDeclared {
        /// What is enforced.
        scheme: String,
        /// Where it is missing.
        place: String,
    },
    /// The key is not the certificate's.
    #[error("the signing key is not the key of the certificate")]
    KeyNotCertificates,
    /// The certificate to sign with cannot be read.
    #[error("the signing certificate cannot be read: {0}")]
    Certificate(&'static str),
    /// Signing failed.
    #[error("the card could not be signed: {0}")]
    Key(#[source] KeyError),
}

/// Why one signature of a card is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SignatureFault {
    /// The protected header is malformed or names an algorithm that is not on the list.
    #[error("its protected header is refused: {0}")]
    Header(#[source] JwsError),
    /// The header names no key (A2A §8.4.2).
    #[error("it names no kid")]
    NoKid,
    /// It was made for something else than a card.
    #[error("its typ is {typ:?}, not \"JOSE\"")]
    Type {
        /// The type it has.
        typ: String,
    },
    /// The certificate chain is not base64.
    #[error("its x5c is not base64")]
    ChainForm,
    /// The certificate chain is not that of a workload we trust.
    #[error("its certificate chain is refused: {0}")]
    Chain(#[source] SvidError),
    /// A pinned key is past its end.
    #[error("the pinned key {kid:?} expired at {until}, it is {now}")]
    PinExpired {
        /// Which key.
        kid: String,
        /// Its last second.
        until: UnixTime,
        /// The time it was checked at.
        now: UnixTime,
    },
    /// No trusted key has this name, and there is no certificate chain.
    #[error("the key {kid:?} is not among the trusted ones")]
    UnknownKey {
        /// What the header names.
        kid: String,
    },
    /// The header's algorithm does not belong to the key.
    #[error("it names {alg}, the key is for {key}")]
    KeyAlgorithm {
        /// What the header names.
        alg: &'static str,
        /// What the key is for.
        key: &'static str,
    },
    /// The signature is not over this card.
    #[error("it is not over this card")]
    Mismatch,
}

impl CardError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "card.json",
            Self::Shape(_) => "card.shape",
            Self::Canonical(_) => "card.canonical",
            Self::Unsigned => "card.unsigned",
            Self::TooManySignatures { .. } => "card.too_many_signatures",
            Self::Signature { fault, .. } => fault.reason(),
            Self::NotPeers { .. } => "card.not_peers",
            Self::Extension { .. } => "card.extension",
            Self::ExtensionShape(_) => "card.extension_shape",
            Self::Ambiguous { .. } => "card.ambiguous",
            Self::Interface { .. } => "card.interface",
            Self::TooLarge { .. } => "card.too_large",
            Self::UndefinedScheme { .. } => "card.undefined_scheme",
            Self::DeclaredNotEnforced { .. } => "card.declared_not_enforced",
            Self::EnforcedNotDeclared { .. } => "card.enforced_not_declared",
            Self::KeyNotCertificates => "card.key_not_certificates",
            Self::Certificate(_) => "card.certificate",
            Self::Key(_) => "card.key",
        }
    }
}

impl SignatureFault {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Header(_) => "card.signature_header",
            Self::NoKid => "card.signature_kid",
            Self::Type { .. } => "card.signature_type",
            Self::ChainForm => "card.signature_chain",
            Self::Chain(SvidError::Expired { .. }) | Self::PinExpired { .. } => "card.key_expired",
            Self::Chain(_) => "card.untrusted_key",
            Self::UnknownKey { .. } => "card.unknown_key",
            Self::KeyAlgorithm { .. } => "card.key_algorithm",
            Self::Mismatch => "card.signature",
        }
    }
}

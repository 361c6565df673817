//! `Signature-Error`: which kind of rule was broken (draft-hardt-httpbis-signature-key).

use crate::httpsig::{DigestError, SignatureError};

/// The codes of the draft that a message signature can come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Code {
    UnsupportedAlgorithm,
    InvalidSignature,
    InvalidInput,
    InvalidRequest,
    InvalidKey,
    UnknownKey,
}

/// The algorithms that signatures of strangers may have.
pub(super) const ALGORITHMS: &str = "(\"ed25519\" \"ecdsa-p256-sha256\" \"ecdsa-p384-sha384\" \
     \"rsa-pss-sha512\" \"rsa-v1_5-sha256\")";

impl Code {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidInput => "invalid_input",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidKey => "invalid_key",
            Self::UnknownKey => "unknown_key",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::UnsupportedAlgorithm => "Unsupported signature algorithm",
            Self::InvalidSignature => "The signature does not hold",
            Self::InvalidInput => "The signature does not cover or say what it has to",
            Self::InvalidRequest => "The signature is missing or malformed",
            Self::InvalidKey => "The key is not taken",
            Self::UnknownKey => "The key is not known",
        }
    }

    pub(super) fn of(error: &SignatureError) -> Self {
        use SignatureError as E;
        match error {
            E::Algorithm { .. } | E::AlgorithmRefused { .. } => Self::UnsupportedAlgorithm,
            E::ComponentMissing { .. }
            | E::ParameterMissing { .. }
            | E::ParameterRefused { .. }
            | E::Nonce { .. }
            | E::DigestMissing { .. }
            | E::Life { .. }
            | E::Audience { .. } => Self::InvalidInput,
            E::Missing { .. }
            | E::Malformed { .. }
            | E::ComponentAbsent { .. }
            | E::ComponentRepeated { .. }
            | E::ComponentRefused { .. }
            | E::NotAscii { .. }
            | E::Tag { .. }
            | E::Agent { .. }
            | E::AgentMissing
            | E::AgentUnresolvable { .. }
            | E::Ambiguous { .. }
            | E::TooLarge { .. }
            | E::Origin { .. }
            | E::Asked { .. } => Self::InvalidRequest,
            E::OtherRequest
            | E::Expired { .. }
            | E::NotYet { .. }
            | E::Changed
            | E::Invalid
            | E::Digest(_)
            | E::Provider => Self::InvalidSignature,
            E::Owner { .. } | E::TestKey { .. } => Self::InvalidKey,
            E::KeyUnknown { .. } => Self::UnknownKey,
        }
    }
}

/// Whether what is wrong is how the fields are written: the sender sees that for itself.
pub(super) fn is_malformed(error: &SignatureError) -> bool {
    use SignatureError as E;
    match error {
        // A label that only one of the two fields has.
        E::Missing { label, .. } => label.is_some(),
        E::Malformed { .. }
        | E::ComponentRepeated { .. }
        | E::ComponentRefused { .. }
        | E::NotAscii { .. }
        | E::Agent { .. }
        | E::TooLarge { .. }
        | E::Digest(DigestError::Malformed) => true,
        _ => false,
    }
}

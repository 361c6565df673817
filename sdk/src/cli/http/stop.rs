//! What to do about what a key, a message or a signature lacks.

use std::fmt::Display;

use crate::cli::outcome::{Kind, Stop};
use crate::httpsig::{HttpKeyError, SignatureError};

/// A signature that was not made, or a base that was not written.
pub(super) fn signature(error: &SignatureError) -> Stop {
    let (kind, advice) = match error {
        SignatureError::TestKey { .. } => (
            Kind::Refused,
            "make a key of your own with `countersign http keygen`; for the RFC's vectors there is \
             --danger-accept-public-test-keys",
        ),
        SignatureError::AlgorithmRefused { .. } => (
            Kind::Refused,
            "sign with a private key; shared secrets are for --profile rfc9421 only",
        ),
        SignatureError::Agent { .. } | SignatureError::AgentUnresolvable { .. } => (
            Kind::Usage,
            "give --signature-agent https://… in the form that the profile has",
        ),
        SignatureError::TooLarge { .. }
        | SignatureError::ComponentRefused { .. }
        | SignatureError::ComponentRepeated { .. } => (
            Kind::Usage,
            "see `countersign http sign --help` for what can be asked for",
        ),
        SignatureError::ComponentAbsent { .. } | SignatureError::NotAscii { .. } => (
            Kind::Failed,
            "add what is missing to the message, or leave the component out",
        ),
        SignatureError::Digest(_) => (
            Kind::Failed,
            "the message has a Content-Digest of another body: correct or remove it",
        ),
        _ => (Kind::Failed, "correct the message"),
    };
    Stop::new(kind, error.reason(), error, advice)
}

/// A key that cannot be used; `file` is where it came from.
pub(super) fn key(file: impl Display, error: &HttpKeyError) -> Stop {
    let advice = match error {
        HttpKeyError::Private => "give the public half; only signing needs the private one",
        HttpKeyError::Public => "give the private key; the public half signs nothing",
        HttpKeyError::Algorithm { .. } => "leave --alg out, or give a key for this algorithm",
        _ => "keys are PEM (PKCS#8, or PUBLIC KEY to verify), a JWK or a JWK Set",
    };
    Stop::failed(error.reason(), format!("{file}: {error}"), advice)
}

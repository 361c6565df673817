//! Why a signature was not made or not taken.

use std::borrow::Cow;

use crate::clock::UnixTime;
use crate::crypto::KeyThumbprint;

use super::digest::DigestError;
use super::keys::HttpAlgorithm;

/// Why a message signature was not made or not taken. Nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureError {
    /// A field that a signature consists of is not there.
    #[error("the message has no {field}{}", for_label(.label.as_deref()))]
    Missing {
        /// The field.
        field: &'static str,
        /// The label looked for, when another part of the signature gave one.
        label: Option<String>,
    },
    /// A field, an identifier or a parameter is not written as its standard says.
    #[error("{field} is malformed: {what}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// The rule it breaks.
        what: &'static str,
    },
    /// The profile wants a component that the signature does not cover.
    #[error("the signature does not cover {component}")]
    ComponentMissing {
        /// The identifier that had to be covered.
        component: Cow<'static, str>,
    },
    /// The signature covers something that the message does not have, or has more than once.
    #[error("the message has no single value for {component}")]
    ComponentAbsent {
        /// The identifier.
        component: String,
    },
    /// The signature names a component twice (parameter order does not make a difference).
    #[error("{component} is covered twice")]
    ComponentRepeated {
        /// The identifier.
        component: String,
    },
    /// An identifier that does not exist, or cannot be used on this kind of message.
    #[error("{component} cannot be covered: {rule}")]
    ComponentRefused {
        /// The identifier.
        component: String,
        /// The rule against it.
        rule: &'static str,
    },
    /// A value that has no place in a signature base, which is ASCII (RFC 9421 §2.5).
    #[error("the value of {component} is not ASCII")]
    NotAscii {
        /// The identifier.
        component: String,
    },
    /// A parameter that the profile wants is missing.
    #[error("the signature has no parameter {name}")]
    ParameterMissing {
        /// `created`, `expires` or `keyid`.
        name: &'static str,
    },
    /// A parameter that the profile does not allow, or wants with another value.
    #[error("the parameter {name} is not what the profile says")]
    ParameterRefused {
        /// The parameter.
        name: String,
    },
    /// The request is for somebody else.
    #[error("the signature is for the audience {said:?}")]
    Audience {
        /// `wimse-aud` as received.
        said: String,
    },
    /// The response answers another request.
    #[error("the signature repeats the nonce of another request")]
    OtherRequest,
    /// It ended.
    #[error("the signature expired at {expires}, it is {now}")]
    Expired {
        /// When it ended.
        expires: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// It has not begun.
    #[error("the signature was created at {created}, it is {now}")]
    NotYet {
        /// When it begins.
        created: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// It lasts longer than allowed, or ends before it begins.
    #[error("the signature lasts from {created} to {expires}, at most {max} s are allowed")]
    Life {
        /// When it begins.
        created: UnixTime,
        /// When it ends.
        expires: UnixTime,
        /// The longest life allowed, in seconds.
        max: u64,
    },
    /// It was made with another key than the peer's.
    #[error("the signature names the key {keyid:?}, the peer's key is {owner}")]
    Owner {
        /// `keyid` as received.
        keyid: String,
        /// The thumbprint of the key that had to sign.
        owner: KeyThumbprint,
    },
    /// `alg` says another algorithm than the key's.
    #[error("the signature says it is {named:?}, the key is for {}", .key)]
    Algorithm {
        /// `alg` as received.
        named: String,
        /// What the key is for.
        key: HttpAlgorithm,
    },
    /// The profile has no place for this algorithm.
    #[error("{algorithm} has no place in this profile")]
    AlgorithmRefused {
        /// The key's.
        algorithm: HttpAlgorithm,
    },
    /// The message is not the one that was prepared for signing.
    #[error("the message was changed after it was prepared for signing")]
    Changed,
    /// The bytes do not verify.
    #[error("the signature does not verify")]
    Invalid,
    /// No signature is meant for this use.
    #[error("no signature has the tag {wanted:?}")]
    Tag {
        /// The tag of the profile.
        wanted: String,
    },
    /// The nonce is missing, empty or too long.
    #[error("the nonce has {len} characters, 1 to {max} are allowed")]
    Nonce {
        /// Its length; 0 when it is missing.
        len: usize,
        /// The longest allowed.
        max: usize,
    },
    /// `Signature-Agent` does not give one https URL under the signature's label.
    #[error("Signature-Agent: {rule}")]
    Agent {
        /// The rule it breaks.
        rule: &'static str,
    },
    /// There is no `Signature-Agent`, so nobody says where the key is.
    #[error("the message has no Signature-Agent")]
    AgentMissing,
    /// `Signature-Agent` is well formed, and still does not say where the keys are.
    #[error("Signature-Agent leads nowhere: {rule}")]
    AgentUnresolvable {
        /// Why not.
        rule: &'static str,
    },
    /// The key is not known here, or could not be fetched.
    #[error("the key is not known{}", named(.keyid.as_deref()))]
    KeyUnknown {
        /// `keyid` as received.
        keyid: Option<String>,
    },
    /// A signature was asked for that this key or this message cannot give.
    #[error("the signature asked for cannot be made: {rule}")]
    Asked {
        /// Why not.
        rule: &'static str,
    },
    /// There is a body and no `Content-Digest`.
    #[error("the message has a body of {len} bytes and no Content-Digest")]
    DigestMissing {
        /// Bytes of the body.
        len: usize,
    },
    /// The body is not the one that was signed.
    #[error("the body is not the signed one: {0}")]
    Digest(#[from] DigestError),
    /// More than one signature could be meant.
    #[error("{count} signatures could be meant, one is allowed")]
    Ambiguous {
        /// How many.
        count: usize,
    },
    /// The key is a published test key, whose private half everybody knows.
    #[error("{thumbprint} is a published test key")]
    TestKey {
        /// The key.
        thumbprint: KeyThumbprint,
    },
    /// More than is read from strangers.
    #[error("{what}: {len}, at most {max} are allowed")]
    TooLarge {
        /// What is too large, with its unit.
        what: &'static str,
        /// How large.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The configured authority is not `host` or `host:port`.
    #[error("{authority:?} is not an authority (host or host:port)")]
    Origin {
        /// As configured.
        authority: String,
    },
    /// The cryptographic provider failed to sign.
    #[error("the cryptographic provider failed to sign")]
    Provider,
}

impl SignatureError {
    /// Whether the message itself is at fault, so that nobody who knows more could verify it. What
    /// is not conclusive leaves the message unverified: nothing is known against it, and nothing
    /// in its favour.
    pub fn is_conclusive(&self) -> bool {
        match self {
            // No signature is there, or none for this use, or more than one.
            Self::Missing { field, .. } => *field == "Signature",
            Self::Tag { .. } | Self::Ambiguous { .. } => false,
            // Nobody says where the key is, or it is not there, or it was not found.
            Self::AgentMissing | Self::AgentUnresolvable { .. } | Self::KeyUnknown { .. } => false,
            // Our own affairs.
            Self::Origin { .. } | Self::Provider | Self::Asked { .. } | Self::Changed => false,
            Self::AlgorithmRefused { .. } => true,
            Self::Malformed { .. }
            | Self::ComponentMissing { .. }
            | Self::ComponentAbsent { .. }
            | Self::ComponentRepeated { .. }
            | Self::ComponentRefused { .. }
            | Self::NotAscii { .. }
            | Self::ParameterMissing { .. }
            | Self::ParameterRefused { .. }
            | Self::Audience { .. }
            | Self::OtherRequest
            | Self::Expired { .. }
            | Self::NotYet { .. }
            | Self::Life { .. }
            | Self::Owner { .. }
            | Self::Algorithm { .. }
            | Self::Invalid
            | Self::Nonce { .. }
            | Self::Agent { .. }
            | Self::DigestMissing { .. }
            | Self::Digest(_)
            | Self::TestKey { .. }
            | Self::TooLarge { .. } => true,
        }
    }

    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "signature.missing",
            Self::Malformed { .. } => "signature.malformed",
            Self::ComponentMissing { .. } => "signature.component_missing",
            Self::ComponentAbsent { .. } => "signature.component_absent",
            Self::ComponentRepeated { .. } => "signature.component_repeated",
            Self::ComponentRefused { .. } => "signature.component_refused",
            Self::NotAscii { .. } => "signature.not_ascii",
            Self::ParameterMissing { .. } => "signature.parameter_missing",
            Self::ParameterRefused { .. } => "signature.parameter_refused",
            Self::Audience { .. } => "signature.audience",
            Self::OtherRequest => "signature.other_request",
            Self::Expired { .. } => "signature.expired",
            Self::NotYet { .. } => "signature.not_yet",
            Self::Life { .. } => "signature.life",
            Self::Owner { .. } => "signature.owner",
            Self::Algorithm { .. } => "signature.algorithm",
            Self::AlgorithmRefused { .. } => "signature.algorithm_refused",
            Self::Changed => "signature.changed",
            Self::Invalid => "signature.invalid",
            Self::Tag { .. } => "signature.tag",
            Self::Nonce { .. } => "signature.nonce",
            Self::Agent { .. } => "signature.agent",
            Self::AgentMissing => "signature.agent_missing",
            Self::AgentUnresolvable { .. } => "signature.agent_unresolvable",
            Self::KeyUnknown { .. } => "signature.key_unknown",
            Self::Asked { .. } => "signature.asked",
            Self::DigestMissing { .. } => "signature.digest_missing",
            Self::Digest(_) => "signature.digest",
            Self::Ambiguous { .. } => "signature.ambiguous",
            Self::TestKey { .. } => "signature.test_key",
            Self::TooLarge { .. } => "signature.too_large",
            Self::Origin { .. } => "signature.origin",
            Self::Provider => "signature.provider",
        }
    }
}

fn named(keyid: Option<&str>) -> String {
    keyid.map_or_else(String::new, |keyid| format!(": {keyid:?}"))
}

fn for_label(label: Option<&str>) -> String {
    label.map_or_else(String::new, |label| format!(" labelled {label:?}"))
}

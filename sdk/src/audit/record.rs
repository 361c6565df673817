//! One record.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RecordHash, Text, TraceId};
use crate::a2a::Operation;
use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, KeyThumbprint};
use crate::delegation::{Actor, ShortName};
use crate::httpsig::VerifiedRequest;
use crate::id::SpiffeId;
use crate::token::SignedClaims;

/// How a request was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was let through.
    Permitted,
    /// It was turned away.
    Refused,
}

/// In whose name an agent calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    /// For a user, through the agents of the chain.
    Delegated,
    /// In the name of an agent; no user is behind it.
    AppOnly,
}

/// A user or an agent, as a token names it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Who gave it that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<Text>,
    /// Its name.
    pub sub: Text,
}

impl Named {
    /// The user or agent `sub` of `iss`.
    pub fn new(iss: &str, sub: &str) -> Self {
        Self {
            iss: Some(iss.into()),
            sub: sub.into(),
        }
    }
}

impl From<&Actor> for Named {
    fn from(actor: &Actor) -> Self {
        Self {
            iss: actor.iss.as_deref().map(Text::from),
            sub: actor.sub.as_str().into(),
        }
    }
}

/// The signature a request was proved with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureEvidence {
    /// The thumbprint of the key.
    pub keyid: KeyThumbprint,
    /// The label of the signature in the request.
    pub label: Text,
}

impl From<&VerifiedRequest> for SignatureEvidence {
    fn from(request: &VerifiedRequest) -> Self {
        Self {
            keyid: request.keyid(),
            label: request.label().into(),
        }
    }
}

/// A token by its names; never the token itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEvidence {
    /// The client it was issued to.
    pub client_id: Text,
    /// Its `jti`.
    pub id: Text,
    /// Who issued it.
    pub issuer: Text,
    /// What it grants, separated by spaces.
    pub scopes: Text,
}

impl From<&SignedClaims> for TokenEvidence {
    fn from(claims: &SignedClaims) -> Self {
        Self {
            client_id: claims.client_id().into(),
            id: claims.jti().into(),
            issuer: claims.issuer().into(),
            scopes: claims.scopes().to_string().into(),
        }
    }
}

/// What was decided, about whom, and on what evidence. As text it is one sentence:
/// `payments: booking for alice through planner, front-desk requested charge: permitted`.
///
/// Its JSON is one line. Without the member `hash`, which stands last, the line is in canonical form
/// (RFC 8785): the members stand in order, and `hash` is the SHA-256 of those bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
// The order of the fields is the order of the JSON members; a test keeps it.
pub struct Record {
    /// In whose name the agent called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<AccessMode>,
    /// The agent that called, proved by its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<SpiffeId>,
    /// The actors of the token, newest first; the newest is `actor`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Named>,
    /// What was decided.
    pub decision: Decision,
    /// The reason at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// What kind of thing was decided about: `call`, or a word of the recording room.
    pub event: Text,
    /// The operation that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The certificate of the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_certificate: Option<CertThumbprint>,
    /// The hash of the record before; zeros in the first.
    pub prev: RecordHash,
    /// The fixed word of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
    /// The rule of the policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Text>,
    /// The number of the record, counted from 1.
    pub seq: u64,
    /// Who recorded.
    pub service: SpiffeId,
    /// The signature of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureEvidence>,
    /// The skill that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Text>,
    /// For whom the agent called, when not for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Named>,
    /// The task the call was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Text>,
    /// When, in seconds since 1970.
    pub time: UnixTime,
    /// The token that was presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenEvidence>,
    /// The trace the call belongs to.
    pub trace_id: TraceId,
    /// The hash of all the above.
    pub hash: RecordHash,
}

impl Record {
    /// The event of a call from agent to agent.
    pub const CALL: &str = "call";

    /// Whether somebody was turned away.
    pub fn is_refusal(&self) -> bool {
        self.decision == Decision::Refused
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.service.short_name())?;
        match &self.actor {
            Some(actor) => f.write_str(actor.short_name())?,
            None => f.write_str("an unproved caller")?,
        }
        match (&self.subject, self.access_mode) {
            (Some(subject), _) => write!(f, " for {}", ShortName(subject.sub.as_str()))?,
            (None, Some(_)) => f.write_str(" for itself")?,
            (None, None) => {}
        }
        for (at, actor) in self.chain.iter().skip(1).enumerate() {
            let before = if at == 0 { " through" } else { "," };
            write!(f, "{before} {}", ShortName(actor.sub.as_str()))?;
        }
        f.write_str(" requested ")?;
        match (&self.skill, self.operation) {
            (Some(skill), _) => write!(f, "{}", ShortName(skill.as_str()))?,
            (None, Some(operation)) => f.write_str(operation.as_str())?,
            (None, None) => {
                let event = self.event.as_str();
                let article = if event.starts_with(['a', 'e', 'i', 'o']) {
                    "an"
                } else {
                    "a"
                };
                write!(f, "{article} {}", ShortName(event))?;
            }
        }
        match (self.decision, &self.reason) {
            (Decision::Permitted, _) => f.write_str(": permitted"),
            (Decision::Refused, Some(reason)) => write!(f, ": refused ({reason})"),
            (Decision::Refused, None) => f.write_str(": refused"),
        }
    }
}

//! What is wrong with a signature agent card.

use std::fmt;

use crate::jose::JsonError;

/// Why a document is no signature agent card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Not JSON within the limits (64 KiB, 16 levels).
    #[error("the signature agent card: {0}")]
    Json(#[from] JsonError),
    /// Not an object with a text `client_id`.
    #[error("the signature agent card has no client_id")]
    NoClientId,
    /// The URL it was fetched from, and so its `client_id`, is no `https` URL.
    #[error("the URL of the signature agent card is no https URL: {rule}")]
    Url {
        /// The rule it breaks.
        rule: &'static str,
    },
    /// `client_id` is not, letter by letter, the URL that the card was fetched from.
    #[error("the signature agent card at {url:?} says that it is {client_id:?}")]
    ClientId {
        /// Where it was.
        url: String,
        /// What it says.
        client_id: String,
    },
    /// Both `jwks` and `jwks_uri`.
    #[error("the signature agent card has both jwks and jwks_uri")]
    TwoKeySources,
}

impl CardError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "agent_card.json",
            Self::NoClientId => "agent_card.no_client_id",
            Self::Url { .. } => "agent_card.url",
            Self::ClientId { .. } => "agent_card.client_id",
            Self::TwoKeySources => "agent_card.two_key_sources",
        }
    }
}

/// What a member of a card breaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CardRule {
    /// It has another type than the draft says; it is left out.
    Type,
    /// It is no URI; it is left out.
    Uri,
    /// It is no `https` URL; it is left out.
    Https,
    /// It has a value that the draft does not know; it is left out.
    Value,
    /// It is a list of parts; the draft has a Boolean, and some parsers only this. It is taken.
    ComplianceList,
    /// It is there and empty.
    Empty,
    /// Neither `jwks` nor `jwks_uri`: nothing can be verified with it.
    NoKeys,
}

impl CardRule {
    /// The fixed word for logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Type => "agent_card.type",
            Self::Uri => "agent_card.uri",
            Self::Https => "agent_card.https",
            Self::Value => "agent_card.value",
            Self::ComplianceList => "agent_card.compliance_list",
            Self::Empty => "agent_card.empty",
            Self::NoKeys => "agent_card.no_keys",
        }
    }
}

/// One way in which a card differs from the draft.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CardWarning {
    /// The member.
    pub member: &'static str,
    /// What is wrong with it.
    pub rule: CardRule,
}

impl fmt::Display for CardWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.rule {
            CardRule::Type => "has another type than the draft says (left out)",
            CardRule::Uri => "is no URI (left out)",
            CardRule::Https => "is no https URL (left out)",
            CardRule::Value => "has a value that the draft does not know (left out)",
            CardRule::ComplianceList => "is a list where the draft has a Boolean",
            CardRule::Empty => "is empty",
            CardRule::NoKeys => "is missing, and so is jwks_uri",
        };
        write!(f, "{} {what}", self.member)
    }
}

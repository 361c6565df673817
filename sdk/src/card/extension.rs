//! The extension that says who an agent is and how it wants to be approached: what the card's own
//! fields have no place for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CardError;
use crate::a2a::{AgentCard, AgentExtension, Struct};
use crate::id::{SpiffeId, TrustDomain};

/// The extension's name in `capabilities.extensions` and in the header `A2A-Extensions`.
pub const EXTENSION_URI: &str = "urn:countersign:a2a:identity:v1";

/// The extension's parameters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountersignParams {
    /// Who the agent is.
    pub agent: SpiffeId,
    /// Who vouches for it; always the ID's own trust domain.
    pub trust_domain: TrustDomain,
    /// The audience a token for it must have (RFC 8707): the agent itself, by its SPIFFE ID.
    pub audience: String,
    /// The issuer it takes tokens from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where a token for it is got by exchange (RFC 8693).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<String>,
    /// How requests to it must be signed (RFC 9421).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_profile: Option<String>,
}

impl CountersignParams {
    /// The parameters that `card` declares, if any.
    ///
    /// # Errors
    /// [`CardError::ExtensionShape`] when they are declared twice or cannot be read,
    /// [`CardError::Extension`] when the trust domain is not the agent's.
    pub(super) fn of(card: &AgentCard) -> Result<Option<Self>, CardError> {
        let extensions = card.capabilities.extensions.iter();
        let mut ours = extensions.filter(|extension| extension.uri == EXTENSION_URI);
        let Some(extension) = ours.next() else {
            return Ok(None);
        };
        if ours.next().is_some() {
            return Err(CardError::ExtensionShape("it is declared twice".into()));
        }
        let params = Value::Object(extension.params.clone().unwrap_or_default());
        let params =
            Self::deserialize(params).map_err(|e| CardError::ExtensionShape(e.to_string()))?;
        expect(
            "trustDomain",
            params.trust_domain.as_str(),
            params.agent.trust_domain_name(),
        )?;
        Ok(Some(params))
    }

    /// The extension with these parameters.
    pub(super) fn to_extension(&self) -> AgentExtension {
        let params = match serde_json::to_value(self) {
            Ok(Value::Object(params)) => params,
            // A struct of texts always becomes an object.
            _ => Struct::new(),
        };
        AgentExtension {
            uri: EXTENSION_URI.into(),
            description: Some("Who this agent is and how calls to it prove their caller".into()),
            // Whoever knows HTTP message signatures can call without knowing this extension: it
            // describes what is demanded, the demand itself is met in HTTP.
            required: false,
            params: Some(params),
        }
    }
}

/// Compares a member of the parameters with what it should be.
pub(super) fn expect(
    member: &'static str,
    declared: &str,
    expected: &str,
) -> Result<(), CardError> {
    if declared == expected {
        return Ok(());
    }
    Err(CardError::Extension {
        member,
        declared: declared.to_owned(),
        expected: expected.to_owned(),
    })
}

//! The Agent Card as the protocol defines it (A2A §4.4).
//!
//! Reading a card proves nothing; [`crate::card`] does the proving.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{SecurityRequirement, SecurityScheme, Struct, wire};

/// What an agent says about itself.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentCard {
    /// Its name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Where it is reached, the preferred first.
    pub supported_interfaces: Vec<AgentInterface>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<AgentProvider>,
    /// Its own version.
    pub version: String,
    /// Where more is written about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    /// What of the protocol it does.
    pub capabilities: AgentCapabilities,
    /// Ways to authenticate, by name.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub security_schemes: IndexMap<String, SecurityScheme>,
    /// Any one of these must be met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_requirements: Vec<SecurityRequirement>,
    /// Media types it takes.
    pub default_input_modes: Vec<String>,
    /// Media types it gives.
    pub default_output_modes: Vec<String>,
    /// What it can do.
    pub skills: Vec<AgentSkill>,
    /// Signatures over all of the above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<AgentCardSignature>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
}

impl AgentCard {
    /// The extension with this URI, when the agent declares it.
    pub fn extension(&self, uri: &str) -> Option<&AgentExtension> {
        let mut declared = self.capabilities.extensions.iter();
        declared.find(|extension| extension.uri == uri)
    }
}

/// One way to reach an agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AgentInterface {
    /// Where.
    #[serde(deserialize_with = "wire::or_default")]
    pub url: String,
    /// `JSONRPC`, `GRPC`, `HTTP+JSON` or a URI.
    #[serde(
        alias = "protocol_binding",
        alias = "transport",
        deserialize_with = "wire::or_default"
    )]
    pub protocol_binding: String,
    /// To be echoed in every request.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Version of the protocol, `Major.Minor`.
    #[serde(alias = "protocol_version", deserialize_with = "wire::or_default")]
    pub protocol_version: String,
}

/// Who runs an agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentProvider {
    /// Its website.
    #[serde(deserialize_with = "wire::or_default")]
    pub url: String,
    /// Its name.
    #[serde(deserialize_with = "wire::or_default")]
    pub organization: String,
}

/// What of the protocol an agent does; unset means no.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AgentCapabilities {
    /// Streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Push notifications.
    #[serde(alias = "push_notifications", skip_serializing_if = "Option::is_none")]
    pub push_notifications: Option<bool>,
    /// Extensions of the protocol.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub extensions: Vec<AgentExtension>,
    /// A larger card for known callers.
    #[serde(alias = "extended_agent_card", skip_serializing_if = "Option::is_none")]
    pub extended_agent_card: Option<bool>,
}

/// An extension of the protocol that an agent speaks.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentExtension {
    /// Its name.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub uri: String,
    /// How the agent uses it.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// Whether the client must speak it too.
    #[serde(
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "wire::or_default"
    )]
    pub required: bool,
    /// Its parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Struct>,
}

/// Something an agent can do.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentSkill {
    /// Its name.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Prompts it can handle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Media types it takes, when not the agent's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_modes: Vec<String>,
    /// Media types it gives, when not the agent's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output_modes: Vec<String>,
    /// What it requires beyond the agent's own requirements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_requirements: Vec<SecurityRequirement>,
}

impl AgentSkill {
    /// A skill with its name, its name for people and what it does.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: description.into(),
            ..Self::default()
        }
    }

    /// The same skill with words to find it by.
    #[must_use]
    pub fn tagged<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

/// A signature over a card (JWS with detached payload).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentCardSignature {
    /// The protected header, base64url.
    #[serde(deserialize_with = "wire::or_default")]
    pub protected: String,
    /// The signature, base64url.
    #[serde(deserialize_with = "wire::or_default")]
    pub signature: String,
    /// Unprotected header: proves nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Struct>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_card_of_another_sdk_is_read() {
        let json = json!({
            "name": "Booking", "description": "Books hotels", "version": "1.0.0",
            "supportedInterfaces": [{"url": "https://booking.example/", "protocolBinding": "JSONRPC",
                "protocolVersion": "1.0"}],
            "capabilities": {"streaming": false, "extensions": [{"uri": "urn:x", "required": true,
                "params": {}}]},
            "securitySchemes": {"new": {"quantumSecurityScheme": {}}, "mtls": {"mtlsSecurityScheme": {}}},
            "securityRequirements": [{"schemes": {"mtls": {"list": ["role"]}}}],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "book", "name": "Book", "description": "Books", "tags": ["hotel"]}],
            "signatures": [{"protected": "e30", "signature": "AA"}],
            "iconUrl": "",
        });
        let card = AgentCard::deserialize(&json).expect("a card");
        assert!(card.extension("urn:x").is_some_and(|x| x.required));
        assert_eq!(card.capabilities.streaming, Some(false));
        assert_eq!(card.icon_url.as_deref(), Some(""));
        assert_eq!(card.security_schemes.len(), 2);
        assert_eq!(serde_json::to_value(card).expect("JSON"), json);
    }

    #[test]
    fn required_members_are_written_even_when_empty() {
        let json = serde_json::to_value(AgentCard::default()).expect("JSON");
        let members: Vec<_> = json.as_object().expect("an object").keys().collect();
        assert_eq!(
            members,
            [
                "capabilities",
                "defaultInputModes",
                "defaultOutputModes",
                "description",
                "name",
                "skills",
                "supportedInterfaces",
                "version"
            ]
        );
    }
}

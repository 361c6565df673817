//! Cards and skills, read: under both spellings, and as version 0.3 wrote them (A2A §4.4,
//! Appendix A).
//!
//! What 0.3 said elsewhere is used only where 1.0's own member says nothing. A signature covers the
//! received JSON with either, so nobody can add one to a signed card.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use super::{
    AgentCapabilities, AgentCard, AgentCardSignature, AgentInterface, AgentProvider, AgentSkill,
    BINDING_JSONRPC, SecurityRequirement, SecurityScheme, Version, wire,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CardWire {
    #[serde(deserialize_with = "wire::or_default")]
    name: String,
    #[serde(deserialize_with = "wire::or_default")]
    description: String,
    #[serde(alias = "supported_interfaces", deserialize_with = "wire::or_default")]
    supported_interfaces: Vec<AgentInterface>,
    provider: Option<AgentProvider>,
    #[serde(deserialize_with = "wire::or_default")]
    version: String,
    #[serde(alias = "documentation_url")]
    documentation_url: Option<String>,
    #[serde(deserialize_with = "wire::or_default")]
    capabilities: AgentCapabilities,
    #[serde(alias = "security_schemes", deserialize_with = "wire::or_default")]
    security_schemes: IndexMap<String, SecurityScheme>,
    #[serde(alias = "security_requirements", deserialize_with = "wire::or_default")]
    security_requirements: Vec<SecurityRequirement>,
    #[serde(alias = "default_input_modes", deserialize_with = "wire::or_default")]
    default_input_modes: Vec<String>,
    #[serde(alias = "default_output_modes", deserialize_with = "wire::or_default")]
    default_output_modes: Vec<String>,
    #[serde(deserialize_with = "wire::or_default")]
    skills: Vec<AgentSkill>,
    #[serde(deserialize_with = "wire::or_default")]
    signatures: Vec<AgentCardSignature>,
    #[serde(alias = "icon_url")]
    icon_url: Option<String>,
    // Version 0.3.
    #[serde(deserialize_with = "wire::or_default")]
    url: String,
    #[serde(alias = "preferred_transport", deserialize_with = "wire::text")]
    preferred_transport: Option<String>,
    #[serde(alias = "additional_interfaces", deserialize_with = "wire::or_default")]
    additional_interfaces: Vec<AgentInterface>,
    #[serde(alias = "protocol_version", deserialize_with = "wire::text")]
    protocol_version: Option<String>,
    #[serde(alias = "supports_authenticated_extended_card")]
    supports_authenticated_extended_card: Option<bool>,
    #[serde(deserialize_with = "wire::or_default")]
    security: Vec<SecurityRequirement>,
}

impl CardWire {
    /// The interfaces of a card of 0.3: the main one first.
    fn legacy_interfaces(&mut self) -> Vec<AgentInterface> {
        let mut out = Vec::new();
        if !self.url.is_empty() {
            let binding = self.preferred_transport.take();
            out.push(AgentInterface {
                url: std::mem::take(&mut self.url),
                protocol_binding: binding.unwrap_or_else(|| BINDING_JSONRPC.to_owned()),
                ..AgentInterface::default()
            });
        }
        out.append(&mut self.additional_interfaces);
        let version = self.protocol_version.as_deref();
        let version = version.unwrap_or(Version::V0_3.as_str());
        let mut kept: Vec<AgentInterface> = Vec::with_capacity(out.len());
        for mut interface in out {
            if interface.protocol_version.is_empty() {
                version.clone_into(&mut interface.protocol_version);
            }
            // The main one is often listed again.
            if !kept.contains(&interface) {
                kept.push(interface);
            }
        }
        kept
    }
}

impl<'de> Deserialize<'de> for AgentCard {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut read = CardWire::deserialize(from)?;
        if read.supported_interfaces.is_empty() {
            read.supported_interfaces = read.legacy_interfaces();
        }
        if read.capabilities.extended_agent_card.is_none() {
            read.capabilities.extended_agent_card = read.supports_authenticated_extended_card;
        }
        Ok(Self {
            name: read.name,
            description: read.description,
            supported_interfaces: read.supported_interfaces,
            provider: read.provider,
            version: read.version,
            documentation_url: read.documentation_url,
            capabilities: read.capabilities,
            security_schemes: read.security_schemes,
            security_requirements: either(read.security_requirements, read.security),
            default_input_modes: read.default_input_modes,
            default_output_modes: read.default_output_modes,
            skills: read.skills,
            signatures: read.signatures,
            icon_url: read.icon_url,
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SkillWire {
    #[serde(deserialize_with = "wire::or_default")]
    id: String,
    #[serde(deserialize_with = "wire::or_default")]
    name: String,
    #[serde(deserialize_with = "wire::or_default")]
    description: String,
    #[serde(deserialize_with = "wire::or_default")]
    tags: Vec<String>,
    #[serde(deserialize_with = "wire::or_default")]
    examples: Vec<String>,
    #[serde(alias = "input_modes", deserialize_with = "wire::or_default")]
    input_modes: Vec<String>,
    #[serde(alias = "output_modes", deserialize_with = "wire::or_default")]
    output_modes: Vec<String>,
    #[serde(alias = "security_requirements", deserialize_with = "wire::or_default")]
    security_requirements: Vec<SecurityRequirement>,
    // Version 0.3.
    #[serde(deserialize_with = "wire::or_default")]
    security: Vec<SecurityRequirement>,
}

impl<'de> Deserialize<'de> for AgentSkill {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = SkillWire::deserialize(from)?;
        Ok(Self {
            id: read.id,
            name: read.name,
            description: read.description,
            tags: read.tags,
            examples: read.examples,
            input_modes: read.input_modes,
            output_modes: read.output_modes,
            security_requirements: either(read.security_requirements, read.security),
        })
    }
}

/// An empty list and an absent one are the same to a signature, so they are the same here.
fn either<T>(own: Vec<T>, legacy: Vec<T>) -> Vec<T> {
    if own.is_empty() { legacy } else { own }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn card(json: &Value) -> AgentCard {
        AgentCard::deserialize(json).expect("a card")
    }

    fn legacy() -> Value {
        json!({
            "name": "Booking", "description": "Books hotels", "version": "1.0.0",
            "protocolVersion": "0.3.0",
            "url": "https://booking.example/rpc", "preferredTransport": "JSONRPC",
            "additionalInterfaces": [
                {"url": "https://booking.example/rpc", "transport": "JSONRPC"},
                {"url": "https://booking.example/rest", "transport": "HTTP+JSON"},
            ],
            "supportsAuthenticatedExtendedCard": true,
            "capabilities": {"streaming": true, "stateTransitionHistory": false},
            "securitySchemes": {"mtls": {"type": "mutualTLS"}},
            "security": [{"mtls": []}],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "book", "name": "Book", "description": "Books", "tags": ["hotel"],
                "security": [{"mtls": ["role"]}]}],
        })
    }

    #[test]
    fn a_card_of_0_3_says_the_same_as_one_of_1_0() {
        let interface = |url: &str, binding: &str| json!({"url": url, "protocolBinding": binding, "protocolVersion": "0.3.0"});
        let want = json!({
            "name": "Booking", "description": "Books hotels", "version": "1.0.0",
            "supportedInterfaces": [
                interface("https://booking.example/rpc", "JSONRPC"),
                interface("https://booking.example/rest", "HTTP+JSON"),
            ],
            "capabilities": {"streaming": true, "extendedAgentCard": true},
            "securitySchemes": {"mtls": {"mtlsSecurityScheme": {}}},
            "securityRequirements": [{"schemes": {"mtls": {}}}],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
            "skills": [{"id": "book", "name": "Book", "description": "Books", "tags": ["hotel"],
                "securityRequirements": [{"schemes": {"mtls": {"list": ["role"]}}}]}],
        });
        assert_eq!(serde_json::to_value(card(&legacy())).expect("JSON"), want);
    }

    #[test]
    fn the_transport_and_version_of_0_3_have_defaults() {
        let read = card(&json!({"url": "https://a.example"}));
        let [interface] = read.supported_interfaces.as_slice() else {
            panic!("one interface");
        };
        assert_eq!(interface.protocol_binding, "JSONRPC");
        assert_eq!(interface.protocol_version, "0.3");
    }

    #[test]
    fn what_1_0_says_stands_before_what_0_3_said() {
        let mut both = legacy();
        let interfaces = json!([{"url": "https://new.example", "protocolBinding": "GRPC",
            "protocolVersion": "1.0"}]);
        both["supportedInterfaces"] = interfaces.clone();
        both["capabilities"]["extendedAgentCard"] = json!(false);
        let requirements = json!([{"schemes": {"oidc": {}}}]);
        both["securityRequirements"] = requirements.clone();
        both["skills"][0]["securityRequirements"] = requirements.clone();
        let read = serde_json::to_value(card(&both)).expect("JSON");
        assert_eq!(read["supportedInterfaces"], interfaces);
        assert_eq!(read["capabilities"]["extendedAgentCard"], json!(false));
        assert_eq!(read["securityRequirements"], requirements);
        assert_eq!(read["skills"][0]["securityRequirements"], requirements);
    }

    #[test]
    fn the_names_of_the_proto_are_read() {
        let read = card(&json!({
            "supported_interfaces": [{"url": "u", "protocol_binding": "GRPC",
                "protocol_version": "1.0", "tenant": ""}],
            "documentation_url": "d", "icon_url": "i", "signatures": null,
            "capabilities": {"push_notifications": true, "extended_agent_card": true},
            "security_schemes": {"k": {"api_key_security_scheme": {"location": "header", "name": "K"}}},
            "security_requirements": [{"schemes": {"k": {"list": null}}}],
            "default_input_modes": ["a/b"], "default_output_modes": ["c/d"],
            "skills": [{"id": "s", "input_modes": ["e/f"], "output_modes": ["g/h"],
                "security_requirements": [{"schemes": null}]}],
        }));
        assert_eq!(read.supported_interfaces[0].protocol_binding, "GRPC");
        assert_eq!(read.supported_interfaces[0].tenant, None);
        assert_eq!(read.documentation_url.as_deref(), Some("d"));
        assert_eq!(read.icon_url.as_deref(), Some("i"));
        assert_eq!(read.capabilities.push_notifications, Some(true));
        assert_eq!(read.capabilities.extended_agent_card, Some(true));
        assert!(matches!(
            read.security_schemes["k"],
            SecurityScheme::ApiKey(_)
        ));
        assert_eq!(read.security_requirements.len(), 1);
        assert_eq!(
            (
                &*read.default_input_modes[0],
                &*read.default_output_modes[0]
            ),
            ("a/b", "c/d")
        );
        let skill = &read.skills[0];
        assert_eq!(
            (&*skill.input_modes[0], &*skill.output_modes[0]),
            ("e/f", "g/h")
        );
        assert_eq!(
            skill.security_requirements,
            [SecurityRequirement::default()]
        );
    }

    #[test]
    fn a_scheme_that_is_not_understood_does_not_fail_the_card() {
        for scheme in [
            json!({"quantumSecurityScheme": {}}),
            json!({"type": "quantum"}),
            json!({"oauth2SecurityScheme": {"flows": {}}}),
            json!({"oauth2SecurityScheme": {"flows": null}}),
            json!({"oauth2SecurityScheme": {}}),
            json!({"type": "oauth2"}),
            json!({"type": 5}),
            json!({"httpAuthSecurityScheme": {"scheme": 5}}),
            json!("text"),
            json!(null),
        ] {
            let mut json = legacy();
            json["securitySchemes"]["new"] = scheme.clone();
            let read = card(&json);
            assert_eq!(read.security_schemes.len(), 2, "{scheme}");
            assert!(matches!(
                read.security_schemes["mtls"],
                SecurityScheme::MutualTls(_)
            ));
            let usable = match &read.security_schemes["new"] {
                SecurityScheme::Unknown(_) => false,
                SecurityScheme::OAuth2(scheme) => {
                    !matches!(scheme.flows, super::super::OAuthFlows::Unknown(_))
                }
                _ => true,
            };
            assert!(!usable, "{scheme}");
        }
    }
}

//! The Agent Card (A2A §4.4). Its signatures are over its JSON, which is the same on every binding.

use super::generated::v1;
use super::wire::{Wire, Wrong, all, maybe, text, to_all, to_text};
use crate::a2a::{
    AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension, AgentInterface,
    AgentProvider, AgentSkill, SecurityScheme, Struct,
};

impl Wire<v1::AgentCard> for AgentCard {
    fn from_wire(message: v1::AgentCard) -> Result<Self, Wrong> {
        let schemes = message.security_schemes.into_iter().map(|(name, scheme)| {
            let scheme = SecurityScheme::from_wire(scheme)?;
            Ok((name, scheme))
        });
        Ok(Self {
            name: message.name,
            description: message.description,
            supported_interfaces: all("supportedInterfaces", message.supported_interfaces)?,
            provider: maybe("provider", message.provider)?,
            version: message.version,
            documentation_url: message.documentation_url,
            capabilities: maybe("capabilities", message.capabilities)?.unwrap_or_default(),
            security_schemes: schemes
                .collect::<Result<_, Wrong>>()
                .map_err(|wrong| wrong.under("securitySchemes"))?,
            security_requirements: all("securityRequirements", message.security_requirements)?,
            default_input_modes: message.default_input_modes,
            default_output_modes: message.default_output_modes,
            skills: all("skills", message.skills)?,
            signatures: all("signatures", message.signatures)?,
            icon_url: message.icon_url,
        })
    }

    fn to_wire(&self) -> v1::AgentCard {
        let schemes = self.security_schemes.iter();
        v1::AgentCard {
            name: self.name.clone(),
            description: self.description.clone(),
            supported_interfaces: to_all(&self.supported_interfaces),
            provider: self.provider.as_ref().map(Wire::to_wire),
            version: self.version.clone(),
            documentation_url: self.documentation_url.clone(),
            capabilities: Some(self.capabilities.to_wire()),
            security_schemes: schemes
                .map(|(name, scheme)| (name.clone(), scheme.to_wire()))
                .collect(),
            security_requirements: to_all(&self.security_requirements),
            default_input_modes: self.default_input_modes.clone(),
            default_output_modes: self.default_output_modes.clone(),
            skills: to_all(&self.skills),
            signatures: to_all(&self.signatures),
            icon_url: self.icon_url.clone(),
        }
    }
}

impl Wire<v1::AgentInterface> for AgentInterface {
    fn from_wire(message: v1::AgentInterface) -> Result<Self, Wrong> {
        Ok(Self {
            url: message.url,
            protocol_binding: message.protocol_binding,
            tenant: text(message.tenant),
            protocol_version: message.protocol_version,
        })
    }

    fn to_wire(&self) -> v1::AgentInterface {
        v1::AgentInterface {
            url: self.url.clone(),
            protocol_binding: self.protocol_binding.clone(),
            tenant: to_text(&self.tenant),
            protocol_version: self.protocol_version.clone(),
        }
    }
}

impl Wire<v1::AgentProvider> for AgentProvider {
    fn from_wire(message: v1::AgentProvider) -> Result<Self, Wrong> {
        Ok(Self {
            url: message.url,
            organization: message.organization,
        })
    }

    fn to_wire(&self) -> v1::AgentProvider {
        v1::AgentProvider {
            url: self.url.clone(),
            organization: self.organization.clone(),
        }
    }
}

impl Wire<v1::AgentCapabilities> for AgentCapabilities {
    fn from_wire(message: v1::AgentCapabilities) -> Result<Self, Wrong> {
        Ok(Self {
            streaming: message.streaming,
            push_notifications: message.push_notifications,
            extensions: all("extensions", message.extensions)?,
            extended_agent_card: message.extended_agent_card,
        })
    }

    fn to_wire(&self) -> v1::AgentCapabilities {
        v1::AgentCapabilities {
            streaming: self.streaming,
            push_notifications: self.push_notifications,
            extensions: to_all(&self.extensions),
            extended_agent_card: self.extended_agent_card,
        }
    }
}

impl Wire<v1::AgentExtension> for AgentExtension {
    fn from_wire(message: v1::AgentExtension) -> Result<Self, Wrong> {
        Ok(Self {
            uri: message.uri,
            description: text(message.description),
            required: message.required,
            params: maybe("params", message.params)?,
        })
    }

    fn to_wire(&self) -> v1::AgentExtension {
        v1::AgentExtension {
            uri: self.uri.clone(),
            description: to_text(&self.description),
            required: self.required,
            params: self.params.as_ref().map(Struct::to_wire),
        }
    }
}

impl Wire<v1::AgentSkill> for AgentSkill {
    fn from_wire(message: v1::AgentSkill) -> Result<Self, Wrong> {
        Ok(Self {
            id: message.id,
            name: message.name,
            description: message.description,
            tags: message.tags,
            examples: message.examples,
            input_modes: message.input_modes,
            output_modes: message.output_modes,
            security_requirements: all("securityRequirements", message.security_requirements)?,
        })
    }

    fn to_wire(&self) -> v1::AgentSkill {
        v1::AgentSkill {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            tags: self.tags.clone(),
            examples: self.examples.clone(),
            input_modes: self.input_modes.clone(),
            output_modes: self.output_modes.clone(),
            security_requirements: to_all(&self.security_requirements),
        }
    }
}

impl Wire<v1::AgentCardSignature> for AgentCardSignature {
    fn from_wire(message: v1::AgentCardSignature) -> Result<Self, Wrong> {
        Ok(Self {
            protected: message.protected,
            signature: message.signature,
            header: maybe("header", message.header)?,
        })
    }

    fn to_wire(&self) -> v1::AgentCardSignature {
        v1::AgentCardSignature {
            protected: self.protected.clone(),
            signature: self.signature.clone(),
            header: self.header.as_ref().map(Struct::to_wire),
        }
    }
}

//! The card of 0.3: one main address and more beside it, one version for all.
//!
//! Skills, security, extensions and signatures are the same bytes in both versions.

use super::call::unsupported;
use crate::a2a::grpc::generated::{v1, v03};
use crate::a2a::grpc::wire::{Wire, Wrong, all, maybe, text, to_text};
use crate::a2a::{
    A2aError, AgentCapabilities, AgentCard, AgentInterface, BINDING_JSONRPC, OAuth2SecurityScheme,
    OAuthFlows, SecurityScheme, Version,
};

/// `protocol_version` in a card.
const FULL_VERSION: &str = "0.3.0";

/// A message that both versions have with the same fields.
fn same<A: prost::Message, B: prost::Message + Default>(message: &A) -> B {
    // What was just written of texts, numbers and messages can be read.
    B::decode(&message.encode_to_vec()[..]).unwrap_or_default()
}

fn all_same<A: prost::Message, B: prost::Message + Default>(messages: &[A]) -> Vec<B> {
    messages.iter().map(same).collect()
}

pub(super) fn read_card(message: v03::AgentCard) -> Result<AgentCard, Wrong> {
    let schemes = message.security_schemes.iter().map(|(name, scheme)| {
        let scheme = SecurityScheme::from_wire(same::<_, v1::SecurityScheme>(scheme))?;
        Ok((name.clone(), scheme))
    });
    let provider = message.provider.as_ref().map(same::<_, v1::AgentProvider>);
    let capabilities = message.capabilities.unwrap_or_default();
    let extended = message.supports_authenticated_extended_card;
    Ok(AgentCard {
        security_schemes: schemes.collect::<Result<_, Wrong>>()?,
        security_requirements: all(
            "security",
            all_same::<_, v1::SecurityRequirement>(&message.security),
        )?,
        skills: all("skills", all_same::<_, v1::AgentSkill>(&message.skills))?,
        signatures: all(
            "signatures",
            all_same::<_, v1::AgentCardSignature>(&message.signatures),
        )?,
        provider: maybe("provider", provider)?,
        capabilities: AgentCapabilities {
            streaming: Some(capabilities.streaming),
            push_notifications: Some(capabilities.push_notifications),
            extensions: all(
                "capabilities.extensions",
                all_same::<_, v1::AgentExtension>(&capabilities.extensions),
            )?,
            extended_agent_card: Some(extended),
        },
        supported_interfaces: read_interfaces(
            message.url,
            message.preferred_transport,
            message.additional_interfaces,
            &message.protocol_version,
        ),
        name: message.name,
        description: message.description,
        version: message.version,
        documentation_url: text(message.documentation_url),
        default_input_modes: message.default_input_modes,
        default_output_modes: message.default_output_modes,
        icon_url: None,
    })
}

fn read_interfaces(
    url: String,
    transport: String,
    more: Vec<v03::AgentInterface>,
    version: &str,
) -> Vec<AgentInterface> {
    let main = v03::AgentInterface {
        url,
        transport: text(transport).unwrap_or_else(|| BINDING_JSONRPC.to_owned()),
    };
    // The main one may stand among the others too.
    let others = more.into_iter().filter(|other| *other != main);
    let all: Vec<_> = others.collect();
    let read = std::iter::once(main).chain(all);
    read.map(|interface| AgentInterface {
        url: interface.url,
        protocol_binding: interface.transport,
        tenant: None,
        protocol_version: version.to_owned(),
    })
    .collect()
}

/// # Errors
/// `UnsupportedOperation` when no interface speaks 0.3, or the card requires what 0.3 cannot say.
pub(super) fn write_card(card: &AgentCard) -> Result<v03::AgentCard, A2aError> {
    let speaks = |i: &&AgentInterface| {
        Version::read(&i.protocol_version) == Some(Version::V0_3) && i.tenant.is_none()
    };
    let interfaces = card.supported_interfaces.iter().filter(speaks);
    let interfaces: Vec<_> = interfaces
        .map(|interface| v03::AgentInterface {
            url: interface.url.clone(),
            transport: interface.protocol_binding.clone(),
        })
        .collect();
    let main = interfaces.first().cloned();
    let main = main.ok_or_else(|| unsupported("a card without an interface of 0.3"))?;
    let whole: v1::AgentCard = card.to_wire();
    let capabilities = whole.capabilities.unwrap_or_default();
    let mut schemes = whole.security_schemes;
    for (name, scheme) in &card.security_schemes {
        if !is_known(scheme) {
            if is_required(card, name) {
                return Err(unsupported(&format!("the security scheme {name:?}")));
            }
            schemes.remove(name);
        }
    }
    Ok(v03::AgentCard {
        protocol_version: FULL_VERSION.to_owned(),
        name: whole.name,
        description: whole.description,
        url: main.url,
        preferred_transport: main.transport,
        additional_interfaces: interfaces,
        provider: whole.provider.as_ref().map(same),
        version: whole.version,
        documentation_url: to_text(&whole.documentation_url),
        capabilities: Some(v03::AgentCapabilities {
            streaming: capabilities.streaming.unwrap_or_default(),
            push_notifications: capabilities.push_notifications.unwrap_or_default(),
            extensions: all_same(&capabilities.extensions),
        }),
        security_schemes: schemes
            .iter()
            .map(|(name, s)| (name.clone(), same(s)))
            .collect(),
        security: all_same(&whole.security_requirements),
        default_input_modes: whole.default_input_modes,
        default_output_modes: whole.default_output_modes,
        skills: all_same(&whole.skills),
        supports_authenticated_extended_card: capabilities.extended_agent_card.unwrap_or_default(),
        // They are over the other form.
        signatures: Vec::new(),
    })
}

/// Whether 0.3 knows the kind of scheme.
fn is_known(scheme: &SecurityScheme) -> bool {
    !matches!(
        scheme,
        SecurityScheme::Unknown(_)
            | SecurityScheme::OAuth2(OAuth2SecurityScheme {
                flows: OAuthFlows::DeviceCode(_) | OAuthFlows::Unknown(_),
                ..
            })
    )
}

fn is_required(card: &AgentCard, name: &str) -> bool {
    let of_skills = card
        .skills
        .iter()
        .flat_map(|skill| &skill.security_requirements);
    let mut all = card.security_requirements.iter().chain(of_skills);
    all.any(|requirement| requirement.schemes.contains_key(name))
}

//! The card of 0.3 (0.3 §5.5): one main address and more beside it, one version for all of them.

use indexmap::IndexMap;
use serde::Deserialize as _;
use serde_json::Value;

use super::error::unsupported;
use super::form::{Form, Object, Read, fault, put};
use super::security::{put_security, read_scheme, read_security, write_scheme};
use super::version::{is_v03, major_minor};
use crate::a2a::{
    A2aError, AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension, AgentInterface,
    AgentProvider, AgentSkill, BINDING_JSONRPC, FieldViolation, Struct,
};

/// `protocolVersion` in a card.
const FULL_VERSION: &str = "0.3.0";

/// Whether this JSON is a card of 0.3: it has a main address and no list of interfaces.
///
/// A card with both is one of 1.0, whose interfaces count.
pub fn is_v03_card(card: &Value) -> bool {
    let set = |name: &str| card.get(name).is_some_and(|value| !value.is_null());
    let listed = set("supportedInterfaces") || set("supported_interfaces");
    set("url") && !listed
}

/// Reads a card of 0.3. Every address becomes an interface with the card's version of the protocol;
/// the main one comes first.
///
/// ```
/// let card = serde_json::json!({"protocolVersion": "0.3.0", "name": "Jokes", "description": "",
///     "version": "1", "url": "https://jokes.example/a2a", "preferredTransport": "JSONRPC",
///     "capabilities": {}, "defaultInputModes": [], "defaultOutputModes": [], "skills": []});
/// let card = countersign::a2a::v03::card_from_json(card)?;
/// assert_eq!(card.supported_interfaces[0].protocol_version, "0.3");
/// # Ok::<(), countersign::a2a::FieldViolation>(())
/// ```
///
/// # Errors
/// The member that is wrong. Reading proves nothing: see [`crate::card`].
pub fn card_from_json(card: Value) -> Result<AgentCard, FieldViolation> {
    read_card(card)
}

/// The card as 0.3 shows it: its addresses are those interfaces that speak 0.3. Signatures are left
/// out, for they are over the other form.
///
/// # Errors
/// `UnsupportedOperation` when no interface speaks 0.3, or the card requires what 0.3 cannot say.
pub fn card_to_json(card: &AgentCard) -> Result<Value, A2aError> {
    write_card(Form::JsonRpc, card)
}

/// The proto's JSON and that of `types.ts` differ in the security members only, so both are read.
pub(super) fn read_card(card: Value) -> Read<AgentCard> {
    let mut from = Object::from_value(Form::Rest, card)?;
    let from = &mut from;
    let mut capabilities = from.object("capabilities", read_capabilities)?;
    let extended = from.flag("supportsAuthenticatedExtendedCard")?;
    if let Some(extended) = extended {
        capabilities.get_or_insert_default().extended_agent_card = Some(extended);
    }
    Ok(AgentCard {
        name: from.present("name")?,
        description: from.text("description")?.unwrap_or_default(),
        supported_interfaces: read_interfaces(from)?,
        provider: from.object("provider", |provider| {
            Ok(AgentProvider {
                url: provider.text("url")?.unwrap_or_default(),
                organization: provider.text("organization")?.unwrap_or_default(),
            })
        })?,
        version: from.text("version")?.unwrap_or_default(),
        documentation_url: from.text("documentationUrl")?,
        capabilities: capabilities.unwrap_or_default(),
        security_schemes: IndexMap::from_iter(from.entries("securitySchemes", read_scheme)?),
        security_requirements: read_security(from, "security")?,
        default_input_modes: from.texts("defaultInputModes")?,
        default_output_modes: from.texts("defaultOutputModes")?,
        skills: from.objects("skills", read_skill)?,
        signatures: from.objects("signatures", |signature| {
            Ok(AgentCardSignature {
                protected: signature.required("protected")?,
                signature: signature.required("signature")?,
                header: Some(signature.map("header")?).filter(|header| !header.is_empty()),
            })
        })?,
        icon_url: from.text("iconUrl")?,
    })
}

fn read_interfaces(from: &mut Object) -> Read<Vec<AgentInterface>> {
    let version = from.text("protocolVersion")?;
    let version = version.as_deref().unwrap_or(FULL_VERSION);
    let Some(version) = major_minor(version) else {
        return fault("protocolVersion", "is no version of the protocol");
    };
    let interface = |url: String, transport: Option<String>| AgentInterface {
        url,
        // 0.3, `a2a.v1`: without a word about it, it is JSON-RPC.
        protocol_binding: transport.unwrap_or_else(|| BINDING_JSONRPC.to_owned()),
        tenant: None,
        protocol_version: version.clone(),
    };
    let url = from.required("url")?;
    let mut interfaces = vec![interface(url, from.text("preferredTransport")?)];
    let more = from.objects("additionalInterfaces", |other| {
        Ok(interface(
            other.required("url")?,
            Some(other.required("transport")?),
        ))
    })?;
    for other in more {
        // 0.3 §5.6.2: the main one should be listed once more.
        if !interfaces.contains(&other) {
            interfaces.push(other);
        }
    }
    Ok(interfaces)
}

fn read_capabilities(from: &mut Object) -> Read<AgentCapabilities> {
    Ok(AgentCapabilities {
        streaming: from.flag("streaming")?,
        push_notifications: from.flag("pushNotifications")?,
        extensions: from.objects("extensions", |extension| {
            Ok(AgentExtension {
                uri: extension.required("uri")?,
                description: extension.text("description")?,
                required: extension.flag("required")?.unwrap_or_default(),
                params: Some(extension.map("params")?).filter(|params| !params.is_empty()),
            })
        })?,
        extended_agent_card: None,
    })
}

fn read_skill(from: &mut Object) -> Read<AgentSkill> {
    Ok(AgentSkill {
        id: from.required("id")?,
        name: from.text("name")?.unwrap_or_default(),
        description: from.text("description")?.unwrap_or_default(),
        tags: from.texts("tags")?,
        examples: from.texts("examples")?,
        input_modes: from.texts("inputModes")?,
        output_modes: from.texts("outputModes")?,
        security_requirements: read_security(from, "security")?,
    })
}

pub(super) fn write_card(form: Form, card: &AgentCard) -> Result<Value, A2aError> {
    // What does not differ is written by 1.0's own types.
    let written = serde_json::to_value(card).map_err(|_| A2aError::internal())?;
    let Ok(mut out) = Struct::deserialize(written) else {
        return Err(A2aError::internal());
    };
    for name in [
        "supportedInterfaces",
        "securitySchemes",
        "securityRequirements",
        "signatures",
        "skills",
    ] {
        out.remove(name);
    }
    write_interfaces(&mut out, card)?;
    if let Some(Value::Object(capabilities)) = out.get_mut("capabilities") {
        capabilities.remove("extendedAgentCard");
    }
    if let Some(extended) = card.capabilities.extended_agent_card {
        out.insert("supportsAuthenticatedExtendedCard".into(), extended.into());
    }
    let schemes = write_schemes(form, card)?;
    put(&mut out, "securitySchemes", schemes);
    put_security(form, &mut out, &card.security_requirements);
    let skills = card.skills.iter().map(|skill| write_skill(form, skill));
    let skills: Result<Vec<_>, _> = skills.collect();
    out.insert("skills".into(), skills?.into());
    Ok(Value::Object(out))
}

fn write_interfaces(out: &mut Struct, card: &AgentCard) -> Result<(), A2aError> {
    let speaks = |i: &&AgentInterface| is_v03(&i.protocol_version) && i.tenant.is_none();
    let interfaces: Vec<_> = card.supported_interfaces.iter().filter(speaks).collect();
    let Some(main) = interfaces.first() else {
        return Err(unsupported("a card without an interface of 0.3"));
    };
    out.insert("protocolVersion".into(), FULL_VERSION.into());
    out.insert("url".into(), main.url.as_str().into());
    let transport = main.protocol_binding.as_str();
    out.insert("preferredTransport".into(), transport.into());
    // 0.3 §5.6.2: with the main one, for completeness.
    let listed = interfaces.iter().map(|interface| {
        let mut one = Struct::new();
        put(&mut one, "url", interface.url.as_str());
        put(&mut one, "transport", interface.protocol_binding.as_str());
        Value::Object(one)
    });
    put(out, "additionalInterfaces", listed.collect::<Vec<_>>());
    Ok(())
}

/// The schemes that 0.3 knows. One that it does not know may only be left out when nothing
/// requires it: a requirement must not become weaker on the way.
fn write_schemes(form: Form, card: &AgentCard) -> Result<Struct, A2aError> {
    let of_skills = card
        .skills
        .iter()
        .flat_map(|skill| &skill.security_requirements);
    let requirements: Vec<_> = card.security_requirements.iter().chain(of_skills).collect();
    let mut out = Struct::new();
    for (name, scheme) in &card.security_schemes {
        match write_scheme(form, scheme) {
            Some(written) => {
                out.insert(name.clone(), written);
            }
            None if requirements.iter().any(|r| r.schemes.contains_key(name)) => {
                return Err(unsupported(&format!("the security scheme {name:?}")));
            }
            None => {}
        }
    }
    Ok(out)
}

fn write_skill(form: Form, skill: &AgentSkill) -> Result<Value, A2aError> {
    let written = serde_json::to_value(skill).map_err(|_| A2aError::internal())?;
    let Ok(mut out) = Struct::deserialize(written) else {
        return Err(A2aError::internal());
    };
    out.remove("securityRequirements");
    put_security(form, &mut out, &skill.security_requirements);
    Ok(Value::Object(out))
}

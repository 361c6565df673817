//! The card of 0.3, written (0.3 §5.5): one main address and more beside it, one version for all.
//!
//! Reading one is part of reading any card: [`AgentCard`] takes both forms.

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use super::error::unsupported;
use super::form::{Form, put};
use super::security::{put_security, write_scheme};
use crate::a2a::{A2aError, AgentCard, AgentInterface, AgentSkill, Struct, Version};

/// `protocolVersion` in a card.
const FULL_VERSION: &str = "0.3.0";

/// The card as 0.3 shows it: its addresses are those interfaces that speak 0.3. Signatures are left
/// out, for they are over the other form.
///
/// A published card stays one of 1.0: members of 0.3 beside its own would not be fields of 1.0, and
/// strict readers refuse them. This form is for those who ask in 0.3.
///
/// # Errors
/// `UnsupportedOperation` when no interface speaks 0.3, or the card requires what 0.3 cannot say.
pub fn card_to_json(card: &AgentCard) -> Result<Value, A2aError> {
    write_card(Form::JsonRpc, card)
}

pub(super) fn write_card(form: Form, card: &AgentCard) -> Result<Value, A2aError> {
    let mut out = members(card)?;
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
    let speaks = |i: &&AgentInterface| {
        Version::read(&i.protocol_version) == Some(Version::V0_3) && i.tenant.is_none()
    };
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
    let mut out = members(skill)?;
    out.remove("securityRequirements");
    put_security(form, &mut out, &skill.security_requirements);
    Ok(Value::Object(out))
}

/// What does not differ is written by 1.0's own types.
fn members(value: &impl Serialize) -> Result<Struct, A2aError> {
    let written = serde_json::to_value(value).and_then(Struct::deserialize);
    written.map_err(|_| A2aError::internal())
}

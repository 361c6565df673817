//! Security schemes, which 0.3 tells apart by `type` as OpenAPI does (0.3 §5.5.3).

use serde_json::{Value, json};

use super::form::{Form, Object, Read, fault, put};
use crate::a2a::{
    OAuth2SecurityScheme, OAuthFlows, SecurityRequirement, SecurityScheme, StringList, Struct,
};

/// The `type` of each kind in 0.3, and the member that 1.0 (and the proto) has for it.
const KINDS: [(&str, &str); 5] = [
    ("apiKey", "apiKeySecurityScheme"),
    ("http", "httpAuthSecurityScheme"),
    ("oauth2", "oauth2SecurityScheme"),
    ("openIdConnect", "openIdConnectSecurityScheme"),
    ("mutualTLS", "mtlsSecurityScheme"),
];
/// The flows of 0.3, those that an agent can use first.
const FLOWS: [&str; 4] = [
    "clientCredentials",
    "authorizationCode",
    "implicit",
    "password",
];

/// A scheme of either form; one of no known kind is kept as it is and never satisfied.
pub(super) fn read_scheme(value: Value) -> Read<SecurityScheme> {
    let Value::Object(mut members) = value else {
        return fault("", "must be an object");
    };
    let kind = members.get("type").and_then(Value::as_str);
    let known = KINDS.iter().find(|(of_03, _)| Some(*of_03) == kind);
    let Some((_, of_10)) = known else {
        // The proto's JSON is that of 1.0, except for several flows in one scheme.
        if let Some(Value::Object(scheme)) = members.get_mut("oauth2SecurityScheme") {
            one_flow(scheme);
        }
        return typed(members);
    };
    members.remove("type");
    if let Some(location) = members.remove("in") {
        members.insert("location".into(), location);
    }
    one_flow(&mut members);
    typed(Struct::from_iter([(
        (*of_10).to_owned(),
        Value::Object(members),
    )]))
}

fn typed(members: Struct) -> Read<SecurityScheme> {
    let read = serde_json::from_value(Value::Object(members));
    read.or_else(|_| fault("", "is no security scheme"))
}

/// 0.3 lets a scheme have several flows, any of which satisfies it; 1.0 has one.
fn one_flow(scheme: &mut Struct) {
    let Some(Value::Object(flows)) = scheme.get_mut("flows") else {
        return;
    };
    let chosen = FLOWS
        .into_iter()
        .find(|flow| flows.get(*flow).is_some_and(Value::is_object));
    if let Some(chosen) = chosen {
        flows.retain(|flow, _| flow == chosen);
    }
}

/// A scheme as this form has it; none when 0.3 does not know it.
pub(super) fn write_scheme(form: Form, scheme: &SecurityScheme) -> Option<Value> {
    if let SecurityScheme::OAuth2(OAuth2SecurityScheme {
        flows: OAuthFlows::DeviceCode(_) | OAuthFlows::Unknown(_),
        ..
    })
    | SecurityScheme::Unknown(_) = scheme
    {
        return None;
    }
    let Ok(Value::Object(members)) = serde_json::to_value(scheme) else {
        return None;
    };
    let (name, value) = members.into_iter().next()?;
    let (kind, _) = KINDS.iter().find(|(_, of_10)| *of_10 == name)?;
    let Value::Object(mut members) = value else {
        return None;
    };
    if let Some(Value::Object(flow)) = members
        .get_mut("flows")
        .and_then(|flows| flows.get_mut("authorizationCode"))
    {
        flow.remove("pkceRequired");
    }
    if form == Form::Rest {
        return Some(Value::Object(Struct::from_iter([(
            name,
            Value::Object(members),
        )])));
    }
    if let Some(location) = members.remove("location") {
        members.insert("in".into(), location);
    }
    members.insert("type".into(), (*kind).into());
    Some(Value::Object(members))
}

/// `security`: any one of these, each a set of schemes with their scopes.
pub(super) fn read_security(from: &mut Object, name: &str) -> Read<Vec<SecurityRequirement>> {
    from.objects(name, |requirement| {
        // The proto's JSON has what 1.0 has.
        let schemes = if requirement.is_object("schemes") {
            requirement.entries("schemes", |value| {
                Object::from_value(Form::Rest, value)?.texts("list")
            })?
        } else {
            requirement.all_texts()?
        };
        let boxed = schemes
            .into_iter()
            .map(|(name, list)| (name, StringList { list }));
        Ok(SecurityRequirement {
            schemes: boxed.collect(),
        })
    })
}

/// Sets `security` when anything is required.
pub(super) fn put_security(form: Form, out: &mut Struct, requirements: &[SecurityRequirement]) {
    let written = requirements.iter().map(|requirement| {
        let schemes = requirement.schemes.iter().map(|(name, scopes)| {
            let scopes = &scopes.list;
            let value = match form {
                Form::JsonRpc => json!(scopes),
                Form::Rest => json!({ "list": scopes }),
            };
            (name.clone(), value)
        });
        let schemes = Value::Object(schemes.collect());
        match form {
            Form::JsonRpc => schemes,
            Form::Rest => json!({ "schemes": schemes }),
        }
    });
    put(out, "security", written.collect::<Vec<_>>());
}

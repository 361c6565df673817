//! Security schemes, written: 0.3 tells apart by `type` as OpenAPI does (0.3 §5.5.3).

use serde_json::{Value, json};

use super::form::{Form, put};
use crate::a2a::{OAuth2SecurityScheme, OAuthFlows, SecurityRequirement, SecurityScheme, Struct};

/// The `type` of each kind in 0.3, and the member that 1.0 (and the proto) has for it.
const KINDS: [(&str, &str); 5] = [
    ("apiKey", "apiKeySecurityScheme"),
    ("http", "httpAuthSecurityScheme"),
    ("oauth2", "oauth2SecurityScheme"),
    ("openIdConnect", "openIdConnectSecurityScheme"),
    ("mutualTLS", "mtlsSecurityScheme"),
];

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

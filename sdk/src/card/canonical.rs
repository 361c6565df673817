//! The canonical form of a card (A2A §8.4.1): field presence first, then RFC 8785.

use serde_json::Value;

use super::CardError;
use super::schema::{CARD, Field, Kind, Presence, find};
use crate::a2a::Struct;
use crate::jose::canonicalize;

/// The bytes that a signature of this card covers: without `signatures`, without what counts as
/// absent, canonical.
///
/// It is taken from the JSON as received: members that this version of the protocol does not know
/// are covered too.
///
/// ```
/// let card = serde_json::json!({"name": "A", "provider": null, "skills": [], "signatures": []});
/// let form = countersign::card::canonical_form(card)?;
/// assert_eq!(form, br#"{"name":"A","skills":[]}"#);
/// # Ok::<(), countersign::card::CardError>(())
/// ```
///
/// # Errors
/// [`CardError::Shape`] when it is no object, [`CardError::Canonical`] when a number would lose
/// digits.
pub fn canonical_form(mut card: Value) -> Result<Vec<u8>, CardError> {
    let members = card
        .as_object_mut()
        .ok_or_else(|| CardError::Shape("not an object".into()))?;
    // A2A §8.4.1 rule 3: the signatures do not sign themselves.
    members.remove("signatures");
    prune(members, CARD);
    canonicalize(&card).map_err(CardError::Canonical)
}

fn prune(members: &mut Struct, fields: &'static [Field]) {
    members.retain(|name, value| match find(fields, name) {
        // Unknown members are signed as they stand.
        None => true,
        Some(field) if counts_as_absent(value, field) => false,
        Some(field) => {
            prune_value(value, field.kind);
            true
        }
    });
}

fn counts_as_absent(value: &Value, field: &Field) -> bool {
    match field.presence {
        Presence::Required => false,
        // ProtoJSON: null is an absent member.
        Presence::Explicit => value.is_null(),
        Presence::Implicit => value.is_null() || is_default(value, field.kind),
    }
}

/// The default of the field's own type only: anything else under its name is no default.
fn is_default(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Text => value.as_str() == Some(""),
        Kind::Bool => value.as_bool() == Some(false),
        Kind::Texts | Kind::Messages(_) => value.as_array().is_some_and(Vec::is_empty),
        Kind::TextMap | Kind::MessageMap(_) => value.as_object().is_some_and(Struct::is_empty),
        // Messages have presence: an empty one was set.
        Kind::Struct | Kind::Message(_) => false,
    }
}

fn prune_value(value: &mut Value, kind: Kind) {
    match (kind, value) {
        (Kind::Message(fields), Value::Object(members)) => prune(members, fields),
        (Kind::Messages(fields), Value::Array(items)) => {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                prune(item, fields);
            }
        }
        (Kind::MessageMap(fields), Value::Object(entries)) => {
            for entry in entries.values_mut().filter_map(Value::as_object_mut) {
                prune(entry, fields);
            }
        }
        // Struct contents are values, not fields: they have no defaults.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(card: Value) -> String {
        String::from_utf8(canonical_form(card).expect("a canonical form")).expect("UTF-8")
    }

    #[test]
    fn the_specifications_example_gives_its_canonical_form() {
        let card = json!({
            "name": "Example Agent",
            "description": "",
            "capabilities": {"streaming": false, "pushNotifications": false, "extensions": []},
            "skills": [],
        });
        assert_eq!(
            form(card),
            r#"{"capabilities":{"pushNotifications":false,"streaming":false},"description":"","name":"Example Agent","skills":[]}"#
        );
    }

    #[test]
    fn presence_decides_field_by_field() {
        for (name, card, want) in [
            (
                "required stays",
                json!({"supportedInterfaces": []}),
                r#"{"supportedInterfaces":[]}"#,
            ),
            (
                "optional stays when set",
                json!({"iconUrl": ""}),
                r#"{"iconUrl":""}"#,
            ),
            (
                "null is unset",
                json!({"iconUrl": null, "provider": null}),
                "{}",
            ),
            (
                "an empty message was set",
                json!({"provider": {}}),
                r#"{"provider":{}}"#,
            ),
            (
                "defaults go",
                json!({"securitySchemes": {}, "securityRequirements": [], "signatures": [{}]}),
                "{}",
            ),
            (
                "the members of a oneof have presence",
                json!({"securitySchemes": {"m": {"mtlsSecurityScheme": {"description": ""}}}}),
                r#"{"securitySchemes":{"m":{"mtlsSecurityScheme":{}}}}"#,
            ),
            (
                "a requirement without scopes stays",
                json!({"securityRequirements": [{"schemes": {"m": {"list": []}}}, {"schemes": {}}]}),
                r#"{"securityRequirements":[{"schemes":{"m":{}}},{}]}"#,
            ),
            (
                "scopes of current flows are required, of deprecated ones not",
                json!({"securitySchemes": {"o": {"oauth2SecurityScheme": {"flows":
                    {"clientCredentials": {"tokenUrl": "", "refreshUrl": "", "scopes": {}}}}},
                    "p": {"oauth2SecurityScheme": {"flows":
                    {"password": {"tokenUrl": "", "scopes": {}}}}}}}),
                r#"{"securitySchemes":{"o":{"oauth2SecurityScheme":{"flows":{"clientCredentials":{"scopes":{},"tokenUrl":""}}}},"p":{"oauth2SecurityScheme":{"flows":{"password":{}}}}}}"#,
            ),
            (
                "the inside of a Struct is never touched",
                json!({"capabilities": {"extensions": [{"uri": "u", "required": false,
                    "params": {"a": null, "b": "", "c": [], "d": {}, "e": false}}, {"params": {}}]}}),
                r#"{"capabilities":{"extensions":[{"params":{"a":null,"b":"","c":[],"d":{},"e":false},"uri":"u"},{"params":{}}]}}"#,
            ),
            (
                "unknown members are covered as they stand",
                json!({"later": "", "skills": [{"later": []}]}),
                r#"{"later":"","skills":[{"later":[]}]}"#,
            ),
            (
                "a default of another type is none",
                json!({"securitySchemes": [], "securityRequirements": "", "capabilities": {"extensions": false}}),
                r#"{"capabilities":{"extensions":false},"securityRequirements":"","securitySchemes":[]}"#,
            ),
        ] {
            assert_eq!(form(card), want, "{name}");
        }
    }

    #[test]
    fn what_is_no_object_or_loses_digits_has_no_form() {
        let error = canonical_form(json!([])).expect_err("no object");
        assert_eq!(error.reason(), "card.shape");
        let error = canonical_form(json!({"later": 9_007_199_254_740_993_u64}));
        assert_eq!(error.expect_err("loses digits").reason(), "card.canonical");
    }

    #[test]
    fn a_built_card_has_the_form_that_other_sdks_compute() {
        // Found the same by the Python and JavaScript SDKs, both 1.3.0, which drop empty members.
        let card = serde_json::to_value(super::super::testing::card()).expect("JSON");
        assert_eq!(
            form(card),
            r#"{"capabilities":{"extensions":[{"description":"Who this agent is and how calls to it prove their caller","params":{"agent":"spiffe://travel.example/agent/booking","audience":"spiffe://travel.example/agent/booking","issuer":"https://as.example","signatureProfile":"a2a","tokenExchange":"https://as.example/token","trustDomain":"travel.example"},"uri":"urn:countersign:a2a:identity:v1"}],"streaming":false},"defaultInputModes":["text/plain","application/json"],"defaultOutputModes":["text/plain","application/json"],"description":"Books hotels","name":"Booking","provider":{"organization":"Example Travel","url":"https://travel.example"},"securityRequirements":[{"schemes":{"mtls":{"list":["spiffe://travel.example"]},"oauth":{"list":["booking:reserve"]}}},{"schemes":{"mtls":{"list":["spiffe://travel.example"]},"oauth":{"list":["booking:cancel"]}}}],"securitySchemes":{"mtls":{"mtlsSecurityScheme":{"description":"TLS 1.3 with an X.509-SVID; the agent's own is of travel.example"}},"oauth":{"oauth2SecurityScheme":{"description":"Access token bound to the client certificate (RFC 8705)","flows":{"clientCredentials":{"scopes":{"booking:cancel":"Cancel a reservation","booking:reserve":"Reserve a room"},"tokenUrl":"https://as.example/token"}},"oauth2MetadataUrl":"https://as.example/.well-known/oauth-authorization-server"}}},"skills":[{"description":"Reserves a room","id":"reserve","name":"Reserve","securityRequirements":[{"schemes":{"mtls":{"list":["spiffe://travel.example"]},"oauth":{"list":["booking:reserve"]}}}],"tags":["hotel"]}],"supportedInterfaces":[{"protocolBinding":"JSONRPC","protocolVersion":"1.0","url":"https://booking.example/a2a"}],"version":"1.0.0"}"#
        );
    }
}

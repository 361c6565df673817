//! How an agent wants to be approached (A2A §4.5).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Struct;
use super::flow::{OAuthFlows, legacy_flow};
use super::wire::{self, set_members, typed};

/// One way to authenticate.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub enum SecurityScheme {
    /// A key in a header, query or cookie.
    #[serde(rename = "apiKeySecurityScheme")]
    ApiKey(APIKeySecurityScheme),
    /// HTTP authentication.
    #[serde(rename = "httpAuthSecurityScheme")]
    HttpAuth(HTTPAuthSecurityScheme),
    /// OAuth 2.0.
    #[serde(rename = "oauth2SecurityScheme")]
    OAuth2(OAuth2SecurityScheme),
    /// OpenID Connect.
    #[serde(rename = "openIdConnectSecurityScheme")]
    OpenIdConnect(OpenIdConnectSecurityScheme),
    /// Mutual TLS.
    #[serde(rename = "mtlsSecurityScheme")]
    MutualTls(MutualTlsSecurityScheme),
    /// None of these, or malformed: kept as it is, never satisfied.
    #[serde(untagged)]
    Unknown(Struct),
}

impl<'de> Deserialize<'de> for SecurityScheme {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A scheme that is none must not take the card with it.
        let Value::Object(members) = Value::deserialize(from)? else {
            return Ok(Self::Unknown(Struct::new()));
        };
        let mut known = set_members(&members).filter_map(|(name, value)| {
            let read = match name.as_str() {
                "apiKeySecurityScheme" | "api_key_security_scheme" => {
                    typed(value).map(Self::ApiKey)
                }
                "httpAuthSecurityScheme" | "http_auth_security_scheme" => {
                    typed(value).map(Self::HttpAuth)
                }
                "oauth2SecurityScheme" | "oauth2_security_scheme" => typed(value).map(Self::OAuth2),
                "openIdConnectSecurityScheme" | "open_id_connect_security_scheme" => {
                    typed(value).map(Self::OpenIdConnect)
                }
                "mtlsSecurityScheme" | "mtls_security_scheme" => typed(value).map(Self::MutualTls),
                _ => return None,
            };
            Some(read)
        });
        let found = match (known.next(), known.next()) {
            (Some(scheme), None) => scheme,
            (None, _) => legacy_scheme(&members),
            (Some(_), Some(_)) => None,
        };
        drop(known);
        Ok(found.unwrap_or(Self::Unknown(members)))
    }
}

/// A scheme as version 0.3 and OpenAPI write it: one object, told apart by its `type`.
fn legacy_scheme(members: &Struct) -> Option<SecurityScheme> {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let description = text("description").filter(|text| !text.is_empty());
    let whole = Value::Object(members.clone());
    Some(match members.get("type")?.as_str()? {
        "apiKey" => SecurityScheme::ApiKey(APIKeySecurityScheme {
            description,
            location: text("in")?,
            name: text("name")?,
        }),
        "http" => SecurityScheme::HttpAuth(typed(&whole)?),
        "oauth2" => SecurityScheme::OAuth2(OAuth2SecurityScheme {
            description,
            flows: legacy_flow(members.get("flows")?.as_object()?),
            oauth2_metadata_url: text("oauth2MetadataUrl").filter(|text| !text.is_empty()),
        }),
        "openIdConnect" => SecurityScheme::OpenIdConnect(typed(&whole)?),
        "mutualTLS" => SecurityScheme::MutualTls(MutualTlsSecurityScheme { description }),
        _ => return None,
    })
}

/// A key in a header, query or cookie.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct APIKeySecurityScheme {
    /// For people.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// `query`, `header` or `cookie`.
    #[serde(deserialize_with = "wire::or_default")]
    pub location: String,
    /// Name of the header, parameter or cookie.
    #[serde(deserialize_with = "wire::or_default")]
    pub name: String,
}

/// HTTP authentication.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HTTPAuthSecurityScheme {
    /// For people.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// The scheme's registered name.
    #[serde(deserialize_with = "wire::or_default")]
    pub scheme: String,
    /// For people: the form of a bearer token.
    #[serde(
        alias = "bearer_format",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub bearer_format: Option<String>,
}

/// OAuth 2.0.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OAuth2SecurityScheme {
    /// For people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// The flow.
    pub flows: OAuthFlows,
    /// Metadata of the authorization server (RFC 8414).
    #[serde(
        default,
        rename = "oauth2MetadataUrl",
        alias = "oauth2_metadata_url",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub oauth2_metadata_url: Option<String>,
}

/// OpenID Connect.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OpenIdConnectSecurityScheme {
    /// For people.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// Metadata of the provider.
    #[serde(alias = "open_id_connect_url", deserialize_with = "wire::or_default")]
    pub open_id_connect_url: String,
}

/// Mutual TLS.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MutualTlsSecurityScheme {
    /// For people.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_five_kinds_read_back() {
        for json in [
            json!({"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}}),
            json!({"httpAuthSecurityScheme": {"scheme": "Bearer", "bearerFormat": "JWT"}}),
            json!({"oauth2SecurityScheme": {"flows": {"clientCredentials":
                {"tokenUrl": "https://as.example/token", "scopes": {"read": "read"}}},
                "oauth2MetadataUrl": "https://as.example/metadata"}}),
            json!({"openIdConnectSecurityScheme": {"openIdConnectUrl": "https://op.example"}}),
            json!({"mtlsSecurityScheme": {}}),
        ] {
            let mut with_null = json.clone();
            with_null["laterSecurityScheme"] = Value::Null;
            with_null["http_auth_security_scheme"] = Value::Null;
            assert_eq!(
                SecurityScheme::deserialize(with_null).expect("a scheme"),
                SecurityScheme::deserialize(&json).expect("a scheme")
            );
            let scheme = SecurityScheme::deserialize(&json).expect("a scheme");
            assert!(!matches!(scheme, SecurityScheme::Unknown(_)), "{json}");
            assert_eq!(serde_json::to_value(scheme).expect("JSON"), json);
        }
    }

    #[test]
    fn anything_else_is_kept_but_known_as_unknown() {
        for json in [
            json!({}),
            json!({"type": "dpop"}),
            json!({"type": "apiKey", "name": "X-Key"}),
            json!({"type": "oauth2"}),
            json!({"dpopSecurityScheme": {"x": 1}}),
            json!({"oauth2SecurityScheme": {}}),
            json!({"oauth2SecurityScheme": "text"}),
            json!({"mtlsSecurityScheme": []}),
            json!({"mtlsSecurityScheme": {}, "httpAuthSecurityScheme": {"scheme": "Basic"}}),
        ] {
            let scheme = SecurityScheme::deserialize(&json).expect("a scheme");
            assert!(matches!(scheme, SecurityScheme::Unknown(_)), "{json}");
            assert_eq!(serde_json::to_value(scheme).expect("JSON"), json);
        }
    }

    #[test]
    fn the_five_kinds_of_0_3_are_the_same() {
        for (legacy, want) in [
            (
                json!({"type": "apiKey", "in": "header", "name": "X-Key", "description": "d"}),
                json!({"apiKeySecurityScheme": {"location": "header", "name": "X-Key",
                    "description": "d"}}),
            ),
            (
                json!({"type": "http", "scheme": "Bearer", "bearerFormat": "JWT"}),
                json!({"httpAuthSecurityScheme": {"scheme": "Bearer", "bearerFormat": "JWT"}}),
            ),
            (
                json!({"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "a"},
                    "clientCredentials": {"tokenUrl": "t", "scopes": {"read": "read"}}}}),
                json!({"oauth2SecurityScheme": {"flows": {"clientCredentials":
                    {"tokenUrl": "t", "scopes": {"read": "read"}}}}}),
            ),
            (
                json!({"type": "openIdConnect", "openIdConnectUrl": "https://op.example"}),
                json!({"openIdConnectSecurityScheme": {"openIdConnectUrl": "https://op.example"}}),
            ),
            (
                json!({"type": "mutualTLS", "description": ""}),
                json!({"mtlsSecurityScheme": {}}),
            ),
        ] {
            let read = SecurityScheme::deserialize(&legacy).expect("a scheme");
            assert_eq!(serde_json::to_value(read).expect("JSON"), want);
        }
    }
}

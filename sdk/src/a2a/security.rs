//! How an agent wants to be approached: schemes and requirements (A2A §4.5).

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Struct, wire};

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

/// OpenAPI offers several flows, any of which will do: the first that suits an agent is taken.
fn legacy_flow(flows: &Struct) -> OAuthFlows {
    let order = [
        "clientCredentials",
        "authorizationCode",
        "deviceCode",
        "implicit",
        "password",
    ];
    let mut read = order.into_iter().filter_map(|name| {
        let flow = flows.get(name).filter(|flow| !flow.is_null())?;
        let one = Struct::from_iter([(name.to_owned(), flow.clone())]);
        typed(&Value::Object(one)).filter(|flow| !matches!(flow, OAuthFlows::Unknown(_)))
    });
    let found = read.next();
    found.unwrap_or_else(|| OAuthFlows::Unknown(flows.clone()))
}

/// ProtoJSON: a member that is null is not set.
fn set_members(members: &Struct) -> impl Iterator<Item = (&String, &Value)> {
    members.iter().filter(|(_, value)| !value.is_null())
}

fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
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

/// The one flow of an OAuth 2.0 scheme.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OAuthFlows {
    /// Authorization code (RFC 6749 §4.1).
    AuthorizationCode(AuthorizationCodeOAuthFlow),
    /// Client credentials (RFC 6749 §4.4).
    ClientCredentials(ClientCredentialsOAuthFlow),
    /// Device code (RFC 8628).
    DeviceCode(DeviceCodeOAuthFlow),
    /// Deprecated.
    Implicit(ImplicitOAuthFlow),
    /// Deprecated.
    Password(PasswordOAuthFlow),
    /// None of these, or malformed: kept as it is, never satisfied.
    #[serde(untagged)]
    Unknown(Struct),
}

impl<'de> Deserialize<'de> for OAuthFlows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let members = Struct::deserialize(from)?;
        let mut known = set_members(&members).filter_map(|(name, value)| {
            let read = match name.as_str() {
                "authorizationCode" | "authorization_code" => {
                    typed(value).map(Self::AuthorizationCode)
                }
                "clientCredentials" | "client_credentials" => {
                    typed(value).map(Self::ClientCredentials)
                }
                "deviceCode" | "device_code" => typed(value).map(Self::DeviceCode),
                "implicit" => typed(value).map(Self::Implicit),
                "password" => typed(value).map(Self::Password),
                _ => return None,
            };
            Some(read)
        });
        let found = match (known.next(), known.next()) {
            (Some(Some(flow)), None) => Some(flow),
            _ => None,
        };
        drop(known);
        Ok(found.unwrap_or(Self::Unknown(members)))
    }
}

/// Scopes and what each is for.
type ScopeMap = IndexMap<String, String>;

macro_rules! flow {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$fdoc:meta])* $field:ident $(or $alias:literal)?,)*
    } $($pkce:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub struct $name {
            $($(#[$fdoc])* #[serde($(alias = $alias,)? deserialize_with = "wire::or_default")]
            pub $field: String,)*
            /// Where tokens are refreshed.
            #[serde(
                alias = "refresh_url",
                skip_serializing_if = "Option::is_none",
                deserialize_with = "wire::text"
            )]
            pub refresh_url: Option<String>,
            /// Scopes and what each is for.
            #[serde(deserialize_with = "wire::or_default")]
            pub scopes: ScopeMap,
            $(/// Whether PKCE (RFC 7636) is required.
            #[serde(
                alias = "pkce_required",
                skip_serializing_if = "std::ops::Not::not",
                deserialize_with = "wire::or_default"
            )]
            pub $pkce: bool,)?
        }
    };
}

flow! {
    /// Authorization code (RFC 6749 §4.1).
    AuthorizationCodeOAuthFlow {
        /// Where the user authorizes.
        authorization_url or "authorization_url",
        /// Where tokens are issued.
        token_url or "token_url",
    } pkce_required
}
flow! {
    /// Client credentials (RFC 6749 §4.4).
    ClientCredentialsOAuthFlow {
        /// Where tokens are issued.
        token_url or "token_url",
    }
}
flow! {
    /// Device code (RFC 8628).
    DeviceCodeOAuthFlow {
        /// Where the device asks for its code.
        device_authorization_url or "device_authorization_url",
        /// Where tokens are issued.
        token_url or "token_url",
    }
}
flow! {
    /// Implicit flow, deprecated.
    ImplicitOAuthFlow {
        /// Where the user authorizes.
        authorization_url or "authorization_url",
    }
}
flow! {
    /// Password flow, deprecated.
    PasswordOAuthFlow {
        /// Where tokens are issued.
        token_url or "token_url",
    }
}

/// Schemes that must all be met, with what each must grant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SecurityRequirement {
    /// Names in the card's `securitySchemes`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub schemes: IndexMap<String, StringList>,
}

impl<'de> Deserialize<'de> for SecurityRequirement {
    /// Version 0.3 has no `schemes` around the names: there every member is one, and one that is
    /// not understood stays required.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut members: IndexMap<String, Value> = wire::or_default(from)?;
        let schemes = match members.get("schemes") {
            Some(Value::Object(_) | Value::Null) => match members.swap_remove("schemes") {
                Some(schemes) => wire::or_default(schemes).map_err(serde::de::Error::custom)?,
                None => IndexMap::new(),
            },
            _ => members
                .into_iter()
                .map(|(name, list)| (name, typed(&list).unwrap_or_default()))
                .collect(),
        };
        Ok(Self { schemes })
    }
}

/// A list of texts, boxed as the proto demands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StringList {
    /// The texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<String>,
}

impl<'de> Deserialize<'de> for StringList {
    /// Version 0.3 has the bare list.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Bare(Vec<String>),
            Boxed {
                #[serde(default, deserialize_with = "wire::or_default")]
                list: Vec<String>,
            },
        }
        let (Wire::Bare(list) | Wire::Boxed { list }) = Wire::deserialize(from)?;
        Ok(Self { list })
    }
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

    #[test]
    fn a_requirement_is_read_in_both_forms_and_none_is_ever_lost() {
        let want = |schemes: &[(&str, &[&str])]| {
            let listed = schemes.iter().map(|(name, list)| {
                let list = list.iter().map(|&text| text.to_owned()).collect();
                ((*name).to_owned(), StringList { list })
            });
            SecurityRequirement {
                schemes: listed.collect(),
            }
        };
        for (json, schemes) in [
            (json!({}), &[][..]),
            (json!(null), &[]),
            (json!({"schemes": null}), &[]),
            (
                json!({"schemes": {"a": {"list": ["x"]}, "b": {}}}),
                &[("a", &["x"][..]), ("b", &[])],
            ),
            (json!({"schemes": {"a": ["x"]}}), &[("a", &["x"])]),
            (json!({"a": ["x"], "b": []}), &[("a", &["x"]), ("b", &[])]),
            (json!({"schemes": ["x"]}), &[("schemes", &["x"])]),
            // What a later version may add must not make a call free of proofs.
            (json!({"anyOf": 5}), &[("anyOf", &[])]),
        ] {
            let read = SecurityRequirement::deserialize(&json).expect("a requirement");
            assert_eq!(read, want(schemes), "{json}");
        }
        for bad in [
            json!("text"),
            json!({"schemes": {"a": 5}}),
            json!({"schemes": {"a": [5]}}),
        ] {
            assert!(SecurityRequirement::deserialize(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flows_are_one_of_five() {
        for (json, known) in [
            (json!({"authorization_code": {"token_url": "t"}}), true),
            (json!({"deviceCode": {"deviceAuthorizationUrl": "d"}}), true),
            (json!({"implicit": {}}), true),
            (json!({"password": {}}), true),
            (json!({"tokenExchange": {}}), false),
            (json!({"implicit": {}, "password": {}}), false),
        ] {
            let flows = OAuthFlows::deserialize(&json).expect("flows");
            let is_known = !matches!(flows, OAuthFlows::Unknown(_));
            assert_eq!(is_known, known, "{json}");
        }
    }
}

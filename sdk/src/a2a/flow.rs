//! The flow of an OAuth 2.0 scheme (A2A §4.5.7-4.5.10).

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Struct;
use super::wire::{self, set_members, typed};

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

/// OpenAPI offers several flows, any of which will do: the first that suits an agent is taken.
pub(super) fn legacy_flow(flows: &Struct) -> OAuthFlows {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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

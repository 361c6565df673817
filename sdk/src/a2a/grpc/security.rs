//! How an agent wants to be approached (A2A §4.5).
//!
//! A scheme or flow of a kind that the proto does not list cannot be carried by it: it arrives as
//! unknown, and what is unknown is never satisfied.

use std::collections::BTreeMap;

use super::generated::v1;
use super::wire::{Wire, Wrong, text, to_text};
use crate::a2a::{
    APIKeySecurityScheme, AuthorizationCodeOAuthFlow, ClientCredentialsOAuthFlow,
    DeviceCodeOAuthFlow, HTTPAuthSecurityScheme, ImplicitOAuthFlow, MutualTlsSecurityScheme,
    OAuth2SecurityScheme, OAuthFlows, OpenIdConnectSecurityScheme, PasswordOAuthFlow,
    SecurityRequirement, SecurityScheme, StringList, Struct,
};

impl Wire<v1::SecurityRequirement> for SecurityRequirement {
    fn from_wire(message: v1::SecurityRequirement) -> Result<Self, Wrong> {
        let schemes = message.schemes.into_iter();
        Ok(Self {
            schemes: schemes
                .map(|(name, scopes)| (name, StringList { list: scopes.list }))
                .collect(),
        })
    }

    fn to_wire(&self) -> v1::SecurityRequirement {
        let schemes = self.schemes.iter();
        let list = |scopes: &StringList| v1::StringList {
            list: scopes.list.clone(),
        };
        v1::SecurityRequirement {
            schemes: schemes
                .map(|(name, scopes)| (name.clone(), list(scopes)))
                .collect(),
        }
    }
}

impl Wire<v1::SecurityScheme> for SecurityScheme {
    fn from_wire(message: v1::SecurityScheme) -> Result<Self, Wrong> {
        use v1::security_scheme::Scheme;
        Ok(match message.scheme {
            Some(Scheme::ApiKeySecurityScheme(scheme)) => Self::ApiKey(APIKeySecurityScheme {
                description: text(scheme.description),
                location: scheme.location,
                name: scheme.name,
            }),
            Some(Scheme::HttpAuthSecurityScheme(scheme)) => {
                Self::HttpAuth(HTTPAuthSecurityScheme {
                    description: text(scheme.description),
                    scheme: scheme.scheme,
                    bearer_format: text(scheme.bearer_format),
                })
            }
            Some(Scheme::Oauth2SecurityScheme(scheme)) => match scheme.flows {
                Some(flows) => Self::OAuth2(OAuth2SecurityScheme {
                    description: text(scheme.description),
                    flows: OAuthFlows::from_wire(flows)?,
                    oauth2_metadata_url: text(scheme.oauth2_metadata_url),
                }),
                None => Self::Unknown(Struct::new()),
            },
            Some(Scheme::OpenIdConnectSecurityScheme(scheme)) => {
                Self::OpenIdConnect(OpenIdConnectSecurityScheme {
                    description: text(scheme.description),
                    open_id_connect_url: scheme.open_id_connect_url,
                })
            }
            Some(Scheme::MtlsSecurityScheme(scheme)) => Self::MutualTls(MutualTlsSecurityScheme {
                description: text(scheme.description),
            }),
            None => Self::Unknown(Struct::new()),
        })
    }

    fn to_wire(&self) -> v1::SecurityScheme {
        use v1::security_scheme::Scheme;
        let scheme = match self {
            Self::ApiKey(scheme) => Some(Scheme::ApiKeySecurityScheme(v1::ApiKeySecurityScheme {
                description: to_text(&scheme.description),
                location: scheme.location.clone(),
                name: scheme.name.clone(),
            })),
            Self::HttpAuth(scheme) => {
                Some(Scheme::HttpAuthSecurityScheme(v1::HttpAuthSecurityScheme {
                    description: to_text(&scheme.description),
                    scheme: scheme.scheme.clone(),
                    bearer_format: to_text(&scheme.bearer_format),
                }))
            }
            Self::OAuth2(scheme) => Some(Scheme::Oauth2SecurityScheme(v1::OAuth2SecurityScheme {
                description: to_text(&scheme.description),
                flows: Some(scheme.flows.to_wire()),
                oauth2_metadata_url: to_text(&scheme.oauth2_metadata_url),
            })),
            Self::OpenIdConnect(scheme) => Some(Scheme::OpenIdConnectSecurityScheme(
                v1::OpenIdConnectSecurityScheme {
                    description: to_text(&scheme.description),
                    open_id_connect_url: scheme.open_id_connect_url.clone(),
                },
            )),
            Self::MutualTls(scheme) => {
                Some(Scheme::MtlsSecurityScheme(v1::MutualTlsSecurityScheme {
                    description: to_text(&scheme.description),
                }))
            }
            Self::Unknown(_) => None,
        };
        v1::SecurityScheme { scheme }
    }
}

#[expect(deprecated, reason = "cards may still name the deprecated flows")]
impl Wire<v1::OAuthFlows> for OAuthFlows {
    fn from_wire(message: v1::OAuthFlows) -> Result<Self, Wrong> {
        use v1::o_auth_flows::Flow;
        Ok(match message.flow {
            Some(Flow::AuthorizationCode(flow)) => {
                Self::AuthorizationCode(AuthorizationCodeOAuthFlow {
                    authorization_url: flow.authorization_url,
                    token_url: flow.token_url,
                    refresh_url: text(flow.refresh_url),
                    scopes: flow.scopes.into_iter().collect(),
                    pkce_required: flow.pkce_required,
                })
            }
            Some(Flow::ClientCredentials(flow)) => {
                Self::ClientCredentials(ClientCredentialsOAuthFlow {
                    token_url: flow.token_url,
                    refresh_url: text(flow.refresh_url),
                    scopes: flow.scopes.into_iter().collect(),
                })
            }
            Some(Flow::Implicit(flow)) => Self::Implicit(ImplicitOAuthFlow {
                authorization_url: flow.authorization_url,
                refresh_url: text(flow.refresh_url),
                scopes: flow.scopes.into_iter().collect(),
            }),
            Some(Flow::Password(flow)) => Self::Password(PasswordOAuthFlow {
                token_url: flow.token_url,
                refresh_url: text(flow.refresh_url),
                scopes: flow.scopes.into_iter().collect(),
            }),
            Some(Flow::DeviceCode(flow)) => Self::DeviceCode(DeviceCodeOAuthFlow {
                device_authorization_url: flow.device_authorization_url,
                token_url: flow.token_url,
                refresh_url: text(flow.refresh_url),
                scopes: flow.scopes.into_iter().collect(),
            }),
            None => Self::Unknown(Struct::new()),
        })
    }

    fn to_wire(&self) -> v1::OAuthFlows {
        use v1::o_auth_flows::Flow;
        let flow = match self {
            Self::AuthorizationCode(flow) => {
                Some(Flow::AuthorizationCode(v1::AuthorizationCodeOAuthFlow {
                    authorization_url: flow.authorization_url.clone(),
                    token_url: flow.token_url.clone(),
                    refresh_url: to_text(&flow.refresh_url),
                    scopes: to_scopes(&flow.scopes),
                    pkce_required: flow.pkce_required,
                }))
            }
            Self::ClientCredentials(flow) => {
                Some(Flow::ClientCredentials(v1::ClientCredentialsOAuthFlow {
                    token_url: flow.token_url.clone(),
                    refresh_url: to_text(&flow.refresh_url),
                    scopes: to_scopes(&flow.scopes),
                }))
            }
            Self::Implicit(flow) => Some(Flow::Implicit(v1::ImplicitOAuthFlow {
                authorization_url: flow.authorization_url.clone(),
                refresh_url: to_text(&flow.refresh_url),
                scopes: to_scopes(&flow.scopes),
            })),
            Self::Password(flow) => Some(Flow::Password(v1::PasswordOAuthFlow {
                token_url: flow.token_url.clone(),
                refresh_url: to_text(&flow.refresh_url),
                scopes: to_scopes(&flow.scopes),
            })),
            Self::DeviceCode(flow) => Some(Flow::DeviceCode(v1::DeviceCodeOAuthFlow {
                device_authorization_url: flow.device_authorization_url.clone(),
                token_url: flow.token_url.clone(),
                refresh_url: to_text(&flow.refresh_url),
                scopes: to_scopes(&flow.scopes),
            })),
            Self::Unknown(_) => None,
        };
        v1::OAuthFlows { flow }
    }
}

fn to_scopes<'a>(
    scopes: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> BTreeMap<String, String> {
    let pairs = scopes.into_iter();
    pairs
        .map(|(name, meaning)| (name.clone(), meaning.clone()))
        .collect()
}

//! Cards, with every kind of scheme.

use indexmap::IndexMap;

use super::Maker;
use crate::a2a::*;

impl Maker {
    fn scopes(&mut self) -> IndexMap<String, String> {
        let scopes = self.some(0, |m| (m.text(), m.text()));
        scopes.into_iter().collect()
    }

    fn flows(&mut self) -> OAuthFlows {
        let (refresh_url, scopes) = (self.maybe(Self::text), self.scopes());
        match self.below(6) {
            0 => OAuthFlows::AuthorizationCode(AuthorizationCodeOAuthFlow {
                authorization_url: self.text(),
                token_url: self.text(),
                refresh_url,
                scopes,
                pkce_required: self.flag(),
            }),
            1 => OAuthFlows::ClientCredentials(ClientCredentialsOAuthFlow {
                token_url: self.text(),
                refresh_url,
                scopes,
            }),
            2 => OAuthFlows::DeviceCode(DeviceCodeOAuthFlow {
                device_authorization_url: self.text(),
                token_url: self.text(),
                refresh_url,
                scopes,
            }),
            3 => OAuthFlows::Implicit(ImplicitOAuthFlow {
                authorization_url: self.text(),
                refresh_url,
                scopes,
            }),
            4 => OAuthFlows::Password(PasswordOAuthFlow {
                token_url: self.text(),
                refresh_url,
                scopes,
            }),
            _ => OAuthFlows::Unknown(Struct::new()),
        }
    }

    fn scheme(&mut self) -> SecurityScheme {
        let description = self.maybe(Self::text);
        match self.below(6) {
            0 => SecurityScheme::ApiKey(APIKeySecurityScheme {
                description,
                location: "header".into(),
                name: self.text(),
            }),
            1 => SecurityScheme::HttpAuth(HTTPAuthSecurityScheme {
                description,
                scheme: self.text(),
                bearer_format: self.maybe(Self::text),
            }),
            2 => SecurityScheme::OAuth2(OAuth2SecurityScheme {
                description,
                flows: self.flows(),
                oauth2_metadata_url: self.maybe(Self::text),
            }),
            3 => SecurityScheme::OpenIdConnect(OpenIdConnectSecurityScheme {
                description,
                open_id_connect_url: self.text(),
            }),
            4 => SecurityScheme::MutualTls(MutualTlsSecurityScheme { description }),
            _ => SecurityScheme::Unknown(Struct::new()),
        }
    }

    fn requirement(&mut self) -> SecurityRequirement {
        let schemes = self.some(0, |m| (m.text(), StringList { list: m.texts() }));
        SecurityRequirement {
            schemes: schemes.into_iter().collect(),
        }
    }

    pub(super) fn card(&mut self) -> AgentCard {
        AgentCard {
            name: self.text(),
            description: self.pick(["", "about"]).to_owned(),
            supported_interfaces: self.some(0, |m| AgentInterface {
                url: m.text(),
                protocol_binding: m.text(),
                tenant: m.maybe(Self::text),
                protocol_version: m.text(),
            }),
            provider: self.maybe(|m| AgentProvider {
                url: m.text(),
                organization: m.text(),
            }),
            version: self.text(),
            documentation_url: self.maybe(|m| m.pick(["", "https://d"]).to_owned()),
            capabilities: AgentCapabilities {
                streaming: self.maybe(Self::flag),
                push_notifications: self.maybe(Self::flag),
                extensions: self.some(0, |m| AgentExtension {
                    uri: m.text(),
                    description: m.maybe(Self::text),
                    required: m.flag(),
                    params: m.maybe(|m| m.members(2)),
                }),
                extended_agent_card: self.maybe(Self::flag),
            },
            security_schemes: self
                .some(0, |m| (m.text(), m.scheme()))
                .into_iter()
                .collect(),
            security_requirements: self.some(0, Self::requirement),
            default_input_modes: self.texts(),
            default_output_modes: self.texts(),
            skills: self.some(0, |m| AgentSkill {
                id: m.text(),
                name: m.text(),
                description: m.text(),
                tags: m.texts(),
                examples: m.texts(),
                input_modes: m.texts(),
                output_modes: m.texts(),
                security_requirements: m.some(0, Self::requirement),
            }),
            signatures: self.some(0, |m| AgentCardSignature {
                protected: m.text(),
                signature: m.text(),
                header: m.maybe(|m| m.members(2)),
            }),
            icon_url: self.maybe(|m| m.pick(["", "https://i"]).to_owned()),
        }
    }
}

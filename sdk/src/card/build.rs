//! A card made from what the server enforces, so that it cannot promise anything else.

use indexmap::IndexMap;

use super::{CardError, CountersignParams, EXTENSION_URI, lint};
use crate::a2a::{
    AgentCapabilities, AgentCard, AgentExtension, AgentInterface, AgentProvider, AgentSkill,
    BINDING_GRPC, BINDING_JSONRPC, ClientCredentialsOAuthFlow, MutualTlsSecurityScheme,
    OAuth2SecurityScheme, OAuthFlows, SecurityRequirement, SecurityScheme, StringList, VERSION,
};
use crate::id::SpiffeId;

/// What a server's pipeline checks in every call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enforced {
    /// A client certificate.
    pub mtls: bool,
    /// An access token.
    pub oauth: Option<OAuthEnforced>,
    /// A request signature of this profile.
    pub signature_profile: Option<String>,
    /// Who the server is.
    pub agent: SpiffeId,
    /// The audience a token must have.
    pub audience: String,
    /// The scopes that each skill demands, by the skill's ID; a skill that stands here not demands
    /// none.
    pub skills: IndexMap<String, Vec<String>>,
}

/// Which access tokens a server takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OAuthEnforced {
    /// Their issuer.
    pub issuer: String,
    /// Where they are issued and exchanged.
    pub token_url: String,
    /// The issuer's metadata (RFC 8414).
    pub metadata_url: String,
    /// The scopes the server knows, and what each is for.
    pub scopes: IndexMap<String, String>,
}

/// The name of the mutual TLS scheme in a built card.
pub(super) const MTLS: &str = "mtls";
/// The name of the OAuth scheme in a built card.
pub(super) const OAUTH: &str = "oauth";

/// Makes an [`AgentCard`]; see the [module](super) for an example.
#[derive(Clone, Debug)]
pub struct CardBuilder {
    card: AgentCard,
}

impl CardBuilder {
    /// A card with a name and description for people and the agent's own version. Media types are
    /// `text/plain` and `application/json`; it does not stream.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        let modes = vec!["text/plain".to_owned(), "application/json".to_owned()];
        Self {
            card: AgentCard {
                name: name.into(),
                description: description.into(),
                version: version.into(),
                default_input_modes: modes.clone(),
                default_output_modes: modes,
                capabilities: AgentCapabilities {
                    streaming: Some(false),
                    ..AgentCapabilities::default()
                },
                ..AgentCard::default()
            },
        }
    }

    /// Reached at this https URL by JSON-RPC. The first interface is the preferred one.
    #[must_use]
    pub fn interface(self, url: impl Into<String>) -> Self {
        self.interface_with(AgentInterface {
            url: url.into(),
            protocol_binding: BINDING_JSONRPC.into(),
            tenant: None,
            protocol_version: VERSION.into(),
        })
    }

    /// Reached by this interface too.
    #[must_use]
    pub fn interface_with(mut self, interface: AgentInterface) -> Self {
        self.card.supported_interfaces.push(interface);
        self
    }

    /// Can do this.
    #[must_use]
    pub fn skill(mut self, skill: AgentSkill) -> Self {
        self.card.skills.push(skill);
        self
    }

    /// Is this version of itself.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.card.version = version.into();
        self
    }

    /// Is run by this organization.
    #[must_use]
    pub fn provider(mut self, organization: impl Into<String>, url: impl Into<String>) -> Self {
        self.card.provider = Some(AgentProvider {
            url: url.into(),
            organization: organization.into(),
        });
        self
    }

    /// Whether it streams.
    #[must_use]
    pub fn streaming(mut self, streams: bool) -> Self {
        self.card.capabilities.streaming = Some(streams);
        self
    }

    /// Whether it sends push notifications.
    #[must_use]
    pub fn push_notifications(mut self, pushes: bool) -> Self {
        self.card.capabilities.push_notifications = Some(pushes);
        self
    }

    /// Whether it has a larger card for known callers.
    #[must_use]
    pub fn extended_agent_card(mut self, has_one: bool) -> Self {
        self.card.capabilities.extended_agent_card = Some(has_one);
        self
    }

    /// Takes and gives these media types.
    #[must_use]
    pub fn modes<T: Into<String>>(
        mut self,
        input: impl IntoIterator<Item = T>,
        output: impl IntoIterator<Item = T>,
    ) -> Self {
        self.card.default_input_modes = input.into_iter().map(Into::into).collect();
        self.card.default_output_modes = output.into_iter().map(Into::into).collect();
        self
    }

    /// Speaks this extension too.
    #[must_use]
    pub fn extension(mut self, extension: AgentExtension) -> Self {
        self.card.capabilities.extensions.push(extension);
        self
    }

    /// The card, with schemes, requirements and identity extension derived from `enforced`.
    ///
    /// # Errors
    /// [`CardError::Interface`] for an address without TLS, [`CardError::Ambiguous`] naming a field
    /// that is missing or empty and could not be signed.
    pub fn build(self, enforced: &Enforced) -> Result<AgentCard, CardError> {
        secure(self.card, enforced)
    }

    /// The card without any word of security: of an agent that proves nobody.
    #[cfg(feature = "server")]
    pub(crate) fn build_open(self) -> AgentCard {
        self.card
    }
}

/// The same card with schemes, requirements and identity extension derived from `enforced`, whatever
/// it said of them before.
///
/// # Errors
/// As [`CardBuilder::build`].
pub(crate) fn secure(mut card: AgentCard, enforced: &Enforced) -> Result<AgentCard, CardError> {
    for interface in &card.supported_interfaces {
        check_address(interface)?;
    }
    card.security_schemes = schemes(enforced);
    card.security_requirements = requirements(enforced);
    for skill in &mut card.skills {
        let scopes = enforced
            .skills
            .get(&skill.id)
            .filter(|list| !list.is_empty());
        skill.security_requirements = scopes
            .map(|list| vec![requirement(enforced, list.clone())])
            .unwrap_or_default();
    }
    let identity = CountersignParams {
        agent: enforced.agent.clone(),
        trust_domain: enforced.agent.trust_domain(),
        audience: enforced.audience.clone(),
        issuer: enforced.oauth.as_ref().map(|oauth| oauth.issuer.clone()),
        token_exchange: enforced.oauth.as_ref().map(|oauth| oauth.token_url.clone()),
        signature_profile: enforced.signature_profile.clone(),
    };
    let extensions = &mut card.capabilities.extensions;
    extensions.retain(|extension| extension.uri != EXTENSION_URI);
    extensions.push(identity.to_extension());
    let document =
        serde_json::to_value(&card).map_err(|error| CardError::Shape(error.to_string()))?;
    lint::check(&document)?;
    CountersignParams::of(&card)?;
    Ok(card)
}

// A2A §4.4.6: https for the HTTP bindings, host:port (which is TLS too) for gRPC.
fn check_address(interface: &AgentInterface) -> Result<(), CardError> {
    let url = &interface.url;
    let grpc = interface.protocol_binding == BINDING_GRPC && !url.contains("://");
    if grpc || url.starts_with("https://") {
        return Ok(());
    }
    Err(CardError::Interface { url: url.clone() })
}

fn schemes(enforced: &Enforced) -> IndexMap<String, SecurityScheme> {
    let mut schemes = IndexMap::new();
    if enforced.mtls {
        // Never empty: some implementations drop a scheme without members, and with it the demand.
        let domain = enforced.agent.trust_domain_name();
        let description = format!("TLS 1.3 with an X.509-SVID; the agent's own is of {domain}");
        let scheme = MutualTlsSecurityScheme {
            description: Some(description),
        };
        schemes.insert(MTLS.into(), SecurityScheme::MutualTls(scheme));
    }
    if let Some(oauth) = &enforced.oauth {
        let scheme = OAuth2SecurityScheme {
            description: Some("Access token bound to the client certificate (RFC 8705)".into()),
            flows: OAuthFlows::ClientCredentials(ClientCredentialsOAuthFlow {
                token_url: oauth.token_url.clone(),
                refresh_url: None,
                scopes: oauth.scopes.clone(),
            }),
            oauth2_metadata_url: Some(oauth.metadata_url.clone()),
        };
        schemes.insert(OAUTH.into(), SecurityScheme::OAuth2(scheme));
    }
    schemes
}

/// One alternative for each scope, all with the certificate: a caller needs a token with some scope
/// of the agent's, not with all of them. Which scopes a skill needs stands at the skill.
fn requirements(enforced: &Enforced) -> Vec<SecurityRequirement> {
    match &enforced.oauth {
        Some(oauth) if oauth.scopes.is_empty() => vec![requirement(enforced, Vec::new())],
        Some(oauth) => oauth
            .scopes
            .keys()
            .map(|scope| requirement(enforced, vec![scope.clone()]))
            .collect(),
        None if enforced.mtls => vec![requirement(enforced, Vec::new())],
        None => Vec::new(),
    }
}

/// The certificate, and a token with these scopes.
fn requirement(enforced: &Enforced, scopes: Vec<String>) -> SecurityRequirement {
    let mut schemes = IndexMap::new();
    if enforced.mtls {
        // OpenAPI lets the list of a scheme without scopes hold role names. Ours names the trust
        // domain, because an empty list would be dropped by some implementations, unnoticed.
        let domain = format!("spiffe://{}", enforced.agent.trust_domain_name());
        schemes.insert(MTLS.to_owned(), StringList { list: vec![domain] });
    }
    if enforced.oauth.is_some() {
        schemes.insert(OAUTH.to_owned(), StringList { list: scopes });
    }
    SecurityRequirement { schemes }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check_declared;
    use super::super::testing::{builder, card, enforced};
    use super::*;

    #[test]
    fn a_built_card_declares_what_is_enforced() {
        type Change = fn(&mut Enforced);
        for (name, change) in [
            ("everything", (|_| {}) as Change),
            ("no tokens", |e| {
                e.oauth = None;
                e.skills.clear();
            }),
            ("no certificates", |e| e.mtls = false),
            ("no signatures", |e| e.signature_profile = None),
            ("nothing", |e| {
                e.mtls = false;
                e.oauth = None;
                e.skills.clear();
                e.signature_profile = None;
            }),
        ] {
            let mut enforced = enforced();
            change(&mut enforced);
            let card = builder().build(&enforced).expect(name);
            check_declared(&card, &enforced).expect(name);
            let extension = card.extension(EXTENSION_URI).expect(name);
            assert!(!extension.required, "{name}");
            let demanded = &card.skills[0].security_requirements;
            assert_eq!(demanded.is_empty(), enforced.oauth.is_none(), "{name}");
        }
    }

    #[test]
    fn schemes_and_requirements_are_as_the_protocol_writes_them() {
        let json = serde_json::to_value(card()).expect("JSON");
        let with = |scope: &str| {
            json!({"schemes": {"mtls": {"list": ["spiffe://travel.example"]},
                "oauth": {"list": [scope]}}})
        };
        assert_eq!(
            json["securityRequirements"],
            json!([with("booking:reserve"), with("booking:cancel")])
        );
        let flow = &json["securitySchemes"]["oauth"]["oauth2SecurityScheme"]["flows"];
        assert_eq!(
            flow["clientCredentials"]["tokenUrl"],
            "https://as.example/token"
        );
        assert_eq!(
            json["capabilities"]["extensions"][0]["params"],
            json!({
                "agent": "spiffe://travel.example/agent/booking",
                "trustDomain": "travel.example",
                "audience": "spiffe://travel.example/agent/booking",
                "issuer": "https://as.example",
                "tokenExchange": "https://as.example/token",
                "signatureProfile": "a2a",
            })
        );
    }

    #[test]
    fn a_card_that_could_not_be_signed_is_not_built() {
        let skill = || AgentSkill::new("a", "b", "c").tagged(["d"]);
        let bare = || CardBuilder::new("a", "b", "1").interface("https://a.example/");
        let mut no_scopes = enforced();
        if let Some(oauth) = &mut no_scopes.oauth {
            oauth.scopes.clear();
        }
        for (builder, enforced, want) in [
            (bare(), enforced(), "skills"),
            (
                CardBuilder::new("", "b", "1")
                    .interface("https://a/")
                    .skill(skill()),
                enforced(),
                "name",
            ),
            (
                CardBuilder::new("a", "b", "1").skill(skill()),
                enforced(),
                "supportedInterfaces",
            ),
            (
                bare().skill(skill()),
                no_scopes,
                "securityRequirements[0].schemes.oauth",
            ),
        ] {
            match builder.build(&enforced).expect_err(want) {
                CardError::Ambiguous { field, .. } => assert_eq!(field, want),
                other => panic!("{want}: {other}"),
            }
        }
    }

    #[test]
    fn interfaces_are_reached_over_tls() {
        let grpc = |url: &str| AgentInterface {
            url: url.into(),
            protocol_binding: BINDING_GRPC.into(),
            tenant: None,
            protocol_version: VERSION.into(),
        };
        assert!(
            builder()
                .interface_with(grpc("a.example:443"))
                .build(&enforced())
                .is_ok()
        );
        for bad in [
            builder().interface("http://a.example/"),
            builder().interface("a.example"),
            builder().interface_with(grpc("http://a.example:443")),
        ] {
            let error = bad.build(&enforced()).expect_err("no TLS");
            assert_eq!(error.reason(), "card.interface");
        }
    }
}

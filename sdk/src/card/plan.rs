//! What a card asks for, against what the caller holds: an OR of ANDs (A2A §4.5).

use std::fmt;

use super::VerifiedCard;
use crate::a2a::{
    AgentCard, AgentInterface, BINDING_JSONRPC, OAuthFlows, SecurityRequirement, SecurityScheme,
    VERSION,
};
use crate::id::SpiffeId;

/// What a caller can prove itself with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// A workload certificate.
    pub certificate: bool,
    /// Issuers it can get tokens from.
    pub token_issuers: Vec<String>,
    /// Scopes it can ask for.
    pub scopes: Vec<String>,
}

/// How to call the agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    interface: AgentInterface,
    audience: String,
    issuer: Option<String>,
    scopes: Vec<String>,
}

impl Plan {
    /// Where to send requests.
    pub fn interface_url(&self) -> &str {
        &self.interface.url
    }

    /// The protocol binding to use there.
    pub fn binding(&self) -> &str {
        &self.interface.protocol_binding
    }

    /// The tenant to echo in every request.
    pub fn tenant(&self) -> Option<&str> {
        self.interface.tenant.as_deref()
    }

    /// The audience of the token to get.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Whose token to get; none when no token is asked for.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The held scopes that the agent knows, those it requires among them.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

/// Something that is asked for and not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// A client certificate.
    Certificate,
    /// A token of this issuer.
    Issuer(String),
    /// A token of an issuer that the card does not name.
    UnnamedIssuer,
    /// This scope.
    Scope(String),
    /// A second token, of this issuer: one call carries one.
    SecondToken(String),
    /// A flow of OAuth 2.0 that is not supported.
    Flow,
    /// An API key of this name.
    ApiKey(String),
    /// HTTP authentication of this scheme.
    HttpAuth(String),
    /// A scheme of a kind we do not know.
    UnknownScheme,
    /// The card requires a scheme that it does not define.
    UndefinedScheme,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("no client certificate is held"),
            Self::Issuer(issuer) => write!(f, "no token of {issuer:?} can be got"),
            Self::UnnamedIssuer => f.write_str("the card does not name the issuer of its tokens"),
            Self::Scope(scope) => write!(f, "the scope {scope:?} is not held"),
            Self::SecondToken(issuer) => {
                write!(
                    f,
                    "a second token, of {issuer:?}, does not fit into one call"
                )
            }
            Self::Flow => f.write_str("its OAuth flow is not supported"),
            Self::ApiKey(name) => write!(f, "no API key {name:?} is held"),
            Self::HttpAuth(scheme) => write!(f, "no credentials for HTTP {scheme:?} are held"),
            Self::UnknownScheme => f.write_str("its kind of scheme is unknown"),
            Self::UndefinedScheme => f.write_str("the card does not define it"),
        }
    }
}

/// One requirement of the card, and what of it is not held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alternative {
    /// The names of the schemes that must all be met.
    pub schemes: Vec<String>,
    /// What is missing, each with the scheme that asks for it.
    pub missing: Vec<(String, Missing)>,
}

/// No way to call the agent as its card demands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsatisfiable {
    /// Whose card it is.
    pub agent: SpiffeId,
    /// Every alternative the card gives; empty when it is the interfaces that do not fit.
    pub alternatives: Vec<Alternative>,
    /// The interfaces the card gives, as `binding version url`.
    pub interfaces: Vec<String>,
}

impl Unsatisfiable {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        if self.alternatives.is_empty() {
            "card.no_interface"
        } else {
            "card.unsatisfiable"
        }
    }
}

impl fmt::Display for Unsatisfiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alternatives.is_empty() {
            let offered = self.interfaces.join(", ");
            let agent = &self.agent;
            return write!(
                f,
                "{agent} has no {BINDING_JSONRPC} interface of version {VERSION} over https; it \
                 offers [{offered}]"
            );
        }
        write!(f, "{} asks for what is not held:", self.agent)?;
        for (at, alternative) in self.alternatives.iter().enumerate() {
            let separator = if at == 0 { "" } else { ";" };
            let schemes = alternative.schemes.join(" and ");
            write!(f, "{separator} option {} ({schemes}):", at + 1)?;
            for (at, (scheme, missing)) in alternative.missing.iter().enumerate() {
                let separator = if at == 0 { "" } else { "," };
                write!(f, "{separator} {scheme}: {missing}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Unsatisfiable {}

/// Finds the first interface we speak and the first requirement that `held` meets, in the order
/// of the card, which is the order of its preference.
///
/// The scopes of a mutual TLS scheme are names for people (OpenAPI): they are not checked.
///
/// # Errors
/// [`Unsatisfiable`] with every alternative and what is missing for it.
pub fn plan(card: &VerifiedCard, held: &Held) -> Result<Plan, Unsatisfiable> {
    let unsatisfiable = |alternatives| Unsatisfiable {
        agent: card.agent().clone(),
        alternatives,
        interfaces: offered(card.card()),
    };
    let interfaces = card.card().supported_interfaces.iter();
    let interface = interfaces.clone().find(|interface| is_ours(interface));
    let interface = interface.ok_or_else(|| unsatisfiable(Vec::new()))?;
    let audience = match card.extension() {
        Some(params) => params.audience.clone(),
        None => card.agent().to_string(),
    };
    // A2A §4.5: no requirement at all means that nothing is asked for.
    let nothing = [SecurityRequirement::default()];
    let requirements = match &card.card().security_requirements[..] {
        [] => &nothing[..],
        some => some,
    };
    let mut alternatives = Vec::new();
    for requirement in requirements {
        match meet(card, requirement, held) {
            Ok((issuer, scopes)) => {
                return Ok(Plan {
                    interface: interface.clone(),
                    audience,
                    issuer,
                    scopes,
                });
            }
            Err(missing) => alternatives.push(Alternative {
                schemes: requirement.schemes.keys().cloned().collect(),
                missing,
            }),
        }
    }
    Err(unsatisfiable(alternatives))
}

fn is_ours(interface: &AgentInterface) -> bool {
    interface.protocol_binding == BINDING_JSONRPC
        && interface.protocol_version == VERSION
        && interface.url.starts_with("https://")
}

fn offered(card: &AgentCard) -> Vec<String> {
    let interfaces = card.supported_interfaces.iter();
    interfaces
        .map(|i| format!("{} {} {}", i.protocol_binding, i.protocol_version, i.url))
        .collect()
}

/// The issuer and scopes of the token to get.
type Token = (Option<String>, Vec<String>);

fn meet(
    card: &VerifiedCard,
    requirement: &SecurityRequirement,
    held: &Held,
) -> Result<Token, Vec<(String, Missing)>> {
    let mut token: Token = (None, Vec::new());
    let mut missing = Vec::new();
    for (name, wanted) in &requirement.schemes {
        let mut lacks = |what| missing.push((name.clone(), what));
        let (issuer, known) = match card.card().security_schemes.get(name) {
            None => {
                lacks(Missing::UndefinedScheme);
                continue;
            }
            Some(SecurityScheme::MutualTls(_)) => {
                if !held.certificate {
                    lacks(Missing::Certificate);
                }
                continue;
            }
            Some(scheme) => match token_of(card, scheme) {
                Ok(found) => found,
                Err(what) => {
                    lacks(what);
                    continue;
                }
            },
        };
        if !held.token_issuers.contains(&issuer) {
            lacks(Missing::Issuer(issuer.clone()));
        }
        for scope in wanted.list.iter().filter(|s| !held.scopes.contains(s)) {
            lacks(Missing::Scope(scope.clone()));
        }
        match &token.0 {
            Some(other) if *other != issuer => lacks(Missing::SecondToken(issuer)),
            _ => token.0 = Some(issuer),
        }
        for scope in &held.scopes {
            let useful = wanted.list.contains(scope) || known.contains(&scope);
            if useful && !token.1.contains(scope) {
                token.1.push(scope.clone());
            }
        }
    }
    if missing.is_empty() {
        Ok(token)
    } else {
        Err(missing)
    }
}

/// Whose token a scheme takes and which scopes it knows.
fn token_of<'a>(
    card: &VerifiedCard,
    scheme: &'a SecurityScheme,
) -> Result<(String, Vec<&'a String>), Missing> {
    let declared = card.extension();
    match scheme {
        SecurityScheme::OAuth2(oauth) => {
            let (token_url, scopes) = match &oauth.flows {
                OAuthFlows::ClientCredentials(flow) => (&flow.token_url, &flow.scopes),
                OAuthFlows::AuthorizationCode(flow) => (&flow.token_url, &flow.scopes),
                OAuthFlows::DeviceCode(flow) => (&flow.token_url, &flow.scopes),
                OAuthFlows::Implicit(_) | OAuthFlows::Password(_) | OAuthFlows::Unknown(_) => {
                    return Err(Missing::Flow);
                }
            };
            // The extension names the issuer of the place it exchanges tokens at, no other's.
            let ours = declared.filter(|p| p.token_exchange.as_ref() == Some(token_url));
            let named = ours.and_then(|params| params.issuer.clone());
            let url = oauth.oauth2_metadata_url.as_deref().unwrap_or("");
            let described = issuer_of(url, "/.well-known/oauth-authorization-server");
            let issuer = named.or(described).ok_or(Missing::UnnamedIssuer)?;
            Ok((issuer, scopes.keys().collect()))
        }
        SecurityScheme::OpenIdConnect(oidc) => {
            let url = &oidc.open_id_connect_url;
            let issuer = issuer_of(url, "/.well-known/openid-configuration");
            Ok((issuer.ok_or(Missing::UnnamedIssuer)?, Vec::new()))
        }
        SecurityScheme::HttpAuth(http) if http.scheme.eq_ignore_ascii_case("bearer") => {
            let issuer = declared.and_then(|params| params.issuer.clone());
            Ok((issuer.ok_or(Missing::UnnamedIssuer)?, Vec::new()))
        }
        SecurityScheme::HttpAuth(http) => Err(Missing::HttpAuth(http.scheme.clone())),
        SecurityScheme::ApiKey(key) => Err(Missing::ApiKey(key.name.clone())),
        SecurityScheme::MutualTls(_) => Err(Missing::Certificate),
        SecurityScheme::Unknown(_) => Err(Missing::UnknownScheme),
    }
}

/// The issuer whose metadata stands at `url`: RFC 8414 §3.1 puts the issuer's path behind the
/// well-known part, OpenID Connect before it.
fn issuer_of(url: &str, well_known: &str) -> Option<String> {
    let (before, after) = url.split_once(well_known)?;
    (url.starts_with("https://") && before.len() > "https://".len())
        .then(|| format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{BOOKING, World, card};
    use super::*;

    fn held() -> Held {
        Held {
            certificate: true,
            token_issuers: vec!["https://as.example".into()],
            scopes: vec!["booking:cancel".into(), "mail:send".into()],
        }
    }

    fn with(schemes: &Value, requirements: &Value) -> AgentCard {
        let mut card = card();
        card.security_schemes = serde_json::from_value(schemes.clone()).expect("schemes");
        card.security_requirements =
            serde_json::from_value(requirements.clone()).expect("requirements");
        card
    }

    fn all_kinds() -> Value {
        json!({
            "mtls": {"mtlsSecurityScheme": {"description": "x"}},
            "oauth": {"oauth2SecurityScheme": {"flows": {"clientCredentials":
                {"tokenUrl": "https://as.example/token", "scopes": {"booking:cancel": "x"}}}}},
            "foreign": {"oauth2SecurityScheme": {"oauth2MetadataUrl":
                "https://f.example/.well-known/oauth-authorization-server/tenant",
                "flows": {"deviceCode": {"tokenUrl": "https://f.example/t", "scopes": {}}}}},
            "unnamed": {"oauth2SecurityScheme": {"flows": {"authorizationCode":
                {"tokenUrl": "https://else.example/token", "scopes": {}}}}},
            "implicit": {"oauth2SecurityScheme": {"flows": {"implicit": {}}}},
            "oidc": {"openIdConnectSecurityScheme": {"openIdConnectUrl":
                "https://as.example/.well-known/openid-configuration"}},
            "bearer": {"httpAuthSecurityScheme": {"scheme": "Bearer"}},
            "basic": {"httpAuthSecurityScheme": {"scheme": "Basic"}},
            "key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}},
            "new": {"laterSecurityScheme": {}},
        })
    }

    #[test]
    fn a_built_card_is_planned_with_the_scopes_that_are_held() {
        let world = World::new();
        let plan = plan(&world.verified(&card()), &held()).expect("a plan");
        assert_eq!(plan.interface_url(), "https://booking.example/a2a");
        assert_eq!((plan.binding(), plan.tenant()), ("JSONRPC", None));
        assert_eq!(plan.audience(), BOOKING);
        assert_eq!(plan.issuer(), Some("https://as.example"));
        assert_eq!(plan.scopes(), ["booking:cancel"]);
    }

    #[test]
    fn a_requirement_is_an_or_of_ands_over_all_kinds_of_schemes() {
        let world = World::new();
        let one = |name: &str| json!({"schemes": {name: {}}});
        let token = Some("https://as.example");
        for (requirements, want) in [
            (json!([]), Ok(None)),
            (json!([{}]), Ok(None)),
            (json!([one("mtls")]), Ok(None)),
            (json!([one("oauth")]), Ok(token)),
            (json!([one("oidc")]), Ok(token)),
            (json!([one("bearer")]), Ok(token)),
            (
                json!([{"schemes": {"mtls": {}, "oauth": {}, "bearer": {}}}]),
                Ok(token),
            ),
            (json!([one("key"), one("mtls")]), Ok(None)),
            (json!([one("mtls"), one("key")]), Ok(None)),
            (json!([one("key")]), Err(Missing::ApiKey("X-Key".into()))),
            (
                json!([one("basic")]),
                Err(Missing::HttpAuth("Basic".into())),
            ),
            (json!([one("new")]), Err(Missing::UnknownScheme)),
            (json!([one("typo")]), Err(Missing::UndefinedScheme)),
            (json!([one("implicit")]), Err(Missing::Flow)),
            (json!([one("unnamed")]), Err(Missing::UnnamedIssuer)),
            (
                json!([one("foreign")]),
                Err(Missing::Issuer("https://f.example/tenant".into())),
            ),
            (
                json!([{"schemes": {"oauth": {"list": ["booking:cancel", "root"]}}}]),
                Err(Missing::Scope("root".into())),
            ),
            (
                json!([{"schemes": {"mtls": {}, "key": {}}}]),
                Err(Missing::ApiKey("X-Key".into())),
            ),
        ] {
            let card = world.verified(&with(&all_kinds(), &requirements));
            let got = plan(&card, &held());
            let got = got.as_ref().map(Plan::issuer).map_err(|error| {
                assert_eq!(error.alternatives.len(), 1, "{requirements}");
                assert_eq!(error.reason(), "card.unsatisfiable");
                error.alternatives[0].missing[0].1.clone()
            });
            assert_eq!(got, want, "{requirements}");
        }
    }

    #[test]
    fn one_call_carries_one_token() {
        let world = World::new();
        let both = json!([{"schemes": {"oauth": {}, "foreign": {}}}]);
        let card = world.verified(&with(&all_kinds(), &both));
        let mut held = held();
        held.token_issuers.push("https://f.example/tenant".into());
        let error = plan(&card, &held).expect_err("two tokens");
        let want = Missing::SecondToken("https://as.example".into());
        assert_eq!(error.alternatives[0].missing, [("oauth".into(), want)]);
    }

    #[test]
    fn the_error_lists_every_alternative_and_what_is_missing() {
        let world = World::new();
        let requirements = json!([
            {"schemes": {"mtls": {}, "oauth": {"list": ["booking:reserve"]}}},
            {"schemes": {"key": {}}},
        ]);
        let card = world.verified(&with(&all_kinds(), &requirements));
        let error = plan(&card, &Held::default()).expect_err("nothing is held");
        assert_eq!(
            error.to_string(),
            "spiffe://travel.example/agent/booking asks for what is not held: \
             option 1 (mtls and oauth): mtls: no client certificate is held, \
             oauth: no token of \"https://as.example\" can be got, \
             oauth: the scope \"booking:reserve\" is not held; \
             option 2 (key): key: no API key \"X-Key\" is held"
        );
    }

    #[test]
    fn the_first_interface_we_speak_is_taken() {
        let world = World::new();
        let interface = |binding: &str, version: &str, url: &str| AgentInterface {
            url: url.into(),
            protocol_binding: binding.into(),
            tenant: Some("acme".into()),
            protocol_version: version.into(),
        };
        let mut other = card();
        other.supported_interfaces = vec![
            interface("GRPC", "1.0", "a.example:443"),
            interface("JSONRPC", "0.3", "https://b.example"),
            interface("JSONRPC", "1.0", "http://c.example"),
            interface("JSONRPC", "1.0", "https://d.example"),
            interface("JSONRPC", "1.0", "https://e.example"),
        ];
        let found = plan(&world.verified(&other), &held()).expect("a plan");
        assert_eq!(found.interface_url(), "https://d.example");
        assert_eq!(found.tenant(), Some("acme"));
        other.supported_interfaces.truncate(3);
        let error = plan(&world.verified(&other), &held()).expect_err("no interface");
        assert_eq!(error.reason(), "card.no_interface");
        assert!(
            error.to_string().contains("GRPC 1.0 a.example:443"),
            "{error}"
        );
    }

    #[test]
    fn a_card_without_the_extension_is_addressed_by_its_agents_name() {
        let world = World::new();
        let mut plain = card();
        plain.capabilities.extensions.clear();
        let error = plan(&world.verified(&plain), &Held::default()).expect_err("nothing held");
        assert_eq!(error.alternatives.len(), 2);
        // The issuer then comes from the address of its metadata.
        let plan = plan(&world.verified(&plain), &held()).expect("a plan");
        assert_eq!(plan.audience(), BOOKING);
        assert_eq!(plan.issuer(), Some("https://as.example"));
    }
}

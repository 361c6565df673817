//! What a card asks for, against what the caller holds: an OR of ANDs (A2A §4.5).

use super::meet::{Meeting, Met};
use super::{Alternative, Protocol, ProtocolBinding, Unsatisfiable, VerifiedCard};
use crate::a2a::{AgentCard, AgentInterface, AgentSkill, SecurityRequirement, Version};
use crate::httpsig::Origin;

/// Alternatives beyond this many are not looked at: a bound, not a tuning knob.
const MAX_ALTERNATIVES: usize = 32;

/// What a caller can prove itself with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// A workload certificate.
    pub certificate: bool,
    /// Issuers it can get tokens from.
    pub token_issuers: Vec<String>,
    /// The scopes it can ask for; none when it can ask for whatever is demanded.
    pub scopes: Option<Vec<String>>,
    /// The names of schemes whose keys or passwords it has.
    pub credentials: Vec<String>,
}

/// What a caller is after.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// A skill of the card, whose demands come on top of the agent's.
    pub skill: Option<&'a AgentSkill>,
    /// What the caller speaks.
    pub spoken: &'a [Protocol],
    /// Whether the order of `spoken` counts. Otherwise the order of the card does, which is the
    /// agent's preference (A2A §5.4).
    pub own_order: bool,
    /// Where calls may go; none allows any place.
    pub origin: Option<&'a Origin>,
}

impl Default for Wanted<'_> {
    /// Any skill, at any interface of version 1.0.
    fn default() -> Self {
        const SPOKEN: [Protocol; 3] = [
            Protocol::current(ProtocolBinding::JsonRpc),
            Protocol::current(ProtocolBinding::HttpJson),
            Protocol::current(ProtocolBinding::Grpc),
        ];
        Self {
            skill: None,
            spoken: &SPOKEN,
            own_order: false,
            origin: None,
        }
    }
}

/// Where the key or the password of a scheme goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CredentialPlace {
    /// Into this header.
    Header(String),
    /// Into this parameter of the query.
    Query(String),
    /// Into this cookie.
    Cookie(String),
    /// Into `Authorization`, behind this scheme of HTTP authentication.
    Authorization(String),
}

/// How to call the agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    protocol: Protocol,
    url: String,
    tenant: Option<String>,
    audience: String,
    alternative: usize,
    met: Met,
}

impl Plan {
    /// Where to send requests.
    pub fn interface_url(&self) -> &str {
        &self.url
    }

    /// The binding and the version of the protocol to use there.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The tenant to echo in every request.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The audience of the token to get.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Which of the agent's alternatives is met, counted from 0.
    pub fn alternative(&self) -> usize {
        self.alternative
    }

    /// The names of all schemes that are met, those that the skill demands on top among them.
    pub fn schemes(&self) -> &[String] {
        &self.met.schemes
    }

    /// Whose token to get; none when no token is asked for.
    pub fn issuer(&self) -> Option<&str> {
        self.met.issuer.as_deref()
    }

    /// The scopes to ask for: those demanded, or the held ones that the agent knows, those it
    /// demands among them.
    pub fn scopes(&self) -> &[String] {
        &self.met.scopes
    }

    /// The schemes whose key or password goes with the call, and where it goes.
    pub fn credentials(&self) -> &[(String, CredentialPlace)] {
        &self.met.credentials
    }
}

/// Finds the interface to use and the first requirement that `held` meets, in the order of the
/// card, which is the order of its preference. A skill's requirements come on top of the agent's.
///
/// The scopes of a mutual TLS scheme are names for people (OpenAPI): they are not checked.
///
/// # Errors
/// [`Unsatisfiable`] with every alternative and what is missing for it.
pub fn plan(card: &VerifiedCard, held: &Held, wanted: &Wanted<'_>) -> Result<Plan, Unsatisfiable> {
    let unsatisfiable = |alternatives, elsewhere| Unsatisfiable {
        agent: card.agent().clone(),
        alternatives,
        interfaces: offered(card.card()),
        spoken: wanted.spoken.to_vec(),
        elsewhere,
    };
    let chosen = choose(card.card(), wanted);
    let (interface, protocol, url) =
        chosen.map_err(|elsewhere| unsatisfiable(Vec::new(), elsewhere))?;
    let audience = match card.extension() {
        Some(params) => params.audience.clone(),
        None => card.agent().to_string(),
    };
    let found = alternatives(card, held, wanted.skill);
    let (alternative, met) = found.map_err(|missing| unsatisfiable(missing, None))?;
    Ok(Plan {
        protocol,
        url,
        tenant: interface.tenant.clone().filter(|tenant| !tenant.is_empty()),
        audience,
        alternative,
        met,
    })
}

type Chosen<'a> = (&'a AgentInterface, Protocol, String);

/// The interface to use, or the first that would fit at another place.
fn choose<'a>(card: &'a AgentCard, wanted: &Wanted<'_>) -> Result<Chosen<'a>, Option<String>> {
    let interfaces = card.supported_interfaces.iter();
    let fits = interfaces.flat_map(|interface| {
        let spoken = wanted.spoken.iter().enumerate();
        spoken.filter_map(move |(rank, protocol)| {
            let url = protocol.url(interface)?;
            let spoken = protocol.is_spoken_at(interface);
            spoken.then_some((rank, (interface, *protocol, url)))
        })
    });
    let fits: Vec<(usize, Chosen<'_>)> = fits.collect();
    let here = fits
        .iter()
        .filter(|(_, (_, _, url))| is_at(url, wanted.origin));
    // A2A §3.6.3: no silent downgrade, so an older version comes last whatever the card prefers.
    let older = |protocol: &Protocol| protocol.version != Version::V1_0;
    // A sort would keep the card's order too; the first of the least rank is all that is needed.
    let best = here.min_by_key(|(rank, (_, protocol, _))| {
        let rank = if wanted.own_order { *rank } else { 0 };
        (older(protocol), rank)
    });
    match best {
        Some((_, chosen)) => Ok(chosen.clone()),
        None => Err(fits.into_iter().next().map(|(_, (_, _, url))| url)),
    }
}

fn is_at(url: &str, origin: Option<&Origin>) -> bool {
    let Some(origin) = origin else { return true };
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let named = Origin::https(&rest[..end]).normalized();
    named.is_ok() && named.ok() == origin.normalized().ok()
}

fn offered(card: &AgentCard) -> Vec<String> {
    let interfaces = card.supported_interfaces.iter();
    interfaces
        .map(|i| format!("{} {} {}", i.protocol_binding, i.protocol_version, i.url))
        .collect()
}

/// The first of the agent's alternatives, together with the first of the skill's, that are met; or
/// what each lacks.
fn alternatives(
    card: &VerifiedCard,
    held: &Held,
    skill: Option<&AgentSkill>,
) -> Result<(usize, Met), Vec<Alternative>> {
    // A2A §4.5: no requirement at all means that nothing is asked for.
    let nothing = [SecurityRequirement::default()];
    let or_nothing = |listed: &'_ [SecurityRequirement]| match listed {
        [] => nothing.to_vec(),
        some => some[..some.len().min(MAX_ALTERNATIVES)].to_vec(),
    };
    let agents = or_nothing(&card.card().security_requirements);
    let skills = or_nothing(skill.map_or(&[], |skill| &skill.security_requirements));
    let mut lacking: Vec<Alternative> = Vec::new();
    for (at, agents) in agents.iter().enumerate() {
        for skills in &skills {
            let mut meeting = Meeting::new(card, held);
            meeting.add(agents);
            // Of the skill is told only what the agent's own demands leave over.
            let own = meeting.missing().is_empty();
            if own {
                meeting.add(skills);
            }
            let (by, requirement) = match (own, skill) {
                (true, Some(skill)) => (Some(skill.id.clone()), skills),
                _ => (None, agents),
            };
            match meeting.done() {
                Ok(met) => return Ok((at, met)),
                Err(missing) => {
                    let lacks = Alternative {
                        skill: by,
                        schemes: requirement.schemes.keys().cloned().collect(),
                        missing,
                    };
                    if !lacking.contains(&lacks) {
                        lacking.push(lacks);
                    }
                }
            }
        }
    }
    Err(lacking)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{BOOKING, World, card};
    use super::*;
    use crate::card::Missing;

    fn held() -> Held {
        Held {
            certificate: true,
            token_issuers: vec!["https://as.example".into()],
            scopes: Some(vec!["booking:cancel".into(), "mail:send".into()]),
            credentials: Vec::new(),
        }
    }

    fn nothing() -> Held {
        Held {
            scopes: Some(Vec::new()),
            ..Held::default()
        }
    }

    const JSON_RPC: [Protocol; 1] = [Protocol::current(ProtocolBinding::JsonRpc)];

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
        let plan = plan(&world.verified(&card()), &held(), &Wanted::default()).expect("a plan");
        assert_eq!(plan.interface_url(), "https://booking.example/a2a");
        assert_eq!(
            (plan.protocol().to_string().as_str(), plan.tenant()),
            ("JSONRPC 1.0", None)
        );
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
            let got = plan(&card, &held(), &Wanted::default());
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
        let error = plan(&card, &held, &Wanted::default()).expect_err("two tokens");
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
        let error = plan(&card, &nothing(), &Wanted::default()).expect_err("nothing is held");
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
        let found = plan(
            &world.verified(&other),
            &held(),
            &Wanted {
                spoken: &JSON_RPC,
                ..Wanted::default()
            },
        )
        .expect("a plan");
        assert_eq!(found.interface_url(), "https://d.example");
        assert_eq!(found.tenant(), Some("acme"));
        other.supported_interfaces.truncate(3);
        let error = plan(
            &world.verified(&other),
            &held(),
            &Wanted {
                spoken: &JSON_RPC,
                ..Wanted::default()
            },
        )
        .expect_err("no interface");
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
        let error = plan(&world.verified(&plain), &nothing(), &Wanted::default())
            .expect_err("nothing held");
        assert_eq!(error.alternatives.len(), 2);
        // The issuer then comes from the address of its metadata.
        let plan = plan(&world.verified(&plain), &held(), &Wanted::default()).expect("a plan");
        assert_eq!(plan.audience(), BOOKING);
        assert_eq!(plan.issuer(), Some("https://as.example"));
    }

    fn interface(binding: &str, version: &str, url: &str) -> AgentInterface {
        AgentInterface {
            url: url.into(),
            protocol_binding: binding.into(),
            tenant: None,
            protocol_version: version.into(),
        }
    }

    #[test]
    fn the_cards_order_counts_unless_ours_is_asked_for() {
        let world = World::new();
        let mut many = card();
        many.supported_interfaces = vec![
            interface("HTTP+JSON", "1.0", "https://a.example/rest"),
            interface("JSONRPC", "0.3", "https://a.example/old"),
            interface("GRPC", "1.0", "a.example:443"),
            interface("JSONRPC", "1.0.1", "https://a.example/a2a"),
            interface("JSONRPC", "1.0", "https://b.example/a2a"),
        ];
        let many = world.verified(&many);
        let [json, rest, grpc] = [
            ProtocolBinding::JsonRpc,
            ProtocolBinding::HttpJson,
            ProtocolBinding::Grpc,
        ]
        .map(Protocol::current);
        let old = Protocol {
            version: Version::V0_3,
            ..json
        };
        let here = Origin::https("a.example");
        for (spoken, own_order, want) in [
            (vec![json, grpc, rest], false, Ok("https://a.example/rest")),
            (vec![json, grpc, rest], true, Ok("https://a.example/a2a")),
            (vec![json, grpc], false, Ok("https://a.example:443")),
            (vec![json], false, Ok("https://a.example/a2a")),
            // 0.3 only for who speaks it, and only where 1.0 is not to be had.
            (vec![old, json], false, Ok("https://a.example/a2a")),
            (vec![old, json], true, Ok("https://a.example/a2a")),
            (vec![old], false, Ok("https://a.example/old")),
            (vec![], false, Err(None)),
        ] {
            let wanted = Wanted {
                spoken: &spoken,
                own_order,
                origin: Some(&here),
                ..Wanted::default()
            };
            let got = plan(&many, &held(), &wanted);
            let got = got.map(|plan| plan.interface_url().to_owned());
            let want = want.map(str::to_owned);
            assert_eq!(got.map_err(|e| e.elsewhere), want, "{spoken:?}");
        }
        let there = Origin::https("c.example");
        let wanted = Wanted {
            origin: Some(&there),
            ..Wanted::default()
        };
        let error = plan(&many, &held(), &wanted).expect_err("another origin");
        assert_eq!(error.elsewhere.as_deref(), Some("https://a.example/rest"));
    }

    #[test]
    fn keys_and_passwords_go_where_the_card_wants_them_and_never_on_a_proof() {
        let world = World::new();
        let key = |location: &str, name: &str| json!({"s": {"apiKeySecurityScheme": {"location": location, "name": name}}});
        let http = |scheme: &str| json!({"s": {"httpAuthSecurityScheme": {"scheme": scheme}}});
        let place = |name: &str| Missing::ApiKeyPlace(name.into());
        for (schemes, want) in [
            (
                key("header", "X-Key"),
                Ok(CredentialPlace::Header("X-Key".into())),
            ),
            (
                key("query", "key"),
                Ok(CredentialPlace::Query("key".into())),
            ),
            (
                key("cookie", "key"),
                Ok(CredentialPlace::Cookie("key".into())),
            ),
            (
                http("Basic"),
                Ok(CredentialPlace::Authorization("Basic".into())),
            ),
            (
                key("header", "Authorization"),
                Err(place("header Authorization")),
            ),
            (
                key("header", "signature-input"),
                Err(place("header signature-input")),
            ),
            (key("header", "a b"), Err(place("header a b"))),
            (key("cookie", "a=b"), Err(place("cookie a=b"))),
            (key("body", "x"), Err(place("body x"))),
            (http("a b"), Err(Missing::HttpAuth("a b".into()))),
        ] {
            let card = world.verified(&with(&schemes, &json!([{"schemes": {"s": {}}}])));
            let mut held = held();
            held.credentials.push("s".into());
            let got = plan(&card, &held, &Wanted::default());
            let got = got.map(|plan| plan.credentials()[0].1.clone());
            let got = got.map_err(|mut e| e.alternatives.remove(0).missing.remove(0).1);
            assert_eq!(got, want, "{schemes}");
        }
    }

    #[test]
    fn a_call_carries_one_authorization() {
        let world = World::new();
        let mut schemes = all_kinds();
        schemes["password"] = schemes["basic"].clone();
        // In the order of their names.
        for (one, two) in [
            ("basic", "oauth"),
            ("oauth", "password"),
            ("basic", "password"),
        ] {
            let both = json!([{"schemes": {one: {}, two: {}}}]);
            let card = world.verified(&with(&schemes, &both));
            let mut held = held();
            held.credentials = vec!["basic".into(), "password".into()];
            let error = plan(&card, &held, &Wanted::default()).expect_err("two of them");
            let want = Missing::SecondAuthorization;
            assert_eq!(error.alternatives[0].missing, [(two.into(), want)]);
        }
    }

    #[test]
    fn a_skills_demands_come_on_top_of_the_agents() {
        let world = World::new();
        let agents = json!([{"schemes": {"mtls": {}}}, {"schemes": {"mtls": {}, "oauth": {}}}]);
        let mut card = with(&all_kinds(), &agents);
        let of_skill = json!([
            {"schemes": {"key": {}}},
            {"schemes": {"oauth": {"list": ["booking:reserve"]}}},
        ]);
        card.skills[0].security_requirements = serde_json::from_value(of_skill).expect("good");
        let card = world.verified(&card);
        let wanted = Wanted {
            skill: Some(&card.card().skills[0]),
            ..Wanted::default()
        };
        let mut held = held();
        held.scopes = None;
        let found = plan(&card, &held, &wanted).expect("a plan");
        assert_eq!(
            (found.alternative(), found.schemes()),
            (0, &["mtls".into(), "oauth".into()][..])
        );
        assert_eq!(found.scopes(), ["booking:reserve"]);
        held.credentials.push("key".into());
        let found = plan(&card, &held, &wanted).expect("a plan");
        assert_eq!((found.issuer(), found.credentials().len()), (None, 1));

        let error = plan(&card, &nothing(), &wanted).expect_err("nothing is held");
        assert_eq!(error.alternatives.len(), 2, "{error}");
        let certified = Held {
            certificate: true,
            ..nothing()
        };
        let error = plan(&card, &certified, &wanted).expect_err("no token");
        let skills: Vec<_> = error
            .alternatives
            .iter()
            .map(|a| a.skill.as_deref())
            .collect();
        assert_eq!(skills, [Some("reserve"), Some("reserve"), None], "{error}");
    }
}

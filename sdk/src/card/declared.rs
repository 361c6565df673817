//! Declared is enforced, enforced is declared.

use std::collections::BTreeSet;

use super::build::{Enforced, OAuthEnforced};
use super::{CardError, CountersignParams};
use crate::a2a::{AgentCard, AgentSkill, OAuthFlows, SecurityRequirement, SecurityScheme};

/// Checks that the card asks callers for exactly what the server checks. A server whose card fails
/// here must not start.
///
/// # Errors
/// [`CardError::DeclaredNotEnforced`] and [`CardError::EnforcedNotDeclared`] naming the scheme,
/// [`CardError::UndefinedScheme`], [`CardError::Extension`] naming the member that differs.
pub fn check_declared(card: &AgentCard, enforced: &Enforced) -> Result<(), CardError> {
    for (name, scheme) in &card.security_schemes {
        check_scheme(name, scheme, enforced)?;
    }
    let agents = card.security_requirements.iter().enumerate();
    for (at, requirement) in agents {
        let place = format!("securityRequirements[{at}]");
        check_requirement(card, requirement, &place, enforced)?;
        // Every alternative lets callers in, so each must ask for everything that is enforced.
        check_complete(card, requirement, &place, enforced)?;
    }
    if card.security_requirements.is_empty() {
        let nothing = SecurityRequirement::default();
        check_complete(card, &nothing, "the empty securityRequirements", enforced)?;
    }
    // A skill's requirements come on top of the agent's.
    for (at, skill) in card.skills.iter().enumerate() {
        for requirement in &skill.security_requirements {
            let place = format!("skills[{at}].securityRequirements");
            check_requirement(card, requirement, &place, enforced)?;
        }
        check_skill(card, skill, enforced)?;
    }
    check_extension(card, enforced)
}

/// The scopes of each of a skill's alternatives are those that the server demands for it.
fn check_skill(card: &AgentCard, skill: &AgentSkill, enforced: &Enforced) -> Result<(), CardError> {
    let demanded = enforced.skills.get(&skill.id);
    let demanded: BTreeSet<&String> = demanded.into_iter().flatten().collect();
    let nothing = [SecurityRequirement::default()];
    let alternatives = match &skill.security_requirements[..] {
        [] => &nothing[..],
        some => some,
    };
    for alternative in alternatives {
        let of_tokens = alternative.schemes.iter().filter(|(name, _)| {
            let scheme = card.security_schemes.get(*name);
            !matches!(scheme, Some(SecurityScheme::MutualTls(_)))
        });
        let declared: BTreeSet<&String> = of_tokens.flat_map(|(_, scopes)| &scopes.list).collect();
        let scheme = || format!("skill {:?}", skill.id);
        if let Some(scope) = demanded.difference(&declared).next() {
            return Err(CardError::EnforcedNotDeclared {
                scheme: scheme(),
                place: format!("the scope {scope:?} in its securityRequirements"),
            });
        }
        if let Some(scope) = declared.difference(&demanded).next() {
            return Err(CardError::DeclaredNotEnforced {
                scheme: scheme(),
                detail: format!("the scope {scope:?}"),
            });
        }
    }
    Ok(())
}

fn check_scheme(name: &str, scheme: &SecurityScheme, enforced: &Enforced) -> Result<(), CardError> {
    let not_enforced = |detail: &str| {
        Err(CardError::DeclaredNotEnforced {
            scheme: name.to_owned(),
            detail: detail.to_owned(),
        })
    };
    match (scheme, &enforced.oauth) {
        (SecurityScheme::MutualTls(_), _) if enforced.mtls => Ok(()),
        (SecurityScheme::MutualTls(_), _) => not_enforced("mutual TLS"),
        (SecurityScheme::OAuth2(scheme), Some(oauth)) => {
            let token_url = match &scheme.flows {
                OAuthFlows::ClientCredentials(flow) => &flow.token_url,
                OAuthFlows::AuthorizationCode(flow) => &flow.token_url,
                OAuthFlows::DeviceCode(flow) => &flow.token_url,
                OAuthFlows::Implicit(_) | OAuthFlows::Password(_) | OAuthFlows::Unknown(_) => {
                    return not_enforced("a flow of OAuth 2.0 that is not supported");
                }
            };
            if *token_url != oauth.token_url {
                return not_enforced(&format!("tokens of {token_url}"));
            }
            match &scheme.oauth2_metadata_url {
                Some(url) if *url != oauth.metadata_url => {
                    not_enforced(&format!("the issuer described at {url}"))
                }
                _ => Ok(()),
            }
        }
        (SecurityScheme::OAuth2(_), None) => not_enforced("OAuth 2.0"),
        (SecurityScheme::HttpAuth(http), Some(_)) if is_bearer(&http.scheme) => Ok(()),
        (SecurityScheme::HttpAuth(http), _) => {
            not_enforced(&format!("HTTP authentication {:?}", http.scheme))
        }
        (SecurityScheme::ApiKey(_), _) => not_enforced("an API key"),
        (SecurityScheme::OpenIdConnect(_), _) => not_enforced("OpenID Connect"),
        (SecurityScheme::Unknown(_), _) => not_enforced("a scheme of an unknown kind"),
    }
}

fn is_bearer(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("bearer")
}

/// Names and scopes that a requirement may mention.
fn check_requirement(
    card: &AgentCard,
    requirement: &SecurityRequirement,
    place: &str,
    enforced: &Enforced,
) -> Result<(), CardError> {
    for (name, scopes) in &requirement.schemes {
        let scheme = card.security_schemes.get(name);
        let scheme = scheme.ok_or_else(|| CardError::UndefinedScheme {
            place: place.to_owned(),
            scheme: name.clone(),
        })?;
        let known = |oauth: &OAuthEnforced, scope: &String| oauth.scopes.contains_key(scope);
        let is_token = matches!(
            scheme,
            SecurityScheme::OAuth2(_) | SecurityScheme::HttpAuth(_)
        );
        if let (true, Some(oauth)) = (is_token, &enforced.oauth)
            && let Some(scope) = scopes.list.iter().find(|scope| !known(oauth, scope))
        {
            return Err(CardError::DeclaredNotEnforced {
                scheme: name.clone(),
                detail: format!("the scope {scope:?}"),
            });
        }
    }
    Ok(())
}

fn check_complete(
    card: &AgentCard,
    requirement: &SecurityRequirement,
    place: &str,
    enforced: &Enforced,
) -> Result<(), CardError> {
    let asks = |fits: fn(&SecurityScheme) -> bool| {
        let named = requirement.schemes.keys();
        let mut schemes = named.filter_map(|name| card.security_schemes.get(name));
        schemes.any(fits)
    };
    let missing = |scheme: &str| {
        Err(CardError::EnforcedNotDeclared {
            scheme: String::from(scheme),
            place: place.to_owned(),
        })
    };
    if enforced.mtls && !asks(|scheme| matches!(scheme, SecurityScheme::MutualTls(_))) {
        return missing("mutual TLS");
    }
    let takes_token = |scheme: &SecurityScheme| match scheme {
        SecurityScheme::OAuth2(_) => true,
        SecurityScheme::HttpAuth(http) => is_bearer(&http.scheme),
        _ => false,
    };
    if enforced.oauth.is_some() && !asks(takes_token) {
        return missing("OAuth 2.0");
    }
    Ok(())
}

fn check_extension(card: &AgentCard, enforced: &Enforced) -> Result<(), CardError> {
    let Some(params) = CountersignParams::of(card)? else {
        return match enforced.signature_profile {
            Some(_) => Err(CardError::EnforcedNotDeclared {
                scheme: "a request signature".into(),
                place: "the card".into(),
            }),
            None => Ok(()),
        };
    };
    let oauth = enforced.oauth.as_ref();
    let none = "none";
    for (member, declared, expected) in [
        ("agent", params.agent.as_str(), enforced.agent.as_str()),
        ("audience", &params.audience, &enforced.audience),
        (
            "issuer",
            params.issuer.as_deref().unwrap_or(none),
            oauth.map_or(none, |oauth| &oauth.issuer),
        ),
        (
            "tokenExchange",
            params.token_exchange.as_deref().unwrap_or(none),
            oauth.map_or(none, |oauth| &oauth.token_url),
        ),
        (
            "signatureProfile",
            params.signature_profile.as_deref().unwrap_or(none),
            enforced.signature_profile.as_deref().unwrap_or(none),
        ),
    ] {
        super::extension::expect(member, declared, expected)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{card, enforced};
    use super::*;

    fn scheme(json: serde_json::Value) -> SecurityScheme {
        serde_json::from_value(json).expect("a scheme")
    }

    #[test]
    fn every_difference_between_card_and_server_is_refused() {
        type Change = fn(&mut AgentCard, &mut Enforced);
        let cases: &[(&str, Change, &str, &str)] = &[
            (
                "certificates not checked",
                |_, e| e.mtls = false,
                "card.declared_not_enforced",
                "mtls",
            ),
            (
                "tokens not checked",
                |_, e| e.oauth = None,
                "card.declared_not_enforced",
                "oauth",
            ),
            (
                "tokens of another place",
                |_, e| {
                    let oauth = e.oauth.as_mut().expect("oauth");
                    oauth.token_url = "https://else.example/token".into();
                },
                "card.declared_not_enforced",
                "tokens of https://as.example/token",
            ),
            (
                "a scope the server does not know",
                |c, _| {
                    let list = &mut c.security_requirements[0].schemes["oauth"].list;
                    list.push("root".into());
                },
                "card.declared_not_enforced",
                "root",
            ),
            (
                "an API key",
                |c, _| {
                    let key = json!({"apiKeySecurityScheme": {"location": "header", "name": "K"}});
                    c.security_schemes.insert("key".into(), scheme(key));
                },
                "card.declared_not_enforced",
                "key",
            ),
            (
                "an unknown kind of scheme",
                |c, _| {
                    c.security_schemes.insert("new".into(), scheme(json!({})));
                },
                "card.declared_not_enforced",
                "new",
            ),
            (
                "basic authentication",
                |c, _| {
                    let http = json!({"httpAuthSecurityScheme": {"scheme": "Basic"}});
                    c.security_schemes.insert("http".into(), scheme(http));
                },
                "card.declared_not_enforced",
                "Basic",
            ),
            (
                "an alternative without a certificate",
                |c, _| {
                    c.security_requirements[1].schemes.shift_remove("mtls");
                },
                "card.enforced_not_declared",
                "securityRequirements[1]",
            ),
            (
                "an alternative without a token",
                |c, _| {
                    c.security_requirements[0].schemes.shift_remove("oauth");
                },
                "card.enforced_not_declared",
                "OAuth",
            ),
            (
                "an alternative for anybody",
                |c, _| c.security_requirements.push(SecurityRequirement::default()),
                "card.enforced_not_declared",
                "securityRequirements[2]",
            ),
            (
                "no requirements",
                |c, _| c.security_requirements.clear(),
                "card.enforced_not_declared",
                "mutual TLS",
            ),
            (
                "a scheme that is not defined",
                |c, _| {
                    c.security_schemes.shift_remove("mtls");
                },
                "card.undefined_scheme",
                "mtls",
            ),
            (
                "a skill's scheme that is not defined",
                |c, _| {
                    let json = json!({"schemes": {"x": {"list": ["y"]}}});
                    let requirement = serde_json::from_value(json).expect("a requirement");
                    c.skills[0].security_requirements.push(requirement);
                },
                "card.undefined_scheme",
                "skills[0]",
            ),
            (
                "signatures not told of",
                |c, _| c.capabilities.extensions.clear(),
                "card.enforced_not_declared",
                "a request signature",
            ),
            (
                "signatures not checked",
                |_, e| e.signature_profile = None,
                "card.extension",
                "signatureProfile",
            ),
            (
                "another audience",
                |_, e| e.audience = "https://a.example".into(),
                "card.extension",
                "audience",
            ),
            (
                "another issuer",
                |_, e| e.oauth.as_mut().expect("oauth").issuer = "https://else.example".into(),
                "card.extension",
                "issuer",
            ),
            (
                "another agent",
                |_, e| e.agent = "spiffe://travel.example/x".parse().expect("an ID"),
                "card.extension",
                "agent",
            ),
        ];
        assert!(check_declared(&card(), &enforced()).is_ok());
        for (name, change, reason, text) in cases {
            let (mut card, mut enforced) = (card(), enforced());
            change(&mut card, &mut enforced);
            let error = check_declared(&card, &enforced).expect_err(name);
            assert_eq!(error.reason(), *reason, "{name}");
            assert!(error.to_string().contains(text), "{name}: {error}");
        }
    }

    #[test]
    fn a_bearer_scheme_stands_for_the_token_too() {
        let mut card = card();
        let http = json!({"httpAuthSecurityScheme": {"scheme": "bearer"}});
        card.security_schemes.insert("oauth".into(), scheme(http));
        assert!(check_declared(&card, &enforced()).is_ok());
    }
}

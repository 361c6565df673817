//! One alternative of a card, met or not.

use super::plan::CredentialPlace;
use super::{Held, Missing, VerifiedCard};
use crate::a2a::{
    APIKeySecurityScheme, HTTPAuthSecurityScheme, OAuthFlows, SecurityRequirement, SecurityScheme,
};

/// What a met alternative comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Met {
    pub(super) schemes: Vec<String>,
    pub(super) issuer: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) credentials: Vec<(String, CredentialPlace)>,
}

/// Requirements that must all be met, on the way to being so.
pub(super) struct Meeting<'a> {
    card: &'a VerifiedCard,
    held: &'a Held,
    met: Met,
    missing: Vec<(String, Missing)>,
}

impl<'a> Meeting<'a> {
    pub(super) fn new(card: &'a VerifiedCard, held: &'a Held) -> Self {
        Self {
            card,
            held,
            met: Met::default(),
            missing: Vec::new(),
        }
    }

    pub(super) fn missing(&self) -> &[(String, Missing)] {
        &self.missing
    }

    pub(super) fn done(self) -> Result<Met, Vec<(String, Missing)>> {
        if self.missing.is_empty() {
            Ok(self.met)
        } else {
            Err(self.missing)
        }
    }

    /// Every scheme that `requirement` names.
    pub(super) fn add(&mut self, requirement: &SecurityRequirement) {
        for (name, wanted) in &requirement.schemes {
            if !self.met.schemes.contains(name) {
                self.met.schemes.push(name.clone());
            }
            if let Err(missing) = self.scheme(name, &wanted.list) {
                self.missing.push((name.clone(), missing));
            }
        }
    }

    fn scheme(&mut self, name: &str, wanted: &[String]) -> Result<(), Missing> {
        let card = self.card;
        let scheme = card.card().security_schemes.get(name);
        match scheme.ok_or(Missing::UndefinedScheme)? {
            SecurityScheme::MutualTls(_) if self.held.certificate => Ok(()),
            SecurityScheme::MutualTls(_) => Err(Missing::Certificate),
            SecurityScheme::ApiKey(key) => self.api_key(name, key),
            SecurityScheme::HttpAuth(http) if !self.is_our_bearer(http) => {
                self.http_auth(name, http)
            }
            scheme => {
                let (issuer, known) = token_of(card, scheme)?;
                self.token(name, issuer, wanted, &known)
            }
        }
    }

    /// Whether a token of the issuer that the card names is what is asked for.
    fn is_our_bearer(&self, http: &HTTPAuthSecurityScheme) -> bool {
        let named = self.card.extension().and_then(|p| p.issuer.as_ref());
        http.scheme.eq_ignore_ascii_case("bearer") && named.is_some()
    }

    fn api_key(&mut self, name: &str, key: &APIKeySecurityScheme) -> Result<(), Missing> {
        if !self.has_credential(name) {
            return Err(Missing::ApiKey(key.name.clone()));
        }
        let place = match key.location.as_str() {
            "header" if is_free(&key.name) => CredentialPlace::Header(key.name.clone()),
            "query" if !key.name.is_empty() => CredentialPlace::Query(key.name.clone()),
            "cookie" if is_token(&key.name) => CredentialPlace::Cookie(key.name.clone()),
            _ => {
                let place = format!("{} {}", key.location, key.name);
                return Err(Missing::ApiKeyPlace(place));
            }
        };
        self.carry(name, place);
        Ok(())
    }

    fn http_auth(&mut self, name: &str, http: &HTTPAuthSecurityScheme) -> Result<(), Missing> {
        if !self.has_credential(name) || !is_token(&http.scheme) {
            return Err(Missing::HttpAuth(http.scheme.clone()));
        }
        let is_authorization =
            |place: &CredentialPlace| matches!(place, CredentialPlace::Authorization(_));
        let mut others = self.met.credentials.iter();
        let taken = others.any(|(other, place)| other != name && is_authorization(place));
        if taken || self.met.issuer.is_some() {
            return Err(Missing::SecondAuthorization);
        }
        self.carry(name, CredentialPlace::Authorization(http.scheme.clone()));
        Ok(())
    }

    fn token(
        &mut self,
        name: &str,
        issuer: String,
        wanted: &[String],
        known: &[&String],
    ) -> Result<(), Missing> {
        if !self.held.token_issuers.contains(&issuer) {
            self.missing
                .push((name.to_owned(), Missing::Issuer(issuer.clone())));
        }
        match &self.held.scopes {
            None => {
                for scope in wanted {
                    self.ask_for(scope);
                }
            }
            Some(scopes) => {
                for scope in wanted.iter().filter(|scope| !scopes.contains(scope)) {
                    let missing = Missing::Scope(scope.clone());
                    self.missing.push((name.to_owned(), missing));
                }
                for scope in scopes {
                    if wanted.contains(scope) || known.contains(&scope) {
                        self.ask_for(scope);
                    }
                }
            }
        }
        let mut others = self.met.credentials.iter();
        if others.any(|(_, place)| matches!(place, CredentialPlace::Authorization(_))) {
            return Err(Missing::SecondAuthorization);
        }
        match &self.met.issuer {
            Some(other) if *other != issuer => return Err(Missing::SecondToken(issuer)),
            _ => self.met.issuer = Some(issuer),
        }
        Ok(())
    }

    fn ask_for(&mut self, scope: &String) {
        if !self.met.scopes.contains(scope) {
            self.met.scopes.push(scope.clone());
        }
    }

    fn has_credential(&self, name: &str) -> bool {
        self.held.credentials.iter().any(|held| held == name)
    }

    fn carry(&mut self, name: &str, place: CredentialPlace) {
        let carried = (name.to_owned(), place);
        if !self.met.credentials.contains(&carried) {
            self.met.credentials.push(carried);
        }
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(fits)
}

/// Whether a card may have a header of this name filled: not one that proves the caller, frames
/// the message or belongs to the protocol.
pub(crate) fn is_free(header: &str) -> bool {
    const TAKEN: [&str; 24] = [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-digest",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "dpop",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "signature",
        "signature-agent",
        "signature-input",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "a2a-version",
        "a2a-extensions",
    ];
    let lower = header.to_ascii_lowercase();
    is_token(header)
        && !TAKEN.contains(&lower.as_str())
        && !lower.starts_with("grpc-")
        && !lower.starts_with("x-a2a-")
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
        SecurityScheme::HttpAuth(_) => {
            let issuer = declared.and_then(|params| params.issuer.clone());
            Ok((issuer.ok_or(Missing::UnnamedIssuer)?, Vec::new()))
        }
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

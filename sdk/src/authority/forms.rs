//! What the token and login endpoints are asked, read into types that cannot be wrong.

use http::{HeaderMap, header};

use crate::oauth::{FORM, FormError, decode_form};
use crate::secret::Secret;
use crate::token::Scopes;

use super::Refusal;

/// The largest body that is read, in bytes.
pub(super) const BODY_MAX: usize = 64 << 10;

/// RFC 8693 §3: the identifier of access tokens.
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// RFC 8693 §3: the identifier of tokens that are JWTs, as ours are.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// RFC 8693 §2.1.
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A request to the token endpoint.
#[derive(Debug)]
pub(super) struct TokenRequest {
    pub(super) client_id: String,
    pub(super) resource: String,
    pub(super) scope: Option<Scopes>,
    pub(super) grant: Grant,
}

/// The grants there are.
#[derive(Debug)]
pub(super) enum Grant {
    /// RFC 6749 §4.4: the agent for itself.
    ClientCredentials,
    /// RFC 8693: the agent for whoever called it.
    TokenExchange {
        subject_token: Secret,
        actor_token: Option<Secret>,
    },
}

/// A request to the login endpoint.
#[derive(Debug)]
pub(super) struct LoginRequest {
    pub(super) client_id: String,
    pub(super) user: String,
    pub(super) scope: Option<Scopes>,
}

impl TokenRequest {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Form::read(headers, body)?;
        let grant_type = form.need("grant_type")?;
        let grant = match grant_type.as_str() {
            "client_credentials" => Grant::ClientCredentials,
            TOKEN_EXCHANGE => form.token_exchange()?,
            _ => return Err(Refusal::GrantType { grant_type }),
        };
        Ok(Self {
            client_id: form.need("client_id")?,
            resource: form.resource()?,
            scope: form.scope()?,
            grant,
        })
    }
}

impl LoginRequest {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Form::read(headers, body)?;
        Ok(Self {
            client_id: form.need("client_id")?,
            user: form.need("login_hint")?,
            scope: form.scope()?,
        })
    }
}

struct Form(Vec<(String, String)>);

impl Form {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        // RFC 6749 §2.3: one way of authentication a request, and here it is the certificate.
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Refusal::Method {
                method: "authorization",
            });
        }
        media_type(headers, FORM)?;
        let form = decode_form(body).map_err(|error| match error {
            FormError::Encoding => Refusal::Malformed {
                why: "form.encoding",
            },
            // RFC 8707 §2 allows several; a token of this authority is for one agent.
            FormError::Repeated(name) if name == "resource" => Refusal::TargetMalformed {
                resource: "several".into(),
            },
            FormError::Repeated(name) => Refusal::Repeated { name },
        })?;
        for method in ["client_secret", "client_assertion"] {
            if form.iter().any(|(name, _)| name == method) {
                return Err(Refusal::Method { method });
            }
        }
        Ok(Self(form))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn need(&mut self, name: &'static str) -> Result<String, Refusal> {
        self.take(name).ok_or(Refusal::Missing { name })
    }

    fn scope(&mut self) -> Result<Option<Scopes>, Refusal> {
        let Some(scope) = self.take("scope") else {
            return Ok(None);
        };
        let read = scope.parse().map(Some);
        read.map_err(|_| Refusal::ScopeMalformed { scope })
    }

    /// RFC 8707 §2: an absolute URI without fragment. `audience` may say the same, nothing else.
    fn resource(&mut self) -> Result<String, Refusal> {
        let resource = self.take("resource").unwrap_or_default();
        let absolute = resource
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
        let agrees = self.take("audience").is_none_or(|named| named == resource);
        if !absolute || resource.contains('#') || !agrees {
            return Err(Refusal::TargetMalformed { resource });
        }
        Ok(resource)
    }

    fn token_exchange(&mut self) -> Result<Grant, Refusal> {
        let subject_token = Secret::new(self.need("subject_token")?);
        let value = self.need("subject_token_type")?;
        token_type("subject_token_type", value)?;
        if let Some(value) = self.take("requested_token_type") {
            token_type("requested_token_type", value)?;
        }
        let actor_token = self.take("actor_token").map(Secret::new);
        match (&actor_token, self.take("actor_token_type")) {
            (Some(_), Some(value)) => token_type("actor_token_type", value)?,
            (None, None) => {}
            // RFC 8693 §2.1: the type goes with the token, and not without it.
            (Some(_), None) => {
                let name = "actor_token_type";
                return Err(Refusal::Missing { name });
            }
            (None, Some(_)) => {
                let name = "actor_token";
                return Err(Refusal::Missing { name });
            }
        }
        Ok(Grant::TokenExchange {
            subject_token,
            actor_token,
        })
    }
}

/// Refuses a body of another media type than `wanted`; parameters after it do not matter.
pub(super) fn media_type(headers: &HeaderMap, wanted: &'static str) -> Result<(), Refusal> {
    let found = headers.get(header::CONTENT_TYPE);
    let found = found.and_then(|value| value.to_str().ok());
    let found = found.and_then(|value| value.split(';').next());
    if found.is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted)) {
        Ok(())
    } else {
        Err(Refusal::MediaType { wanted })
    }
}

fn token_type(parameter: &'static str, value: String) -> Result<(), Refusal> {
    if value == ACCESS_TOKEN || value == JWT {
        Ok(())
    } else {
        Err(Refusal::TokenType { parameter, value })
    }
}

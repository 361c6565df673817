//! Keys and passwords that a card asks for beside certificates and tokens.

use std::collections::HashMap;
use std::fmt;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};

use super::error::ClientError;
use crate::a2a::SecurityScheme;
use crate::card::{CredentialPlace, VerifiedCard};
use crate::id::SpiffeId;
use crate::secret::Secret;

/// Which credential is asked for.
#[derive(Clone, Copy, Debug)]
pub struct CredentialRequest<'a> {
    /// The card that asks, verified: [`VerifiedCard::agent`] is who will get the credential.
    pub card: &'a VerifiedCard,
    /// The name of the scheme in that card.
    pub scheme_name: &'a str,
    /// The scheme: an API key, or HTTP authentication.
    pub scheme: &'a SecurityScheme,
    /// Where the call goes; always over TLS, on the origin that served the card.
    pub interface: &'a Uri,
}

/// Gives the keys and passwords of schemes that are neither certificate nor token (A2A §4.5.2,
/// §4.5.3).
///
/// It is asked for each such scheme of a card, and again for each call that needs one, so that a
/// key that was changed is used at once. What it gives goes to the agent of that card, on a
/// connection that proved the agent, and nowhere else.
#[async_trait]
pub trait CredentialProvider: Send + Sync + fmt::Debug {
    /// The key of an API key scheme, or what follows the scheme's name in `Authorization` (for
    /// `Basic`, the encoded pair). `None` when there is none for this agent and scheme.
    async fn get_credentials(&self, asked: CredentialRequest<'_>) -> Option<Secret>;
}

/// Credentials that are known from the start, each for one scheme of one agent.
///
/// ```
/// use countersign::client::StaticCredentials;
/// use countersign::secret::Secret;
/// let booking = "spiffe://travel.example/agent/booking".parse()?;
/// let held = StaticCredentials::default().with(&booking, "partner-key", Secret::new("k-1".into()));
/// # Ok::<(), countersign::id::IdError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StaticCredentials(HashMap<(SpiffeId, String), Secret>);

impl StaticCredentials {
    /// With the credential for the scheme that `agent`'s card calls `scheme_name`.
    #[must_use]
    pub fn with(mut self, agent: &SpiffeId, scheme_name: &str, secret: Secret) -> Self {
        self.0
            .insert((agent.clone(), scheme_name.to_owned()), secret);
        self
    }
}

#[async_trait]
impl CredentialProvider for StaticCredentials {
    async fn get_credentials(&self, asked: CredentialRequest<'_>) -> Option<Secret> {
        let name = (asked.card.agent().clone(), asked.scheme_name.to_owned());
        self.0.get(&name).cloned()
    }
}

/// Puts a credential into its place of a request. Headers are marked as sensitive.
///
/// # Errors
/// [`ClientError::Credential`] when it has characters that cannot stand there.
pub(super) fn place(
    parts: &mut Parts,
    scheme: &str,
    place: &CredentialPlace,
    secret: &Secret,
) -> Result<(), ClientError> {
    let wrong = || ClientError::Credential {
        scheme: scheme.to_owned(),
        what: "has characters that cannot stand where the card wants it",
    };
    let sensitive = |text: &str| {
        let mut value = HeaderValue::from_str(text).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok::<_, ClientError>(value)
    };
    let text = secret.expose();
    match place {
        CredentialPlace::Header(name) => {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
            parts.headers.insert(name, sensitive(text)?);
        }
        CredentialPlace::Authorization(scheme) => {
            let value = Secret::new(format!("{scheme} {text}"));
            parts
                .headers
                .insert(AUTHORIZATION, sensitive(value.expose())?);
        }
        CredentialPlace::Cookie(name) => {
            // RFC 6265 §4.1.1: what would begin another cookie is no value.
            if text.contains([';', ',', ' ', '"', '\\']) {
                return Err(wrong());
            }
            let before = parts.headers.get(COOKIE).and_then(|v| v.to_str().ok());
            let before = before
                .map(|cookies| format!("{cookies}; "))
                .unwrap_or_default();
            let value = Secret::new(format!("{before}{name}={text}"));
            parts.headers.insert(COOKIE, sensitive(value.expose())?);
        }
        CredentialPlace::Query(name) => {
            let path = parts.uri.path();
            let query = parts.uri.query().map(|query| format!("{query}&"));
            let query = query.unwrap_or_default();
            let (name, value) = (escaped(name), Secret::new(escaped(text)));
            let target = Secret::new(format!("{path}?{query}{name}={}", value.expose()));
            let target: PathAndQuery = target.expose().parse().map_err(|_| wrong())?;
            parts.uri = Uri::from(target);
        }
    }
    Ok(())
}

/// RFC 3986 §2.1: everything but unreserved characters as escapes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(to: &CredentialPlace, text: &str) -> Result<Parts, ClientError> {
        let request = http::Request::get("/a2a/tasks?pageSize=1").header(COOKIE, "a=b");
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        place(&mut parts, "key", to, &Secret::new(text.to_owned()))?;
        Ok(parts)
    }

    #[test]
    fn each_place_gets_its_secret_and_debug_shows_none() {
        let header = placed(&CredentialPlace::Header("X-Key".into()), "s3cret").expect("placed");
        assert_eq!(header.headers["x-key"], "s3cret");
        let basic = CredentialPlace::Authorization("Basic".into());
        let basic = placed(&basic, "s3cret").expect("placed");
        assert_eq!(basic.headers[AUTHORIZATION], "Basic s3cret");
        let cookie = placed(&CredentialPlace::Cookie("k".into()), "s3cret").expect("placed");
        assert_eq!(cookie.headers[COOKIE], "a=b; k=s3cret");
        for parts in [header, basic, cookie] {
            assert!(!format!("{:?}", parts.headers).contains("s3cret"));
        }
        let query = placed(&CredentialPlace::Query("a key".into()), "s&=3").expect("placed");
        assert_eq!(query.uri, "/a2a/tasks?pageSize=1&a%20key=s%26%3D3");
        let held = StaticCredentials::default().with(
            &"spiffe://travel.example/agent/booking"
                .parse()
                .expect("an ID"),
            "key",
            Secret::new("s3cret".into()),
        );
        assert!(!format!("{held:?}").contains("s3cret"));
    }

    #[test]
    fn a_secret_never_becomes_more_than_its_field() {
        for (to, text) in [
            (CredentialPlace::Header("X-Key".into()), "a\r\nX-Other: b"),
            (CredentialPlace::Authorization("Basic".into()), "a\nb"),
            (CredentialPlace::Cookie("k".into()), "a; other=b"),
        ] {
            let error = placed(&to, text).expect_err("refused");
            assert_eq!(error.reason(), "client.credential", "{to:?}");
            assert!(!error.to_string().contains("other"), "{error}");
        }
    }
}

//! What an authorization server says about itself (RFC 8414).

use http::Uri;
use http::uri::PathAndQuery;
use serde::Deserialize;

use crate::jose::{JsonLimits, parse_typed};

use super::OAuthError;
use super::answer::ANSWER_MAX;

/// Where the document is (RFC 8414 §3).
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// Where the token endpoint, the keys and the development login of one issuer are.
///
/// Only paths are kept: every request goes to the server that was configured, over the connection
/// that proves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    issuer: String,
    token_url: String,
    token: PathAndQuery,
    keys: PathAndQuery,
    login: Option<PathAndQuery>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    /// Of our embedded authority only.
    development_login_endpoint: Option<String>,
    mtls_endpoint_aliases: Option<Aliases>,
}

#[derive(Deserialize)]
struct Aliases {
    token_endpoint: Option<String>,
}

impl Metadata {
    /// Reads the document of `issuer`, which is reached at `base`.
    ///
    /// # Errors
    /// [`OAuthError::Issuer`] when it is of another issuer, [`OAuthError::Metadata`] for a missing
    /// member or an address at another server.
    pub(super) fn read(body: &[u8], issuer: &str, base: &Uri) -> Result<Self, OAuthError> {
        let limits = JsonLimits {
            depth: 8,
            bytes: ANSWER_MAX,
        };
        let document: Document =
            parse_typed(body, limits).map_err(|_| OAuthError::Metadata { member: "document" })?;
        // RFC 8414 §3.3: identical, character by character.
        if document.issuer != issuer {
            return Err(OAuthError::Issuer {
                found: document.issuer,
                wanted: issuer.to_owned(),
            });
        }
        // RFC 8705 §5: who authenticates by certificate uses the alias.
        let token = document
            .mtls_endpoint_aliases
            .and_then(|a| a.token_endpoint);
        let token = token.or(document.token_endpoint);
        let token_url = token.clone().unwrap_or_default();
        let local = |member, address: Option<String>| {
            let address = address.and_then(|address| local_path(&address, issuer, base));
            address.ok_or(OAuthError::Metadata { member })
        };
        let login = document.development_login_endpoint;
        Ok(Self {
            token: local("token_endpoint", token)?,
            keys: local("jwks_uri", document.jwks_uri)?,
            login: match login {
                Some(_) => Some(local("development_login_endpoint", login)?),
                None => None,
            },
            token_url,
            issuer: document.issuer,
        })
    }

    /// The issuer, as tokens name it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The token endpoint, as the document names it.
    pub fn token_url(&self) -> &str {
        &self.token_url
    }

    /// Path of the token endpoint.
    pub fn token_path(&self) -> &PathAndQuery {
        &self.token
    }

    /// Path of the key set.
    pub fn keys_path(&self) -> &PathAndQuery {
        &self.keys
    }

    /// Path of the development login, if there is one.
    pub fn login_path(&self) -> Option<&PathAndQuery> {
        self.login.as_ref()
    }
}

/// The path of `address`, when it is at the host of the issuer or of the configured base.
fn local_path(address: &str, issuer: &str, base: &Uri) -> Option<PathAndQuery> {
    let address: Uri = address.parse().ok()?;
    let issuer: Uri = issuer.parse().ok()?;
    let host = |uri: &Uri| {
        Some((
            uri.host()?.to_ascii_lowercase(),
            uri.port_u16().unwrap_or(443),
        ))
    };
    let known = host(&address).is_some() && [host(&issuer), host(base)].contains(&host(&address));
    let secure = address.scheme_str() == Some("https");
    (known && secure).then(|| address.path_and_query().cloned())?
}

/// The address of an issuer's metadata (RFC 8414 §3.1).
///
/// # Errors
/// [`OAuthError::Address`] when `issuer` is no https URL without query and fragment.
pub fn metadata_url(issuer: &str) -> Result<String, OAuthError> {
    let path = well_known(issuer)?;
    let uri: Uri = issuer
        .parse()
        .map_err(|_| OAuthError::Address { what: "issuer" })?;
    let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
    Ok(format!("https://{authority}{path}"))
}

/// RFC 8414 §3.1: the well-known path stands between host and path of the issuer.
pub(super) fn well_known(issuer: &str) -> Result<PathAndQuery, OAuthError> {
    let wrong = OAuthError::Address { what: "issuer" };
    let uri: Uri = issuer.parse().map_err(|_| wrong.clone())?;
    // RFC 8414 §2: https, and neither query nor fragment.
    if uri.scheme_str() != Some("https") || uri.query().is_some() || issuer.contains('#') {
        return Err(wrong);
    }
    let path = uri.path().trim_end_matches('/');
    format!("{METADATA_PATH}{path}").parse().map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://as.test:8443";

    fn good() -> Value {
        json!({
            "issuer": ISSUER,
            "token_endpoint": "https://as.test:8443/token",
            "jwks_uri": "https://as.test:8443/jwks",
        })
    }

    fn read(document: &Value) -> Result<Metadata, OAuthError> {
        let base = Uri::from_static("https://127.0.0.1:9000");
        Metadata::read(document.to_string().as_bytes(), ISSUER, &base)
    }

    #[test]
    fn only_a_document_of_the_configured_issuer_and_host_is_taken() {
        let read_good = read(&good()).expect("good");
        assert_eq!(read_good.token_path(), "/token");
        assert_eq!(read_good.token_url(), "https://as.test:8443/token");
        assert_eq!(read_good.login_path(), None);
        for (member, value, want) in [
            ("issuer", json!("https://as.test:8443/"), "oauth.issuer"),
            ("issuer", json!("https://AS.test:8443"), "oauth.issuer"),
            ("issuer", Value::Null, "oauth.metadata"),
            ("token_endpoint", Value::Null, "oauth.metadata"),
            (
                "jwks_uri",
                json!("https://evil.test/jwks"),
                "oauth.metadata",
            ),
            ("jwks_uri", json!("https://as.test/jwks"), "oauth.metadata"),
            (
                "jwks_uri",
                json!("http://as.test:8443/jwks"),
                "oauth.metadata",
            ),
            ("jwks_uri", json!("/jwks"), "oauth.metadata"),
            ("development_login_endpoint", json!("x"), "oauth.metadata"),
            ("jwks_uri", json!("https://127.0.0.1:9000/k"), "taken"),
        ] {
            let mut document = good();
            document[member] = value;
            let got = read(&document).map_or_else(|e| e.reason(), |_| "taken");
            assert_eq!(got, want, "{document}");
        }
    }

    #[test]
    fn the_alias_for_certificates_goes_before_the_ordinary_endpoint() {
        let mut document = good();
        document["mtls_endpoint_aliases"] = json!({"token_endpoint": "https://as.test:8443/m"});
        assert_eq!(read(&document).expect("good").token_path(), "/m");
    }

    #[test]
    fn the_well_known_path_goes_before_the_path_of_the_issuer() {
        for (issuer, want) in [
            ("https://as.test", Some(METADATA_PATH.to_owned())),
            ("https://as.test/", Some(METADATA_PATH.to_owned())),
            ("https://as.test/a/b", Some(format!("{METADATA_PATH}/a/b"))),
            ("http://as.test", None),
            ("https://as.test?x", None),
            ("https://as.test#x", None),
            ("as.test", None),
        ] {
            let got = well_known(issuer).ok().map(|path| path.to_string());
            assert_eq!(got, want, "{issuer}");
            let url = metadata_url(issuer).ok();
            assert_eq!(
                url,
                want.map(|path| format!("https://as.test{path}")),
                "{issuer}"
            );
        }
    }
}

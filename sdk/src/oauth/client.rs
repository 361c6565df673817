//! The client of one authorization server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use moka::future::Cache;
use serde_json::Value;

use crate::clock::UnixTime;
use crate::crypto::{CertThumbprint, sha256};
use crate::jose::{JsonLimits, JwkSet, parse_json};
use crate::secret::Secret;
use crate::tls::{Endpoint, Transport};
use crate::token::{Scopes, VerifiedToken};
use crate::workload::{Snapshot, Workload};

use super::answer::{ACCESS_TOKEN, ANSWER_MAX, Accepted, Expected, Kind, accept};
use super::cache::{TokenCache, Wanted};
use super::form::{FORM, encode_form};
use super::keys::KeyCache;
use super::metadata::well_known;
use super::{BoundToken, Metadata, OAuthError, UserGrant};

/// RFC 8693 §2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// How long one request to the server may take, from connecting to the last byte.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the server's metadata is kept.
const METADATA_LIFE: Duration = Duration::from_secs(3600);

/// Which authorization server, and where.
#[derive(Clone, Debug)]
pub struct AuthorityEndpoint {
    /// Its issuer identifier, as tokens name it: an `https` URL.
    pub issuer: String,
    /// Where it listens and who must answer there.
    pub endpoint: Endpoint,
}

/// Asks one authorization server for tokens, with our certificate and over mutual TLS.
///
/// Every token that comes back was checked: bound to our certificate, for the audience asked for,
/// with us as the outermost actor and the chain before us unchanged. Tokens, keys and metadata are
/// kept; the same request is never in flight twice. Cloning is cheap.
///
/// ```no_run
/// # async fn f(
/// #     workload: countersign::workload::Workload,
/// #     transport: countersign::tls::Transport,
/// #     authority: countersign::oauth::AuthorityEndpoint,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::oauth::OAuth;
/// let oauth = OAuth::new(workload, transport, authority);
/// let grant = oauth.login("alice", &"trips:read".parse()?).await?;
/// let token = oauth
///     .exchange_grant(&grant, "spiffe://travel.example/agent/planner", &"trips:read".parse()?)
///     .await?;
/// println!("good until {}", token.expires());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OAuth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    workload: Workload,
    transport: Transport,
    server: AuthorityEndpoint,
    metadata: Cache<(), Arc<Metadata>>,
    keys: KeyCache,
    tokens: TokenCache,
}

/// A token for whom, and what it is got for.
#[derive(Clone, Copy)]
struct Ask<'a> {
    audience: &'a str,
    scopes: &'a Scopes,
    subject: Option<Subject<'a>>,
}

/// The token that is exchanged.
#[derive(Clone, Copy)]
struct Subject<'a> {
    token: &'a Secret,
    digest: [u8; 32],
    name: &'a str,
    act: Option<&'a Value>,
    scopes: &'a Scopes,
    expires: UnixTime,
}

impl OAuth {
    /// A client of `server` that speaks with `workload`'s certificate over `transport`.
    pub fn new(workload: Workload, transport: Transport, server: AuthorityEndpoint) -> Self {
        let metadata = Cache::builder().max_capacity(1);
        Self(Arc::new(Inner {
            workload,
            transport,
            server,
            metadata: metadata.time_to_live(METADATA_LIFE).build(),
            keys: KeyCache::default(),
            tokens: TokenCache::new(),
        }))
    }

    /// The issuer whose tokens this gets.
    pub fn issuer(&self) -> &str {
        &self.0.server.issuer
    }

    /// What the server says about itself (RFC 8414), asked at most once an hour.
    ///
    /// # Errors
    /// [`OAuthError::Issuer`] when the document is of another issuer, [`OAuthError::Metadata`] when
    /// it cannot be used, and whatever keeps us from reaching the server.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, OAuthError> {
        let fetch = async {
            let path = well_known(&self.0.server.issuer)?;
            let body = self.get(&path).await?;
            let base = self.0.server.endpoint.base();
            Metadata::read(&body, &self.0.server.issuer, base).map(Arc::new)
        };
        let got = self.0.metadata.try_get_with((), fetch).await;
        got.map_err(Arc::unwrap_or_clone)
    }

    /// The issuer's keys, to verify a token with that names the key `kid`.
    ///
    /// Kept for an hour; a `kid` that is not among them makes us ask again, at most once in 30 s.
    /// While the issuer is away the last set is used for up to a day. That `kid` is still missing
    /// is not an error here: the verification says so.
    ///
    /// # Errors
    /// [`OAuthError::Keys`] for an unusable document, and whatever keeps us from the server.
    pub async fn issuer_keys(&self, kid: Option<&str>) -> Result<Arc<JwkSet>, OAuthError> {
        let fetch = async || {
            let metadata = self.metadata().await?;
            let body = self.get(metadata.keys_path()).await?;
            let limits = JsonLimits {
                depth: 8,
                bytes: ANSWER_MAX,
            };
            let document = parse_json(&body, limits).map_err(|_| OAuthError::Keys)?;
            let keys = JwkSet::from_value(&document).filter(|keys| !keys.is_empty());
            keys.ok_or(OAuthError::Keys)
        };
        self.0.keys.get(kid, self.now(), fetch).await
    }

    /// A token for `audience` by which the agent speaks for itself (RFC 6749 §4.4).
    ///
    /// Empty `scopes` leave the choice to the server.
    ///
    /// # Errors
    /// [`OAuthError`] naming what the server refused, or which rule its answer breaks.
    pub async fn app_token(
        &self,
        audience: &str,
        scopes: &Scopes,
    ) -> Result<BoundToken, OAuthError> {
        let subject = None;
        self.obtain(Ask {
            audience,
            scopes,
            subject,
        })
        .await
    }

    /// A token for `audience` by which the agent goes on for whoever called it (RFC 8693).
    ///
    /// The subject stays, the chain grows by us, the binding becomes ours. `scopes` must be within
    /// what `subject` grants; empty `scopes` ask for all that both of us may have.
    ///
    /// # Errors
    /// [`OAuthError`] naming what the server refused, or which rule its answer breaks;
    /// [`OAuthError::Expired`] when `subject` ended meanwhile.
    pub async fn exchange(
        &self,
        subject: &VerifiedToken,
        audience: &str,
        scopes: &Scopes,
    ) -> Result<BoundToken, OAuthError> {
        self.obtain(Ask {
            audience,
            scopes,
            subject: Some(Subject {
                token: subject.subject_token(),
                digest: sha256(subject.subject_token().expose().as_bytes()),
                name: subject.subject(),
                act: subject.act(),
                scopes: subject.scopes(),
                expires: subject.expires(),
            }),
        })
        .await
    }

    /// A token for `audience` by which the agent acts for the user of `grant` (RFC 8693).
    ///
    /// # Errors
    /// As [`OAuth::exchange`].
    pub async fn exchange_grant(
        &self,
        grant: &UserGrant,
        audience: &str,
        scopes: &Scopes,
    ) -> Result<BoundToken, OAuthError> {
        self.obtain(Ask {
            audience,
            scopes,
            subject: Some(Subject {
                token: grant.token(),
                digest: grant.digest(),
                name: grant.user(),
                act: None,
                scopes: grant.scopes(),
                expires: grant.expires(),
            }),
        })
        .await
    }

    /// Logs `user` in, at the embedded authority for development only: nobody is asked for
    /// anything.
    ///
    /// # Errors
    /// [`OAuthError::Metadata`] when the server has no such endpoint; otherwise as
    /// [`OAuth::app_token`].
    pub async fn login(&self, user: &str, scopes: &Scopes) -> Result<UserGrant, OAuthError> {
        let member = "development_login_endpoint";
        let metadata = self.metadata().await?;
        let path = metadata.login_path();
        let path = path.ok_or(OAuthError::Metadata { member })?;
        let own = self.own()?;
        let scope = scopes.to_string();
        let me = self.0.workload.id().as_str();
        let form = [("client_id", me), ("login_hint", user), ("scope", &scope)];
        let (status, body) = self.post(path, &form).await?;
        let issuer = &self.0.server.issuer;
        let expected = Expected {
            issuer,
            audience: issuer,
            me,
            certificate: own.identity().certificate(),
            asked: scopes,
            kind: Kind::Login { user },
        };
        let accepted = self.current(accept(status, &body, &expected)?)?;
        let Accepted {
            token,
            scopes,
            expires,
        } = accepted;
        Ok(UserGrant::new(token, user, scopes, expires))
    }

    async fn obtain(&self, ask: Ask<'_>) -> Result<BoundToken, OAuthError> {
        let (now, own) = (self.now(), self.own()?);
        if let Some(Subject { expires, .. }) = ask.subject
            && expires <= now
        {
            return Err(OAuthError::Expired { expires, now });
        }
        let certificate = own.identity().certificate();
        let wanted = Wanted {
            audience: ask.audience,
            scopes: ask.scopes,
            subject: ask.subject.map(|subject| subject.digest),
            certificate,
        };
        let fetch = async || {
            let first = self.ask(ask, certificate).await;
            // Our certificate may have been renewed between looking at it and connecting: then the
            // token is bound to the new one, and rightly so.
            if matches!(first, Err(OAuthError::BindingLost { .. })) {
                let renewed = self.own()?.identity().certificate();
                if renewed != certificate {
                    return self.ask(ask, renewed).await;
                }
            }
            first
        };
        self.0.tokens.get(wanted, now, fetch).await
    }

    async fn ask(
        &self,
        ask: Ask<'_>,
        certificate: CertThumbprint,
    ) -> Result<BoundToken, OAuthError> {
        let metadata = self.metadata().await?;
        let scope = ask.scopes.to_string();
        let me = self.0.workload.id().as_str();
        // RFC 8705 §2: client_id goes with the certificate. RFC 8707 §2: one resource, the audience.
        let mut form = vec![("client_id", me), ("resource", ask.audience)];
        if !scope.is_empty() {
            form.push(("scope", &scope));
        }
        let kind = match &ask.subject {
            None => {
                form.push(("grant_type", "client_credentials"));
                Kind::App
            }
            Some(subject) => {
                form.push(("grant_type", TOKEN_EXCHANGE));
                form.push(("subject_token", subject.token.expose()));
                form.push(("subject_token_type", ACCESS_TOKEN));
                form.push(("requested_token_type", ACCESS_TOKEN));
                Kind::Exchange {
                    subject: subject.name,
                    prior: subject.act,
                    scopes: subject.scopes,
                    expires: subject.expires,
                }
            }
        };
        let (status, body) = self.post(metadata.token_path(), &form).await?;
        let expected = Expected {
            issuer: &self.0.server.issuer,
            audience: ask.audience,
            me,
            certificate,
            asked: ask.scopes,
            kind,
        };
        let got = self.current(accept(status, &body, &expected)?)?;
        let made = BoundToken::new(
            &got.token,
            ask.audience,
            got.scopes,
            got.expires,
            certificate,
        );
        made.ok_or(OAuthError::Answer {
            what: "access_token",
        })
    }

    /// Refuses what has ended before it came.
    fn current(&self, accepted: Accepted) -> Result<Accepted, OAuthError> {
        let (now, expires) = (self.now(), accepted.expires);
        if expires <= now {
            return Err(OAuthError::Expired { expires, now });
        }
        Ok(accepted)
    }

    async fn get(&self, path: &PathAndQuery) -> Result<Bytes, OAuthError> {
        let (status, body) = self.send(Method::GET, path, None).await?;
        if status != StatusCode::OK {
            return Err(OAuthError::Status { status });
        }
        Ok(body)
    }

    async fn post(
        &self,
        path: &PathAndQuery,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, Bytes), OAuthError> {
        self.send(Method::POST, path, Some(encode_form(form))).await
    }

    async fn send(
        &self,
        method: Method,
        path: &PathAndQuery,
        form: Option<String>,
    ) -> Result<(StatusCode, Bytes), OAuthError> {
        let mut request = Request::builder().method(method).uri(path.as_str());
        request = request.header(header::ACCEPT, "application/json");
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default()));
        let wrong = |_| OAuthError::Address { what: "path" };
        let request = request.body(body).map_err(wrong)?;
        let exchange = async {
            let sent = self.0.transport.send(&self.0.server.endpoint, request);
            let received = sent
                .await
                .map_err(|error| OAuthError::Connection(Arc::new(error)))?;
            let (parts, body) = received.response.into_parts();
            let body = Limited::new(body, ANSWER_MAX).collect().await;
            let body = body.map_err(|_| OAuthError::Body { max: ANSWER_MAX })?;
            Ok((parts.status, body.to_bytes()))
        };
        let exchange = tokio::time::timeout(DEADLINE, exchange).await;
        exchange.map_err(|_| OAuthError::Deadline { after: DEADLINE })?
    }

    fn now(&self) -> UnixTime {
        self.0.workload.clock().now()
    }

    /// Our own certificate, if it is still valid.
    fn own(&self) -> Result<Arc<Snapshot>, OAuthError> {
        let own = self.0.workload.usable(self.now());
        own.map_err(|error| OAuthError::NoIdentity(Arc::new(error)))
    }
}

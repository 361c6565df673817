//! The client of one authorization server.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::clock::UnixTime;
use crate::crypto::sha256;
use crate::jose::{JsonLimits, JwkSet, parse_json};
use crate::tls::{Endpoint, Transport};
use crate::token::{Scopes, VerifiedToken};
use crate::workload::Workload;

use super::answer::ANSWER_MAX;
use super::cache::TokenCache;
use super::keys::KeyCache;
use super::metadata::well_known;
use super::obtain::{Ask, Subject, Whom};
use super::wire::Wire;
use super::{BoundToken, Metadata, OAuthError, UserGrant};

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
pub struct OAuth(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) workload: Workload,
    pub(super) issuer: String,
    pub(super) wire: Wire,
    metadata: Cache<(), Arc<Metadata>>,
    keys: KeyCache,
    pub(super) tokens: TokenCache,
}

impl OAuth {
    /// A client of `server` that speaks with `workload`'s certificate over `transport`.
    pub fn new(workload: Workload, transport: Transport, server: AuthorityEndpoint) -> Self {
        let metadata = Cache::builder().max_capacity(1);
        Self(Arc::new(Inner {
            workload,
            issuer: server.issuer,
            wire: Wire::new(transport, server.endpoint),
            metadata: metadata.time_to_live(METADATA_LIFE).build(),
            keys: KeyCache::default(),
            tokens: TokenCache::new(),
        }))
    }

    /// The issuer whose tokens this gets.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// What the server says about itself (RFC 8414), asked at most once an hour.
    ///
    /// # Errors
    /// [`OAuthError::Issuer`] when the document is of another issuer, [`OAuthError::Metadata`] when
    /// it cannot be used, and whatever keeps us from reaching the server.
    pub async fn metadata(&self) -> Result<Arc<Metadata>, OAuthError> {
        let fetch = async {
            let path = well_known(&self.0.issuer)?;
            let body = self.0.wire.get(&path).await?;
            let base = self.0.wire.endpoint().base();
            Metadata::read(&body, &self.0.issuer, base).map(Arc::new)
        };
        let got = self.0.metadata.try_get_with((), fetch).await;
        got.map_err(Arc::unwrap_or_clone)
    }

    /// What the server's clock shows (RFC 9110 §6.6.1), to the second; nothing when it does not say.
    ///
    /// # Errors
    /// Whatever keeps us from reaching the server.
    pub async fn server_time(&self) -> Result<Option<UnixTime>, OAuthError> {
        self.0.wire.time(&well_known(&self.0.issuer)?).await
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
            let body = self.0.wire.get(metadata.keys_path()).await?;
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
        self.token_for(Whom::Own, audience, scopes, None).await
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
        let whom = Whom::Caller(subject);
        self.token_for(whom, audience, scopes, None).await
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
        let whom = Whom::User(grant);
        self.token_for(whom, audience, scopes, None).await
    }

    /// A token for `audience`, and not `rejected`, which was not taken there.
    pub(crate) async fn token_for(
        &self,
        whom: Whom<'_>,
        audience: &str,
        scopes: &Scopes,
        rejected: Option<&BoundToken>,
    ) -> Result<BoundToken, OAuthError> {
        let subject = match whom {
            Whom::Own => None,
            Whom::Caller(subject) => Some(Subject {
                token: subject.subject_token(),
                digest: sha256(subject.subject_token().expose().as_bytes()),
                name: subject.subject(),
                act: subject.act(),
                scopes: subject.scopes(),
                expires: subject.expires(),
            }),
            Whom::User(grant) => Some(Subject {
                token: grant.token(),
                digest: grant.digest(),
                name: grant.user(),
                act: None,
                scopes: grant.scopes(),
                expires: grant.expires(),
            }),
        };
        self.obtain(Ask {
            audience,
            scopes,
            subject,
            rejected,
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
        self.log_in(user, scopes).await
    }
}

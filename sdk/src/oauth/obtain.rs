//! From what is wanted to a token that was checked.

use std::sync::Arc;

use serde_json::Value;

use crate::clock::UnixTime;
use crate::crypto::CertThumbprint;
use crate::secret::Secret;
use crate::token::{Scopes, VerifiedToken};
use crate::workload::Snapshot;

use super::answer::{ACCESS_TOKEN, Accepted, Expected, Kind, accept};
use super::cache::Wanted;
use super::{BoundToken, OAuth, OAuthError, UserGrant};

/// RFC 8693 §2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A token for whom, and what it is got for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) audience: &'a str,
    pub(super) scopes: &'a Scopes,
    pub(super) subject: Option<Subject<'a>>,
    /// A token that the peer did not take: it is not given again.
    pub(super) rejected: Option<&'a BoundToken>,
}

/// For whom a token is asked.
#[derive(Clone, Copy, Debug)]
#[allow(
    dead_code,
    reason = "used by the client's pipeline, which is built only with the feature client"
)]
pub(crate) enum Whom<'a> {
    /// For the agent itself.
    Own,
    /// For whoever called with this token.
    Caller(&'a VerifiedToken),
    /// For the user who logged in.
    User(&'a UserGrant),
}

/// The token that is exchanged.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) token: &'a Secret,
    pub(super) digest: [u8; 32],
    pub(super) name: &'a str,
    pub(super) act: Option<&'a Value>,
    pub(super) scopes: &'a Scopes,
    pub(super) expires: UnixTime,
}

impl OAuth {
    /// The token, kept from before or got now.
    pub(super) async fn obtain(&self, ask: Ask<'_>) -> Result<BoundToken, OAuthError> {
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
        let fetch = || self.fetch(ask, certificate);
        self.0.tokens.get(wanted, now, ask.rejected, fetch).await
    }

    async fn fetch(
        &self,
        ask: Ask<'_>,
        certificate: CertThumbprint,
    ) -> Result<BoundToken, OAuthError> {
        let first = self.ask(ask, certificate).await;
        match self.renewed(certificate, first.as_ref().err())? {
            Some(renewed) => self.ask(ask, renewed).await,
            None => first,
        }
    }

    /// Our new certificate, if the binding was lost because the old one was renewed between looking
    /// at it and connecting: the token is then bound to the new one, and rightly so.
    fn renewed(
        &self,
        certificate: CertThumbprint,
        error: Option<&OAuthError>,
    ) -> Result<Option<CertThumbprint>, OAuthError> {
        if !matches!(error, Some(OAuthError::BindingLost { .. })) {
            return Ok(None);
        }
        let now = self.own()?.identity().certificate();
        Ok((now != certificate).then_some(now))
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
        let (status, body) = self.0.wire.post(metadata.token_path(), &form).await?;
        let expected = Expected {
            issuer: &self.0.issuer,
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

    /// A token by which we act for a user, from the development login.
    pub(super) async fn log_in(
        &self,
        user: &str,
        scopes: &Scopes,
    ) -> Result<UserGrant, OAuthError> {
        let certificate = self.own()?.identity().certificate();
        let first = self.log_in_with(certificate, user, scopes).await;
        match self.renewed(certificate, first.as_ref().err())? {
            Some(renewed) => self.log_in_with(renewed, user, scopes).await,
            None => first,
        }
    }

    async fn log_in_with(
        &self,
        certificate: CertThumbprint,
        user: &str,
        scopes: &Scopes,
    ) -> Result<UserGrant, OAuthError> {
        let member = "development_login_endpoint";
        let metadata = self.metadata().await?;
        let path = metadata.login_path();
        let path = path.ok_or(OAuthError::Metadata { member })?;
        let scope = scopes.to_string();
        let (me, issuer) = (self.0.workload.id().as_str(), &self.0.issuer);
        let form = [("client_id", me), ("login_hint", user), ("scope", &scope)];
        let (status, body) = self.0.wire.post(path, &form).await?;
        let expected = Expected {
            issuer,
            audience: issuer,
            me,
            certificate,
            asked: scopes,
            kind: Kind::Login { user },
        };
        let got = self.current(accept(status, &body, &expected)?)?;
        Ok(UserGrant::new(got.token, user, got.scopes, got.expires))
    }

    /// Refuses what has ended before it came.
    fn current(&self, accepted: Accepted) -> Result<Accepted, OAuthError> {
        let (now, expires) = (self.now(), accepted.expires);
        if expires <= now {
            return Err(OAuthError::Expired { expires, now });
        }
        Ok(accepted)
    }

    pub(super) fn now(&self) -> UnixTime {
        self.0.workload.clock().now()
    }

    /// Our own certificate, if it is still valid.
    fn own(&self) -> Result<Arc<Snapshot>, OAuthError> {
        let own = self.0.workload.usable(self.now());
        own.map_err(|error| OAuthError::NoIdentity(Arc::new(error)))
    }
}

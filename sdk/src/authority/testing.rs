//! A running authority with four agents and two users, for tests.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use crate::audit::{MemoryLog, Record};
use crate::clock::{Clock, Skew, SystemClock, UnixTime};
use crate::crypto::{Algorithm, SigningKey};
use crate::jose::ParsedJws;
use crate::oauth::{BoundToken, FORM, OAuth, OAuthError, UserGrant, encode_form};
use crate::svid::PeerIdentity;
use crate::tls::{AuthoritySource, Transport, TransportConfig};
use crate::token::{MAX_TOKEN_BYTES, PresentedToken, Scopes, TokenRules, VerifiedToken};
use crate::workload::Workload;

use super::{Authority, AuthorityConfig};

pub(super) fn scopes(text: &str) -> Scopes {
    text.parse().expect("scopes")
}

pub(super) fn id(name: &str) -> String {
    format!("spiffe://travel.example/agent/{name}")
}

pub(super) fn config() -> AuthorityConfig {
    let mut config = AuthorityConfig::new("travel.example".parse().expect("a domain"));
    for (name, allowed) in [
        ("front-desk", "trips:read trips:write payments:charge"),
        ("planner", "trips:read trips:write payments:charge"),
        ("booking", "trips:read payments:charge"),
        ("payments", "payments:charge"),
    ] {
        config.agents.insert(name.into(), scopes(allowed));
    }
    let alice = scopes("trips:read trips:write payments:charge");
    config.users.insert("alice".into(), alice);
    config.users.insert("bob".into(), scopes("trips:read"));
    config.logins.insert("front-desk".into());
    config
}

/// The authority and what it recorded.
pub(super) struct World {
    pub(super) authority: Authority,
    log: Arc<MemoryLog>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(super) async fn with(config: AuthorityConfig) -> Self {
        let log = Arc::new(MemoryLog::default());
        let started = Authority::start(config, Arc::new(SystemClock), log.clone()).await;
        Self {
            authority: started.expect("starts"),
            log,
        }
    }

    pub(super) async fn agent(&self, name: &str) -> Agent {
        let enrolment = self.authority.enrol(name).expect("a code");
        let source = AuthoritySource::new(enrolment, Arc::new(SystemClock));
        let workload = Workload::start(Arc::new(source), Arc::new(SystemClock)).await;
        let workload = workload.expect("a certificate");
        let transport = Transport::new(workload.clone(), TransportConfig::default());
        let endpoint = self.authority.oauth_endpoint();
        Agent {
            oauth: OAuth::new(workload.clone(), transport.clone(), endpoint),
            to: self.authority.endpoint().clone(),
            workload,
            transport,
        }
    }

    pub(super) fn last(&self) -> Record {
        self.log.records().pop().expect("a record")
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.log.records()
    }

    /// The word of the last refusal; empty when the last record is a permission.
    pub(super) fn reason(&self) -> String {
        let reason = self.last().reason;
        reason.map_or_else(String::new, |reason| reason.to_string())
    }
}

/// An agent of the world.
pub(super) struct Agent {
    pub(super) workload: Workload,
    pub(super) oauth: OAuth,
    pub(super) transport: Transport,
    to: crate::tls::Endpoint,
}

impl Agent {
    pub(super) fn identity(&self) -> PeerIdentity {
        self.workload.current().identity().clone()
    }

    pub(super) async fn login(&self, user: &str, scope: &str) -> Result<UserGrant, OAuthError> {
        self.oauth.login(user, &scopes(scope)).await
    }

    pub(super) async fn app(&self, to: &str, scope: &str) -> Result<BoundToken, OAuthError> {
        self.oauth.app_token(&id(to), &scopes(scope)).await
    }

    pub(super) async fn act(
        &self,
        grant: &UserGrant,
        to: &str,
        scope: &str,
    ) -> Result<BoundToken, OAuthError> {
        let to = id(to);
        self.oauth.exchange_grant(grant, &to, &scopes(scope)).await
    }

    pub(super) async fn exchange(
        &self,
        subject: &VerifiedToken,
        to: &str,
        scope: &str,
    ) -> Result<BoundToken, OAuthError> {
        let to = id(to);
        self.oauth.exchange(subject, &to, &scopes(scope)).await
    }

    /// Sends any form, as a client that keeps no rule.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = Request::post(path).header("content-type", FORM);
        let body = Full::new(Bytes::from(encode_form(form)));
        self.send(request.body(body).expect("a request")).await
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
        let received = self.transport.send(&self.to, request).await.expect("sent");
        let (parts, body) = received.response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        assert_eq!(parts.headers["cache-control"], "no-store");
        assert_eq!(parts.headers["content-type"], "application/json");
        (parts.status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// Takes a token as a server of this agent would that was called by `caller`.
    pub(super) async fn receive(&self, token: &BoundToken, caller: &Agent) -> VerifiedToken {
        let headers = [("authorization", token.authorization_header().clone())];
        let headers = headers.map(|(name, value)| (name.parse().expect("a name"), value));
        let presented = PresentedToken::from_headers(&headers.into_iter().collect());
        let presented = presented.expect("a bearer token");
        let parsed = presented.parse(MAX_TOKEN_BYTES).expect("a JWT");
        let keys = self.oauth.issuer_keys(parsed.kid()).await.expect("keys");
        let claims = parsed.verify(&keys, self.oauth.issuer()).expect("signed");
        let rules = TokenRules {
            audience: self.workload.id().to_string(),
            skew: Skew::default(),
        };
        let checked = Arc::new(claims).check(presented, &rules, &caller.identity(), now());
        checked.expect("for us, and of the caller")
    }
}

pub(super) fn now() -> UnixTime {
    SystemClock.now()
}

pub(super) fn text(token: &BoundToken) -> String {
    let header = token.authorization_header().to_str().expect("text");
    header.strip_prefix("Bearer ").expect("a bearer").to_owned()
}

/// The claims of a token, signature and all else aside.
pub(super) fn claims(token: &str) -> Value {
    let jws = ParsedJws::parse(token, MAX_TOKEN_BYTES).expect("a JWS");
    serde_json::from_slice(jws.unverified_payload()).expect("JSON")
}

pub(super) fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Ed25519).expect("generates")
}

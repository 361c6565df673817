//! What the authority does with a request, without HTTP.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use serde_json::{Value, json};

use crate::clock::{Clock, UnixTime};
use crate::id::SpiffeId;
use crate::secret::Secret;
use crate::svid::PeerIdentity;
use crate::token::{Scopes, SignedClaims};

use super::ca::CertificateAuthority;
use super::codes::Codes;
use super::exchange::{Requester, check_actor, exchange, verify_own};
use super::forms::{ACCESS_TOKEN, Grant, LoginRequest, TokenRequest};
use super::journal::{Journal, Known};
use super::mint::{Claims, Mint, Minted};
use super::{AuthorityConfig, Refusal};

/// An agent that the authority knows.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    /// What it may be given at most.
    pub(super) allowed: Scopes,
    /// Whether it may log users in.
    pub(super) logs_in: bool,
}

/// Everything the endpoints share.
pub(super) struct Service {
    pub(super) config: AuthorityConfig,
    pub(super) id: SpiffeId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) authority: CertificateAuthority,
    pub(super) mint: Mint,
    pub(super) codes: Codes,
    pub(super) journal: Arc<Journal>,
    pub(super) agents: RwLock<HashMap<SpiffeId, Agent>>,
}

impl Service {
    /// The agent of this name, unless it was shut out.
    pub(super) fn agent(&self, id: &SpiffeId) -> Option<Agent> {
        let agents = self.agents.read().unwrap_or_else(PoisonError::into_inner);
        agents.get(id).cloned()
    }

    /// Shuts an agent out: no certificate, no token, and no token for others that names it.
    pub(super) fn shut_out(&self, id: &SpiffeId) {
        let mut agents = self.agents.write().unwrap_or_else(PoisonError::into_inner);
        agents.remove(id);
        self.codes.revoke(id);
    }

    fn is_agent(&self, name: &str) -> bool {
        let id: Result<SpiffeId, _> = name.parse();
        // Audiences are compared byte for byte, so another spelling is another name.
        id.is_ok_and(|id| id.as_str() == name && self.agent(&id).is_some())
    }

    /// RFC 8705 §2.1: the client is whom the certificate names, and it must be one of ours.
    pub(super) fn client<'a>(
        &self,
        peer: Option<&'a PeerIdentity>,
    ) -> Result<(&'a PeerIdentity, Agent), Refusal> {
        let peer = peer.ok_or(Refusal::NoCertificate)?;
        let agent = self.agent(peer.id());
        let agent = agent.ok_or_else(|| Refusal::UnknownClient {
            peer: peer.id().clone(),
        })?;
        Ok((peer, agent))
    }

    /// A request whose body could not be read.
    pub(super) fn unread(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        refusal: Refusal,
    ) -> Refusal {
        let known = Known::new("request", peer, headers);
        let closed = self
            .journal
            .close::<()>(self.clock.now(), known, Err(refusal.clone()));
        closed.err().unwrap_or(refusal)
    }

    /// The token endpoint (RFC 6749 §3.2).
    pub(super) fn token(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, Refusal> {
        let mut known = Known::new("token", peer, headers);
        let answer = self.issue(peer, headers, body, &mut known);
        self.journal.close(self.clock.now(), known, answer)
    }

    fn issue(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
        known: &mut Known,
    ) -> Result<Value, Refusal> {
        let now = self.clock.now();
        let (peer, agent) = self.client(peer)?;
        let request = TokenRequest::read(headers, body)?;
        same_client(&request.client_id, peer)?;
        if !self.is_agent(&request.resource) {
            let resource = request.resource;
            return Err(Refusal::TargetUnknown { resource });
        }
        let requester = Requester {
            id: peer.id(),
            allowed: &agent.allowed,
        };
        let asked = request.scope.as_ref();
        let mut claims = Claims::of(peer, request.resource);
        let mut answer = json!({ "token_type": "Bearer" });
        match &request.grant {
            Grant::ClientCredentials => claims.scopes = app_scopes(requester, asked)?,
            Grant::TokenExchange {
                subject_token,
                actor_token,
            } => {
                known.event = "token-exchange";
                let subject = self.subject(subject_token, now)?;
                known.subject_token(&subject);
                if let Some(actor) = actor_token {
                    let (keys, issuer) = (self.mint.keys(), &self.mint.issuer);
                    check_actor(actor, keys, issuer, peer.id(), now)?;
                }
                let is_agent = |id: &str| self.is_agent(id);
                let granted = exchange(&self.mint.issuer, requester, &subject, asked, is_agent)?;
                claims.exchanged(granted);
                // RFC 8693 §2.2.1.
                answer["issued_token_type"] = json!(ACCESS_TOKEN);
            }
        }
        self.finish(&claims, answer, known, now)
    }

    /// The subject token: ours, in time, and of nobody who was shut out since.
    fn subject(&self, token: &Secret, now: UnixTime) -> Result<SignedClaims, Refusal> {
        let claims = verify_own(token, self.mint.keys(), &self.mint.issuer, now);
        let claims = claims.map_err(|error| Refusal::SubjectInvalid {
            why: error.reason(),
        })?;
        if !self.is_agent(claims.client_id()) {
            return Err(Refusal::SubjectInvalid {
                why: "client.unknown",
            });
        }
        Ok(claims)
    }

    /// The development login: the user is not asked for anything.
    pub(super) fn login(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, Refusal> {
        let mut known = Known::new("login", peer, headers);
        let answer = self.log_in(peer, headers, body, &mut known);
        self.journal.close(self.clock.now(), known, answer)
    }

    fn log_in(
        &self,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
        body: &[u8],
        known: &mut Known,
    ) -> Result<Value, Refusal> {
        let now = self.clock.now();
        let (peer, agent) = self.client(peer)?;
        let request = LoginRequest::read(headers, body)?;
        same_client(&request.client_id, peer)?;
        if !agent.logs_in {
            let agent = peer.id().clone();
            return Err(Refusal::LoginAgent { agent });
        }
        known.subject(&self.mint.issuer, &request.user);
        let granted = self.config.users.get(&request.user);
        let granted = granted.ok_or_else(|| Refusal::UnknownUser {
            user: request.user.clone(),
        })?;
        let asked = request.scope.unwrap_or_else(|| granted.clone());
        if !asked.is_subset(granted) {
            return Err(Refusal::ScopeExceedsUser {
                asked: asked.to_string(),
                user: request.user,
                granted: granted.to_string(),
            });
        }
        // For us alone: no agent takes it, it can only be exchanged.
        let mut claims = Claims::of(peer, self.mint.issuer.clone());
        claims.subject = request.user;
        claims.scopes = asked;
        // RFC 8693 §4.4: by the agent that logged the user in, and by no other.
        claims.may_act = Some(json!({ "sub": peer.id() }));
        self.finish(&claims, json!({ "token_type": "Bearer" }), known, now)
    }

    fn finish(
        &self,
        claims: &Claims,
        mut answer: Value,
        known: &mut Known,
        now: UnixTime,
    ) -> Result<Value, Refusal> {
        let minted = self.mint.mint(claims, now);
        let minted = minted.map_err(|_| Refusal::Internal {
            what: "signing",
            now,
        })?;
        known.issued(&self.mint.issuer, claims, &minted);
        let Minted { token, expires, .. } = minted;
        answer["access_token"] = json!(token.expose());
        answer["expires_in"] = json!(expires.since(now).as_secs());
        if !claims.scopes.is_empty() {
            answer["scope"] = json!(claims.scopes);
        }
        Ok(answer)
    }
}

fn same_client(client_id: &str, peer: &PeerIdentity) -> Result<(), Refusal> {
    if client_id == peer.id().as_str() {
        return Ok(());
    }
    Err(Refusal::NotPeer {
        client_id: client_id.to_owned(),
        peer: peer.id().clone(),
    })
}

/// What an agent gets for itself: what it asked for, within what it is allowed.
fn app_scopes(requester: Requester<'_>, asked: Option<&Scopes>) -> Result<Scopes, Refusal> {
    let allowed = requester.allowed;
    let asked = asked.unwrap_or(allowed);
    if !asked.is_subset(allowed) {
        return Err(Refusal::ScopeExceedsClient {
            asked: asked.to_string(),
            allowed: allowed.to_string(),
        });
    }
    Ok(asked.clone())
}

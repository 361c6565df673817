//! What the authority did and refused, for the audit log.

use std::sync::Arc;

use http::HeaderMap;
use rustls_pki_types::CertificateDer;
use serde_json::Value;

use crate::audit::{
    AuditLog, Context, Decision, Draft, Named, TokenEvidence, TraceContext, TraceId,
};
use crate::clock::{Clock, UnixTime};
use crate::crypto::CertThumbprint;
use crate::delegation::{ActChain, Actor, ChainLimits};
use crate::id::SpiffeId;
use crate::svid::PeerIdentity;
use crate::tls::OnRefused;
use crate::token::SignedClaims;

use super::Refusal;
use super::mint::{Claims, Minted};

/// The log, and in whose name it is kept.
pub(super) struct Journal {
    log: Arc<dyn AuditLog>,
    service: SpiffeId,
}

/// What is known of a request so far.
pub(super) struct Known {
    /// What was asked for, as soon as that is clear.
    pub(super) event: &'static str,
    peer: Option<PeerIdentity>,
    trace: TraceId,
    subject: Option<Named>,
    chain: Option<ActChain>,
    token: Option<TokenEvidence>,
    detail: Option<String>,
}

impl Known {
    pub(super) fn new(
        event: &'static str,
        peer: Option<&PeerIdentity>,
        headers: &HeaderMap,
    ) -> Self {
        Self {
            event,
            peer: peer.cloned(),
            trace: TraceContext::from_headers(headers).trace_id(),
            subject: None,
            chain: None,
            token: None,
            detail: None,
        }
    }

    /// For whom a token is asked.
    pub(super) fn subject(&mut self, issuer: &str, subject: &str) {
        self.subject = Some(Named::new(issuer, subject));
    }

    /// The token that is to be exchanged: the requester stands before its chain.
    pub(super) fn subject_token(&mut self, token: &SignedClaims) {
        self.token = Some(token.into());
        self.subject(token.issuer(), token.subject());
        let read = |act: &Value| ActChain::parse(act, ChainLimits::HARD_MAX).ok();
        let prior = token.act().and_then(read);
        self.chain = match (prior, &self.peer) {
            (Some(prior), Some(peer)) => {
                let requester = Actor::new(token.issuer(), peer.id().as_str());
                read(&prior.nest(&requester)).or(Some(prior))
            }
            (prior, _) => prior,
        };
    }

    /// A token that was made.
    pub(super) fn issued(&mut self, issuer: &str, claims: &Claims, minted: &Minted) {
        self.token = Some(TokenEvidence {
            client_id: claims.client_id.as_str().into(),
            id: minted.jti.as_str().into(),
            issuer: issuer.into(),
            scopes: claims.scopes.to_string().into(),
        });
        let act = claims.act.as_ref();
        self.chain = act.and_then(|act| ActChain::parse(act, ChainLimits::HARD_MAX).ok());
        let Claims { audience, .. } = claims;
        self.detail = Some(format!("for {audience} until {}", minted.expires));
    }

    /// A certificate that was made.
    pub(super) fn certified(&mut self, agent: &SpiffeId, leaf: &CertificateDer<'_>) {
        let leaf = CertThumbprint::of(leaf);
        self.detail = Some(format!("certificate {leaf} for {agent}"));
    }
}

impl Journal {
    pub(super) fn new(log: Arc<dyn AuditLog>, service: SpiffeId) -> Self {
        Self { log, service }
    }

    /// Records how a request ended; what cannot be recorded is not given out.
    pub(super) fn close<T>(
        &self,
        now: UnixTime,
        known: Known,
        answer: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let context = Context::new(self.service.clone(), now, known.trace);
        let mut draft = match &answer {
            Ok(_) => Draft::new(context, known.event, Decision::Permitted),
            Err(refusal) => Draft::new(context, known.event, Decision::Refused)
                .reason(refusal.reason())
                .detail(&refusal.to_string()),
        };
        if let Some(peer) = &known.peer {
            draft = draft.peer(peer);
        }
        if let Some(subject) = known.subject {
            draft = draft.subject(subject);
        }
        if let Some(chain) = &known.chain {
            draft = draft.chain(chain);
        }
        if let Some(token) = known.token {
            draft = draft.token(token);
        }
        if let Some(detail) = known.detail.filter(|_| answer.is_ok()) {
            draft = draft.detail(&detail);
        }
        self.append(draft, now)?;
        answer
    }

    fn append(&self, draft: Draft, now: UnixTime) -> Result<(), Refusal> {
        match self.log.append(draft) {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(service = %self.service, %error, "nothing is given out: the audit log cannot be written");
                let what = "recording";
                Err(Refusal::Internal { what, now })
            }
        }
    }

    /// Records refused handshakes: whoever shows a bad certificate gets no further.
    pub(super) fn handshakes(self: &Arc<Self>, clock: Arc<dyn Clock>) -> OnRefused {
        let journal = Arc::clone(self);
        Arc::new(move |refused| {
            let now = clock.now();
            let context = Context::new(journal.service.clone(), now, TraceId::fresh());
            let draft = Draft::new(context, "connection", Decision::Refused)
                .reason(refused.error.reason())
                .detail(&format!("{}: {}", refused.remote, refused.error));
            // There is nobody to answer; the failure was logged.
            let _ = journal.append(draft, now);
        })
    }
}

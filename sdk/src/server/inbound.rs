//! The inbound pipeline: who is calling, for whom and through whom, before any of the agent's code.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::refusal::Refusal;
use super::tokens::Tokens;
use crate::a2a::A2aError;
use crate::audit::{
    self, Admitted, AuditError, AuditLog, Context, Decision, Draft, MemoryLog, Refused,
    SignatureEvidence, TraceContext, TraceId,
};
use crate::client::Client;
use crate::clock::{Clock, Skew};
use crate::delegation::{self, Caller, ChainLimits};
use crate::httpsig::{MemoryReplayStore, Origin, Profile, ReplayStore, Verifier};
use crate::id::SpiffeId;
use crate::policy::{Action, Policy};
use crate::svid::PeerIdentity;
use crate::tls::OnRefused;
use crate::token::{PresentedToken, SignedClaims, TokenRules};

/// How much is read of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a body; 4 MiB by default.
    pub body: usize,
    /// From the header's end to the body's; 30 s by default.
    pub body_time: Duration,
    /// Bytes of a token; 16 KiB by default.
    pub token: usize,
    /// Actors in a chain; 10 by default.
    pub chain: ChainLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            body_time: Duration::from_secs(30),
            token: 16 << 10,
            chain: ChainLimits::default(),
        }
    }
}

/// Everything that is needed to prove a call.
pub struct Inbound {
    service: SpiffeId,
    origin: Origin,
    policy: Arc<Policy>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    verifier: Verifier,
    replay: Arc<dyn ReplayStore>,
    tokens: Tokens,
    rules: TokenRules,
    skew: Skew,
    limits: Limits,
}

impl Inbound {
    /// The pipeline of the workload that `client` calls as, when it is called itself: at `origin`,
    /// with tokens of the authority that `client` knows, within `policy`.
    ///
    /// Decisions are recorded in this process's memory until [`Inbound::audit`] names another place.
    pub fn new(client: &Client, origin: Origin, policy: impl Into<Arc<Policy>>) -> Self {
        let (skew, limits) = (Skew::default(), Limits::default());
        let service = client.workload().id().clone();
        let clock = client.workload().clock().clone();
        Self {
            verifier: Verifier::new(Profile::a2a(), origin.clone(), skew),
            origin,
            replay: Arc::new(MemoryReplayStore::default()),
            tokens: Tokens::new(client.oauth().clone(), limits.token),
            rules: TokenRules {
                audience: service.to_string(),
                skew,
            },
            service,
            policy: policy.into(),
            audit: Arc::new(MemoryLog::default()),
            clock,
            skew,
            limits,
        }
    }

    /// Keeps nonces in `store` instead of this process's memory.
    #[must_use]
    pub fn replay_store(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.replay = store;
        self
    }

    /// Records decisions in `log`.
    #[must_use]
    pub fn audit(mut self, log: Arc<dyn AuditLog>) -> Self {
        self.audit = log;
        self
    }

    /// Reads requests within `limits`.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.tokens = self.tokens.with_max_len(limits.token);
        self.limits = limits;
        self
    }

    /// How far the clocks of callers and issuers may differ from ours. Default 5 s.
    #[must_use]
    pub fn skew(mut self, skew: Skew) -> Self {
        self.verifier = Verifier::new(Profile::a2a(), self.origin.clone(), skew);
        self.rules.skew = skew;
        self.skew = skew;
        self
    }

    /// Who this pipeline proves calls for.
    pub fn service(&self) -> &SpiffeId {
        &self.service
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The policy that decides.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The steps of the pipeline in their order. `classify` says what a proved caller asks for.
    ///
    /// A refusal is recorded before it is returned. The body is given out only here, after its
    /// digest matched.
    ///
    /// # Errors
    /// The [`Refusal`] of the first step that refused.
    pub async fn receive<B, T>(
        &self,
        parts: &Parts,
        body: B,
        classify: impl FnOnce(&Parts, &[u8]) -> Result<(Action, T), A2aError>,
    ) -> Result<(Admitted, Bytes, T), Refusal>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let trace = TraceContext::from_headers(&parts.headers).trace_id();
        let context = Context::new(self.service.clone(), self.clock.now(), trace);
        let mut known = Known::default();
        match self
            .prove(parts, body, classify, &context, &mut known)
            .await
        {
            Ok(admitted) => Ok(admitted),
            Err(refusal) => {
                self.record(&refusal, context, &known)?;
                Err(refusal)
            }
        }
    }

    async fn prove<B, T>(
        &self,
        parts: &Parts,
        body: B,
        classify: impl FnOnce(&Parts, &[u8]) -> Result<(Action, T), A2aError>,
        context: &Context,
        known: &mut Known,
    ) -> Result<(Admitted, Bytes, T), Refusal>
    where
        B: http_body::Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // 1: the certificate that the connection proved, of an agent that the policy knows.
        let peer = parts.extensions.get::<PeerIdentity>();
        let peer = peer.ok_or(Refusal::NoPeer)?;
        known.peer = Some(peer.clone());
        if !self.policy.admits_peer(peer.id()) {
            let id = peer.id().clone();
            return Err(Refusal::Peer { id });
        }
        // 2: the request was signed by that agent, and the body is the signed one.
        let body = read_body(body, self.limits).await?;
        // Read now, not when the header came: a slow body must not outlive its signature.
        let now = self.clock.now();
        let request = self.verifier.verify(parts, &body, peer, now)?;
        known.signature = Some((&request).into());
        // 3: it was not sent before.
        let fresh = request.fresh(&*self.replay, self.skew, now).await?;
        // 4: the token is of our issuer, for us, in time, and bound to that certificate.
        let presented = PresentedToken::from_headers_within(&parts.headers, self.limits.token)?;
        let claims = self.tokens.claims(&presented).await?;
        known.token = Some(claims.clone());
        // The issuer's keys may have taken a while to come.
        let token = claims.check(presented, &self.rules, peer, self.clock.now())?;
        // 5: its outermost actor is that agent.
        let caller = delegation::caller(token, fresh, self.limits.chain)?;
        known.caller = Some(caller.clone());
        // 6: what is asked, and whether this caller may.
        let (action, asked) = classify(parts, &body)?;
        known.action = Some(action.clone());
        let permit = self.policy.decide(caller, action)?;
        // 7: recorded before anything is done.
        let admitted = audit::admit(permit, &*self.audit, context.clone())?;
        Ok((admitted, body, asked))
    }

    /// What records the handshakes that [`serve`](crate::tls::serve()) refuses, for
    /// [`ServeOptions::on_refused`](crate::tls::ServeOptions::on_refused).
    pub fn refused_handshakes(&self) -> OnRefused {
        let (audit, service) = (self.audit.clone(), self.service.clone());
        let clock = self.clock.clone();
        Arc::new(move |refusal| {
            let context = Context::new(service.clone(), clock.now(), TraceId::fresh());
            let draft = Draft::new(context, "connection", Decision::Refused)
                .reason(refusal.error.reason())
                .detail(&format!("from {}: {}", refusal.remote, refusal.error));
            if let Err(error) = audit.append(draft) {
                tracing::error!(%error, "a refused handshake could not be recorded");
            }
        })
    }

    /// Records a refusal; when that fails, that is the refusal.
    fn record(&self, refusal: &Refusal, context: Context, known: &Known) -> Result<(), AuditError> {
        // The log itself failed: there is nowhere to say so but the operator's log.
        if let Refusal::Audit(error) = refusal {
            tracing::error!(%error, "the audit log does not take records; calls are refused");
            return Ok(());
        }
        let why = refusal.shown();
        tracing::info!(reason = refusal.reason(), "refused a call: {why}");
        audit::refuse(&*self.audit, context, known.refused(refusal)).map(drop)
    }
}

/// What was proved until a step refused, for the record.
#[derive(Default)]
struct Known {
    peer: Option<PeerIdentity>,
    signature: Option<SignatureEvidence>,
    token: Option<Arc<SignedClaims>>,
    caller: Option<Caller>,
    action: Option<Action>,
}

impl Known {
    fn refused<'a>(&'a self, refusal: &'a Refusal) -> Refused<'a> {
        let rule = match refusal {
            Refusal::Policy(denial) => denial.rule(),
            _ => None,
        };
        Refused {
            detail: Some(refusal.to_string()),
            peer: self.peer.as_ref(),
            signature: self.signature.clone(),
            token: self.token.as_deref(),
            caller: self.caller.as_ref(),
            action: self.action.as_ref(),
            rule,
            ..Refused::new(refusal.reason())
        }
    }
}

/// The whole body, within its limits.
pub(super) async fn read_body<B>(body: B, limits: Limits) -> Result<Bytes, Refusal>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (max, within) = (limits.body, limits.body_time);
    let whole = Limited::new(body, max).collect();
    match tokio::time::timeout(within, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::BodyTooLong { max }),
        Ok(Err(_)) => Err(Refusal::BodyTruncated),
        Err(_) => Err(Refusal::BodyTimeout { within }),
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbound({})", self.service)
    }
}

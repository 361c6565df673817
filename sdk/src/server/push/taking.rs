//! One notification is taken: every proof in its order, then the event, once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::expected::{EventKey, Expectation, Expected};
use super::notification::{Notification, NotificationHandler, Trusted, TrustedSender};
use super::profile::{IDEMPOTENCY_COMPONENT, IDEMPOTENCY_KEY, TOKENS};
use super::unwelcome::Unwelcome;
use crate::a2a::{A2A_JSON, JSON, StreamResponse};
use crate::clock::{Clock, Skew, UnixTime};
use crate::crypto::sha256;
use crate::httpsig::{ReplayStore, SignatureError, VerifiedMessage, Verifier};
use crate::id::SpiffeId;
use crate::jose::{JsonLimits, JwkSet, parse_typed};
use crate::svid::PeerIdentity;

/// The most bytes of a notification.
const MAX_BODY: usize = 4 << 20;
/// From the header's end to the body's.
const BODY_TIME: Duration = Duration::from_secs(10);
/// How long the handler may take: less than the sender waits.
const HANDLER_TIME: Duration = Duration::from_secs(10);

/// What the requests of one receiver share.
pub(super) struct Taking {
    pub(super) url: String,
    pub(super) path: String,
    pub(super) verifier: Verifier,
    pub(super) skew: Skew,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) replay: Arc<dyn ReplayStore>,
    pub(super) handler: Arc<dyn NotificationHandler>,
    pub(super) expected: Expected,
}

/// Who sent a notification, and what the signature says about the event.
struct Proved {
    from: Option<SpiffeId>,
    /// Whether the field that names the event is signed.
    named: bool,
}

impl Taking {
    /// The steps in their order.
    pub(super) async fn receive(&self, request: Request) -> Result<(), Unwelcome> {
        let (mut parts, body) = request.into_parts();
        // A nested router takes its own part of the path away; the whole was signed.
        if let Some(original) = parts.extensions.get::<OriginalUri>() {
            parts.uri = original.0.clone();
        }
        check_media_type(&parts.headers)?;
        // 1: a token that was given out says from whom it has to come.
        let token = token_of(&parts.headers)?;
        let expectation = self.expected.find(token).ok_or(Unwelcome::Token)?;
        // 2: it came from there, was signed there, and just now.
        let peer = parts.extensions.get::<PeerIdentity>().cloned();
        let peer = check_peer(&expectation.from, peer)?;
        let body = read_body(body, MAX_BODY).await?;
        let now = self.clock.now();
        let proved = self
            .prove(&expectation.from, peer.as_ref(), &parts, &body, now)
            .await?;
        // 3: it is an event.
        let limits = JsonLimits {
            bytes: MAX_BODY,
            ..JsonLimits::default()
        };
        let event: StreamResponse = parse_typed(&body, limits)?;
        let key = key_of(&parts.headers, &body, proved.named);
        self.hand_out(&expectation, event, key, proved.from).await
    }

    /// The proofs that the expected sender has to bring.
    async fn prove(
        &self,
        from: &TrustedSender,
        peer: Option<&PeerIdentity>,
        parts: &Parts,
        body: &[u8],
        now: UnixTime,
    ) -> Result<Proved, Unwelcome> {
        match &from.0 {
            Trusted::Agent(_) => {
                let peer = peer.ok_or(Unwelcome::NoPeer)?;
                let verified = self.verifier.verify(parts, body, peer, now)?;
                let named = names_the_event(verified.covered());
                verified.fresh(&*self.replay, self.skew, now).await?;
                let from = Some(peer.id().clone());
                Ok(Proved { from, named })
            }
            Trusted::Keys(keys) => {
                let verified = self.verify_pinned(&keys.current(), parts, body, now)?;
                self.take_nonce(&verified, now).await?;
                let named = names_the_event(verified.covered());
                Ok(Proved { from: None, named })
            }
            Trusted::Token => Ok(Proved {
                from: None,
                named: true,
            }),
        }
    }

    fn verify_pinned(
        &self,
        keys: &JwkSet,
        parts: &Parts,
        body: &[u8],
        now: UnixTime,
    ) -> Result<VerifiedMessage, Unwelcome> {
        let field = "key that is pinned";
        let mut last = SignatureError::Missing { field, label: None };
        for key in keys.keys() {
            // A key with another name is refused before anything is computed.
            match self.verifier.verify_with_key(parts, body, key, now) {
                Ok(verified) => return Ok(verified),
                Err(error) => last = error,
            }
        }
        Err(last.into())
    }

    async fn take_nonce(&self, verified: &VerifiedMessage, now: UnixTime) -> Result<(), Unwelcome> {
        let missing = |name| SignatureError::ParameterMissing { name };
        let nonce = verified.nonce().ok_or(missing("nonce"))?;
        let expires = verified.expires().ok_or(missing("expires"))?;
        let until = expires.plus(self.skew.get());
        self.replay
            .check_and_record(verified.key(), nonce, until, now)
            .await?;
        Ok(())
    }

    /// Gives the event to the handler, unless it has it.
    async fn hand_out(
        &self,
        expectation: &Expectation,
        event: StreamResponse,
        key: EventKey,
        from: Option<SpiffeId>,
    ) -> Result<(), Unwelcome> {
        let state = tokio::time::timeout(HANDLER_TIME, expectation.state.lock());
        let mut state = state.await.map_err(|_| Unwelcome::NotTaken)?;
        // A2A §4.3.3: about a task that is waited for.
        let task_id = event.task_id().ok_or(Unwelcome::Task)?.to_owned();
        if *state.task_id.get_or_insert_with(|| task_id.clone()) != task_id {
            return Err(Unwelcome::Task);
        }
        if state.ended {
            return Err(Unwelcome::Ended);
        }
        // A2A §4.3.3: idempotently.
        if state.has_seen(&key) {
            return Ok(());
        }
        let last = event.is_last();
        let notification = Notification {
            task_id,
            event,
            from,
        };
        let taken = self.handler.notified(notification);
        match tokio::time::timeout(HANDLER_TIME, taken).await {
            Ok(Ok(())) => state.remember(key),
            Ok(Err(_)) | Err(_) => return Err(Unwelcome::NotTaken),
        }
        drop(state);
        if last {
            self.expected.over(expectation);
        }
        Ok(())
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Unwelcome> {
    let text = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = text.unwrap_or_default().split(';').next();
    let media = media.unwrap_or_default().trim();
    let known = [A2A_JSON, JSON];
    let known = known.iter().any(|known| media.eq_ignore_ascii_case(known));
    known.then_some(()).ok_or(Unwelcome::MediaType)
}

/// The one token of the request: every field that may carry it and is there has the same.
fn token_of(headers: &HeaderMap) -> Result<&str, Unwelcome> {
    let [one, other] = &TOKENS;
    let plain = headers.get_all(one).iter().chain(headers.get_all(other));
    let plain = plain.map(|value| value.to_str().ok());
    let bearer = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    let mut tokens = plain.chain(bearer);
    let first = tokens.next().flatten().ok_or(Unwelcome::Token)?;
    if first.is_empty() || tokens.any(|other| other != Some(first)) {
        return Err(Unwelcome::Token);
    }
    Ok(first)
}

/// Before the body is read: the connection is the expected agent's.
fn check_peer(
    from: &TrustedSender,
    peer: Option<PeerIdentity>,
) -> Result<Option<PeerIdentity>, Unwelcome> {
    let Trusted::Agent(expected) = &from.0 else {
        return Ok(None);
    };
    match peer {
        None => Err(Unwelcome::NoPeer),
        Some(peer) if peer.id() == expected => Ok(Some(peer)),
        Some(peer) => Err(Unwelcome::Peer {
            expected: expected.clone(),
            found: peer.id().clone(),
        }),
    }
}

async fn read_body(body: Body, max: usize) -> Result<Bytes, Unwelcome> {
    let whole = Limited::new(body, max).collect();
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unwelcome::TooLong { max }),
        Ok(Err(_)) | Err(_) => Err(Unwelcome::Broken),
    }
}

fn names_the_event(covered: &[String]) -> bool {
    covered.iter().any(|id| id == IDEMPOTENCY_COMPONENT)
}

/// What names the event within its task: what the sender named it by, else what it consists of. Two
/// pieces of an artifact may be alike to the byte, which is why a name is better.
fn key_of(headers: &HeaderMap, body: &[u8], named: bool) -> EventKey {
    let name = headers.get(&IDEMPOTENCY_KEY).filter(|_| named);
    let digest = match name {
        Some(name) => sha256(&[b"name:", name.as_bytes()].concat()),
        None => sha256(&[b"body:", body].concat()),
    };
    let mut key = EventKey::default();
    key.copy_from_slice(&digest[..16]);
    key
}

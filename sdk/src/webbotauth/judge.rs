//! Judging the signature of a request that came in: what needs no key, the key, the signature, the
//! body, the nonce.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http_body::Body;
use http_body_util::{Either, Full};

use super::body::{BoxError, HeldBody, Unread, read};
use super::keys::KeySource;
use super::origin::OriginRule;
use super::recognition::{Recognition, Recognized};
use crate::clock::{Clock, Skew, UnixTime};
use crate::httpsig::{
    MessageView, PresentedSignature, Profile, ReplayStore, RequestView, SignatureError,
    VerifiedMessage,
};

/// The longest nonce, see `httpsig`.
const MAX_NONCE: usize = 256;

/// What signatures are judged by.
#[derive(Clone)]
pub(super) struct Judge {
    pub(super) profiles: Vec<Profile>,
    pub(super) keys: KeySource,
    pub(super) origin: OriginRule,
    pub(super) replay: Option<Replay>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) skew: Skew,
    pub(super) body: usize,
    pub(super) body_time: Duration,
}

/// Where nonces are remembered.
#[derive(Clone)]
pub(super) struct Replay {
    pub(super) store: Arc<dyn ReplayStore>,
    /// Whether a signature without a nonce passes.
    pub(super) optional: bool,
}

/// How far a signature got; the profile under which it got furthest is the one it was made for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Read,
    Checked,
    KeyFound,
}

impl Judge {
    /// What is known of who signed it, and the body for whoever is next.
    pub(super) async fn judge<B>(
        &self,
        parts: &Parts,
        body: B,
    ) -> Result<(Recognition, HeldBody<B>), Unread>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let origin = match self.origin.of(parts) {
            Ok(origin) => origin,
            Err(error) => {
                return Ok((Recognition::refused(None, error, None), Either::Right(body)));
            }
        };
        let message = RequestView::new(parts, &origin).into();
        let mut wanted = false;
        for profile in &self.profiles {
            if let Ok(presented) = PresentedSignature::choose(&message, profile) {
                let covered = presented.covered().any(|id| id == "\"content-digest\"");
                wanted |= covered || profile.wants_digest();
            }
        }
        if !wanted || body.is_end_stream() {
            let known = self.judge_all(parts, &message, &Bytes::new()).await;
            return Ok((known, Either::Right(body)));
        }
        let whole = read(body, self.body, self.body_time).await?;
        let known = self.judge_all(parts, &message, &whole).await;
        Ok((known, Either::Left(Full::new(whole))))
    }

    async fn judge_all(
        &self,
        parts: &Parts,
        message: &MessageView<'_>,
        body: &Bytes,
    ) -> Recognition {
        let now = self.clock.now();
        let mut furthest = None;
        for profile in &self.profiles {
            let (stage, known) = self.judge_one(parts, message, profile, body, now).await;
            if let Recognition::Verified(_) | Recognition::Spent(..) = known {
                return known;
            }
            if furthest.as_ref().is_none_or(|(best, _)| stage > *best) {
                furthest = Some((stage, known));
            }
        }
        match furthest {
            Some((_, known)) => known,
            None => Recognition::refused(None, missing(), None),
        }
    }

    async fn judge_one(
        &self,
        parts: &Parts,
        message: &MessageView<'_>,
        profile: &Profile,
        body: &Bytes,
        now: UnixTime,
    ) -> (Stage, Recognition) {
        let presented = match PresentedSignature::choose(message, profile) {
            Ok(presented) => presented,
            Err(error) => return (Stage::Read, Recognition::refused(None, error, None)),
        };
        let claims = presented.claims();
        let refused = |error, discovery| Recognition::refused(Some(claims), error, discovery);
        let checked = match presented.check(body, now, self.skew) {
            Ok(checked) => checked,
            Err(error) => return (Stage::Read, refused(error, None)),
        };
        let found = match self.keys.find(checked.wanted_key(), &parts.headers).await {
            Ok(found) => found,
            Err((error, discovery)) => return (Stage::Checked, refused(error, discovery)),
        };
        let verified = match checked.verify_resolved(&found.key) {
            Ok(verified) => verified,
            Err(error) => return (Stage::KeyFound, refused(error, None)),
        };
        let agent = verified.attributed_to().map(str::to_owned);
        let who = Recognized {
            agent: agent.and(found.directory).or_else(|| attributed(&verified)),
            message: verified,
            stale: found.stale,
            fresh: false,
        };
        let known = match self.fresh(who, now).await {
            Ok(known) => known,
            Err(error) => refused(error, None),
        };
        (Stage::KeyFound, known)
    }

    /// Takes the nonce, so that a signature is good for one request.
    async fn fresh(
        &self,
        mut who: Recognized,
        now: UnixTime,
    ) -> Result<Recognition, SignatureError> {
        let replay = match &self.replay {
            Some(replay) if !replay.optional || who.message.nonce().is_some() => replay,
            _ => return Ok(Recognition::Verified(Arc::new(who))),
        };
        let max = MAX_NONCE;
        let (message, len) = (&who.message, 0);
        let nonce = message.nonce().ok_or(SignatureError::Nonce { len, max })?;
        let name = "expires";
        let expires = message.expires();
        let expires = expires.ok_or(SignatureError::ParameterMissing { name })?;
        let until = expires.plus(self.skew.get());
        let recorded = replay
            .store
            .check_and_record(message.key(), nonce, until, now);
        match recorded.await {
            Ok(()) => {
                who.fresh = true;
                Ok(Recognition::Verified(Arc::new(who)))
            }
            Err(error) => Ok(Recognition::Spent(Arc::new(who), error)),
        }
    }
}

/// The URL that a custom source answered for, in the form that directories are named in.
fn attributed(verified: &VerifiedMessage) -> Option<String> {
    let url: crate::httpsig::WebUrl = verified.attributed_to()?.parse().ok()?;
    Some(url.normalized().identifier())
}

const fn missing() -> SignatureError {
    SignatureError::Missing {
        field: "Signature-Input",
        label: None,
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.profiles.iter().map(Profile::name);
        f.debug_struct("Judge")
            .field("profiles", &names.collect::<Vec<_>>())
            .field("keys", &self.keys)
            .field("origin", &self.origin)
            .field("replay", &self.replay.is_some())
            .finish_non_exhaustive()
    }
}

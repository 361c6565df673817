//! A signature as it stands on a message, before anybody believes it.

use std::borrow::Cow;

use super::agent::{SignatureAgent, covered_agent};
use super::base::{BASE_ROOM, write_base};
use super::coverage::Covered;
use super::digest_field::Digests;
use super::error::SignatureError;
use super::inner::check_inner;
use super::input::Input;
use super::inputs::Inputs;
use super::keys::HttpVerifyingKey;
use super::output::signature_of;
use super::params::ParamValue;
use super::profile::Profile;
use super::request_tie::check_tie;
use super::streamed::VerifiedHead;
use super::verified::{self, VerifiedMessage};
use super::verify::{
    check_audience, check_digest, check_key, check_nonce, check_params, check_times,
};
use super::view::MessageView;
use crate::clock::{Skew, UnixTime};

/// One signature of a message, chosen by a profile. Nothing is checked yet.
///
/// The steps, each of which consumes the one before: choose, [`check`](PresentedSignature::check)
/// what needs no key, look up the key that is asked for, [`verify`](CheckedSignature::verify).
///
/// ```
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::crypto::VerifyingKey;
/// use countersign::httpsig::{
///     MessageView, PresentedSignature, Profile, Revision, SignatureError, VerifiedMessage,
/// };
///
/// fn verify(
///     message: &MessageView<'_>,
///     body: &[u8],
///     look_up: impl FnOnce(Option<&str>, Option<&str>) -> Result<VerifyingKey, SignatureError>,
///     now: UnixTime,
/// ) -> Result<VerifiedMessage, SignatureError> {
///     let profile = Profile::web_bot_auth(Revision::Ietf01);
///     let presented = PresentedSignature::choose(message, &profile)?;
///     let checked = presented.check(body, now, Skew::default())?;
///     let agent = checked.signature_agent().map(|agent| agent.url());
///     let key = look_up(agent, checked.keyid())?; // by both, never by keyid alone
///     checked.verify(&key)
/// }
/// ```
pub struct PresentedSignature<'a> {
    message: MessageView<'a>,
    profile: &'a Profile,
    input: Input<'a>,
}

impl<'a> PresentedSignature<'a> {
    /// The one signature on the message that the profile is about: by its tag, and by its label
    /// where the profile picks one. Others are no business of ours, however broken.
    ///
    /// # Errors
    /// [`SignatureError`] when there is none, or more than one, or it is malformed.
    pub fn choose(message: &MessageView<'a>, profile: &'a Profile) -> Result<Self, SignatureError> {
        let inputs = Inputs::read(message.headers())?;
        // RFC 9421 §3.2: which of several signatures counts is the verifier's choice.
        let label = profile.label.as_deref();
        let input = match &profile.tag {
            Some(tag) if profile.pick => inputs.tagged(tag, label, None)?,
            Some(tag) => inputs.tagged(tag, None, None)?,
            None => inputs.labelled(label)?,
        };
        Ok(Self::of(message, input, profile))
    }

    /// Every signature on the message that the profile is about, each to be judged by itself.
    /// Those that cannot be read are errors of their own.
    ///
    /// # Errors
    /// [`SignatureError`] when `Signature-Input` is missing or malformed as a whole.
    pub fn all(
        message: &MessageView<'a>,
        profile: &'a Profile,
    ) -> Result<Vec<Result<Self, SignatureError>>, SignatureError> {
        let inputs = Inputs::read(message.headers())?.all_tagged(profile.tag.as_deref());
        let each = inputs.map(|input| input.map(|input| Self::of(message, input, profile)));
        Ok(each.collect())
    }

    pub(super) fn of(message: &MessageView<'a>, input: Input<'a>, profile: &'a Profile) -> Self {
        Self {
            message: *message,
            profile,
            input,
        }
    }

    /// The label it stands under.
    pub fn label(&self) -> &str {
        self.input.label
    }

    /// The identifiers that it says it covers, as written.
    pub fn covered(&self) -> impl Iterator<Item = String> {
        self.input.components.iter().map(ToString::to_string)
    }

    /// A parameter, as received; `None` also for the types that RFC 9421 does not use.
    pub fn parameter(&self, name: &str) -> Option<ParamValue> {
        self.input.value(name)
    }

    /// What `Signature-Agent` says, as far as the signature covers it.
    pub fn signature_agent(&self) -> Option<SignatureAgent> {
        let revision = self.profile.needs.agent?;
        let headers = self.message.headers();
        covered_agent(headers, &self.input, revision, self.profile.tolerances).ok()?
    }

    /// Checks all that needs no key: times, parameters, what is covered, `Signature-Agent`.
    /// `body` is what was received, whole.
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule.
    pub fn check(
        self,
        body: &'a [u8],
        now: UnixTime,
        skew: Skew,
    ) -> Result<CheckedSignature<'a>, SignatureError> {
        self.check_with(Some(body), now, skew)
    }

    /// The same before the body has come: the signature has to cover its digest.
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule.
    pub fn check_head(
        self,
        now: UnixTime,
        skew: Skew,
    ) -> Result<CheckedSignature<'a>, SignatureError> {
        self.check_with(None, now, skew)
    }

    fn check_with(
        self,
        body: Option<&'a [u8]>,
        now: UnixTime,
        skew: Skew,
    ) -> Result<CheckedSignature<'a>, SignatureError> {
        let (input, profile) = (&self.input, self.profile);
        let (needs, headers) = (&profile.needs, self.message.headers());
        let times = check_times(input, profile, now, skew)?;
        check_params(input, needs)?;
        let nonce = check_nonce(input, needs)?;
        input.refuse_repeated()?;
        let covered = Covered::of(&input.components);
        covered.check(needs, &input.components, headers, body.map(<[u8]>::len))?;
        let agent = match needs.agent {
            Some(revision) => covered_agent(headers, input, revision, profile.tolerances)?,
            None => None,
        };
        if covered.signature && needs.agent.is_some() {
            check_inner(&input.components, headers)?;
        }
        check_audience(input, needs, &self.message)?;
        check_tie(input, needs, &self.message)?;
        Ok(CheckedSignature {
            times,
            nonce,
            agent,
            digest: covered.digest(),
            body,
            presented: self,
        })
    }
}

impl std::fmt::Debug for PresentedSignature<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PresentedSignature({:?})", self.input.label)
    }
}

/// A signature of which only the key is missing.
pub struct CheckedSignature<'a> {
    presented: PresentedSignature<'a>,
    times: (Option<UnixTime>, Option<UnixTime>),
    nonce: Option<String>,
    agent: Option<SignatureAgent>,
    digest: bool,
    body: Option<&'a [u8]>,
}

impl CheckedSignature<'_> {
    /// Where the signer says its keys are.
    pub fn signature_agent(&self) -> Option<&SignatureAgent> {
        self.agent.as_ref()
    }

    /// The key that it says it was made with. It names a key of the signature agent, and nothing
    /// by itself.
    pub fn keyid(&self) -> Option<&str> {
        self.presented.input.text("keyid").ok().flatten()
    }

    /// Verifies it with this key, and the body with the digest that it covers.
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule, [`SignatureError::DigestMissing`] after
    /// [`PresentedSignature::check_head`]: there is no body to check.
    pub fn verify(
        self,
        key: impl Into<HttpVerifyingKey>,
    ) -> Result<VerifiedMessage, SignatureError> {
        let (digest, body) = (self.digest, self.body);
        let body = body.ok_or(SignatureError::DigestMissing { len: 0 })?;
        let headers = self.presented.message.headers();
        let mut verified = self.verify_signature(key.into())?;
        // Only a body that somebody with the key signed is worth hashing.
        if digest {
            check_digest(headers, body)?;
        }
        verified.body = digest;
        Ok(verified)
    }

    /// Verifies it with this key, and leaves the body that is still to come to
    /// [`VerifiedHead`].
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule; the digest of the body has to be covered.
    pub fn verify_head(
        self,
        key: impl Into<HttpVerifyingKey>,
    ) -> Result<VerifiedHead, SignatureError> {
        let covers = self.digest;
        let headers = self.presented.message.headers();
        let verified = self.verify_signature(key.into())?;
        let digests = Digests::of_content(headers)?.filter(|_| covers);
        let digests = digests.ok_or(SignatureError::DigestMissing { len: 0 })?;
        Ok(VerifiedHead::new(verified, digests))
    }

    fn verify_signature(self, key: HttpVerifyingKey) -> Result<VerifiedMessage, SignatureError> {
        let PresentedSignature {
            message,
            profile,
            input,
        } = self.presented;
        profile.check_key(&key)?;
        check_key(&input, &profile.needs, &key)?;
        let headers = message.headers();
        let signature = signature_of(headers, input.label)?;
        let mut base = Vec::with_capacity(BASE_ROOM);
        let mut member = write_base(&message, &input.components, &mut base)?;
        let list = member.len();
        input.write_params(&mut member);
        base.extend_from_slice(&member[list..]);
        key.verify(&base, &signature)
            .map_err(|_| SignatureError::Invalid)?;
        Ok(VerifiedMessage {
            member: verified::SignedMember::new(member, input.label),
            key: key.thumbprint(),
            keyid: input.text("keyid")?.map(str::to_owned),
            tag: match &profile.tag {
                Some(Cow::Borrowed(tag)) => Some(Cow::Borrowed(*tag)),
                _ => input.text("tag")?.map(|tag| Cow::Owned(tag.to_owned())),
            },
            nonce: self.nonce,
            created: self.times.0,
            expires: self.times.1,
            agent: self.agent,
            body: false,
            published: false,
        })
    }
}

impl std::fmt::Debug for CheckedSignature<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckedSignature({:?})", self.presented.input.label)
    }
}

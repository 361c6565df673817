//! Verified, invalid and unverified, kept apart to the end.

use super::agent::SignatureAgent;
use super::error::SignatureError;
use super::keys::HttpVerifyingKey;
use super::params::ParamValue;
use super::presented::{CheckedSignature, PresentedSignature};
use super::profile::Profile;
use super::verified::VerifiedMessage;
use super::view::MessageView;
use crate::clock::{Skew, UnixTime};

/// What became of a signature.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It holds.
    Verified(Box<VerifiedMessage>),
    /// The message is at fault.
    Invalid(Box<Refused>),
    /// It could not be judged: no signature for this use, no key. Not a word against the message,
    /// and none in its favour.
    Unverified(Box<Refused>),
}

impl Outcome {
    /// The outcome of `result`; `claims` is what the signature said of itself, if it could be read.
    pub fn of(
        claims: Option<SignatureClaims>,
        result: Result<VerifiedMessage, SignatureError>,
    ) -> Self {
        match result {
            Ok(verified) => Self::Verified(Box::new(verified)),
            Err(error) if error.is_conclusive() => Self::Invalid(Refused::new(error, claims)),
            Err(error) => Self::Unverified(Refused::new(error, claims)),
        }
    }

    /// `verified`, `invalid` or `unverified`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Invalid(_) => "invalid",
            Self::Unverified(_) => "unverified",
        }
    }

    /// The fixed word of the broken rule; `None` when it is verified.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Verified(_) => None,
            Self::Invalid(refused) | Self::Unverified(refused) => Some(refused.error.reason()),
        }
    }

    /// What the signature says of itself, whatever became of it. Only of a verified one it is more
    /// than hearsay.
    pub fn claims(&self) -> Option<SignatureClaims> {
        match self {
            Self::Verified(verified) => Some(SignatureClaims::of(verified)),
            Self::Invalid(refused) | Self::Unverified(refused) => refused.claims.clone(),
        }
    }

    /// The evidence.
    ///
    /// # Errors
    /// [`SignatureError`] when it is not verified.
    pub fn into_result(self) -> Result<VerifiedMessage, SignatureError> {
        match self {
            Self::Verified(verified) => Ok(*verified),
            Self::Invalid(refused) | Self::Unverified(refused) => Err(refused.error),
        }
    }
}

/// A signature that was not verified, and why.
#[derive(Clone, Debug)]
pub struct Refused {
    error: SignatureError,
    claims: Option<SignatureClaims>,
}

impl Refused {
    fn new(error: SignatureError, claims: Option<SignatureClaims>) -> Box<Self> {
        Box::new(Self { error, claims })
    }

    /// The broken rule.
    pub fn error(&self) -> &SignatureError {
        &self.error
    }

    /// What the signature said of itself, if it could be read. Nobody has checked it.
    pub fn claims(&self) -> Option<&SignatureClaims> {
        self.claims.as_ref()
    }
}

/// What a signature says of itself, for logs and for people.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct SignatureClaims {
    /// The label it stands under.
    pub label: String,
    /// The identifiers of the covered components, as written.
    pub covered: Vec<String>,
    /// `keyid`.
    pub keyid: Option<String>,
    /// The URL in `Signature-Agent`, as far as the signature covers it.
    pub signature_agent: Option<String>,
    /// `created`.
    pub created: Option<UnixTime>,
    /// `expires`.
    pub expires: Option<UnixTime>,
    /// `tag`.
    pub tag: Option<String>,
}

impl SignatureClaims {
    fn of(verified: &VerifiedMessage) -> Self {
        Self {
            label: verified.label().to_owned(),
            covered: verified.covered().to_vec(),
            keyid: verified.keyid().map(str::to_owned),
            signature_agent: verified.signature_agent().map(str::to_owned),
            created: verified.created(),
            expires: verified.expires(),
            tag: verified.tag().map(str::to_owned),
        }
    }
}

impl PresentedSignature<'_> {
    /// What it says of itself. Nobody has checked it.
    pub fn claims(&self) -> SignatureClaims {
        let text = |name| match self.parameter(name) {
            Some(ParamValue::Text(text)) => Some(text),
            _ => None,
        };
        let time = |name| match self.parameter(name) {
            Some(ParamValue::Integer(secs)) => Some(UnixTime::from_secs(secs)),
            _ => None,
        };
        SignatureClaims {
            label: self.label().to_owned(),
            covered: self.covered().collect(),
            keyid: text("keyid"),
            signature_agent: self.signature_agent().map(|agent| agent.url().to_owned()),
            created: time("created"),
            expires: time("expires"),
            tag: text("tag"),
        }
    }
}

/// The key that a signature asks for. Both together name it: the same `keyid` at another agent is
/// another signer.
#[derive(Clone, Copy, Debug)]
pub struct WantedKey<'a> {
    /// Where the signer says its keys are.
    pub agent: Option<&'a SignatureAgent>,
    /// What it calls the key.
    pub keyid: Option<&'a str>,
}

impl WantedKey<'_> {
    /// That the key is not known, or could not be fetched.
    pub fn unknown(&self) -> SignatureError {
        let keyid = self.keyid.map(|keyid| keyid.chars().take(64).collect());
        SignatureError::KeyUnknown { keyid }
    }
}

/// A key, and how its finder came by it.
#[derive(Clone, Debug)]
pub enum ResolvedKey {
    /// It was found at the signature agent's URL.
    Published(HttpVerifyingKey),
    /// It was at hand, whatever the URL says. The signer is then known by its key only.
    Held(HttpVerifyingKey),
}

impl CheckedSignature<'_> {
    /// The key to look up.
    pub fn wanted_key(&self) -> WantedKey<'_> {
        WantedKey {
            agent: self.signature_agent(),
            keyid: self.keyid(),
        }
    }

    /// Verifies it with a key that was looked up for it. Only a published one makes the agent's URL
    /// [the signer's](VerifiedMessage::attributed_to).
    ///
    /// # Errors
    /// [`SignatureError`] naming the first broken rule.
    pub fn verify_resolved(self, key: &ResolvedKey) -> Result<VerifiedMessage, SignatureError> {
        match key {
            ResolvedKey::Held(key) => self.verify(key),
            ResolvedKey::Published(key) => {
                let mut verified = self.verify(key)?;
                verified.published = verified.agent.is_some();
                Ok(verified)
            }
        }
    }
}

/// Judges the one signature that the profile is about, with the key that `find` gives for it.
///
/// ```
/// use std::collections::HashMap;
/// use countersign::clock::{Skew, UnixTime};
/// use countersign::httpsig::{
///     HttpVerifyingKey, MessageView, Outcome, Profile, ResolvedKey, Revision, judge,
/// };
///
/// /// Keys that were found at each URL, by thumbprint.
/// type Found = HashMap<(String, String), HttpVerifyingKey>;
///
/// fn outcome(message: &MessageView<'_>, body: &[u8], keys: &Found, now: UnixTime) -> Outcome {
///     let profile = Profile::web_bot_auth(Revision::Ietf01);
///     judge(message, body, &profile, (now, Skew::default()), |wanted| {
///         let (Some(agent), Some(keyid)) = (wanted.agent, wanted.keyid) else {
///             return Err(wanted.unknown());
///         };
///         let found = keys.get(&(agent.url().to_owned(), keyid.to_owned()));
///         found.cloned().map(ResolvedKey::Published).ok_or_else(|| wanted.unknown())
///     })
/// }
/// ```
pub fn judge(
    message: &MessageView<'_>,
    body: &[u8],
    profile: &Profile,
    (now, skew): (UnixTime, Skew),
    find: impl FnOnce(WantedKey<'_>) -> Result<ResolvedKey, SignatureError>,
) -> Outcome {
    let presented = match PresentedSignature::choose(message, profile) {
        Ok(presented) => presented,
        Err(error) => return Outcome::of(None, Err(error)),
    };
    let claims = presented.claims();
    let result = presented.check(body, now, skew).and_then(|checked| {
        let key = find(checked.wanted_key())?;
        checked.verify_resolved(&key)
    });
    Outcome::of(Some(claims), result)
}

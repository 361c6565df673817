//! What a signature has to cover and to say, for each use.

use std::borrow::Cow;
use std::time::Duration;

use sfv::KeyRef;

use super::component::ComponentId;
use super::error::SignatureError;
use super::keys::{HttpVerifyingKey, is_public_test_key};
use super::params::ParamValue;
use super::profile_builder::ProfileBuilder;
use super::revision::{Revision, Tolerance, Tolerances};
use super::rules::{Audience, Cover, Needs, SignerParam};

/// The label of signatures we make, unless another is set.
const LABEL: &str = "sig1";

/// What a signature covers and says when it is made, and has to when it is verified.
///
/// A profile is a value with a name; two are never merged. A signer writes exactly what it says, a
/// verifier lets pass what is [tolerated](Profile::tolerate) and nothing else.
///
/// ```
/// use countersign::httpsig::{Profile, Revision, Tolerance};
/// use std::time::Duration;
/// let calls = Profile::a2a().with_life(Duration::from_secs(30))?;
/// let bots = Profile::web_bot_auth(Revision::Ietf01).tolerate(Tolerance::BareSignatureAgent);
/// assert_eq!((calls.name(), bots.name()), ("a2a", "web-bot-auth"));
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) name: Cow<'static, str>,
    pub(super) label: Option<String>,
    /// Whether a verifier takes the label above only.
    pub(super) pick: bool,
    pub(super) tag: Option<Cow<'static, str>>,
    pub(super) life: Duration,
    pub(super) max_life: Option<Duration>,
    pub(super) needs: Needs,
    pub(super) cover: Vec<Cover>,
    pub(super) params: Vec<SignerParam>,
    pub(super) tolerances: Tolerances,
    pub(super) test_keys: bool,
    pub(super) shared_secrets: bool,
}

impl Profile {
    /// The longest life that can be configured, to sign or to accept.
    pub const MAX_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

    /// A profile of one's own, for what the named ones do not fit.
    pub fn builder(name: &str) -> ProfileBuilder {
        ProfileBuilder::new(name)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag that its signatures carry, and are chosen by.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Signs under this label (`sig1` otherwise). A verifier of a profile with a tag takes any
    /// label, unless it [picks](Profile::pick_label) one; one without a tag takes the signature
    /// with this label.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when it is not a key of RFC 9651 §3.2.
    pub fn with_label(mut self, label: &str) -> Result<Self, SignatureError> {
        if KeyRef::from_str(label).is_err() {
            return Err(SignatureError::Malformed {
                field: "the label",
                what: "labels are lower-case letters, digits and _-.* and begin with a letter or *",
            });
        }
        self.label = Some(label.to_owned());
        Ok(self)
    }

    /// Verifies the signature with this label only, when several have the profile's tag.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when it is not a key of RFC 9651 §3.2.
    pub fn pick_label(self, label: &str) -> Result<Self, SignatureError> {
        let mut picking = self.with_label(label)?;
        picking.pick = true;
        Ok(picking)
    }

    /// Signs for this long (60 s otherwise), whole seconds.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] past [`Profile::MAX_LIFE`], and past what the profile accepts.
    pub fn with_life(mut self, life: Duration) -> Result<Self, SignatureError> {
        self.life = within_a_day(life)?;
        Ok(self)
    }

    /// Accepts signatures that live this long, and no longer, and want to know when they end.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] past [`Profile::MAX_LIFE`].
    pub fn with_max_life(mut self, life: Duration) -> Result<Self, SignatureError> {
        self.max_life = Some(within_a_day(life)?);
        Ok(self)
    }

    /// Covers one more component when signing; a request that has no value for it is not signed.
    #[must_use]
    pub fn covering(mut self, component: ComponentId<'static>) -> Self {
        self.cover.push(Cover::Other(component));
        self
    }

    /// Writes `alg`, the key's algorithm, when signing. No profile needs it, some verifiers do;
    /// [`Profile::wimse`] does not have it.
    #[must_use]
    pub fn naming_algorithm(mut self) -> Self {
        let has = self.params.contains(&SignerParam::Alg);
        let keyid = self.params.iter().position(|p| *p == SignerParam::Keyid);
        if let (false, Some(at)) = (has, keyid) {
            self.params.insert(at + 1, SignerParam::Alg);
        }
        self
    }

    /// For whom requests are, in `wimse-aud`: a signer writes it, a verifier takes it and no other.
    /// Without this it is the target's URI, without its query. Verifiers may be given several.
    #[must_use]
    pub fn with_audience(mut self, audience: &str) -> Self {
        match &mut self.needs.audience {
            Some(Audience::Named(named)) => named.push(audience.to_owned()),
            Some(to @ Audience::Target) => *to = Audience::Named(vec![audience.to_owned()]),
            None => {}
        }
        self
    }

    /// Asks for a signed response, with `wimse-sign-response`, when signing with
    /// [`Profile::wimse`].
    #[must_use]
    pub fn asking_signed_response(mut self) -> Self {
        let asks = SignerParam::Fixed("wimse-sign-response".to_owned(), ParamValue::Flag);
        if self.needs.audience.is_some() && !self.params.contains(&asks) {
            self.params.push(asks);
        }
        self
    }

    /// Lets a verifier take what the profile does not allow. Signers are not changed.
    #[must_use]
    pub fn tolerate(mut self, tolerance: Tolerance) -> Self {
        self.tolerances.add(tolerance);
        self
    }

    /// Ways to make the profile weaker.
    pub fn danger(self) -> Danger {
        Danger(self)
    }

    /// Whether a body has to be covered.
    #[cfg(feature = "net")]
    pub(crate) const fn wants_digest(&self) -> bool {
        self.needs.body
    }

    /// Under which label it signs.
    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(LABEL)
    }

    /// The form of `Signature-Agent` that it signs with.
    pub(super) fn agent_form(&self) -> Revision {
        self.needs.agent.unwrap_or(Revision::Ietf01)
    }

    /// Refuses keys whose private half is printed in RFC 9421 B.1, and shared secrets where the
    /// profile has no place for them.
    pub(super) fn check_key(&self, key: &HttpVerifyingKey) -> Result<(), SignatureError> {
        let (algorithm, thumbprint) = (key.algorithm(), key.thumbprint());
        // draft-ietf-webbotauth-httpsig-protocol: hmac-sha256 must not be used.
        if !self.shared_secrets && algorithm.is_shared_secret() {
            return Err(SignatureError::AlgorithmRefused { algorithm });
        }
        if !self.test_keys && is_public_test_key(thumbprint) {
            return Err(SignatureError::TestKey { thumbprint });
        }
        Ok(())
    }
}

impl Default for Profile {
    /// [`Profile::a2a`].
    fn default() -> Self {
        Self::a2a()
    }
}

/// Ways to make a [`Profile`] weaker, all in one place that is easy to search for.
#[derive(Clone, Debug)]
pub struct Danger(Profile);

impl Danger {
    /// Takes the keys of RFC 9421 B.1, with which anybody can sign. For test vectors.
    pub fn accept_public_test_keys(mut self) -> Profile {
        self.0.test_keys = true;
        self.0
    }
}

pub(super) fn within_a_day(life: Duration) -> Result<Duration, SignatureError> {
    super::input::check_size(
        "seconds of life",
        usize::try_from(life.as_secs()).unwrap_or(usize::MAX),
        Profile::MAX_LIFE.as_secs() as usize,
    )?;
    Ok(life)
}

//! What a signature has to cover and to say, for each use.

use std::time::Duration;

use sfv::KeyRef;

use super::component::ComponentId;
use super::error::SignatureError;
use super::keys::{HttpVerifyingKey, is_public_test_key};
use super::rules::{Agent, Cover, Needs, Target};

/// The tag of Web Bot Auth signatures, and of ours, which are such signatures.
const WEB_BOT_AUTH: &str = "web-bot-auth";

/// The tag of a key directory's proofs.
pub(super) const DIRECTORY: &str = "http-message-signatures-directory";

/// The label of signatures we make, unless another is set.
const LABEL: &str = "sig1";

/// What a signature covers and says when it is made, and has to when it is verified.
///
/// ```
/// use countersign::httpsig::Profile;
/// use std::time::Duration;
/// let profile = Profile::a2a().with_life(Duration::from_secs(30))?;
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    pub(super) label: Option<String>,
    pub(super) tag: Option<&'static str>,
    pub(super) life: Duration,
    pub(super) max_life: Option<Duration>,
    pub(super) needs: Needs,
    pub(super) cover: Vec<Cover>,
    pub(super) test_keys: bool,
    pub(super) shared_secrets: bool,
}

impl Profile {
    /// The longest life that can be configured, to sign or to accept.
    pub const MAX_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Calls between agents, the default: a Web Bot Auth signature over the whole request.
    ///
    /// Covers `@method`, `@authority`, `@path`, `@query`, the signature's own `signature-agent`
    /// member, `content-digest` of a body, and, when present, `content-type`, `authorization`,
    /// `a2a-version` and `a2a-extensions`; says `created`, `expires` (60 s later), `keyid` (JWK
    /// thumbprint), `nonce` and `tag`. Lives of up to 300 s are accepted.
    pub fn a2a() -> Self {
        Self {
            label: None,
            tag: Some(WEB_BOT_AUTH),
            life: Duration::from_secs(60),
            max_life: Some(Duration::from_secs(300)),
            needs: Needs {
                target: Target::Whole,
                body: true,
                fields: true,
                agent: Agent::Label,
                times: true,
                keyid: true,
                nonce: true,
            },
            cover: vec![
                Cover::Method,
                Cover::Authority,
                Cover::Path,
                Cover::Query,
                Cover::Field("content-type"),
                Cover::Digest,
                Cover::Field("authorization"),
                Cover::Field("a2a-version"),
                Cover::Field("a2a-extensions"),
                Cover::Agent,
            ],
            test_keys: false,
            shared_secrets: false,
        }
    }

    /// Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol): `@authority` or `@target-uri`, the
    /// `signature-agent` member under the signature's label, `created`, `expires`, `keyid` and
    /// `tag`; `content-digest` when there is a body. Lives of up to 24 h are accepted.
    pub fn web_bot_auth() -> Self {
        Self {
            max_life: Some(Self::MAX_LIFE),
            needs: Needs {
                target: Target::Host,
                body: false,
                fields: false,
                agent: Agent::Label,
                times: true,
                keyid: true,
                nonce: false,
            },
            cover: vec![
                Cover::Method,
                Cover::Authority,
                Cover::Path,
                Cover::Query,
                Cover::Digest,
                Cover::Agent,
            ],
            ..Self::a2a()
        }
    }

    /// RFC 9421 and nothing more: the signature says what it covers, and the caller judges
    /// whether that is enough. Picked by label, or the only one on the message.
    pub fn rfc9421() -> Self {
        Self {
            tag: None,
            max_life: None,
            needs: Needs {
                target: Target::Any,
                body: false,
                fields: false,
                agent: Agent::Any,
                times: false,
                keyid: false,
                nonce: false,
            },
            cover: Vec::new(),
            shared_secrets: true,
            ..Self::a2a()
        }
    }

    /// The proof of possession in the response of a key directory.
    pub(super) fn directory() -> Self {
        let rfc9421 = Self::rfc9421();
        Self {
            tag: Some(DIRECTORY),
            needs: Needs {
                body: true,
                times: true,
                keyid: true,
                ..rfc9421.needs
            },
            shared_secrets: false,
            ..rfc9421
        }
    }

    /// Signs under this label (`sig1` otherwise). A verifier of a profile with a tag takes any
    /// label; one without a tag takes the signature with this label.
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

    /// Signs for this long (60 s otherwise), whole seconds.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] past [`Profile::MAX_LIFE`].
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

    /// Accepts the forms of `Signature-Agent` that earlier drafts of Web Bot Auth had: a bare
    /// string, a member under another name than the label, or no such field at all. What a request
    /// carries must still be covered.
    #[must_use]
    pub fn with_earlier_drafts(mut self) -> Self {
        if self.needs.agent == Agent::Label {
            self.needs.agent = Agent::Earlier;
        }
        self
    }

    /// Ways to make the profile weaker.
    pub fn danger(self) -> Danger {
        Danger(self)
    }

    pub(super) fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(LABEL)
    }

    /// The same profile with what every request from agent to agent has to have.
    pub(super) fn for_requests(mut self) -> Self {
        self.needs = Needs {
            body: true,
            times: true,
            keyid: true,
            nonce: true,
            ..self.needs
        };
        self.max_life = self.max_life.or(Some(Self::MAX_LIFE));
        self
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

fn within_a_day(life: Duration) -> Result<Duration, SignatureError> {
    super::input::check_size(
        "seconds of life",
        usize::try_from(life.as_secs()).unwrap_or(usize::MAX),
        Profile::MAX_LIFE.as_secs() as usize,
    )?;
    Ok(life)
}

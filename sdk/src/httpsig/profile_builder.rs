//! Profiles of one's own.

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;
use sfv::KeyRef;

use super::component::ComponentId;
use super::error::SignatureError;
use super::input::{MAX_COMPONENTS, check_size, refuse_repeated};
use super::params::ParamValue;
use super::profile::{Profile, within_a_day};
use super::profiles::is_without_secrets;
use super::rules::{Cover, Keyid, Needs, SignerParam, Target};

/// Makes a [`Profile`]. What is covered is required of both sides; what nobody names is not there.
///
/// ```
/// use std::time::Duration;
/// use countersign::httpsig::{ComponentId, ParamValue, Profile};
///
/// let profile = Profile::builder("webhooks")
///     .label("hook")
///     .tag("example-webhook")
///     .cover(ComponentId::parse("\"@method\"")?)
///     .cover(ComponentId::parse("\"@target-uri\"")?)
///     .cover_body()
///     .cover_when_present("content-type")
///     .max_life(Duration::from_secs(120))
///     .keyid()
///     .nonce()
///     .parameter("example-final", ParamValue::Flag)
///     .build()?;
/// assert_eq!(profile.tag(), Some("example-webhook"));
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ProfileBuilder {
    name: String,
    label: Option<String>,
    tag: Option<String>,
    life: Duration,
    max_life: Option<Duration>,
    needs: Needs,
    cover: Vec<Cover>,
    params: Vec<SignerParam>,
    fields: Vec<String>,
}

impl ProfileBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: None,
            tag: None,
            life: Duration::from_secs(60),
            max_life: None,
            needs: Needs::none(),
            cover: Vec::new(),
            params: vec![SignerParam::Created],
            fields: Vec::new(),
        }
    }

    /// The label to sign under, and without a tag the one to verify.
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// What the signature is for; a verifier chooses by it. Under the tags of Web Bot Auth and WIMSE
    /// there are no shared secrets, whoever names them.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = Some(tag.to_owned());
        self.add(SignerParam::Tag)
    }

    /// The component must be covered, always.
    pub fn cover(mut self, component: ComponentId<'static>) -> Self {
        self.needs.always.push(component.clone());
        self.cover.push(Cover::Other(component));
        self
    }

    /// The field must be covered when the message has it.
    pub fn cover_when_present(mut self, field: &str) -> Self {
        self.fields.push(field.to_owned());
        self
    }

    /// `@method`, and `@target-uri` or all of `@authority`, `@path` and `@query`, must be covered.
    pub fn cover_target(mut self) -> Self {
        self.needs.target = Target::Whole;
        self.cover
            .extend([Cover::Method, Cover::Authority, Cover::Path, Cover::Query]);
        self
    }

    /// A body must be covered, with `content-digest`.
    pub fn cover_body(mut self) -> Self {
        self.needs.body = true;
        self.cover.push(Cover::Digest);
        self
    }

    /// How long signatures live, in whole seconds (60 s otherwise). `expires` is then demanded.
    pub fn life(mut self, life: Duration) -> Self {
        self.life = life;
        self.needs.times = true;
        self.add(SignerParam::Expires)
    }

    /// How long a signature may live; `created` and `expires` are then demanded.
    pub fn max_life(mut self, life: Duration) -> Self {
        self.max_life = Some(life);
        self.needs.times = true;
        self.add(SignerParam::Expires)
    }

    /// `keyid` must be there and be the JWK thumbprint of the key.
    pub fn keyid(mut self) -> Self {
        self.needs.keyid = Keyid::Thumbprint;
        self.add(SignerParam::Keyid)
    }

    /// `nonce` must be there.
    pub fn nonce(mut self) -> Self {
        self.needs.nonce = true;
        self.add(SignerParam::Nonce)
    }

    /// Another parameter, which must be there with this value. Parameters stand in the order in
    /// which they were named, after `created`.
    pub fn parameter(mut self, name: &str, value: ParamValue) -> Self {
        self.needs.params.push((name.to_owned(), value.clone()));
        self.params.push(SignerParam::Fixed(name.to_owned(), value));
        self
    }

    /// What a signer writes, in this order, in place of the order in which it was named. What a
    /// verifier demands does not change.
    pub fn parameter_order(mut self, params: impl IntoIterator<Item = SignerParam>) -> Self {
        self.params = params.into_iter().collect();
        self
    }

    /// The profile.
    ///
    /// # Errors
    /// [`SignatureError`] when a label, a field or a parameter has no proper name, a component or
    /// a parameter stands twice, or a life is over 24 h.
    pub fn build(self) -> Result<Profile, SignatureError> {
        let malformed = |field, what| SignatureError::Malformed { field, what };
        let mut profile = Profile::rfc9421();
        profile.name = Cow::Owned(self.name);
        profile.shared_secrets = !self.tag.as_deref().is_some_and(is_without_secrets);
        profile.tag = self.tag.map(Cow::Owned);
        profile.life = within_a_day(self.life)?;
        profile.max_life = self.max_life.map(within_a_day).transpose()?;
        profile.needs = self.needs;
        profile.cover = self.cover;
        for name in self.fields {
            let name = HeaderName::try_from(name);
            let name = name.map_err(|_| malformed("the profile", "a field has no proper name"))?;
            profile
                .cover
                .push(Cover::Field(Cow::Owned(name.as_str().to_owned())));
            profile.needs.present.push(name);
        }
        check_size("components", profile.cover.len(), MAX_COMPONENTS)?;
        refuse_repeated(&profile.needs.always)?;
        for (index, (name, _)) in profile.needs.params.iter().enumerate() {
            let twice = profile.needs.params[..index]
                .iter()
                .any(|(other, _)| other == name);
            let known = ["created", "expires", "keyid", "alg", "nonce", "tag"];
            if twice || KeyRef::from_str(name).is_err() || known.contains(&name.as_str()) {
                let what = "a parameter has no proper name, stands twice or has its own method";
                return Err(malformed("the profile", what));
            }
        }
        profile.params = self.params;
        match self.label {
            Some(label) => profile.with_label(&label),
            None => Ok(profile),
        }
    }

    fn add(mut self, param: SignerParam) -> Self {
        if !self.params.contains(&param) {
            self.params.push(param);
        }
        self
    }
}

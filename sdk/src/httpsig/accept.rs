//! `Accept-Signature`: asking for a signature, and giving the one asked for (RFC 9421 §5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderName, VARY};
use http::{HeaderMap, HeaderValue};
use sfv::BareItemFromInput;

use super::component::ComponentId;
use super::error::SignatureError;
use super::input::{Input, MAX_COMPONENTS, check_size};
use super::inputs::Inputs;
use super::keys::HttpSigningKey;
use super::params::{ParamValue, SignatureFields, SignatureParams, header_value, sign_message};
use super::profile::Profile;
use super::rules::SignerParam;
use super::template::components_of;
use super::view::MessageView;
use crate::clock::UnixTime;

pub(super) const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");

/// A parameter that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// With a value of the signer's choice.
    Any,
    /// With this value.
    Exactly(ParamValue),
}

/// One member of `Accept-Signature`: a signature that somebody asks for.
///
/// ```
/// use countersign::httpsig::{AcceptSignature, Profile, Revision};
/// let wanted = AcceptSignature::of(&Profile::web_bot_auth(Revision::Ietf01))?;
/// assert_eq!(
///     wanted.to_header()?,
///     "sig1=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\" \
///      \"signature-agent\";key=\"sig1\");created;expires;keyid;nonce;tag=\"web-bot-auth\"",
/// );
/// # Ok::<(), countersign::httpsig::SignatureError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AcceptSignature {
    label: String,
    components: Vec<ComponentId<'static>>,
    params: Vec<(String, Wish)>,
}

impl AcceptSignature {
    /// A wish for these components under this label, with no parameters yet.
    ///
    /// # Errors
    /// [`SignatureError`] when the label is none, or a component stands twice.
    pub fn new(label: &str, components: Vec<ComponentId<'static>>) -> Result<Self, SignatureError> {
        let named = Profile::rfc9421().with_label(label)?;
        check_size("components", components.len(), MAX_COMPONENTS)?;
        super::input::refuse_repeated(&components)?;
        Ok(Self {
            label: named.label().to_owned(),
            components,
            params: Vec::new(),
        })
    }

    /// A wish for what a signer of the profile covers and says.
    ///
    /// # Errors
    /// [`SignatureError`] when the profile covers a component twice.
    pub fn of(profile: &Profile) -> Result<Self, SignatureError> {
        let mut wish = Self::new(profile.label(), components_of(profile)?)?;
        for param in &profile.params {
            wish = match param {
                SignerParam::Created => wish.wanting("created", Wish::Any),
                SignerParam::Expires => wish.wanting("expires", Wish::Any),
                SignerParam::Keyid => wish.wanting("keyid", Wish::Any),
                SignerParam::Alg => wish.wanting("alg", Wish::Any),
                SignerParam::Nonce => wish.wanting("nonce", Wish::Any),
                SignerParam::Audience => wish.wanting(super::sign::AUDIENCE, Wish::Any),
                SignerParam::Tag => match profile.tag() {
                    Some(tag) => {
                        let tag = ParamValue::Text(tag.to_owned());
                        wish.wanting("tag", Wish::Exactly(tag))
                    }
                    None => wish,
                },
                SignerParam::Fixed(name, value) => wish.wanting(name, Wish::Exactly(value.clone())),
            };
        }
        Ok(wish)
    }

    /// The same wish with a parameter: `nonce` with a value is the verifier's own, which it will
    /// know again.
    #[must_use]
    pub fn wanting(mut self, name: &str, wish: Wish) -> Self {
        self.params.retain(|(other, _)| other != name);
        self.params.push((name.to_owned(), wish));
        self
    }

    /// The label that the signature has to have.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The components that it has to cover, and no other.
    pub fn components(&self) -> &[ComponentId<'static>] {
        &self.components
    }

    /// The parameters that it has to have.
    pub fn params(&self) -> &[(String, Wish)] {
        &self.params
    }

    /// Every wish in the field; none when the field is not there.
    ///
    /// # Errors
    /// [`SignatureError`] when the field is malformed, or has more than eight members.
    pub fn read(headers: &HeaderMap) -> Result<Vec<Self>, SignatureError> {
        let inputs = match Inputs::read_field(headers, &ACCEPT_SIGNATURE, "Accept-Signature") {
            Ok(inputs) => inputs,
            Err(SignatureError::Missing { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        inputs
            .all_tagged(None)
            .map(|input| Self::from_input(input?))
            .collect()
    }

    fn from_input(input: Input<'_>) -> Result<Self, SignatureError> {
        input.refuse_repeated()?;
        let mut params = Vec::new();
        for (name, value) in &input.params {
            let name = name.as_str();
            let wish = match value {
                BareItemFromInput::Boolean(true) => Wish::Any,
                // RFC 9421 §5.1: times are asked for without a value.
                _ if ["created", "expires"].contains(&name) => Wish::Any,
                _ => {
                    let value = input.value(name).ok_or(SignatureError::Malformed {
                        field: "Accept-Signature",
                        what: "a parameter is neither a text nor a number nor a flag",
                    })?;
                    Wish::Exactly(value)
                }
            };
            params.push((name.to_owned(), wish));
        }
        Ok(Self {
            label: input.label.to_owned(),
            components: input
                .components
                .into_iter()
                .map(ComponentId::into_owned)
                .collect(),
            params,
        })
    }

    /// The value of the field.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] when a parameter cannot be written.
    pub fn to_header(&self) -> Result<HeaderValue, SignatureError> {
        let mut out = [self.label.as_bytes(), b"=("].concat();
        for (index, component) in self.components.iter().enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            component.write(&mut out);
        }
        out.push(b')');
        for (name, wish) in &self.params {
            let value = match wish {
                Wish::Any => ParamValue::Flag,
                Wish::Exactly(value) => value.clone(),
            };
            SignatureParams::new()
                .with(name.clone(), value)
                .write(&mut out)?;
        }
        header_value(&out)
    }

    /// Makes exactly the signature that is asked for: this label, these components, these
    /// parameters. `life` is from now to `expires`, and `nonce` is used when no value is asked for.
    ///
    /// The fields are to be appended to the message; and a response that has a signature because it
    /// was asked for [varies](vary_by_accept_signature) by that.
    ///
    /// # Errors
    /// [`SignatureError::Asked`] when another key or algorithm is asked for, or a parameter that
    /// only the asker can know, and what is wrong with the components on this message.
    pub fn answer(
        &self,
        message: &MessageView<'_>,
        key: &HttpSigningKey,
        now: UnixTime,
        life: std::time::Duration,
        nonce: [u8; 16],
    ) -> Result<SignatureFields, SignatureError> {
        let public = key.verifying_key();
        let keyid = public.thumbprint().to_string();
        let mut params = SignatureParams::new();
        for (name, wish) in &self.params {
            params = match (name.as_str(), wish) {
                ("created", _) => params.created(now),
                ("expires", _) => params.expires(now.plus(life)),
                ("keyid", Wish::Any) => params.keyid(public.thumbprint()),
                ("keyid", Wish::Exactly(ParamValue::Text(named))) if *named != keyid => {
                    return Err(asked("it is for another key"));
                }
                ("alg", Wish::Any) => params.alg(public.algorithm()),
                ("alg", Wish::Exactly(ParamValue::Text(named)))
                    if named != public.algorithm().name() =>
                {
                    return Err(asked("it is for another algorithm"));
                }
                ("nonce", Wish::Any) => params.nonce(STANDARD.encode(nonce)),
                // RFC 9421 §5.1: a tag without a value asks for nothing that could be written.
                ("tag", Wish::Any) => return Err(asked("the tag has no value")),
                (name, Wish::Any) => params.with(name, ParamValue::Flag),
                (name, Wish::Exactly(value)) => params.with(name, value.clone()),
            };
        }
        sign_message(message, key, &self.label, &self.components, &params)
    }
}

/// Says that the response is another one when another signature is asked for (RFC 9421 §5.2).
///
/// # Errors
/// [`SignatureError::TooLarge`] when there are more header fields than can be held.
pub fn vary_by_accept_signature(headers: &mut HeaderMap) -> Result<(), SignatureError> {
    let says = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default();
        let mut names = value.split(',').map(str::trim);
        names.any(|name| name == "*" || name.eq_ignore_ascii_case("accept-signature"))
    };
    if headers.get_all(VARY).iter().any(says) {
        return Ok(());
    }
    super::sign::append(headers, VARY, HeaderValue::from_static("accept-signature"))
}

const fn asked(rule: &'static str) -> SignatureError {
    SignatureError::Asked { rule }
}

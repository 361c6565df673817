//! Signing requests from a template that is compiled once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::agent::{AGENT, SIGNATURE_AGENT, check_url};
use super::base::{BASE_ROOM, PARAMS};
use super::component::{ComponentId, write_string};
use super::digest::encode_digest;
use super::error::SignatureError;
use super::fields::{NoValue, combined, write_bytes};
use super::input::{MAX_COMPONENTS, SIGNATURE, SIGNATURE_INPUT, check_size, refuse_repeated};
use super::keys::{HttpSigningKey, HttpVerifyingKey};
use super::origin::Origin;
use super::params::{SignatureFields, header_value, write_number};
use super::prepared::{PreparedMessage, PreparedRequest};
use super::profile::Profile;
use super::rules::Cover;
use super::view::RequestView;
use crate::clock::UnixTime;

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Signs requests with one key. Everything that is the same for all of them is written once.
///
/// ```
/// use std::sync::Arc;
/// use countersign::clock::UnixTime;
/// use countersign::crypto::{Algorithm, SigningKey, random};
/// use countersign::httpsig::{Origin, Profile, Signer};
///
/// let key = Arc::new(SigningKey::generate(Algorithm::Ed25519)?);
/// let directory = "https://planner.example/.well-known/http-message-signatures-directory";
/// let signer = Signer::new(key, directory, Profile::a2a())?;
///
/// let body = br#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"7"}}"#;
/// let request = http::Request::post("/a2a").header("content-type", "application/json");
/// let (mut parts, ()) = request.body(())?.into_parts();
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// signer.sign(&mut parts, &Origin::https("booking.example"), body, now, random())?;
/// assert!(parts.headers.contains_key("signature"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    template: Template,
    key: HttpSigningKey,
}

/// All that is the same for each request, except the private key.
#[derive(Clone, Debug)]
pub(super) struct Template {
    agent: Option<HeaderValue>,
    slots: Vec<Slot>,
    /// `sig1=`
    label: Box<[u8]>,
    /// `;keyid="…";nonce="`
    before_nonce: Box<[u8]>,
    /// `";tag="web-bot-auth"`
    after_nonce: Box<[u8]>,
    life: std::time::Duration,
}

/// One component: its beginning of a line (`"@method": `), and where the rest comes from.
#[derive(Clone, Debug)]
struct Slot {
    line: Box<[u8]>,
    from: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Method,
    Authority,
    Path,
    Query,
    Field(HeaderName),
    Digest,
    Agent(Box<[u8]>),
    Other(ComponentId<'static>),
}

impl Slot {
    fn identifier(&self) -> &[u8] {
        &self.line[..self.line.len() - 2]
    }
}

impl Signer {
    /// A signer for `key`, whose public half is published at `signature_agent`, an https URL. Under
    /// [`Profile::rfc9421`] the URL may be empty, and then there is no `Signature-Agent`.
    ///
    /// # Errors
    /// [`SignatureError::Agent`] for another kind of URL, [`SignatureError::TestKey`] for a
    /// published test key, and what is wrong with the components of the profile.
    pub fn new(
        key: impl Into<HttpSigningKey>,
        signature_agent: &str,
        profile: Profile,
    ) -> Result<Self, SignatureError> {
        let key = key.into();
        let template = Template::new(key.verifying_key(), signature_agent, &profile)?;
        Ok(Self { template, key })
    }

    /// Signs the request: sets `Content-Digest` (when there is a body), `Signature-Agent`,
    /// `Signature-Input` and `Signature`, in place of what was there.
    ///
    /// `origin` is the target's, `now` the clock's time, and `nonce` must never be used twice.
    /// Headers that are covered must not change afterwards.
    ///
    /// # Errors
    /// [`SignatureError`] when a component has no value or is not ASCII, or the provider fails.
    /// The request must then not be sent.
    pub fn sign(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<(), SignatureError> {
        let template = &self.template;
        let Draft { input, base, .. } = template.draft(parts, origin, body, now, nonce)?;
        let made = self.key.sign(&base).map_err(|_| SignatureError::Provider)?;
        let mut signature = Vec::with_capacity(template.label.len() + 132);
        signature.extend_from_slice(&template.label);
        write_bytes(made.as_bytes(), &mut signature);
        let fields = SignatureFields {
            signature_input: header_value(&input)?,
            signature: header_value(&signature)?,
        };
        put_fields(&mut parts.headers, fields)
    }

    /// All but the signature, which somebody else makes: sets `Content-Digest` and
    /// `Signature-Agent`, and gives what is to be signed.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn prepare(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<PreparedRequest, SignatureError> {
        let key = self.key.verifying_key();
        self.template.prepare(key, parts, origin, body, now, nonce)
    }

    pub(super) fn into_parts(self) -> (Template, HttpSigningKey) {
        (self.template, self.key)
    }
}

/// What is signed, and what will stand in the fields.
struct Draft {
    input: Vec<u8>,
    base: Vec<u8>,
    digest: Option<[u8; 54]>,
}

impl Template {
    pub(super) fn new(
        key: &HttpVerifyingKey,
        signature_agent: &str,
        profile: &Profile,
    ) -> Result<Self, SignatureError> {
        profile.check_key(key)?;
        let thumbprint = key.thumbprint();
        let label = profile.label();
        let mut member = Vec::new();
        let mut agent = None;
        if !signature_agent.is_empty() || profile.tag.is_some() {
            check_url(signature_agent)?;
            write_string(signature_agent, &mut member);
            agent = Some(header_value(&[label.as_bytes(), b"=", &member].concat())?);
        }
        let components = components_of(profile)?;
        check_size("components", components.len(), MAX_COMPONENTS)?;
        refuse_repeated(&components)?;
        let slots = profile
            .cover
            .iter()
            .zip(components)
            .map(|(cover, id)| Slot {
                line: [id.to_string().as_bytes(), b": "].concat().into(),
                from: source_of(cover, &member),
            });
        let tag = profile.tag.map(|tag| format!(";tag=\"{tag}\""));
        Ok(Self {
            slots: slots.collect(),
            agent,
            label: [label.as_bytes(), b"="].concat().into(),
            before_nonce: format!(";keyid=\"{thumbprint}\";nonce=\"")
                .into_bytes()
                .into(),
            after_nonce: format!("\"{}", tag.unwrap_or_default()).into_bytes().into(),
            life: profile.life,
        })
    }

    /// All but the signature; `Content-Digest` and `Signature-Agent` are set.
    fn draft(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<Draft, SignatureError> {
        let digest = (!body.is_empty()).then(|| encode_digest(body));
        self.announce(&mut parts.headers, digest.as_ref())?;

        let mut input = Vec::with_capacity(512);
        input.extend_from_slice(&self.label);
        input.push(b'(');
        let mut base = Vec::with_capacity(BASE_ROOM);
        let request = RequestView::new(parts, origin);
        for slot in &self.slots {
            let start = base.len();
            base.extend_from_slice(&slot.line);
            if !self.write_value(slot, &request, origin, digest.as_ref(), &mut base)? {
                base.truncate(start);
                continue;
            }
            base.push(b'\n');
            if input.last() != Some(&b'(') {
                input.push(b' ');
            }
            input.extend_from_slice(slot.identifier());
        }
        self.write_params(now, nonce, &mut input);
        base.extend_from_slice(PARAMS);
        base.extend_from_slice(&input[self.label.len()..]);
        Ok(Draft {
            input,
            base,
            digest,
        })
    }

    /// The request for a key that is elsewhere, whose public half is `key`.
    pub(super) fn prepare(
        &self,
        key: &HttpVerifyingKey,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<PreparedRequest, SignatureError> {
        let draft = self.draft(parts, origin, body, now, nonce)?;
        let label = self.label.len() - 1;
        Ok(PreparedRequest {
            message: PreparedMessage::new(key.clone(), label, draft.input, draft.base),
            digest: draft.digest,
        })
    }

    /// Sets the fields that are covered and that only the signer knows.
    fn announce(
        &self,
        headers: &mut HeaderMap,
        digest: Option<&[u8; 54]>,
    ) -> Result<(), SignatureError> {
        match digest {
            Some(digest) => set(headers, CONTENT_DIGEST, header_value(digest)?)?,
            None => drop(headers.remove(CONTENT_DIGEST)),
        }
        match &self.agent {
            Some(agent) => set(headers, AGENT, agent.clone()),
            None => Ok(()),
        }
    }

    /// Appends the value; `false` when the component is left out.
    fn write_value(
        &self,
        slot: &Slot,
        request: &RequestView<'_>,
        origin: &Origin,
        digest: Option<&[u8; 54]>,
        base: &mut Vec<u8>,
    ) -> Result<bool, SignatureError> {
        let start = base.len();
        match &slot.from {
            Source::Method => base.extend_from_slice(request.method().as_str().as_bytes()),
            Source::Authority => origin.write_authority(base)?,
            Source::Path => base.extend_from_slice(request.path().as_bytes()),
            Source::Query => request.write_query(base),
            Source::Agent(member) => base.extend_from_slice(member),
            Source::Digest => match digest {
                Some(digest) => base.extend_from_slice(digest),
                None => return Ok(false),
            },
            Source::Field(name) => match combined(request.headers(), name) {
                Ok(value) => {
                    base.extend_from_slice(&value);
                    return Ok(true);
                }
                Err(NoValue::Absent) => return Ok(false),
                Err(_) => return Err(not_ascii(slot)),
            },
            Source::Other(id) => {
                super::MessageView::from(*request).write_value(id, base)?;
                return Ok(true);
            }
        }
        if base[start..].is_ascii() {
            Ok(true)
        } else {
            Err(not_ascii(slot))
        }
    }

    fn write_params(&self, now: UnixTime, nonce: [u8; 16], input: &mut Vec<u8>) {
        input.extend_from_slice(b");created=");
        write_number(now.secs(), input);
        input.extend_from_slice(b";expires=");
        write_number(now.plus(self.life).secs(), input);
        input.extend_from_slice(&self.before_nonce);
        let mut text = [b'='; 24];
        // 16 bytes are always 24 characters.
        let _ = STANDARD.encode_slice(nonce, &mut text);
        input.extend_from_slice(&text);
        input.extend_from_slice(&self.after_nonce);
    }
}

fn components_of(profile: &Profile) -> Result<Vec<ComponentId<'static>>, SignatureError> {
    let agent = format!("\"{SIGNATURE_AGENT}\";key=\"{}\"", profile.label());
    let components = profile.cover.iter().map(|cover| {
        let text = match cover {
            Cover::Other(id) => return Ok(id.clone()),
            Cover::Method => "\"@method\"".to_owned(),
            Cover::Authority => "\"@authority\"".to_owned(),
            Cover::Path => "\"@path\"".to_owned(),
            Cover::Query => "\"@query\"".to_owned(),
            Cover::Digest => "\"content-digest\"".to_owned(),
            Cover::Field(name) => format!("\"{name}\""),
            Cover::Agent => agent.clone(),
        };
        ComponentId::parse(&text).map(ComponentId::into_owned)
    });
    components.collect()
}

fn source_of(cover: &Cover, member: &[u8]) -> Source {
    match cover {
        Cover::Method => Source::Method,
        Cover::Authority => Source::Authority,
        Cover::Path => Source::Path,
        Cover::Query => Source::Query,
        Cover::Digest => Source::Digest,
        Cover::Agent => Source::Agent(member.into()),
        Cover::Field("authorization") => Source::Field(AUTHORIZATION),
        Cover::Field("content-type") => Source::Field(CONTENT_TYPE),
        Cover::Field(name) => Source::Field(HeaderName::from_static(name)),
        Cover::Other(id) => Source::Other(id.clone()),
    }
}

/// Sets both fields, in place of what was there.
pub(super) fn put_fields(
    headers: &mut HeaderMap,
    fields: SignatureFields,
) -> Result<(), SignatureError> {
    set(headers, SIGNATURE_INPUT, fields.signature_input)?;
    set(headers, SIGNATURE, fields.signature)
}

fn set(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), SignatureError> {
    headers
        .try_insert(name, value)
        .map_err(|_| SignatureError::TooLarge {
            what: "header fields",
            len: headers.len() + 1,
            max: headers.len(),
        })?;
    Ok(())
}

fn not_ascii(slot: &Slot) -> SignatureError {
    SignatureError::NotAscii {
        component: String::from_utf8_lossy(slot.identifier()).into_owned(),
    }
}

//! Signing requests from a template that is compiled once.

use std::sync::Arc;

use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::agent::AGENT;
use super::base::{BASE_ROOM, PARAMS};
use super::component::ComponentId;
use super::digest::{DigestError, encode_digest, verify_content_digest};
use super::error::SignatureError;
use super::fields::{combined, write_bytes};
use super::inner::check_inner;
use super::input::{SIGNATURE, SIGNATURE_INPUT};
use super::inputs::Inputs;
use super::member::{Member, find_member};
use super::origin::Origin;
use super::params::header_value;
use super::profile::Profile;
use super::template::Template;
use super::view::RequestView;
use crate::clock::UnixTime;
use crate::crypto::{SigningKey, VerifyingKey};

pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// The parameter that says for whom a request is (draft-ietf-wimse-http-signature).
pub(super) const AUDIENCE: &str = "wimse-aud";

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
    key: Arc<SigningKey>,
    template: RequestTemplate,
}

impl Signer {
    /// A signer for `key`, whose public half is published at `signature_agent`: an https URL in
    /// the form that the profile's revision has, or nothing under profiles without
    /// `Signature-Agent` ([`Profile::rfc9421`], [`Profile::wimse`], most of one's own).
    ///
    /// # Errors
    /// [`SignatureError::Agent`] for another kind of URL, [`SignatureError::TestKey`] for a
    /// published test key, and what is wrong with the components of the profile.
    pub fn new(
        key: Arc<SigningKey>,
        signature_agent: &str,
        profile: Profile,
    ) -> Result<Self, SignatureError> {
        let template = RequestTemplate::new(key.verifying_key(), signature_agent, &profile)?;
        Ok(Self { key, template })
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
        let prepared = self.template.prepare(parts, origin, body, now, nonce)?;
        self.attach(prepared, &mut parts.headers)
    }

    /// Adds a signature to those that the request has, under a label of its own: one request may be
    /// signed for Web Bot Auth and for WIMSE. What the others cover stays as it is.
    ///
    /// # Errors
    /// As [`Signer::sign`]; and [`SignatureError::Malformed`] when the label is taken,
    /// [`SignatureError::Digest`] when the `Content-Digest` there is of another body.
    pub fn add(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<(), SignatureError> {
        let prepared = self
            .template
            .prepare_more(parts, origin, body, now, nonce)?;
        self.attach(prepared, &mut parts.headers)
    }

    fn attach(
        &self,
        prepared: PreparedSignature,
        headers: &mut HeaderMap,
    ) -> Result<(), SignatureError> {
        let made = self.key.sign(prepared.base());
        let made = made.map_err(|_| SignatureError::Provider)?;
        prepared.attach(headers, made.as_bytes())
    }
}

/// Signs requests with a key that is elsewhere: writes the signature base, and puts the signature
/// that was made over it onto the request.
///
/// ```
/// use countersign::clock::UnixTime;
/// use countersign::crypto::{Algorithm, SigningKey, random};
/// use countersign::httpsig::{Origin, Profile, RequestTemplate};
///
/// # let elsewhere = SigningKey::generate(Algorithm::Ed25519)?;
/// let public = elsewhere.verifying_key();
/// let template = RequestTemplate::new(public, "https://planner.example/keys", &Profile::a2a())?;
/// let (mut parts, ()) = http::Request::get("/tasks/7").body(())?.into_parts();
/// let origin = Origin::https("booking.example");
/// let now = UnixTime::from_secs(1_735_689_600); // your clock's
/// let prepared = template.prepare(&mut parts, &origin, b"", now, random())?;
/// let signature = elsewhere.sign(prepared.base())?; // wherever the key is
/// prepared.attach(&mut parts.headers, signature.as_bytes())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequestTemplate(Template);

impl RequestTemplate {
    /// A template for the key with this public half.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn new(
        key: &VerifyingKey,
        signature_agent: &str,
        profile: &Profile,
    ) -> Result<Self, SignatureError> {
        Template::new(key, signature_agent, profile).map(Self)
    }

    /// Sets everything but the signature, as [`Signer::sign`] does, and gives what is to be signed.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn prepare(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<PreparedSignature, SignatureError> {
        let digest = (!body.is_empty()).then(|| encode_digest(body));
        match &digest {
            Some(digest) => set(&mut parts.headers, CONTENT_DIGEST, header_value(digest)?)?,
            None => drop(parts.headers.remove(CONTENT_DIGEST)),
        }
        if let Some(agent) = &self.0.agent {
            set(&mut parts.headers, AGENT, agent.clone())?;
        }
        let request = RequestView::new(parts, origin);
        self.write(&request, digest.as_ref(), now, nonce, false)
    }

    /// The same beside the signatures that the request has, as [`Signer::add`] does.
    ///
    /// # Errors
    /// As [`Signer::add`].
    pub fn prepare_more(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<PreparedSignature, SignatureError> {
        let headers = &mut parts.headers;
        self.refuse_taken_label(headers)?;
        if headers.contains_key(CONTENT_DIGEST) {
            let value = combined(headers, CONTENT_DIGEST).map_err(|_| DigestError::Malformed)?;
            let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
            verify_content_digest(text, body)?;
        } else if !body.is_empty() {
            set(headers, CONTENT_DIGEST, header_value(&encode_digest(body))?)?;
        }
        if let Some(agent) = &self.0.agent {
            self.add_agent(headers, agent)?;
        }
        let request = RequestView::new(parts, origin);
        self.write(&request, None, now, nonce, true)
    }

    fn label(&self) -> &str {
        let label = &self.0.label[..self.0.label.len() - 1];
        std::str::from_utf8(label).unwrap_or_default()
    }

    fn refuse_taken_label(&self, headers: &HeaderMap) -> Result<(), SignatureError> {
        let labels = match Inputs::read(headers) {
            Ok(inputs) => inputs.labels(),
            Err(SignatureError::Missing { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if labels.contains(&self.label()) {
            return Err(SignatureError::Malformed {
                field: "Signature-Input",
                what: "a label stands twice",
            });
        }
        Ok(())
    }

    fn add_agent(
        &self,
        headers: &mut HeaderMap,
        agent: &HeaderValue,
    ) -> Result<(), SignatureError> {
        let rule = "the field that is there leaves no room for another agent";
        let taken = SignatureError::Agent { rule };
        match combined(headers, AGENT) {
            Err(_) if !headers.contains_key(AGENT) => {}
            Ok(field) if !self.0.agent_is_field => {
                if !matches!(find_member(&field, self.label()), Some(Member::Absent)) {
                    return Err(taken);
                }
            }
            _ => return Err(taken),
        }
        append(headers, AGENT, agent.clone())
    }

    fn write(
        &self,
        request: &RequestView<'_>,
        digest: Option<&[u8; 54]>,
        now: UnixTime,
        nonce: [u8; 16],
        more: bool,
    ) -> Result<PreparedSignature, SignatureError> {
        let template = &self.0;
        if template.inner {
            let ids = template.slots.iter().map(|slot| slot.id.clone());
            check_inner(&ids.collect::<Vec<ComponentId<'_>>>(), request.headers())?;
        }
        let mut input = Vec::with_capacity(512);
        input.extend_from_slice(&template.label);
        input.push(b'(');
        let mut base = Vec::with_capacity(BASE_ROOM);
        for slot in &template.slots {
            let start = base.len();
            base.extend_from_slice(&slot.line);
            if !slot.write_value(request, digest, &mut base)? {
                base.truncate(start);
                continue;
            }
            base.push(b'\n');
            if input.last() != Some(&b'(') {
                input.push(b' ');
            }
            input.extend_from_slice(slot.identifier());
        }
        template.write_params(request, now, nonce, &mut input)?;
        base.extend_from_slice(PARAMS);
        base.extend_from_slice(&input[template.label.len()..]);
        let mut signature = Vec::with_capacity(template.label.len() + 90);
        signature.extend_from_slice(&template.label);
        Ok(PreparedSignature {
            base,
            input: header_value(&input)?,
            signature,
            more,
        })
    }
}

/// A request that wants a signature over its base.
#[derive(Debug)]
#[must_use]
pub struct PreparedSignature {
    base: Vec<u8>,
    input: HeaderValue,
    /// `sig1=`
    signature: Vec<u8>,
    more: bool,
}

impl PreparedSignature {
    /// The signature base: what is to be signed (RFC 9421 §2.5). It holds covered field values, so
    /// it is as secret as they are.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// Sets, or adds, `Signature-Input` and `Signature`. `headers` are those of the request that
    /// was prepared, and nothing that is covered may have changed.
    ///
    /// # Errors
    /// [`SignatureError::TooLarge`] when there are more header fields than can be held.
    pub fn attach(
        mut self,
        headers: &mut HeaderMap,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        write_bytes(signature, &mut self.signature);
        let signature = header_value(&self.signature)?;
        let put = if self.more { append } else { set };
        put(headers, SIGNATURE_INPUT, self.input)?;
        put(headers, SIGNATURE, signature)
    }
}

pub(super) fn set(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), SignatureError> {
    headers
        .try_insert(name, value)
        .map_err(|_| too_many(headers.len()))?;
    Ok(())
}

pub(super) fn append(
    headers: &mut HeaderMap,
    name: HeaderName,
    value: HeaderValue,
) -> Result<(), SignatureError> {
    headers
        .try_append(name, value)
        .map_err(|_| too_many(headers.len()))?;
    Ok(())
}

const fn too_many(max: usize) -> SignatureError {
    SignatureError::TooLarge {
        what: "header fields",
        len: max + 1,
        max,
    }
}

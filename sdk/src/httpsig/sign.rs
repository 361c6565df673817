//! Signing requests from a template that is compiled once.

use http::header::HeaderName;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::draft::Draft;
use super::error::SignatureError;
use super::fields::write_bytes;
use super::input::{SIGNATURE, SIGNATURE_INPUT};
use super::keys::HttpSigningKey;
use super::origin::Origin;
use super::params::{SignatureFields, header_value};
use super::prepared::PreparedRequest;
use super::profile::Profile;
use super::template::Template;
use crate::clock::UnixTime;

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
    template: Template,
    key: HttpSigningKey,
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
        let draft = self.template.draft(parts, origin, body, now, nonce)?;
        put_fields(&mut parts.headers, self.made(&draft)?)
    }

    /// Adds a signature to those that the request has, under a label of its own: one request may be
    /// signed for Web Bot Auth and for WIMSE. What the others cover stays as it is.
    ///
    /// # Errors
    /// As [`Signer::sign`]; and [`SignatureError::Malformed`] when the label is taken,
    /// [`SignatureError::Agent`] when there is no room for another signature agent,
    /// [`SignatureError::Digest`] when the `Content-Digest` there is of another body.
    pub fn add(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<(), SignatureError> {
        let draft = self.template.draft_more(parts, origin, body, now, nonce)?;
        let fields = self.made(&draft)?;
        append(&mut parts.headers, SIGNATURE_INPUT, fields.signature_input)?;
        append(&mut parts.headers, SIGNATURE, fields.signature)
    }

    fn made(&self, draft: &Draft) -> Result<SignatureFields, SignatureError> {
        let made = self.key.sign(&draft.base);
        let made = made.map_err(|_| SignatureError::Provider)?;
        let mut signature = Vec::with_capacity(self.template.label.len() + 132);
        signature.extend_from_slice(&self.template.label);
        write_bytes(made.as_bytes(), &mut signature);
        Ok(SignatureFields {
            signature_input: header_value(&draft.input)?,
            signature: header_value(&signature)?,
        })
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

/// Sets both fields, in place of what was there.
pub(super) fn put_fields(
    headers: &mut HeaderMap,
    fields: SignatureFields,
) -> Result<(), SignatureError> {
    set(headers, SIGNATURE_INPUT, fields.signature_input)?;
    set(headers, SIGNATURE, fields.signature)
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

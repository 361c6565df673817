//! A request that wants a signature: everything but the signature is written.

use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::agent::AGENT;
use super::base::{BASE_ROOM, PARAMS};
use super::component::ComponentId;
use super::digest::{DigestError, encode_digest, verify_content_digest};
use super::error::SignatureError;
use super::fields::combined;
use super::inner::check_inner;
use super::inputs::Inputs;
use super::keys::HttpVerifyingKey;
use super::member::{Member, find_member};
use super::origin::Origin;
use super::params::header_value;
use super::prepared::{PreparedMessage, PreparedRequest};
use super::sign::{CONTENT_DIGEST, append, set};
use super::template::Template;
use super::view::RequestView;
use crate::clock::UnixTime;

/// What is signed, and what will stand in the fields.
pub(super) struct Draft {
    /// The member of `Signature-Input`, with its label.
    pub(super) input: Vec<u8>,
    /// The signature base.
    pub(super) base: Vec<u8>,
    digest: Option<[u8; 54]>,
}

impl Template {
    /// All but the signature; `Content-Digest` and `Signature-Agent` are set.
    pub(super) fn draft(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<Draft, SignatureError> {
        let digest = (!body.is_empty()).then(|| encode_digest(body));
        match &digest {
            Some(digest) => set(&mut parts.headers, CONTENT_DIGEST, header_value(digest)?)?,
            None => drop(parts.headers.remove(CONTENT_DIGEST)),
        }
        if let Some(agent) = &self.agent {
            set(&mut parts.headers, AGENT, agent.clone())?;
        }
        self.write(&RequestView::new(parts, origin), digest, now, nonce)
    }

    /// The same beside the signatures that the request has.
    pub(super) fn draft_more(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<Draft, SignatureError> {
        let headers = &mut parts.headers;
        self.refuse_taken_label(headers)?;
        if headers.contains_key(CONTENT_DIGEST) {
            let value = combined(headers, CONTENT_DIGEST).map_err(|_| DigestError::Malformed)?;
            let text = std::str::from_utf8(&value).map_err(|_| DigestError::Malformed)?;
            verify_content_digest(text, body)?;
        } else if !body.is_empty() {
            set(headers, CONTENT_DIGEST, header_value(&encode_digest(body))?)?;
        }
        if let Some(agent) = &self.agent {
            self.add_agent(headers, agent)?;
        }
        self.write(&RequestView::new(parts, origin), None, now, nonce)
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

    fn label(&self) -> &str {
        let label = &self.label[..self.label.len() - 1];
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
            Ok(field) if !self.agent_is_field => {
                if !matches!(find_member(&field, self.label()), Some(Member::Absent)) {
                    return Err(taken);
                }
            }
            _ => return Err(taken),
        }
        append(headers, AGENT, agent.clone())
    }

    /// `digest` is the body's, when the field was set here.
    fn write(
        &self,
        request: &RequestView<'_>,
        digest: Option<[u8; 54]>,
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<Draft, SignatureError> {
        if self.inner {
            let ids = self.slots.iter().map(|slot| slot.id.clone());
            check_inner(&ids.collect::<Vec<ComponentId<'_>>>(), request.headers())?;
        }
        let mut input = Vec::with_capacity(512);
        input.extend_from_slice(&self.label);
        input.push(b'(');
        let mut base = Vec::with_capacity(BASE_ROOM);
        for slot in &self.slots {
            let start = base.len();
            base.extend_from_slice(&slot.line);
            if !slot.write_value(request, digest.as_ref(), &mut base)? {
                base.truncate(start);
                continue;
            }
            base.push(b'\n');
            if input.last() != Some(&b'(') {
                input.push(b' ');
            }
            input.extend_from_slice(slot.identifier());
        }
        self.write_params(request, now, nonce, &mut input)?;
        base.extend_from_slice(PARAMS);
        base.extend_from_slice(&input[self.label.len()..]);
        Ok(Draft {
            input,
            base,
            digest,
        })
    }
}

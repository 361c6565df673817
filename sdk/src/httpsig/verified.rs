//! The evidence that a signature was verified.

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::clock::{Skew, UnixTime};
use crate::crypto::KeyThumbprint;
use crate::svid::PeerIdentity;

use super::agent::SignatureAgent;
use super::error::SignatureError;
use super::inputs::Inputs;
use super::params::ParamValue;

/// The member of `Signature-Input`, as it was signed; taken apart when somebody asks.
#[derive(Clone, Debug)]
pub(super) struct SignedMember {
    /// The inner list with its parameters, and the label after it: one allocation for both.
    text: String,
    /// Where the label begins.
    label: usize,
    covered: OnceLock<Vec<String>>,
}

impl SignedMember {
    /// `member` is the inner list with its parameters.
    pub(super) fn new(mut member: Vec<u8>, label: &str) -> Self {
        let end = member.len();
        member.extend_from_slice(label.as_bytes());
        Self {
            // Identifiers, parameters and labels are ASCII.
            text: String::from_utf8(member).unwrap_or_default(),
            label: end,
            covered: OnceLock::new(),
        }
    }

    fn label(&self) -> &str {
        self.text.get(self.label..).unwrap_or_default()
    }

    fn list(&self) -> &str {
        self.text.get(..self.label).unwrap_or_default()
    }

    fn covered(&self) -> &[String] {
        self.covered.get_or_init(|| {
            let input = Inputs::read_one(self.list());
            // It was written from components that were read.
            let components = input.map_or_else(|_| Vec::new(), |input| input.components);
            components.iter().map(ToString::to_string).collect()
        })
    }

    fn parameter(&self, name: &str) -> Option<ParamValue> {
        Inputs::read_one(self.list()).ok()?.value(name)
    }
}

/// A message whose signature was verified with a key of the caller's choice.
#[derive(Clone, Debug)]
pub struct VerifiedMessage {
    pub(super) member: SignedMember,
    pub(super) key: KeyThumbprint,
    pub(super) keyid: Option<String>,
    pub(super) tag: Option<Cow<'static, str>>,
    pub(super) nonce: Option<String>,
    pub(super) created: Option<UnixTime>,
    pub(super) expires: Option<UnixTime>,
    pub(super) agent: Option<SignatureAgent>,
    pub(super) body: bool,
    pub(super) published: bool,
}

impl VerifiedMessage {
    /// The label of the signature.
    pub fn label(&self) -> &str {
        self.member.label()
    }

    /// The identifiers that it covers, as written, in order.
    pub fn covered(&self) -> &[String] {
        self.member.covered()
    }

    /// The key that verified it.
    pub fn key(&self) -> KeyThumbprint {
        self.key
    }

    /// `keyid` as received; it decided nothing unless the profile made it.
    pub fn keyid(&self) -> Option<&str> {
        self.keyid.as_deref()
    }

    /// `nonce` as received.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// When it was made.
    pub fn created(&self) -> Option<UnixTime> {
        self.created
    }

    /// When it ends.
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// The covered URL of the signer's key directory, when the profile looks at it. The URL is
    /// what the signer says; whether the key is really there, only a look at it can tell.
    pub fn signature_agent(&self) -> Option<&str> {
        self.agent.as_ref().map(SignatureAgent::url)
    }

    /// The same URL, when the key was found there: whose request it is. `None` when the key came
    /// from elsewhere, and then the signer is known by its key only.
    pub fn attributed_to(&self) -> Option<&str> {
        self.signature_agent().filter(|_| self.published)
    }

    /// `tag` as received.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Any parameter, as received.
    pub fn parameter(&self, name: &str) -> Option<ParamValue> {
        self.member.parameter(name)
    }

    /// Whether the body was checked against a covered `Content-Digest`.
    pub fn covers_body(&self) -> bool {
        self.body
    }
}

/// A request that the agent at the other end of the connection signed: the evidence of step 2.
///
/// Made only by [`Verifier::verify`](super::Verifier::verify). It cannot be cloned: what the replay
/// check was asked about once must not be shown to another store.
#[derive(Debug)]
pub struct VerifiedRequest {
    message: VerifiedMessage,
    nonce: String,
    created: UnixTime,
    expires: UnixTime,
    until: UnixTime,
    owner: PeerIdentity,
}

impl VerifiedRequest {
    /// `skew` is the one the signature was verified with.
    pub(super) fn new(
        mut message: VerifiedMessage,
        owner: PeerIdentity,
        skew: Skew,
    ) -> Result<Self, SignatureError> {
        let missing = |name| SignatureError::ParameterMissing { name };
        let created = message.created.ok_or(missing("created"))?;
        let expires = message.expires.ok_or(missing("expires"))?;
        let nonce = message.nonce.take().ok_or(missing("nonce"))?;
        Ok(Self {
            message,
            nonce,
            created,
            expires,
            until: expires.plus(skew.get()),
            owner,
        })
    }

    /// The label of the signature.
    pub fn label(&self) -> &str {
        self.message.label()
    }

    /// The key that made it, by its JWK thumbprint.
    pub fn keyid(&self) -> KeyThumbprint {
        self.message.key
    }

    /// The agent whose key it is.
    pub fn owner(&self) -> &PeerIdentity {
        &self.owner
    }

    /// The identifiers that it covers, as written, in order.
    pub fn covered(&self) -> &[String] {
        self.message.covered()
    }

    /// The value that is used once.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// When it was made, by the signer's clock.
    pub fn created(&self) -> UnixTime {
        self.created
    }

    /// When it ends.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// Any parameter, as received: `wimse-sign-response` says that a signed response is wanted.
    pub fn parameter(&self, name: &str) -> Option<ParamValue> {
        self.message.parameter(name)
    }

    /// The last second at which the verifier would still take this signature.
    pub(super) fn until(&self) -> UnixTime {
        self.until
    }

    /// The covered URL of the signer's key directory.
    pub fn signature_agent(&self) -> Option<&str> {
        self.message.signature_agent()
    }
}

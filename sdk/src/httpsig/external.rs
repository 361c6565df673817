//! Signing requests with a key that is elsewhere.

use std::sync::Arc;

use http::request::Parts;

use super::error::SignatureError;
use super::keys::{MessageSigner, SignerError};
use super::origin::Origin;
use super::profile::Profile;
use super::sign::Signer;
use super::template::Template;
use crate::clock::UnixTime;

/// Signs requests as a [`Signer`] does, with a key that need not be in this process.
///
/// ```
/// use std::sync::Arc;
/// use countersign::clock::UnixTime;
/// use countersign::crypto::random;
/// use countersign::httpsig::{ExternalSigner, ExternalSignError, MessageSigner, Origin, Profile};
///
/// async fn call(key: Arc<dyn MessageSigner>, now: UnixTime) -> Result<(), ExternalSignError> {
///     let directory = "https://planner.example/.well-known/http-message-signatures-directory";
///     let signer = ExternalSigner::new(key, directory, Profile::a2a())?;
///     let (mut parts, ()) = http::Request::new(()).into_parts();
///     let origin = Origin::https("booking.example");
///     signer.sign(&mut parts, &origin, b"", now, random()).await
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ExternalSigner {
    template: Template,
    key: Arc<dyn MessageSigner>,
}

impl ExternalSigner {
    /// A signer with `key`, whose public half is published at `signature_agent`; the same rules
    /// as for [`Signer::new`].
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn new(
        key: Arc<dyn MessageSigner>,
        signature_agent: &str,
        profile: Profile,
    ) -> Result<Self, SignatureError> {
        let template = Template::new(key.verifying_key(), signature_agent, &profile)?;
        Ok(Self { template, key })
    }

    /// Signs the request; the same fields are set as by [`Signer::sign`].
    ///
    /// # Errors
    /// [`ExternalSignError`]; the request must then not be sent.
    pub async fn sign(
        &self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        now: UnixTime,
        nonce: [u8; 16],
    ) -> Result<(), ExternalSignError> {
        let key = self.key.verifying_key();
        let prepared = self
            .template
            .prepare(key, parts, origin, body, now, nonce)?;
        let signature = self.key.sign(prepared.base()).await?;
        Ok(prepared.attach(parts, origin, body, &signature)?)
    }
}

impl From<Signer> for ExternalSigner {
    fn from(signer: Signer) -> Self {
        let (template, key) = signer.into_parts();
        let key = Arc::new(key);
        Self { template, key }
    }
}

/// Why a request was not signed with a key that is elsewhere.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExternalSignError {
    /// The request cannot be signed, or what came back is no signature of it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The signer did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl ExternalSignError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.reason(),
            Self::Signer(error) => error.reason(),
        }
    }
}

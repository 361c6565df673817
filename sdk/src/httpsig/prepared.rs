//! Messages that are ready to be signed by a key that is elsewhere.

use http::request::Parts;

use super::base::signature_base;
use super::digest::encode_digest;
use super::error::SignatureError;
use super::fields::write_bytes;
use super::keys::{HttpVerifyingKey, MessageSignature};
use super::origin::Origin;
use super::params::{SignatureFields, header_value};
use super::sign::put_fields;
use super::view::{MessageView, RequestView};

/// A message that [`prepare_message`](super::prepare_message) made ready: its signature base goes to
/// whoever has the key, the answer to [`Self::attach`].
///
/// ```
/// use countersign::httpsig::{
///     ComponentId, HttpAlgorithm, HttpSigningKey, MessageView, Origin, RequestView,
///     SignatureParams, prepare_message,
/// };
/// # let elsewhere = HttpSigningKey::generate(HttpAlgorithm::EcdsaP384Sha384)?;
/// # let public = elsewhere.verifying_key();
/// let (mut parts, ()) = http::Request::get("/tasks").body(())?.into_parts();
/// let origin = Origin::https("booking.example");
/// let message: MessageView<'_> = RequestView::new(&parts, &origin).into();
/// let path = ComponentId::parse(r#""@path""#)?;
/// let prepared = prepare_message(&message, public, "mine", &[path], &SignatureParams::new())?;
///
/// let signature = elsewhere.sign(prepared.base())?; // over the network, on a token, ...
///
/// let fields = prepared.attach(&message, &signature)?;
/// parts.headers.append("signature-input", fields.signature_input);
/// parts.headers.append("signature", fields.signature);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PreparedMessage {
    key: HttpVerifyingKey,
    /// The length of the label, with which the input begins.
    label: usize,
    /// The member of `Signature-Input`.
    input: Vec<u8>,
    base: Vec<u8>,
}

impl PreparedMessage {
    pub(super) const fn new(
        key: HttpVerifyingKey,
        label: usize,
        input: Vec<u8>,
        base: Vec<u8>,
    ) -> Self {
        Self {
            key,
            label,
            input,
            base,
        }
    }

    /// What is to be signed, byte for byte.
    pub fn base(&self) -> &[u8] {
        &self.base
    }

    /// The key that must have signed: it says with which algorithm.
    pub const fn verifying_key(&self) -> &HttpVerifyingKey {
        &self.key
    }

    /// The label of the signature.
    pub fn label(&self) -> &str {
        // Labels are ASCII.
        std::str::from_utf8(&self.input[..self.label]).unwrap_or_default()
    }

    /// The two fields, once somebody signed the base. `message` is the one that was prepared.
    ///
    /// # Errors
    /// [`SignatureError::Changed`] when what is covered is not what it was, and
    /// [`SignatureError::Invalid`] when the signature is not one of this key over the base.
    pub fn attach(
        self,
        message: &MessageView<'_>,
        signature: &MessageSignature,
    ) -> Result<SignatureFields, SignatureError> {
        let member = std::str::from_utf8(&self.input[self.label + 1..]);
        let member = member.map_err(|_| SignatureError::Changed)?;
        // A component that was there and is gone is a change, too.
        let base = signature_base(message, member).map_err(|_| SignatureError::Changed)?;
        if base.as_bytes() != self.base {
            return Err(SignatureError::Changed);
        }
        self.key
            .verify(&self.base, signature.as_bytes())
            .map_err(|_| SignatureError::Invalid)?;
        self.fields(signature)
    }

    /// The two fields, when the key is in this process.
    pub(super) fn fields(
        &self,
        signature: &MessageSignature,
    ) -> Result<SignatureFields, SignatureError> {
        let mut field = Vec::with_capacity(self.label + 96);
        field.extend_from_slice(&self.input[..=self.label]);
        write_bytes(signature.as_bytes(), &mut field);
        Ok(SignatureFields {
            signature_input: header_value(&self.input)?,
            signature: header_value(&field)?,
        })
    }
}

/// A request that a [`Signer`](super::Signer) or an [`ExternalSigner`](super::ExternalSigner) made
/// ready. `Content-Digest` and `Signature-Agent` are set already.
#[derive(Clone, Debug)]
pub struct PreparedRequest {
    pub(super) message: PreparedMessage,
    pub(super) digest: Option<[u8; 54]>,
}

impl PreparedRequest {
    /// What is to be signed, byte for byte.
    pub fn base(&self) -> &[u8] {
        self.message.base()
    }

    /// The key that must have signed: it says with which algorithm.
    pub const fn verifying_key(&self) -> &HttpVerifyingKey {
        self.message.verifying_key()
    }

    /// Sets `Signature-Input` and `Signature`, once somebody signed the base. Request, origin and
    /// body are those that were prepared.
    ///
    /// # Errors
    /// [`SignatureError::Changed`] when the body or what is covered is not what it was, and
    /// [`SignatureError::Invalid`] when the signature is not one of this key over the base. The
    /// request must then not be sent.
    pub fn attach(
        self,
        parts: &mut Parts,
        origin: &Origin,
        body: &[u8],
        signature: &MessageSignature,
    ) -> Result<(), SignatureError> {
        if (!body.is_empty()).then(|| encode_digest(body)) != self.digest {
            return Err(SignatureError::Changed);
        }
        let view = RequestView::new(parts, origin).into();
        let fields = self.message.attach(&view, signature)?;
        put_fields(&mut parts.headers, fields)
    }
}

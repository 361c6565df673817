//! Whoever signs: a key in this process, or one that never leaves another place.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{HttpKeyError, HttpSigningKey, HttpVerifyingKey, MessageSignature};

/// Signs messages with a key that may be elsewhere: in a key management service, on a PKCS#11
/// token, in another process. It is given the signature base and answers with the bytes of the
/// signature, in the form of RFC 9421 §3.3 (ECDSA: r ‖ s, not DER).
///
/// What it answers is verified with [`Self::verifying_key`] before it is used.
///
/// ```
/// use countersign::httpsig::{
///     HttpVerifyingKey, MessageSignature, MessageSigner, SignerError, Signing,
/// };
/// # #[derive(Debug)]
/// # struct Kms;
/// # impl Kms {
/// #     async fn sign(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![]) }
/// # }
///
/// #[derive(Debug)]
/// struct KmsKey {
///     service: Kms,
///     name: String,
///     public: HttpVerifyingKey, // read once, from the service or from a file
/// }
///
/// impl MessageSigner for KmsKey {
///     fn verifying_key(&self) -> &HttpVerifyingKey {
///         &self.public
///     }
///
///     fn sign<'a>(&'a self, base: &'a [u8]) -> Signing<'a> {
///         Signing::later(async move {
///             let made = self.service.sign(&self.name, base).await;
///             made.map(MessageSignature::from).map_err(SignerError::unavailable)
///         })
///     }
/// }
/// ```
pub trait MessageSigner: Send + Sync + fmt::Debug {
    /// The public half: it says the algorithm and the `keyid`.
    fn verifying_key(&self) -> &HttpVerifyingKey;

    /// Signs the base. A future that is dropped signs nothing that anybody uses.
    fn sign<'a>(&'a self, base: &'a [u8]) -> Signing<'a>;
}

/// A signature that is there already, or comes later. Only the latter costs an allocation.
pub struct Signing<'a>(State<'a>);

type Outcome = Result<MessageSignature, SignerError>;

enum State<'a> {
    Ready(Option<Outcome>),
    Later(Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>),
}

impl<'a> Signing<'a> {
    /// What is known already.
    pub fn ready(outcome: Result<MessageSignature, SignerError>) -> Self {
        Self(State::Ready(Some(outcome)))
    }

    /// What must be waited for.
    pub fn later(
        outcome: impl Future<Output = Result<MessageSignature, SignerError>> + Send + 'a,
    ) -> Self {
        Self(State::Later(Box::pin(outcome)))
    }
}

impl Future for Signing<'_> {
    type Output = Result<MessageSignature, SignerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        match &mut self.0 {
            // Asked again after the end, it fails instead of waiting forever.
            State::Ready(outcome) => {
                Poll::Ready(outcome.take().unwrap_or(Err(SignerError::ended())))
            }
            State::Later(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "Signing(ready)",
            State::Later(_) => "Signing(later)",
        })
    }
}

/// Why a signer did not sign.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignerError {
    /// It could not be asked, or did not answer; it may later.
    #[error("the signer is not available: {0}")]
    Unavailable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// It was asked and will not sign: no right to, no such key, the wrong mechanism.
    #[error("the signer refuses: {0}")]
    Refused(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The key in this process failed.
    #[error(transparent)]
    Key(#[from] HttpKeyError),
}

impl SignerError {
    /// [`Self::Unavailable`] because of `source`, which must not hold a secret.
    pub fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(source))
    }

    /// [`Self::Refused`] because of `source`, which must not hold a secret.
    pub fn refused(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Refused(Arc::new(source))
    }

    const fn ended() -> Self {
        Self::Key(HttpKeyError::Provider)
    }

    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "signer.unavailable",
            Self::Refused(_) => "signer.refused",
            Self::Key(error) => error.reason(),
        }
    }
}

impl MessageSigner for HttpSigningKey {
    fn verifying_key(&self) -> &HttpVerifyingKey {
        self.verifying_key()
    }

    fn sign<'a>(&'a self, base: &'a [u8]) -> Signing<'a> {
        Signing::ready(self.sign(base).map_err(SignerError::Key))
    }
}

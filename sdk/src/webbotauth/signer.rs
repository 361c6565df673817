//! Who signs what is sent.

use std::fmt;
use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::uri::Uri;

use crate::clock::{Clock, SystemClock};
use crate::crypto::random;
use crate::httpsig::{ExternalSignError, ExternalSigner, Origin, Scheme, SignatureError, Signer};

/// Signs requests as they are sent: with the clock's time, a nonce of its own, and the origin of
/// their URL.
///
/// ```
/// use countersign::crypto::{Algorithm, SigningKey};
/// use countersign::httpsig::{Profile, Revision, Signer};
/// use countersign::webbotauth::RequestSigner;
///
/// let key = SigningKey::generate(Algorithm::Ed25519)?;
/// let directory = "https://bot.example/.well-known/http-message-signatures-directory";
/// let profile = Profile::web_bot_auth(Revision::Ietf01);
/// let signer = RequestSigner::from(Signer::new(key, directory, profile)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RequestSigner {
    key: Key,
    also: Vec<Arc<Signer>>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
enum Key {
    Here(Arc<Signer>),
    Elsewhere(Arc<ExternalSigner>),
}

/// Why a request was not signed, and not sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It cannot be signed, or the key is not available.
    #[error(transparent)]
    Signature(#[from] ExternalSignError),
    /// Its URI does not say where it goes, and no origin is configured.
    #[error("the URI of the request has no scheme and host")]
    NoOrigin,
    /// `Host` names another authority than its URI; only one of them would be signed.
    #[error("the Host field is not the authority of the URI")]
    Host,
    /// The URI has a user name or a password.
    #[error("the URI has a user name")]
    User,
    /// The body is longer than what is read to be signed.
    #[error("the body has more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// The body broke, did not come in time, or cannot be read before it is sent.
    #[error("the body cannot be read before it is sent")]
    Body,
}

impl SendError {
    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.reason(),
            Self::NoOrigin => "send.no_origin",
            Self::Host => "send.host",
            Self::User => "send.user",
            Self::TooLarge { .. } => "send.too_large",
            Self::Body => "send.body",
        }
    }
}

impl From<Signer> for RequestSigner {
    fn from(signer: Signer) -> Self {
        Self::with(Key::Here(Arc::new(signer)))
    }
}

impl From<ExternalSigner> for RequestSigner {
    fn from(signer: ExternalSigner) -> Self {
        Self::with(Key::Elsewhere(Arc::new(signer)))
    }
}

impl RequestSigner {
    fn with(key: Key) -> Self {
        Self {
            key,
            also: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Adds another signature, under a label of its own: Web Bot Auth and WIMSE on one request.
    #[must_use]
    pub fn and(mut self, signer: Signer) -> Self {
        self.also.push(Arc::new(signer));
        self
    }

    /// Whose time it is. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Signs the request for the origin of its URI, or for `origin` when that has none. Signatures
    /// that it had are replaced. Covered fields and the body must not change afterwards.
    ///
    /// # Errors
    /// [`SendError`]; the request must then not be sent.
    pub async fn sign(
        &self,
        parts: &mut Parts,
        body: &[u8],
        origin: Option<&Origin>,
    ) -> Result<(), SendError> {
        let origin = target(parts, origin)?;
        let now = self.clock.now();
        match &self.key {
            Key::Here(signer) => signer
                .sign(parts, &origin, body, now, random())
                .map_err(wrong)?,
            Key::Elsewhere(signer) => signer.sign(parts, &origin, body, now, random()).await?,
        }
        for signer in &self.also {
            signer
                .add(parts, &origin, body, now, random())
                .map_err(wrong)?;
        }
        Ok(())
    }
}

fn wrong(error: SignatureError) -> SendError {
    SendError::Signature(error.into())
}

fn target(parts: &Parts, configured: Option<&Origin>) -> Result<Origin, SendError> {
    let origin = match (origin_of(&parts.uri)?, configured) {
        (Some(origin), _) => origin,
        (None, Some(configured)) => configured.normalized().map_err(wrong)?,
        (None, None) => return Err(SendError::NoOrigin),
    };
    // The receiver goes by what it is sent; a signature for another name would be void, or worse.
    for host in parts.headers.get_all(HOST) {
        let authority = host.to_str().map_err(|_| SendError::Host)?.to_owned();
        let scheme = origin.scheme;
        let said = Origin { scheme, authority }.normalized();
        if said.as_ref() != Ok(&origin) {
            return Err(SendError::Host);
        }
    }
    Ok(origin)
}

/// Scheme and authority of the URI; `None` when it is a path.
pub(super) fn origin_of(uri: &Uri) -> Result<Option<Origin>, SendError> {
    let Some(authority) = uri.authority() else {
        return Ok(None);
    };
    if authority.as_str().contains('@') {
        return Err(SendError::User);
    }
    let scheme = match uri.scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err(SendError::NoOrigin),
    };
    let authority = authority.as_str().to_owned();
    let origin = Origin { scheme, authority }.normalized();
    origin.map(Some).map_err(wrong)
}

impl fmt::Debug for RequestSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RequestSigner");
        match &self.key {
            Key::Here(signer) => shown.field("key", signer),
            Key::Elsewhere(signer) => shown.field("key", signer),
        };
        shown.field("also", &self.also).finish_non_exhaustive()
    }
}

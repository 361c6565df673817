//! Where an agent is, and who must be there.

use std::sync::Arc;

use http::Uri;

use super::error::ClientError;
use crate::httpsig::Origin;
use crate::id::SpiffeId;
use crate::tls::Endpoint;

/// An agent to call: where it is, and who must be there.
///
/// ```
/// use countersign::client::Peer;
/// let booking = Peer::new("https://127.0.0.1:4433", "spiffe://travel.example/agent/booking")?;
/// # Ok::<(), countersign::client::ClientError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Peer {
    endpoint: Endpoint,
    target: Origin,
    origin: Arc<str>,
}

impl Peer {
    /// The agent `id` at the origin `url`: `https`, host and port, no path.
    ///
    /// # Errors
    /// [`ClientError::PeerUrl`], [`ClientError::PeerId`].
    pub fn new(url: &str, id: &str) -> Result<Self, ClientError> {
        let id: SpiffeId = id.parse()?;
        let wrong = || ClientError::PeerUrl { url: url.into() };
        let base: Uri = url.parse().map_err(|_| wrong())?;
        let authority = base.authority().cloned().ok_or_else(wrong)?;
        let plain = base.scheme() == Some(&http::uri::Scheme::HTTPS)
            && !authority.as_str().contains('@')
            && matches!(base.path(), "" | "/")
            && base.query().is_none();
        if !plain {
            return Err(wrong());
        }
        let origin = format!("https://{authority}").into();
        Ok(Self {
            target: Origin::https(authority.as_str()),
            endpoint: Endpoint::new(base, id)?,
            origin,
        })
    }

    /// Who must be there.
    pub fn id(&self) -> &SpiffeId {
        self.endpoint.id()
    }

    /// Where: `https://host:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What a request to it is signed for: `@authority` and `@scheme`.
    pub fn target(&self) -> &Origin {
        &self.target
    }

    /// The URL of `path` (begins with `/`) there.
    ///
    /// # Errors
    /// [`ClientError::PeerUrl`] when `path` is none.
    pub fn uri(&self, path: &str) -> Result<Uri, ClientError> {
        let url = format!("{}{path}", self.origin);
        let parsed = url.parse().ok().filter(|_| path.starts_with('/'));
        parsed.ok_or(ClientError::PeerUrl { url })
    }

    pub(super) fn shared_origin(&self) -> Arc<str> {
        self.origin.clone()
    }

    /// For the connection.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

//! Where an agent is, and who must answer there.

use std::net::SocketAddr;

use http::header::HeaderValue;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Uri, Version};

use super::TlsError;
use crate::id::SpiffeId;

/// An address together with the identity expected at it; neither is any use alone.
///
/// ```
/// use countersign::tls::Endpoint;
/// let booking = Endpoint::new(
///     "https://booking.travel.example:8443/a2a".parse()?,
///     "spiffe://travel.example/agent/booking".parse()?,
/// )?;
/// assert_eq!(booking.authority(), "booking.travel.example:8443");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    base: Uri,
    authority: Authority,
    host: HeaderValue,
    id: SpiffeId,
    address: Option<SocketAddr>,
}

impl Endpoint {
    /// The agent `id` at `base`, an `https` URL without user information.
    ///
    /// # Errors
    /// [`TlsError::Url`] for any other kind of URL.
    pub fn new(base: Uri, id: SpiffeId) -> Result<Self, TlsError> {
        let wrong = |what| TlsError::Url {
            url: base.to_string(),
            what,
        };
        if base.scheme() != Some(&Scheme::HTTPS) {
            return Err(wrong(
                "is not https, the only scheme that proves who answers",
            ));
        }
        let authority = base.authority().cloned().ok_or(wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("carries user information"));
        }
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong("has no host"))?;
        Ok(Self {
            base,
            authority,
            host,
            id,
            address: None,
        })
    }

    /// The same agent, at this address and no other: the host of the URL is not looked up.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The URL, as given.
    pub fn base(&self) -> &Uri {
        &self.base
    }

    /// Host and port, as given.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Who must answer.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// Host, and the port to connect to.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        let host = self.authority.host();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        (host, self.authority.port_u16().unwrap_or(443))
    }

    /// What keys a partition of connections, without the identity.
    pub(super) fn uri_authority(&self) -> &Authority {
        &self.authority
    }

    /// The only address to connect to, if there is one.
    pub(super) fn address_only(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Refuses a request that names another host than this one.
    pub(super) fn owns(&self, uri: &Uri) -> Result<(), TlsError> {
        let wrong = |what| TlsError::Url {
            url: uri.to_string(),
            what,
        };
        match uri.authority() {
            Some(other) if *other != self.authority => {
                Err(wrong("is not at the endpoint it is sent to"))
            }
            _ if uri.scheme().is_some_and(|s| *s != Scheme::HTTPS) => Err(wrong("is not https")),
            _ => Ok(()),
        }
    }

    /// Gives the request the target form and host of its protocol (RFC 9112 §3.2, RFC 9113 §8.3.1).
    pub(super) fn address<B>(&self, request: &mut http::Request<B>, version: Version) {
        let path = request.uri_mut();
        let path = std::mem::take(path).into_parts().path_and_query;
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let mut parts = Parts::default();
        parts.path_and_query = Some(path);
        if version == Version::HTTP_2 {
            parts.scheme = Some(Scheme::HTTPS);
            parts.authority = Some(self.authority.clone());
            request.headers_mut().remove(http::header::HOST);
        } else {
            let headers = request.headers_mut();
            headers.insert(http::header::HOST, self.host.clone());
        }
        // Parts of a URI that was whole make a whole one again.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        *request.version_mut() = version;
    }
}

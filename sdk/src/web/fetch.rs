//! One document of a stranger, within bounds.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::error::FetchError;
use super::freshness::retry_after;
use super::resolve::{Resolver, SystemResolver};
use super::rules::{AddressRules, permits_port};
use super::tls::WebTls;
use crate::httpsig::WebUrl;

/// The largest header block of an answer.
const MAX_HEADER: usize = 64 << 10;
/// How long one of several addresses may take to answer at all.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a document may take.
const TIMEOUT: Duration = Duration::from_secs(10);

const AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Fetches documents that strangers point at: `GET` over `https`, TLS 1.3, to an address that was
/// checked; only 200 counts, no redirect is followed, no content coding is taken, nothing that
/// comes back is longer or takes longer than wanted. No cookie and no credential is ever sent.
#[derive(Clone)]
pub struct Fetcher {
    rules: AddressRules,
    resolver: Arc<dyn Resolver>,
    tls: Arc<WebTls>,
    timeout: Duration,
}

/// What was fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The header fields of the answer.
    pub headers: HeaderMap,
    /// Its content.
    pub body: Bytes,
}

impl Fetcher {
    /// A fetcher that goes where `rules` say, with the system's roots and its resolver.
    pub fn new(rules: AddressRules) -> Self {
        Self {
            rules,
            resolver: Arc::new(SystemResolver),
            tls: Arc::new(WebTls::new(None)),
            timeout: TIMEOUT,
        }
    }

    /// Looks names up. Default: the operating system's resolver.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts these roots instead of the system's.
    #[must_use]
    pub fn roots(mut self, roots: Vec<CertificateDer<'static>>) -> Self {
        self.tls = Arc::new(WebTls::new(Some(roots)));
        self
    }

    /// How long a document may take, from the look-up of the name to the last byte. Default 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Fetches `url`, at most `max` bytes.
    ///
    /// # Errors
    /// [`FetchError`] naming the rule that the URL or the answer breaks.
    pub async fn get(
        &self,
        url: &WebUrl,
        accept: &'static str,
        max: usize,
    ) -> Result<Fetched, FetchError> {
        if !url.is_https() {
            let origin = url.to_string();
            return Err(FetchError::NotHttps { origin });
        }
        if !permits_port(url.port) {
            return Err(FetchError::Port { port: url.port });
        }
        let fetched = tokio::time::timeout(self.timeout, self.fetch(url, accept, max)).await;
        fetched.unwrap_or(Err(FetchError::Timeout(self.timeout)))
    }

    async fn fetch(
        &self,
        url: &WebUrl,
        accept: &'static str,
        max: usize,
    ) -> Result<Fetched, FetchError> {
        let addresses = self.rules.check(url, &*self.resolver).await?;
        let stream = connect(url, &addresses).await?;
        let secured = self.tls.connect(&url.host, stream).await;
        let stream = secured.map_err(|error| broken(url, error))?;
        let (response, _driver) = ask(url, accept, stream).await?;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(FetchError::Status {
                status: parts.status,
                retry_after: retry_after(&parts.headers),
            });
        }
        let coded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
        if parts.headers.get_all(CONTENT_ENCODING).iter().any(coded) {
            return Err(FetchError::Coded);
        }
        let read = Limited::new(body, max).collect().await;
        let body = read.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => FetchError::TooLarge { max },
            None => broken(url, error),
        })?;
        Ok(Fetched {
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }
}

/// A connection to the first address that takes one.
async fn connect(url: &WebUrl, addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    let mut last = broken(url, "there is no address");
    for address in addresses {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = broken(url, error),
            Err(_) => last = broken(url, format!("no answer within {CONNECT:?}")),
        }
    }
    Err(last)
}

/// Ends the connection with the request that it was made for.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn ask(
    url: &WebUrl,
    accept: &'static str,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<(Response<Incoming>, Driver), FetchError> {
    let mut http = Builder::new();
    http.max_buf_size(MAX_HEADER);
    let spoken = http.handshake(TokioIo::new(stream)).await;
    let (mut sender, driver) = spoken.map_err(|error| broken(url, error))?;
    let driver = Driver(tokio::spawn(async move {
        // How it ended is told to the request that was on it.
        let _ = driver.await;
    }));
    let mut request = Request::new(Empty::<Bytes>::new());
    // RFC 9112 §3.2.1: to a server, the path alone.
    *request.uri_mut() = Uri::from(url.target.clone());
    let host = HeaderValue::try_from(url.authority()).map_err(|error| broken(url, error))?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let answered = sender.send_request(request).await;
    Ok((answered.map_err(|error| broken(url, error))?, driver))
}

fn broken(url: &WebUrl, what: impl ToString) -> FetchError {
    FetchError::Connection {
        origin: url.to_string(),
        what: what.to_string(),
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("rules", &self.rules)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

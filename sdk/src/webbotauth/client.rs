//! A client that signs every request it sends, and every hop of it anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{ClientBuilder, Request, Response};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;

use super::client_error::ClientError;
use super::redirect::{Hop, Redirects};
use super::signer::{RequestSigner, SendError};

/// How many redirects one request may lead to.
const MAX_REDIRECTS: usize = 10;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take, from the first byte sent to the last received.
const TIMEOUT: Duration = Duration::from_secs(30);

const AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// A client over the crate reqwest that signs each request last, on the bytes that are sent. It
/// follows redirects itself: each hop has a signature of its own, made for its own origin. TLS 1.3,
/// no proxy, no cookies, no request sent again with the same signature.
///
/// ```no_run
/// # use countersign::webbotauth::{ClientError, RequestSigner};
/// use countersign::webbotauth::SigningClient;
///
/// # async fn example(signer: RequestSigner) -> Result<(), Box<dyn std::error::Error>> {
/// let client = SigningClient::new(signer)?;
/// let page = client.send(http::Request::get("https://shop.example/stock").body("")?).await?;
/// println!("{}", page.text().await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SigningClient {
    http: reqwest::Client,
    signer: RequestSigner,
    redirects: Redirects,
}

impl SigningClient {
    /// A client that trusts the system's roots. It reads them, which takes a moment.
    ///
    /// # Errors
    /// [`ClientError::Tls`] when there are none.
    pub fn new(signer: impl Into<RequestSigner>) -> Result<Self, ClientError> {
        let loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::warn!(%error, "a trusted root of the system could not be read");
        }
        Self::trusting(signer, loaded.certs)
    }

    /// A client that trusts these roots and no other.
    ///
    /// # Errors
    /// [`ClientError::Tls`] when there are none.
    pub fn trusting(
        signer: impl Into<RequestSigner>,
        roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ClientError> {
        let builder = ClientBuilder::new()
            .user_agent(AGENT)
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .tls_backend_preconfigured(tls(roots)?);
        Self::over(signer.into(), builder.no_proxy())
    }

    /// Ways to make the client weaker.
    pub fn danger() -> SigningClientDanger {
        SigningClientDanger(())
    }

    fn over(signer: RequestSigner, builder: ClientBuilder) -> Result<Self, ClientError> {
        let builder = builder
            // It would send the signature of one hop to the next.
            .redirect(reqwest::redirect::Policy::none())
            // It would send one signature twice.
            .retry(reqwest::retry::never());
        Ok(Self {
            http: builder.build()?,
            signer,
            redirects: Redirects::default(),
        })
    }

    /// Which redirects are followed. Default: those within an origin.
    #[must_use]
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Signs the request, sends it, and follows redirects, ten at most.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn send<T>(&self, request: http::Request<T>) -> Result<Response, ClientError>
    where
        T: Into<reqwest::Body>,
    {
        self.execute(request.try_into()?).await
    }

    /// The same with a request of reqwest, whose body has to be in memory.
    ///
    /// # Errors
    /// [`ClientError::Unsigned`] when it was not sent, the others when there is no answer.
    pub async fn execute(&self, mut request: Request) -> Result<Response, ClientError> {
        let timeout = request.timeout().copied();
        let mut hop = Hop {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: std::mem::take(request.headers_mut()),
            body: whole(&request)?,
        }
        .unsigned();
        for _ in 0..=MAX_REDIRECTS {
            let mut signed = self.signed(&hop).await?;
            *signed.timeout_mut() = timeout;
            let answer = self.http.execute(signed).await?;
            match hop.next(answer.status(), answer.headers(), self.redirects) {
                Some(next) => hop = next,
                None => return Ok(answer),
            }
        }
        let max = MAX_REDIRECTS;
        Err(ClientError::TooManyRedirects { max })
    }

    async fn signed(&self, hop: &Hop) -> Result<Request, ClientError> {
        if !hop.url.username().is_empty() || hop.url.password().is_some() {
            return Err(SendError::User.into());
        }
        let mut url = hop.url.clone();
        url.set_fragment(None);
        let request = http::Request::builder()
            .method(hop.method.clone())
            .uri(url.as_str());
        let request = request.body(()).map_err(|_| SendError::NoOrigin)?;
        let (mut parts, ()) = request.into_parts();
        parts.headers.clone_from(&hop.headers);
        self.signer.sign(&mut parts, &hop.body, None).await?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        if !hop.body.is_empty() {
            *request.body_mut() = Some(hop.body.clone().into());
        }
        Ok(request)
    }
}

fn whole(request: &Request) -> Result<Bytes, SendError> {
    match request.body() {
        None => Ok(Bytes::new()),
        Some(body) => match body.as_bytes() {
            Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            None => Err(SendError::Body),
        },
    }
}

fn tls(roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, ClientError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    if store.is_empty() {
        return Err(ClientError::Tls);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| ClientError::Tls)?;
    let mut config = config.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Ways to make a [`SigningClient`] weaker, all in one place that is easy to search for.
#[derive(Debug)]
pub struct SigningClientDanger(());

impl SigningClientDanger {
    /// A client with other settings of reqwest: its timeouts, its TLS, its proxies. Redirects and
    /// repetitions stay off. Default header fields of the builder, cookies and what proxies want are
    /// added after signing, to requests to every origin: put fields on the request instead.
    ///
    /// # Errors
    /// [`ClientError::Http`] when reqwest cannot make it.
    pub fn with_builder(
        self,
        signer: impl Into<RequestSigner>,
        builder: ClientBuilder,
    ) -> Result<SigningClient, ClientError> {
        SigningClient::over(signer.into(), builder)
    }
}

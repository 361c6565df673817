//! Serving a document, until somebody ends it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::files::{MAX_DOCUMENT, read};
use crate::cli::outcome::{Outcome, Stop, say};
use crate::httpsig::Origin;

/// Connections that are served at a time.
const AT_ONCE: usize = 64;
/// How long one connection may last, its handshake included.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Serve it at this address, as 127.0.0.1:8443, instead of printing it.
    #[arg(long, value_name = "ADDR")]
    pub(super) serve: Option<SocketAddr>,
    /// What others call the server, as https://bot.example; by default the address.
    #[arg(long, value_name = "URL", requires = "serve")]
    origin: Option<Origin>,
    /// The certificate to speak TLS with (PEM, leaf first). Without it the server speaks plain HTTP,
    /// for a proxy that speaks TLS.
    #[arg(long, value_name = "FILE", requires = "serve", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "serve", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// What is answered to method, path and fields; `None` where there is nothing.
pub(super) type Site =
    Arc<dyn Fn(&Method, &str, &HeaderMap) -> Option<Response<Bytes>> + Send + Sync>;

impl ServeArgs {
    /// Listens at `address`, makes the site of the origin that this is, says where it is, and serves
    /// until the process is told to end.
    pub(super) async fn run(
        &self,
        address: SocketAddr,
        path: &str,
        as_json: bool,
        site: impl FnOnce(&Origin) -> Result<Site, Stop>,
    ) -> Result<Outcome, Stop> {
        let tls = self.acceptor()?;
        let failed = |error: std::io::Error| {
            let what = format!("{address}: {error}");
            Stop::failed(
                "http.listen",
                what,
                "give an address that is free with --serve",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => Origin::https(bound.to_string()),
        };
        let site = site(&origin)?;
        let url = format!("{}://{}{path}", origin.scheme.as_str(), origin.authority);
        let spoken = if tls.is_some() { "TLS" } else { "plain HTTP" };
        match as_json {
            true => say(&json!({ "ok": true, "serving": url, "address": bound }).to_string()),
            false => say(&format!("serving {url} at {bound}, {spoken}")),
        }
        tokio::select! {
            ended = accept(listener, tls, site) => ended.map_err(failed)?,
            ended = told_to_end() => ended.map_err(failed)?,
        }
        Ok(Outcome::good("", Value::Null))
    }

    fn acceptor(&self) -> Result<Option<TlsAcceptor>, Stop> {
        let (Some(certificates), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let wrong = |path: &PathBuf, what: &dyn std::fmt::Display| {
            let what = format!("{}: {what}", path.display());
            Stop::failed(
                "http.tls",
                what,
                "give a certificate and its private key as PEM",
            )
        };
        let pem = read(certificates, MAX_DOCUMENT)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| wrong(certificates, &error))?;
        let pem = read(key, MAX_DOCUMENT)?;
        let secret = PrivateKeyDer::from_pem_slice(&pem);
        let secret = secret.map_err(|_| wrong(key, &"there is no private key in it"))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|config| {
                let config = config.with_no_client_auth();
                config.with_single_cert(chain, secret)
            });
        let config = config.map_err(|error| wrong(certificates, &error))?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    site: Site,
) -> std::io::Result<()> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return Ok(());
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, or a peer that went away: neither ends the server.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (tls, site) = (tls.clone(), Arc::clone(&site));
        tokio::spawn(async move {
            let _ = tokio::time::timeout(PATIENCE, connection(stream, tls, site)).await;
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, site: Site) {
    match tls {
        None => speak(stream, site).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                speak(stream, site).await;
            }
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, site: Site) {
    let answer = service_fn(|request: Request<Incoming>| {
        let found = site(request.method(), request.uri().path(), request.headers());
        let answer = found.unwrap_or_else(|| {
            let mut nothing = Response::new(Bytes::new());
            *nothing.status_mut() = StatusCode::NOT_FOUND;
            nothing
        });
        std::future::ready(Ok::<_, Infallible>(answer.map(Full::new)))
    });
    let mut http = Builder::new();
    http.timer(TokioTimer::new());
    // How a connection ended is its peer's affair.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

#[cfg(unix)]
async fn told_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn told_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

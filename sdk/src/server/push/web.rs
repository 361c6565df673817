//! Connections to receivers that are no agents: the public web, and plain HTTP where that is allowed.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::error::DeliveryError;
use super::guard::Webhook;
use super::policy::Proof;
use crate::web::WebTls;

/// The largest header block of an answer.
const MAX_HEADER: usize = 64 << 10;

/// Makes connections to addresses that were checked.
pub(super) struct Web {
    tls: WebTls,
}

/// A connection that one delivery keeps for its next event.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    origin: String,
    address: SocketAddr,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Whether it still goes where `webhook` is.
    pub(super) fn serves(&self, webhook: &Webhook) -> bool {
        !self.sender.is_closed()
            && self.origin == webhook.url().to_string()
            && webhook.addresses().contains(&self.address)
    }

    pub(super) async fn send(
        &mut self,
        webhook: &Webhook,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, DeliveryError> {
        let broken = |what: String| broken(webhook, what);
        let host = HeaderValue::try_from(webhook.url().authority());
        let host = host.map_err(|error| broken(error.to_string()))?;
        request.headers_mut().insert(HOST, host);
        // RFC 9112 §3.2.1: to a server, the path alone.
        *request.uri_mut() = Uri::from(webhook.url().target.clone());
        let ready = self.sender.ready().await;
        ready.map_err(|error| broken(error.to_string()))?;
        let sent = self.sender.send_request(request).await;
        sent.map_err(|error| broken(error.to_string()))
    }
}

impl Web {
    /// With these roots, or the system's.
    pub(super) fn new(roots: Option<Vec<CertificateDer<'static>>>) -> Self {
        Self {
            tls: WebTls::new(roots),
        }
    }

    /// A connection to the first address of `webhook` that takes one.
    pub(super) async fn connect(&self, webhook: &Webhook) -> Result<Connection, DeliveryError> {
        let mut last = broken(webhook, "there is no address".to_owned());
        for address in webhook.addresses() {
            match self.connect_to(webhook, *address).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(
        &self,
        webhook: &Webhook,
        address: SocketAddr,
    ) -> Result<Connection, DeliveryError> {
        let broken = |error: std::io::Error| broken(webhook, error.to_string());
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        if *webhook.proof() != Proof::Web {
            return speak(webhook, address, stream).await;
        }
        let host = &webhook.url().host;
        let stream = self.tls.connect(host, stream).await.map_err(broken)?;
        speak(webhook, address, stream).await
    }
}

async fn speak(
    webhook: &Webhook,
    address: SocketAddr,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Connection, DeliveryError> {
    let mut http = Builder::new();
    http.max_buf_size(MAX_HEADER);
    let spoken = http.handshake(TokioIo::new(stream)).await;
    let (sender, driver) = spoken.map_err(|error| broken(webhook, error.to_string()))?;
    let driver = tokio::spawn(async move {
        // How it ended is told to the request that was on it.
        let _ = driver.await;
    });
    Ok(Connection {
        sender,
        origin: webhook.url().to_string(),
        address,
        driver,
    })
}

fn broken(webhook: &Webhook, what: String) -> DeliveryError {
    DeliveryError::Connection {
        origin: webhook.url().to_string(),
        what,
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Web")
    }
}

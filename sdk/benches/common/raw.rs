//! A caller that is hyper and nothing else.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use countersign::crypto::{SigningKey, sha256};
use countersign::server::async_trait;
use countersign::tls::HttpVersion;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::measure::{Caller, Failure};

/// As long as the signature base of a proved call here: the token, about 700 bytes, is part of it.
pub(super) const BASE: [u8; 1300] = [b'b'; 1300];

/// The sender of one connection, or of one stream among many.
pub(crate) enum Sender {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Sender {
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, Failure> {
        Ok(match self {
            Self::Http1(sender) => {
                // The last answer may be read before its connection is free again.
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => sender.send_request(request).await?,
        })
    }
}

/// A connection to `address`, over TLS when there is a connector.
pub(crate) async fn connect(
    address: SocketAddr,
    version: HttpVersion,
    tls: Option<TlsConnector>,
) -> Result<Sender, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    match tls {
        Some(tls) => {
            let name = ServerName::from(address.ip());
            handshake(tls.connect(name, stream).await?, version).await
        }
        None => handshake(stream, version).await,
    }
}

async fn handshake<S>(stream: S, version: HttpVersion) -> Result<Sender, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let io = TokioIo::new(stream);
    Ok(if version == HttpVersion::Http2 {
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder.handshake(io).await?;
        tokio::spawn(connection);
        Sender::Http2(sender)
    } else {
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        tokio::spawn(connection);
        Sender::Http1(sender)
    })
}

/// Sends the same request again and again.
pub(crate) struct RawCaller {
    pub(crate) sender: Sender,
    /// Makes one signature and one digest for each request.
    pub(crate) key: Option<Arc<SigningKey>>,
    pub(crate) asked: http::Request<Bytes>,
    /// How many bytes are answered.
    pub(crate) answer: usize,
}

#[async_trait]
impl Caller for RawCaller {
    async fn call(&mut self) -> Result<(), Failure> {
        let mut request = self.asked.clone().map(Full::new);
        if let Some(key) = &self.key {
            black_box(sha256(self.asked.body()));
            let signature = key.sign(&BASE)?;
            let header = countersign::jose::encode_base64url(signature.as_bytes());
            request.headers_mut().insert("signature", header.parse()?);
        }
        let response = self.sender.send(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if answer.len() != self.answer {
            let len = answer.len();
            return Err(format!("{status}: {len} bytes, not {}", self.answer).into());
        }
        Ok(())
    }
}

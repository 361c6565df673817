//! A server that does the least: it reads a request whole and answers what it was told to.

use std::convert::Infallible;
use std::hint::black_box;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign::crypto::{VerifyingKey, sha256};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::measure::Failure;
use super::raw::BASE;

/// What the server does with each request.
#[derive(Clone)]
pub(crate) struct Answering {
    /// Verifies one signature of this key and makes one digest for each request.
    pub(crate) key: Option<VerifyingKey>,
    pub(crate) answer: http::Response<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Serves on a free port, over TLS when there is an acceptor.
pub(crate) async fn serve_bare(
    answering: Answering,
    tls: Option<TlsAcceptor>,
) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (answering, tls) = (answering.clone(), tls.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else {
                    return serve_connection(stream, answering).await;
                };
                if let Ok(stream) = tls.accept(stream).await {
                    serve_connection(stream, answering).await;
                }
            });
        }
    });
    Ok(address)
}

async fn serve_connection<S>(stream: S, answering: Answering)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| answer(request, answering.clone()));
    let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: http::Request<Incoming>,
    answering: Answering,
) -> Result<http::Response<Whole>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Some(key) = &answering.key {
        black_box(sha256(&body));
        let header = head.headers.get("signature").ok_or("no signature")?;
        let signature = countersign::jose::decode_base64url(header.to_str()?)?;
        key.verify(&BASE, &signature)?;
    }
    Ok(answering.answer.map(|body| Whole {
        data: Some(body),
        trailers: answering.trailers,
    }))
}

/// A body that is there already.
struct Whole {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.data.take().map(Frame::data);
        let frame = data.or_else(|| self.trailers.take().map(Frame::trailers));
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

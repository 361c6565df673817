//! One connection of a partition, and the task that drives it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::TransportConfig;
use super::bond::{Bond, poll_driver};
use super::dial::Dialled;
use super::io::{BondedIo, header_list_limit};

type Body = Full<Bytes>;

/// A connection on loan for one request.
#[derive(Debug)]
pub(super) enum Lease {
    Http1(Http1),
    Http2(Http2),
}

#[derive(Debug)]
pub(super) struct Http1 {
    pub(super) sender: http1::SendRequest<Body>,
    pub(super) bond: Arc<Bond>,
    /// The tick since which it is free.
    pub(super) free_since: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Http2 {
    pub(super) sender: http2::SendRequest<Body>,
    pub(super) bond: Arc<Bond>,
}

impl Lease {
    pub(super) fn bond(&self) -> &Arc<Bond> {
        match self {
            Self::Http1(c) => &c.bond,
            Self::Http2(c) => &c.bond,
        }
    }

    pub(super) fn version(&self) -> Version {
        match self {
            Self::Http1(_) => Version::HTTP_11,
            Self::Http2(_) => Version::HTTP_2,
        }
    }

    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        match self {
            Self::Http1(c) => c.sender.try_send_request(request).await,
            Self::Http2(c) => c.sender.try_send_request(request).await,
        }
    }
}

pub(super) async fn drive_http1(
    dialled: Dialled,
    bond: &Arc<Bond>,
    config: &TransportConfig,
) -> Result<http1::SendRequest<Body>, hyper::Error> {
    let io = TokioIo::new(BondedIo::new(dialled.stream, Arc::clone(bond)));
    let max = config.max_response_header.max(8 << 10);
    let (mut sender, connection) = http1::Builder::new()
        .max_header_size(max)
        .handshake(io)
        .await?;
    let bond = Arc::clone(bond);
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let mut drained = false;
        std::future::poll_fn(|cx| {
            poll_driver(&bond, cx, connection.as_mut(), |_| {}, &mut drained)
        })
        .await;
    });
    sender.ready().await?;
    Ok(sender)
}

pub(super) async fn drive_http2(
    dialled: Dialled,
    bond: &Arc<Bond>,
    config: &TransportConfig,
) -> Result<http2::SendRequest<Body>, hyper::Error> {
    let io = TokioIo::new(BondedIo::new(dialled.stream, Arc::clone(bond)));
    let max = config.max_response_header.max(8 << 10);
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(header_list_limit(max))
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .handshake(io)
        .await?;
    let bond = Arc::clone(bond);
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let mut drained = false;
        std::future::poll_fn(|cx| {
            poll_driver(&bond, cx, connection.as_mut(), |_| {}, &mut drained)
        })
        .await;
    });
    sender.ready().await?;
    Ok(sender)
}

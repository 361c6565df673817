//! The accept loop.

use std::convert::Infallible;

use http_body::Body;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tower_service::Service;

use super::ServeOptions;
use crate::workload::Workload;

/// Serves `service` over mutual TLS until `shutdown` resolves.
pub async fn serve<S, B>(
    listener: TcpListener,
    workload: Workload,
    options: ServeOptions,
    service: S,
    shutdown: impl Future<Output = ()> + Send,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _ = (listener, workload, options, service);
    shutdown.await;
}

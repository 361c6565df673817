//! For an application that already has routes: one tower layer proves the caller, one extractor
//! hands it out.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::inbound::Inbound;
use crate::a2a::A2aError;
use crate::audit::Admitted;
use crate::delegation::Caller;
use crate::policy::Action;

type Classify = dyn Fn(&Parts, &[u8]) -> Result<Action, A2aError> + Send + Sync;

/// A layer that lets a request through only when its caller was proved, permitted and recorded.
///
/// It may stand inside a nested router: what was signed is the whole path, and that is what is
/// verified. The token goes no further than this layer: the handler gets the request without it.
///
/// The handler takes [`Proved`] to know the caller; without the layer that extractor refuses.
#[derive(Clone)]
pub struct ProveCaller {
    inbound: Arc<Inbound>,
    classify: Arc<Classify>,
}

impl ProveCaller {
    /// Every request through this layer asks for `action`.
    pub fn new(inbound: impl Into<Arc<Inbound>>, action: Action) -> Self {
        Self::classified(inbound, move |_, _| Ok(action.clone()))
    }

    /// What a request asks for is read from it by `classify`, after its caller was proved. It sees
    /// the URI as it was sent and signed, not what a nested router makes of it.
    pub fn classified(
        inbound: impl Into<Arc<Inbound>>,
        classify: impl Fn(&Parts, &[u8]) -> Result<Action, A2aError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inbound: inbound.into(),
            classify: Arc::new(classify),
        }
    }
}

impl fmt::Debug for ProveCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProveCaller").field(&self.inbound).finish()
    }
}

impl<S> Layer<S> for ProveCaller {
    type Service = ProveCallerService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ProveCallerService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`ProveCaller`] makes.
#[derive(Clone, Debug)]
pub struct ProveCallerService<S> {
    inner: S,
    layer: ProveCaller,
}

impl<S> Service<Request<Body>> for ProveCallerService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone was not polled ready, so it stays and the ready one goes.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let ProveCaller { inbound, classify } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            // A nested router takes its own part of the path away before we see it.
            let original = parts.extensions.get::<OriginalUri>();
            let signed = original.map_or_else(|| parts.uri.clone(), |uri| uri.0.clone());
            let here = std::mem::replace(&mut parts.uri, signed);
            let read =
                |parts: &Parts, body: &[u8]| classify(parts, body).map(|action| (action, ()));
            match inbound.receive(&parts, body, read).await {
                Ok((admitted, body, ())) => {
                    parts.extensions.insert(Proved(Arc::new(admitted)));
                    parts.headers.remove(AUTHORIZATION);
                    parts.uri = here;
                    inner
                        .call(Request::from_parts(parts, Body::from(body)))
                        .await
                }
                Err(refusal) => Ok(refusal.to_response()),
            }
        })
    }
}

/// The proved caller of a request, for an axum handler.
///
/// ```
/// # use countersign::server::Proved;
/// async fn handler(Proved(call): Proved) -> String {
///     format!("Hello, {}", call.caller())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Proved(
    /// The admitted call.
    pub Arc<Admitted>,
);

impl Proved {
    /// Who calls, for whom and through whom.
    pub fn caller(&self) -> &Caller {
        self.0.caller()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Proved {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let proved = parts.extensions.get::<Self>().cloned();
        // Only the layer puts it there: a route without the layer proves nobody and says so.
        proved.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

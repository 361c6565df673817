//! A tower layer that signs what is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use http_body::Body;
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use super::body::{BoxError, HeldBody, Unread, read};
use super::signer::{RequestSigner, SendError};
use crate::httpsig::Origin;

/// How much of a body is held to be signed, and how long it may take to come.
const BODY: (usize, Duration) = (4 << 20, Duration::from_secs(30));

/// A layer over any HTTP client that signs requests. It has to be the innermost: what stands below it
/// must not change covered fields, nor the body, nor follow redirects.
///
/// The body is read whole and its digest is covered, which is what unary gRPC requests are, too. With
/// [`Self::head_only`] it passes as it comes: for streams.
///
/// ```
/// use countersign::webbotauth::{RequestSigner, SignRequests};
/// use tower_layer::Layer as _;
/// fn signed<C>(signer: RequestSigner, client: C) -> impl Clone
/// where
///     C: Clone,
/// {
///     SignRequests::new(signer).layer(client)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct SignRequests(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    signer: RequestSigner,
    origin: Option<Origin>,
    /// `None`: the body is not looked at.
    body: Option<usize>,
    time: Duration,
}

impl SignRequests {
    /// Signs with `signer`, for the origin of each request's URI.
    pub fn new(signer: RequestSigner) -> Self {
        Self(Arc::new(Settings {
            signer,
            origin: None,
            body: Some(BODY.0),
            time: BODY.1,
        }))
    }

    /// For which origin requests are whose URI is only a path.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        Arc::make_mut(&mut self.0).origin = Some(origin);
        self
    }

    /// How many bytes of a body are held, and how long it may take to come. Default 4 MiB, 30 s.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize, time: Duration) -> Self {
        let settings = Arc::make_mut(&mut self.0);
        settings.body = Some(bytes);
        settings.time = time;
        self
    }

    /// Signs the head of the request alone: the body is sent as it comes, and no digest of it is
    /// covered. Verifiers that want one, as under [`Profile::a2a`](crate::httpsig::Profile::a2a),
    /// refuse such a request when it has a body.
    #[must_use]
    pub fn head_only(mut self) -> Self {
        Arc::make_mut(&mut self.0).body = None;
        self
    }
}

impl Settings {
    async fn sign<B>(&self, request: Request<B>) -> Result<Request<HeldBody<B>>, SendError>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let origin = self.origin.as_ref();
        let body = match self.body {
            Some(max) if !body.is_end_stream() => {
                let whole = read(body, max, self.time).await;
                let whole = whole.map_err(|unread| match unread {
                    Unread::TooLarge { max } => SendError::TooLarge { max },
                    Unread::Slow { .. } | Unread::Broken => SendError::Body,
                })?;
                self.signer.sign(&mut parts, &whole, origin).await?;
                Either::Left(Full::new(whole))
            }
            _ => {
                self.signer.sign(&mut parts, b"", origin).await?;
                Either::Right(body)
            }
        };
        Ok(Request::from_parts(parts, body))
    }
}

impl<S> Layer<S> for SignRequests {
    type Service = SignRequestsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SignRequestsService {
            inner,
            settings: Arc::clone(&self.0),
        }
    }
}

/// The service that [`SignRequests`] makes.
#[derive(Clone, Debug)]
pub struct SignRequestsService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S, B> Service<Request<B>> for SignRequestsService<S>
where
    S: Service<Request<HeldBody<B>>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    /// A [`SendError`], or the inner client's.
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone was not polled ready, so it stays and the ready one goes.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(&self.settings);
        Box::pin(async move {
            let request = settings.sign(request).await?;
            inner.call(request).await.map_err(Into::into)
        })
    }
}

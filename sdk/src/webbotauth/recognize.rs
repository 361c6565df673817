//! A tower layer that recognises who signed a request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use super::answer::{Answers, Detail};
use super::body::{BoxError, HeldBody};
use super::judge::{Judge, Replay};
use super::keys::KeySource;
use super::origin::OriginRule;
use super::recognition::Recognition;
use crate::clock::{Clock, Skew, SystemClock};
use crate::httpsig::{Profile, ReplayStore};

/// How much of a body is read to be compared with its digest.
const BODY: usize = 4 << 20;
/// How long it may take to come.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Which requests are let through.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Mode {
    /// Verified ones.
    #[default]
    Require,
    /// Verified ones, and unverified ones, which are marked so. What is invalid or was used before
    /// is refused.
    LetUnverified,
    /// All of them, each marked: for watching before refusing. The body of an invalid request is
    /// nobody's word.
    Observe,
}

/// A layer that puts what is known of a request's signer, a [`Recognition`], into the request's
/// extensions, and refuses the others. It is for any server that is a tower service: axum, hyper,
/// tonic.
///
/// Signatures are judged by the profile: everything that needs no key, then the key, the signature,
/// the body, and, with a [replay store](Self::replay), the nonce. A body is read before it goes on
/// when the signature covers its digest or the profile says that it has to; any other passes
/// unread, and [`Recognized::covers_body`](super::Recognized::covers_body) says so.
///
/// ```
/// use std::sync::Arc;
/// use countersign::httpsig::{HttpKeySet, MemoryReplayStore, Origin, Profile};
/// use countersign::webbotauth::{KeySource, OriginRule, Recognize};
///
/// fn layer(partners: HttpKeySet) -> Recognize {
///     let here = OriginRule::fixed(Origin::https("shop.example"));
///     Recognize::new(Profile::a2a(), KeySource::held(partners), here)
///         .replay(Arc::new(MemoryReplayStore::default()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Recognize {
    judge: Judge,
    answers: Answers,
    mode: Mode,
}

impl Recognize {
    /// Lets verified requests through: signatures under `profile`, with keys of `keys`, made for the
    /// origin that `origin` names.
    pub fn new(profile: Profile, keys: KeySource, origin: OriginRule) -> Self {
        Self {
            answers: Answers::new(&profile),
            judge: Judge {
                profiles: vec![profile],
                keys,
                origin,
                replay: None,
                clock: Arc::new(SystemClock),
                skew: Skew::default(),
                body: BODY,
                body_time: BODY_TIME,
            },
            mode: Mode::default(),
        }
    }

    /// Takes signatures under this profile, too: another revision of Web Bot Auth. Profiles are
    /// tried in their order; the first is the one that is asked for in `Accept-Signature`.
    #[must_use]
    pub fn or(mut self, profile: Profile) -> Self {
        self.judge.profiles.push(profile);
        self
    }

    /// Which requests are let through. Default [`Mode::Require`].
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// [`Mode::LetUnverified`]: for sites that serve browsers, too.
    #[must_use]
    pub fn let_unverified_through(self) -> Self {
        self.mode(Mode::LetUnverified)
    }

    /// Takes each nonce once. A signature then has to have one, and an `expires`. When the store
    /// cannot tell, requests are refused.
    #[must_use]
    pub fn replay(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.judge.replay = Some(Replay {
            store,
            optional: false,
        });
        self
    }

    /// Takes each nonce once, of the signatures that have one: Web Bot Auth does not ask for it. What
    /// has none passes, and [`Recognized::fresh`](super::Recognized::fresh) says so.
    #[must_use]
    pub fn replay_where_given(mut self, store: Arc<dyn ReplayStore>) -> Self {
        self.judge.replay = Some(Replay {
            store,
            optional: true,
        });
        self
    }

    /// What the answer says about what is wrong. Default: nothing, see [`Detail`].
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.answers.detail = detail;
        self
    }

    /// How many bytes of a body are read, and how long it may take to come. Default 4 MiB, 30 s. One
    /// beyond that is refused in every mode.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize, time: Duration) -> Self {
        self.judge.body = bytes;
        self.judge.body_time = time;
        self
    }

    /// How far clocks may differ. Default 5 s.
    #[must_use]
    pub fn skew(mut self, skew: Skew) -> Self {
        self.judge.skew = skew;
        self
    }

    /// Whose time it is. Default: the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.judge.clock = clock;
        self
    }

    fn lets_through(&self, known: &Recognition) -> bool {
        match (self.mode, known) {
            (Mode::Observe, _) | (_, Recognition::Verified(_)) => true,
            (Mode::LetUnverified, Recognition::Unverified(_)) => true,
            (_, Recognition::Spent(..) | Recognition::Invalid(_) | Recognition::Unverified(_)) => {
                false
            }
        }
    }

    /// The request with what is known of its signer, or the answer to it.
    async fn receive<B>(&self, request: Request<B>) -> Result<Request<HeldBody<B>>, Response<Bytes>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let here = signed_uri(&mut parts);
        let (known, body) = match self.judge.judge(&parts, body).await {
            Ok(judged) => judged,
            Err(unread) => {
                tracing::debug!(%unread, "a request was not read");
                return Err(self.answers.unread(unread));
            }
        };
        let through = self.lets_through(&known);
        tracing::debug!(
            outcome = known.word(),
            reason = known.reason(),
            through,
            "signature"
        );
        if !through {
            return Err(self.answers.refused(&known));
        }
        if let Some(here) = here {
            parts.uri = here;
        }
        parts.extensions.insert(known);
        Ok(Request::from_parts(parts, body))
    }
}

/// A nested router of axum takes its own part of the path away before we see it; what was signed is
/// the whole. Gives what the request has to have again afterwards.
fn signed_uri(parts: &mut http::request::Parts) -> Option<http::Uri> {
    #[cfg(feature = "server")]
    if let Some(axum::extract::OriginalUri(uri)) = parts.extensions.get() {
        let signed = uri.clone();
        return Some(std::mem::replace(&mut parts.uri, signed));
    }
    let _ = parts;
    None
}

impl<S> Layer<S> for Recognize {
    type Service = RecognizeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RecognizeService {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service that [`Recognize`] makes.
#[derive(Clone, Debug)]
pub struct RecognizeService<S> {
    inner: S,
    layer: Arc<Recognize>,
}

impl<S, B, A> Service<Request<B>> for RecognizeService<S>
where
    S: Service<Request<HeldBody<B>>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Either<Full<Bytes>, A>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone was not polled ready, so it stays and the ready one goes.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let layer = Arc::clone(&self.layer);
        Box::pin(async move {
            match layer.receive(request).await {
                Ok(request) => Ok(inner.call(request).await?.map(Either::Right)),
                Err(answer) => Ok(answer.map(|body| Either::Left(Full::new(body)))),
            }
        })
    }
}

//! A body that is digested while it is sent.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::TRAILER;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use super::error::BodyError;
use crate::crypto::Hasher;
use crate::httpsig::sign::CONTENT_DIGEST;
use crate::httpsig::{DigestAlgorithm, SignatureError};

type Seal = Box<dyn FnOnce(&mut HeaderMap) -> Result<(), SignatureError> + Send + Sync>;

/// A body that is sent as it comes, with `Content-Digest` behind it.
///
/// For a peer that takes trailers ([`accepts_trailers`](super::accepts_trailers)); another one would
/// never see the digest.
///
/// ```
/// use countersign::httpsig::body::DigestingBody;
/// use countersign::httpsig::{
///     ComponentId, HttpSigningKey, MessageView, ResponseView, SignatureParams, sign_message,
/// };
/// use http_body::Body;
///
/// fn stream<B: Body + Unpin>(
///     response: http::Response<B>,
///     key: HttpSigningKey,
/// ) -> http::Response<DigestingBody<B>> {
///     let (mut parts, body) = response.into_parts();
///     DigestingBody::<B>::announce(&mut parts.headers);
///     let (status, headers) = (parts.status, parts.headers.clone());
///     let body = DigestingBody::new(body).seal(move |trailers| {
///         let response = ResponseView::new(status, &headers, None).with_trailers(trailers);
///         let message: MessageView<'_> = response.into();
///         let covered = [ComponentId::parse("\"@status\"")?, ComponentId::parse("\"content-digest\";tr")?];
///         let signed = sign_message(&message, &key, "end", &covered, &SignatureParams::new())?;
///         trailers.insert("signature-input", signed.signature_input);
///         trailers.insert("signature", signed.signature);
///         Ok(())
///     });
///     http::Response::from_parts(parts, body)
/// }
/// ```
#[must_use = "a body that is not sent has no digest"]
pub struct DigestingBody<B> {
    body: B,
    algorithm: DigestAlgorithm,
    /// `None` when the trailers were given out, or it failed.
    hasher: Option<Hasher>,
    seal: Option<Seal>,
    failed: bool,
}

impl<B> DigestingBody<B> {
    /// `body`, with its SHA-256 behind it.
    pub fn new(body: B) -> Self {
        Self::with_algorithm(body, DigestAlgorithm::Sha256)
    }

    /// `body`, with this digest behind it.
    pub fn with_algorithm(body: B, algorithm: DigestAlgorithm) -> Self {
        Self {
            body,
            algorithm,
            hasher: Some(algorithm.hasher()),
            seal: None,
            failed: false,
        }
    }

    /// What is done with the trailers when all of them are there: they are signed. When it fails,
    /// the body ends with that error.
    pub fn seal(
        mut self,
        seal: impl FnOnce(&mut HeaderMap) -> Result<(), SignatureError> + Send + Sync + 'static,
    ) -> Self {
        self.seal = Some(Box::new(seal));
        self
    }

    /// Says in the header what will come behind the body; HTTP/1.1 sends nothing else there.
    pub fn announce(headers: &mut HeaderMap) {
        let fields = HeaderValue::from_static("content-digest, signature-input, signature");
        headers.append(TRAILER, fields);
        // The body gets longer by its trailers, and its length is not told.
        headers.remove(http::header::CONTENT_LENGTH);
    }

    /// The frame behind the body.
    fn end<E>(&mut self, mut trailers: HeaderMap) -> Result<Frame<Bytes>, BodyError<E>> {
        let digest = self.hasher.take().map(Hasher::finish);
        let field = self.algorithm.member(&digest.unwrap_or_default());
        let wrong = |_| SignatureError::Malformed {
            field: "Content-Digest",
            what: "it is no field value",
        };
        let sealed = field.parse().map_err(wrong).and_then(|field: HeaderValue| {
            trailers.insert(CONTENT_DIGEST, field);
            let seal = self.seal.take();
            seal.map_or(Ok(()), |seal| seal(&mut trailers))
        });
        self.failed = sealed.is_err();
        sealed?;
        Ok(Frame::trailers(trailers))
    }
}

impl<B: Body + Unpin> Body for DigestingBody<B> {
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let Some(hasher) = &mut this.hasher else {
            let over = this.failed.then_some(Err(BodyError::Over));
            return Poll::Ready(over);
        };
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                (this.hasher, this.failed) = (None, true);
                return Poll::Ready(Some(Err(BodyError::Broken(error))));
            }
            None => return Poll::Ready(Some(this.end(HeaderMap::new()))),
        };
        Poll::Ready(Some(match frame.into_data() {
            Ok(mut data) => {
                let piece = data.copy_to_bytes(data.remaining());
                hasher.update(&piece);
                Ok(Frame::data(piece))
            }
            Err(frame) => this.end(frame.into_trailers().unwrap_or_default()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.hasher.is_none() && !self.failed
    }

    /// Unknown: a body of a known length has no place for trailers in HTTP/1.1.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl<B> fmt::Debug for DigestingBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestingBody({})", self.algorithm)
    }
}

//! A body that flows and is checked at its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::error::BodyError;
use crate::crypto::Hasher;
use crate::httpsig::{DigestAlgorithm, DigestCheck, Digests};

/// A body that is checked while it flows, for what cannot wait for its end.
///
/// What it gives out is not proved before it has ended. When the body was another, the last thing it
/// gives is an error, never an end, and its length is not said beforehand: over HTTP/1.1 it is sent
/// on in chunks of which the last is missing, over HTTP/2 the stream is reset. Asked again, it gives
/// an error again. Trailers are given out only after the body was found right.
#[derive(Debug)]
#[must_use = "a body that is not read is not checked"]
pub struct CheckedBody<B> {
    body: B,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The digest came before the body.
    Known(Box<DigestCheck>),
    /// It comes behind it, with one of these algorithms.
    Behind(Box<[Hasher; 2]>),
    Done,
    Failed,
}

impl<B> CheckedBody<B> {
    /// `body` as it comes, to be what `digests` say.
    pub fn new(body: B, digests: &Digests) -> Self {
        let state = State::Known(Box::new(digests.begin()));
        Self { body, state }
    }

    /// `body` as it comes, to be what `Content-Digest` in its trailers says. A body without one is
    /// refused at its end. Who wrote the field, only a signature over it tells (`"content-digest";tr`).
    pub fn with_digest_behind(body: B) -> Self {
        let hashers = DigestAlgorithm::ALL.map(DigestAlgorithm::hasher);
        let state = State::Behind(Box::new(hashers));
        Self { body, state }
    }

    fn update(&mut self, piece: &[u8]) {
        match &mut self.state {
            State::Known(check) => check.update(piece),
            State::Behind(hashers) => hashers.iter_mut().for_each(|hasher| hasher.update(piece)),
            State::Done | State::Failed => {}
        }
    }

    /// The verdict, once.
    fn end<E>(&mut self, trailers: Option<&HeaderMap>) -> Result<(), BodyError<E>> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Known(check) => check.finish()?,
            State::Behind(hashers) => {
                let said = trailers.map(Digests::of_content).transpose()?.flatten();
                let said = said.ok_or(BodyError::NoDigest)?;
                let [sha256, sha512] = hashers.map(|hasher| Some(hasher.finish()));
                said.compare(sha256.as_deref(), sha512.as_deref())?;
            }
            State::Done => {}
            State::Failed => return Err(BodyError::Over),
        }
        self.state = State::Done;
        Ok(())
    }
}

impl<B: Body + Unpin> Body for CheckedBody<B> {
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match this.state {
            State::Done => return Poll::Ready(None),
            State::Failed => return Poll::Ready(Some(Err(BodyError::Over))),
            State::Known(_) | State::Behind(_) => {}
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                this.state = State::Failed;
                return Poll::Ready(Some(Err(BodyError::Broken(error))));
            }
            None => {
                let end = this.end(None);
                return Poll::Ready(end.err().map(Err));
            }
        };
        let frame = match frame.into_data() {
            Ok(mut data) => {
                let piece = data.copy_to_bytes(data.remaining());
                this.update(&piece);
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            Err(frame) => frame,
        };
        Poll::Ready(Some(match frame.into_trailers() {
            Ok(trailers) => this
                .end(Some(&trailers))
                .map(|()| Frame::trailers(trailers)),
            // There is no third kind; what is not known was not checked.
            Err(_) => {
                this.state = State::Failed;
                Err(BodyError::NoDigest)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Unknown: who is told a length takes the last byte for the end.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

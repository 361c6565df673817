//! The body of an answer, which keeps its connection from counting as idle.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};

use super::bond::Active;

/// A body, passed on as it is.
#[derive(Debug)]
pub(super) struct AnsweringBody<B> {
    body: B,
    _active: Active,
}

impl<B> AnsweringBody<B> {
    pub(super) fn new(body: B, active: Active) -> Self {
        Self {
            body,
            _active: active,
        }
    }
}

impl<B: Body + Unpin> Body for AnsweringBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

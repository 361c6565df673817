//! The answer of a replay store, which may be there at once.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::replay_store::ReplayError;

type Answer = Result<(), ReplayError>;

/// What a [`ReplayStore`](super::ReplayStore) answers: now, without an allocation, or later.
///
/// ```
/// use countersign::httpsig::{Recording, ReplayError};
///
/// fn at_once<'a>() -> Recording<'a> {
///     Recording::now(Ok(()))
/// }
/// fn after_a_look(known: &str) -> Recording<'_> {
///     Recording::later(async move {
///         let what = "is not reached"; // what asking another machine came to
///         if known.is_empty() { Ok(()) } else { Err(ReplayError::Unavailable { what }) }
///     })
/// }
/// ```
#[must_use = "nothing is recorded before it was awaited"]
pub struct Recording<'a>(State<'a>);

enum State<'a> {
    Now(Answer),
    Later(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
}

impl<'a> Recording<'a> {
    /// An answer that is there.
    pub fn now(answer: Answer) -> Self {
        Self(State::Now(answer))
    }

    /// An answer that has to be waited for. It has to come in bounded time: a request waits for it.
    pub fn later(answer: impl Future<Output = Answer> + Send + 'a) -> Self {
        Self(State::Later(Box::pin(answer)))
    }
}

impl Future for Recording<'_> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut self.get_mut().0 {
            State::Now(answer) => Poll::Ready(*answer),
            State::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Now(answer) => write!(f, "Recording({answer:?})"),
            State::Later(_) => f.write_str("Recording(..)"),
        }
    }
}

//! The core that no binding is known to: an admitted request goes in, an answer comes out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::stream::BoxStream;

use super::requester::Requester;
use crate::a2a::{A2aError, Request, Response, ServiceParameters, StreamResponse};
use crate::audit::Admitted;
use crate::policy::Owner;

/// Who makes a request, and what came beside it. Only a call that was let in has one.
#[derive(Clone, Debug)]
pub struct ServerCallContext {
    requester: Requester,
    owner: Owner,
    parameters: ServiceParameters,
    deadline: Option<Instant>,
}

impl ServerCallContext {
    /// The context of a call that was let in, whose tasks belong to `owner`.
    pub(super) fn new(
        requester: Requester,
        owner: Owner,
        parameters: ServiceParameters,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            requester,
            owner,
            parameters,
            deadline,
        }
    }

    /// Who calls: proved, unless this agent was started behind `danger()`.
    pub fn requester(&self) -> &Requester {
        &self.requester
    }

    /// The record of this call's admission, when its caller was proved.
    pub fn admitted(&self) -> Option<&Arc<Admitted>> {
        self.requester.admitted()
    }

    /// Until when the caller waits, when the binding told.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whose tasks this call may see.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Version and extensions, as they were sent.
    pub fn parameters(&self) -> &ServiceParameters {
        &self.parameters
    }
}

/// The answer to a request.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for a call and taken apart at once; a box would cost more than the move"
)]
pub enum Reply {
    /// The one answer.
    Response(Response),
    /// A stream of events.
    Events(Events),
}

/// Events in the agent's order. An error is the last item.
pub struct Events(BoxStream<'static, Result<Arc<StreamResponse>, A2aError>>);

impl Events {
    /// Makes a stream the answer.
    pub fn new(
        events: impl Stream<Item = Result<Arc<StreamResponse>, A2aError>> + Send + 'static,
    ) -> Self {
        Self(Box::pin(events))
    }
}

impl Stream for Events {
    type Item = Result<Arc<StreamResponse>, A2aError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

/// Answers the eleven operations. Every binding calls this and nothing else.
#[async_trait]
pub trait RequestHandler: Send + Sync + 'static {
    /// Answers `request`.
    ///
    /// # Errors
    /// An error of the protocol; the binding writes it in its own form.
    async fn handle(&self, call: ServerCallContext, request: Request) -> Result<Reply, A2aError>;
}

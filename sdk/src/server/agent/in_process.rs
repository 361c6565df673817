//! An agent that only its own process reaches: for tests of an executor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Danger;
use super::card::{Places, terms};
use super::extended::ExtendedCards;
use super::work::Work;
use crate::a2a::{A2aError, Request, ServiceParameters};
use crate::clock::SystemClock;
use crate::policy::Owner;
use crate::server::binding::{Call, Terms};
use crate::server::default_handler::DefaultRequestHandler;
use crate::server::handler::{Reply, RequestHandler as _, ServerCallContext};
use crate::server::requester::Requester;
use crate::server::task::AgentExecutor;

/// Where the card says that it is: nowhere (RFC 2606).
const ORIGIN: &str = "http://in-process.invalid";

/// An agent that listens nowhere; from [`Danger::in_process`]. Dropping it stops it.
pub struct InProcessAgent {
    terms: Terms,
    handler: DefaultRequestHandler,
}

impl Danger {
    /// Starts the agent without a network: what it would answer over any binding, it answers to
    /// [`InProcessAgent::handle`]. It proves nobody, so it stands here, and no binding serves it.
    ///
    /// Executors meet [`Requester::Unauthenticated`], and nothing can be done on its behalf. Tasks,
    /// streams and push notifications are the agent's real ones, in the store that it was given.
    ///
    /// ```
    /// use countersign::a2a::{A2aError, Message, Part, Request, Response, SendMessageRequest};
    /// use countersign::a2a::SendMessageResponse;
    /// use countersign::server::{Agent, AgentExecutor, EventQueue, Reply, RequestContext, async_trait};
    ///
    /// struct Echo;
    ///
    /// #[async_trait]
    /// impl AgentExecutor for Echo {
    ///     async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
    ///         events.reply(ctx.text());
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), A2aError> {
    /// let agent = Agent::without_identity("echo", "Says it again").danger().in_process(Echo);
    /// let hello = SendMessageRequest::new(Message::user(Part::text("hello")));
    /// let reply = agent.handle(Request::SendMessage(hello)).await?;
    /// let Reply::Response(Response::SendMessage(SendMessageResponse::Message(said))) = reply else {
    ///     panic!("an echo is a message");
    /// };
    /// assert_eq!(said.text(), "hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn in_process(self, executor: impl AgentExecutor) -> InProcessAgent {
        let agent = self.agent;
        let places = Places {
            origin: ORIGIN,
            grpc: None,
            paths: &agent.paths,
        };
        let card = match agent.own_card.clone() {
            Some(card) => card,
            None => agent.outline(&places).build_open(),
        };
        let terms = terms(&card, agent.v03);
        let extended = ExtendedCards {
            public: card,
            extend: agent.extended,
            security: None,
        };
        let work = Work {
            executor: Arc::new(executor),
            client: None,
            clock: Arc::new(SystemClock),
            store: agent.store,
            push: agent.push,
            task_limits: agent.task_limits,
            close_when_interrupted: agent.close_when_interrupted,
        };
        InProcessAgent {
            terms,
            handler: work.start(extended),
        }
    }
}

impl InProcessAgent {
    /// Answers `request`, which names no version and no extensions.
    ///
    /// # Errors
    /// What a client would be told over any binding.
    pub async fn handle(&self, request: Request) -> Result<Reply, A2aError> {
        self.handle_with(ServiceParameters::default(), request)
            .await
    }

    /// Answers `request` with what comes beside it: the extensions that the client names. The version
    /// is a matter of bindings and of no account here.
    ///
    /// # Errors
    /// As [`InProcessAgent::handle`].
    pub async fn handle_with(
        &self,
        parameters: ServiceParameters,
        request: Request,
    ) -> Result<Reply, A2aError> {
        request.check()?;
        let call = Call::new(request, parameters);
        self.terms.check(&call)?;
        let owner = Owner::unauthenticated().at_tenant(call.request.tenant());
        let requester = Requester::Unauthenticated;
        let context = ServerCallContext::new(requester, owner, call.parameters, None);
        self.handler.handle(context, call.request).await
    }

    /// Takes no more requests and lets tasks under way come to their end within `grace`.
    pub async fn shutdown(self, grace: Duration) {
        self.handler.shutdown(grace).await;
    }
}

impl fmt::Debug for InProcessAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcessAgent")
    }
}

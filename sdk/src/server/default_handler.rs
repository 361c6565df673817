//! The request handler that an agent has: capabilities are checked, then the task engine, the push
//! notifications and the extended card answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;

use super::handler::{Reply, RequestHandler, ServerCallContext};
use super::push::PushNotifications;
use super::store::{MemoryTaskStore, TaskStore};
use super::task::{AgentExecutor, Engine, EngineParts, TaskLimits};
use crate::a2a::{A2aError, AgentCapabilities, AgentCard, ErrorKind, Request, Response};
use crate::client::Client;
use crate::clock::Clock;

/// Gives the card for callers that were let in (A2A §3.1.11), with its signatures.
#[async_trait]
pub trait ExtendedCard: Send + Sync + 'static {
    /// The card for this caller.
    ///
    /// # Errors
    /// An error of the protocol.
    async fn card(&self, call: &ServerCallContext) -> Result<AgentCard, A2aError>;
}

/// A [`RequestHandler`] around an [`AgentExecutor`]: tasks, streams, lists, cancelling, resuming.
///
/// [`Agent`](super::Agent) has one. It is of use by itself to who brings a binding of their own:
///
/// ```no_run
/// # use std::sync::Arc;
/// # use countersign::{AgentExecutor, Client, SystemClock};
/// # use countersign::a2a::AgentCapabilities;
/// # use countersign::server::{DefaultRequestHandler, RequestHandler};
/// # fn f(executor: impl AgentExecutor, client: Client) {
/// let handler = DefaultRequestHandler::builder(Arc::new(executor), Some(client), Arc::new(SystemClock))
///     .capabilities(AgentCapabilities { streaming: Some(true), ..Default::default() })
///     .start();
/// # let _: Arc<dyn RequestHandler> = Arc::new(handler);
/// # }
/// ```
pub struct DefaultRequestHandler {
    engine: Arc<Engine>,
    capabilities: AgentCapabilities,
    push: Option<PushNotifications>,
    extended_card: Option<Arc<dyn ExtendedCard>>,
    beside: [JoinHandle<()>; 2],
}

/// A [`DefaultRequestHandler`] that is being put together.
#[must_use]
pub struct DefaultRequestHandlerBuilder {
    parts: EngineParts,
    capabilities: AgentCapabilities,
    push: Option<PushNotifications>,
    extended_card: Option<Arc<dyn ExtendedCard>>,
}

impl DefaultRequestHandler {
    /// A handler around `executor`, whose calls go on with `client`; none for an agent without an
    /// identity of its own. It declares no capabilities and keeps tasks in memory.
    pub fn builder(
        executor: Arc<dyn AgentExecutor>,
        client: Option<Client>,
        clock: Arc<dyn Clock>,
    ) -> DefaultRequestHandlerBuilder {
        DefaultRequestHandlerBuilder {
            parts: EngineParts {
                executor,
                store: Arc::new(MemoryTaskStore::default()),
                client,
                clock,
                push: None,
                close_when_interrupted: false,
                limits: TaskLimits::default(),
            },
            capabilities: AgentCapabilities::default(),
            push: None,
            extended_card: None,
        }
    }

    /// Takes no more work and lets what is under way come to its end within `grace`. What is not done
    /// by then goes on in another instance that shares the store, or after the next start, by
    /// [`AgentExecutor::resume`]. Streams end with an error.
    pub async fn shutdown(&self, grace: Duration) {
        self.engine.shutdown(grace).await;
        self.beside.iter().for_each(JoinHandle::abort);
        if let Some(push) = &self.push {
            push.shutdown().await;
        }
    }

    /// Closes the stores, after [`DefaultRequestHandler::shutdown`] and once no request is under way. A
    /// store of which there are other clones goes on for these.
    pub async fn close(&self) {
        self.engine.close().await;
        if let Some(push) = &self.push {
            push.close().await;
        }
    }

    fn streams(&self) -> Result<(), A2aError> {
        declared(self.capabilities.streaming, "Streaming")
    }

    fn pushes(&self) -> Result<&PushNotifications, A2aError> {
        let declared = self.capabilities.push_notifications == Some(true);
        let push = self.push.as_ref().filter(|_| declared);
        push.ok_or_else(|| {
            let kind = ErrorKind::PushNotificationNotSupported;
            A2aError::new(kind, "This agent sends no push notifications")
        })
    }

    async fn extended(&self, call: &ServerCallContext) -> Result<AgentCard, A2aError> {
        declared(self.capabilities.extended_agent_card, "The extended card")?;
        match &self.extended_card {
            Some(card) => card.card(call).await,
            None => Err(A2aError::new(
                ErrorKind::ExtendedAgentCardNotConfigured,
                "This agent has no extended card at present",
            )),
        }
    }
}

/// A2A §3.3.4: what the card does not declare is refused.
fn declared(capability: Option<bool>, what: &str) -> Result<(), A2aError> {
    if capability == Some(true) {
        return Ok(());
    }
    let why = format!("{what} is not supported by this agent");
    Err(A2aError::new(ErrorKind::UnsupportedOperation, why))
}

#[async_trait]
impl RequestHandler for DefaultRequestHandler {
    async fn handle(&self, call: ServerCallContext, request: Request) -> Result<Reply, A2aError> {
        let (engine, owner) = (&self.engine, call.owner());
        let answer = match request {
            Request::SendMessage(request) => {
                Response::SendMessage(engine.send(&call, request).await?)
            }
            Request::SendStreamingMessage(request) => {
                self.streams()?;
                return Ok(Reply::Events(engine.stream(&call, request).await?));
            }
            Request::GetTask(request) => Response::Task(engine.get(owner, &request).await?),
            Request::ListTasks(request) => Response::ListTasks(engine.list(owner, request).await?),
            Request::CancelTask(request) => Response::Task(engine.cancel(owner, &request).await?),
            Request::SubscribeToTask(request) => {
                self.streams()?;
                return Ok(Reply::Events(engine.subscribe(owner, &request).await?));
            }
            Request::CreateTaskPushNotificationConfig(config) => {
                let made = self.pushes()?.create(owner, config).await?;
                Response::TaskPushNotificationConfig(made)
            }
            Request::GetTaskPushNotificationConfig(request) => {
                let found = self.pushes()?.get(owner, &request).await?;
                Response::TaskPushNotificationConfig(found)
            }
            Request::ListTaskPushNotificationConfigs(request) => {
                let page = self.pushes()?.list(owner, &request).await?;
                Response::ListTaskPushNotificationConfigs(page)
            }
            Request::DeleteTaskPushNotificationConfig(request) => {
                self.pushes()?.delete(owner, &request).await?;
                Response::Empty
            }
            Request::GetExtendedAgentCard(_) => {
                Response::AgentCard(Box::new(self.extended(&call).await?))
            }
        };
        Ok(Reply::Response(answer))
    }
}

impl DefaultRequestHandlerBuilder {
    /// Where tasks are kept. Default: this process's memory.
    pub fn task_store(mut self, store: Arc<dyn TaskStore>) -> Self {
        self.parts.store = store;
        self
    }

    /// What the card declares; anything else is refused.
    pub fn capabilities(mut self, capabilities: AgentCapabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// What sends push notifications about the tasks of the same store.
    pub fn push(mut self, push: PushNotifications) -> Self {
        self.push = Some(push);
        self
    }

    /// What gives the card for callers that were let in.
    pub fn extended_card(mut self, card: Arc<dyn ExtendedCard>) -> Self {
        self.extended_card = Some(card);
        self
    }

    /// Whether the stream of a message ends when its task waits for an authorization. Default: it
    /// stays open (A2A §7.6.1). When the task waits for input, it always ends (§11.7).
    pub fn close_streams_when_interrupted(mut self, close: bool) -> Self {
        self.parts.close_when_interrupted = close;
        self
    }

    /// How much is held of one task, and for those who follow it.
    pub fn task_limits(mut self, limits: TaskLimits) -> Self {
        self.parts.limits = limits;
        self
    }

    /// Starts the handler: tasks that an earlier instance left are taken over from now on, and push
    /// notifications sent.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(mut self) -> DefaultRequestHandler {
        if self.capabilities.push_notifications == Some(true)
            && let Some(push) = &self.push
        {
            self.parts.push = Some(Arc::new(push.clone()));
            push.start();
        }
        let engine = Arc::new(Engine::new(self.parts));
        DefaultRequestHandler {
            beside: engine.start(),
            engine,
            capabilities: self.capabilities,
            push: self.push,
            extended_card: self.extended_card,
        }
    }
}

impl Drop for DefaultRequestHandler {
    fn drop(&mut self) {
        self.beside.iter().for_each(JoinHandle::abort);
    }
}

impl fmt::Debug for DefaultRequestHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultRequestHandler")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DefaultRequestHandlerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultRequestHandlerBuilder")
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

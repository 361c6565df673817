//! Step 8: the executor gets what was admitted; tasks are found only within the owner's bounds.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream};
use serde_json::json;

use super::agent::ExtendedCards;
use super::executor::{AgentExecutor, EventQueue, RequestContext};
use super::handler::{Events, Reply, RequestHandler, ServerCallContext};
use super::legacy_store::{StoreError, TaskStore};
use super::live::Live;
use crate::a2a::{
    A2aError, CancelTaskRequest, ErrorKind, GetTaskRequest, Request, Response, SendMessageRequest,
    SendMessageResponse, StreamResponse, Task, TaskState, TaskStatus, new_id,
};
use crate::card::EXTENSION_URI;
use crate::client::Client;
use crate::clock::{Clock, UnixTime};
use crate::policy::Owner;

/// How many tasks are worked on at once: a caller need not wait for its answer, so nothing else
/// bounds them.
const MAX_LIVE: usize = 4096;

/// Runs the executor for admitted calls.
pub(super) struct Engine {
    executor: Arc<dyn AgentExecutor>,
    store: Arc<dyn TaskStore>,
    client: Option<Client>,
    clock: Arc<dyn Clock>,
    live: Mutex<HashMap<String, Arc<Live>>>,
    /// Waiting tasks that a message is about to resume, or that are about to be canceled.
    claimed: Mutex<HashSet<(Owner, String)>>,
}

/// Held from the look at a waiting task until it is worked on or changed: nobody else may resume or
/// cancel it meanwhile.
struct Claim<'a> {
    engine: &'a Engine,
    task: (Owner, String),
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.engine.claimed().remove(&self.task);
    }
}

impl Engine {
    pub(super) fn new(
        executor: Arc<dyn AgentExecutor>,
        store: Arc<dyn TaskStore>,
        client: Option<Client>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            executor,
            store,
            client,
            clock,
            live: Mutex::default(),
            claimed: Mutex::default(),
        }
    }

    /// SendMessage (A2A §3.1.1): waits until the task is over or interrupted, unless told not to.
    pub(super) async fn send(
        self: &Arc<Self>,
        call: ServerCallContext,
        request: SendMessageRequest,
    ) -> Result<SendMessageResponse, A2aError> {
        let mut request = request;
        let configuration = request.configuration.take().unwrap_or_default();
        let (live, mut work) = self.begin(call, request).await?;
        if configuration.return_immediately {
            tokio::spawn(work);
            live.announce();
        } else if work.as_mut().now_or_never().is_none() {
            // An executor that waits for something gets a task of its own and goes on to its end,
            // whatever becomes of this request; one that is done already needs none.
            tokio::spawn(work);
            let mut progress = live.progress();
            // The sender lives in `live`, so waiting cannot fail.
            let _ = progress.wait_for(|p| p.settled || p.closed).await;
        }
        if let Some(error) = live.error() {
            return Err(error);
        }
        if let Some(answer) = live.take_answer() {
            return Ok(SendMessageResponse::Message(answer));
        }
        let task = Arc::unwrap_or_clone(live.task());
        let task = shorten(task, configuration.history_length);
        Ok(SendMessageResponse::Task(task))
    }

    /// SendStreamingMessage (A2A §3.1.2): one message, or the task and then its updates in order.
    pub(super) async fn stream(
        self: &Arc<Self>,
        call: ServerCallContext,
        request: SendMessageRequest,
    ) -> Result<impl Stream<Item = Result<Arc<StreamResponse>, A2aError>> + Send + use<>, A2aError>
    {
        let (live, work) = self.begin(call, request).await?;
        tokio::spawn(work);
        let progress = live.progress();
        let events = stream::unfold(Some((live, progress, 0)), |state| async move {
            let (live, mut progress, at) = state?;
            let seen = progress.wait_for(|p| p.events > at || p.closed).await;
            let more = seen.is_ok_and(|p| p.events > at);
            match live.event(at) {
                Some(event) if more => Some((Ok(event), Some((live, progress, at + 1)))),
                // The executor's error ends the stream as its last event.
                _ => live.error().map(|error| (Err(error), None)),
            }
        });
        Ok(events)
    }

    /// GetTask (A2A §3.1.3).
    pub(super) async fn get(
        &self,
        owner: &Owner,
        request: &GetTaskRequest,
    ) -> Result<Task, A2aError> {
        let task = self.find(owner, &request.id).await?;
        Ok(shorten(task, request.history_length))
    }

    /// CancelTask (A2A §3.1.5).
    pub(super) async fn cancel(
        &self,
        owner: &Owner,
        request: &CancelTaskRequest,
    ) -> Result<Task, A2aError> {
        let _claim = self.claim(owner, &request.id).ok_or_else(busy)?;
        let mut task = self.find(owner, &request.id).await?;
        if task.status.state.is_terminal() {
            return Err(not_cancelable());
        }
        self.executor.cancel(&task).await?;
        match self.running(owner, &task.id) {
            Some(live) => {
                live.cancel();
                if !live.status(TaskState::Canceled, None, self.clock.now()) {
                    return Err(not_cancelable());
                }
                task = Arc::unwrap_or_clone(live.task());
            }
            None => task.status = TaskStatus::new(TaskState::Canceled, self.clock.now().into()),
        }
        self.keep(owner, &task).await?;
        Ok(task)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claimed(&self) -> MutexGuard<'_, HashSet<(Owner, String)>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to resume or cancel the owner's task; none while somebody else has it. That there
    /// is such a task is not said.
    fn claim(&self, owner: &Owner, id: &str) -> Option<Claim<'_>> {
        let task = (owner.clone(), id.to_owned());
        let first = self.claimed().insert(task.clone());
        first.then_some(Claim { engine: self, task })
    }

    /// The owner's task while its executor runs.
    fn running(&self, owner: &Owner, id: &str) -> Option<Arc<Live>> {
        let found = self.lock().get(id).cloned();
        found.filter(|live| live.owner() == owner && live.is_announced())
    }

    /// The owner's task. A2A §13.1: somebody else's and a missing one look the same.
    async fn find(&self, owner: &Owner, id: &str) -> Result<Task, A2aError> {
        if let Some(live) = self.running(owner, id) {
            return Ok(Arc::unwrap_or_clone(live.task()));
        }
        let kept = self.store.get(owner, id).await.map_err(unavailable)?;
        kept.ok_or_else(A2aError::task_not_found)
    }

    async fn keep(&self, owner: &Owner, task: &Task) -> Result<(), A2aError> {
        self.store.save(owner, task).await.map_err(unavailable)
    }

    /// Finds or makes the task of `request`; with it comes the executor's work on it, to be run.
    async fn begin(
        self: &Arc<Self>,
        call: ServerCallContext,
        request: SendMessageRequest,
    ) -> Result<(Arc<Live>, BoxFuture<'static, ()>), A2aError> {
        let owner = call.owner().clone();
        let skill = call
            .admitted()
            .and_then(|admitted| admitted.action().skill.as_deref());
        let message = request.message;
        let (task_id, context_id) = (message.task_id.as_deref(), message.context_id.as_deref());
        let resumed = task_id.filter(|id| !id.is_empty());
        let (mut task, _claim) = match resumed {
            None => (submitted(context_id, skill, self.clock.now()), None),
            Some(id) => {
                let claim = self.claim(&owner, id).ok_or_else(busy)?;
                let task = self.resumable(&owner, id, context_id, skill).await?;
                (task, Some(claim))
            }
        };
        let resumed = resumed.is_some();
        let message = message.in_task(&task.id, &task.context_id);
        task.history.push(message.clone());
        let task = Arc::new(task);
        let live = Arc::new(Live::new(owner, task.clone()));
        if resumed {
            live.announce();
        }
        self.enter(live.clone(), &task.id)?;
        let context = RequestContext {
            requester: call.requester().clone(),
            message,
            task,
            client: self.client.clone(),
            cancelled: live.cancelled(),
        };
        let work = self.clone().run(context, live.clone());
        Ok((live, work.boxed()))
    }

    fn enter(&self, live: Arc<Live>, id: &str) -> Result<(), A2aError> {
        let mut all = self.lock();
        room_for_one_more(all.len())?;
        all.insert(id.to_owned(), live);
        Ok(())
    }

    /// The owner's task `id`, if a message about `skill` may go to it (A2A §3.4.2). The caller holds
    /// the claim on it.
    async fn resumable(
        &self,
        owner: &Owner,
        id: &str,
        context_id: Option<&str>,
        skill: Option<&str>,
    ) -> Result<Task, A2aError> {
        // Asked before the store: when it ends meanwhile, its last state is there.
        let running = self.running(owner, id).is_some();
        let task = self.find(owner, id).await?;
        if context_id.is_some_and(|context| !context.is_empty() && context != task.context_id) {
            return Err(A2aError::invalid_param(
                "message.contextId",
                "is not the context of this task",
            ));
        }
        // What was permitted for one skill does not carry on the work of another.
        if skill_of(&task) != skill {
            return Err(A2aError::invalid_param(
                "message.metadata.skill",
                "is not the skill of this task",
            ));
        }
        if running || task.status.state.is_terminal() {
            return Err(busy());
        }
        Ok(task)
    }

    /// Runs the executor to its end, whatever that is.
    async fn run(self: Arc<Self>, context: RequestContext, live: Arc<Live>) {
        let events = EventQueue {
            live: live.clone(),
            clock: self.clock.clone(),
        };
        let task_id = context.task.id.clone();
        let work = AssertUnwindSafe(self.executor.execute(context, events)).catch_unwind();
        let failed = match work.await {
            Ok(Ok(())) if live.is_settled() => None,
            Ok(Ok(())) => Some(failed("The agent ended without an answer")),
            Ok(Err(error)) => Some(error),
            Err(_) => {
                tracing::error!(task = %task_id, "the executor panicked");
                Some(failed("The agent failed"))
            }
        };
        if let Some(error) = failed {
            live.fail(error, self.clock.now());
        }
        if live.is_announced()
            && let Err(error) = self.keep(live.owner(), &live.task()).await
        {
            tracing::error!(task = %task_id, %error, "a finished task could not be kept");
        }
        self.lock().remove(&task_id);
        live.close();
    }
}

/// Lets the core's one entrance lead to what this engine can do.
pub(super) struct Handler {
    pub(super) engine: Arc<Engine>,
    pub(super) extended: ExtendedCards,
    pub(super) streaming: bool,
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle(&self, call: ServerCallContext, request: Request) -> Result<Reply, A2aError> {
        let engine = &self.engine;
        if request.operation().is_streaming() && !self.streaming {
            let message = "This agent does not stream";
            return Err(A2aError::new(ErrorKind::UnsupportedOperation, message));
        }
        Ok(match request {
            Request::GetExtendedAgentCard(_) => {
                let card = self.extended.card_for(call.requester())?;
                Reply::Response(Response::AgentCard(Box::new(card)))
            }
            Request::SendMessage(request) => {
                let answer = engine.send(call, request).await?;
                Reply::Response(Response::SendMessage(answer))
            }
            Request::SendStreamingMessage(request) => {
                Reply::Events(Events::new(engine.stream(call, request).await?))
            }
            Request::GetTask(request) => {
                Reply::Response(Response::Task(engine.get(call.owner(), &request).await?))
            }
            Request::CancelTask(request) => {
                Reply::Response(Response::Task(engine.cancel(call.owner(), &request).await?))
            }
            other => {
                let name = other.operation().as_str();
                let message = format!("{name} is not supported");
                return Err(A2aError::new(ErrorKind::UnsupportedOperation, message));
            }
        })
    }
}

fn unavailable(error: StoreError) -> A2aError {
    tracing::error!(%error, "the task store did not answer");
    failed("Tasks cannot be reached")
}

fn failed(what: &str) -> A2aError {
    A2aError::new(ErrorKind::Internal, what)
}

fn not_cancelable() -> A2aError {
    A2aError::new(ErrorKind::TaskNotCancelable, "The task is already over")
}

/// A2A §3.2.4: at most the newest `limit` messages; a negative limit was refused when it was read.
fn shorten(mut task: Task, limit: Option<i32>) -> Task {
    task.limit_history(limit.and_then(|limit| usize::try_from(limit).ok()));
    task
}

fn room_for_one_more(tasks: usize) -> Result<(), A2aError> {
    if tasks < MAX_LIVE {
        return Ok(());
    }
    tracing::warn!(tasks, "too many tasks at once; a message is refused");
    Err(failed("The agent takes no more work at present"))
}

fn busy() -> A2aError {
    A2aError::new(
        ErrorKind::UnsupportedOperation,
        "The task takes no message in its present state",
    )
}

/// A new task; A2A §3.4.1: the server makes its ID, and the context's if the client named none.
/// The skill it is about stays with it.
fn submitted(context_id: Option<&str>, skill: Option<&str>, now: UnixTime) -> Task {
    let context_id = context_id.filter(|id| !id.is_empty());
    let context_id = context_id.map_or_else(new_id, str::to_owned);
    let status = TaskStatus::new(TaskState::Submitted, now.into());
    let mut task = Task::new(new_id(), context_id, status);
    if let Some(skill) = skill {
        let about = json!({ "skill": skill });
        task.metadata.insert(EXTENSION_URI.to_owned(), about);
    }
    task
}

/// The skill that the task was begun for.
fn skill_of(task: &Task) -> Option<&str> {
    task.metadata.get(EXTENSION_URI)?.get("skill")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_tasks_are_worked_on_at_once() {
        assert!(room_for_one_more(MAX_LIVE - 1).is_ok());
        assert!(room_for_one_more(MAX_LIVE).is_err());
    }
}

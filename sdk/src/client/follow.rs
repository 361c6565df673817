//! A stream that outlives its connection (A2A §3.1.6, §3.5.3).

use std::time::Duration;

use tokio::time::Instant;

use super::about::About;
use super::attempt::Got;
use super::call::Intent;
use super::connect::Client;
use super::current::CallScope;
use super::error::ClientError;
use super::retry::{RetryPolicy, has_expired, is_passing};
use super::stream::Source;
use crate::a2a::{
    CancelTaskRequest, ErrorKind, GetTaskRequest, Request, Response, StreamResponse,
    SubscribeToTaskRequest, TaskState,
};

/// How long we try to cancel the task of a call that was taken back.
const CANCEL: Duration = Duration::from_secs(5);

/// How long a stream lasts at least whose token was good when it was opened. One that is ended sooner
/// again and again is not taken up for ever.
const LASTS: Duration = Duration::from_secs(10);

/// Where a stream stands.
pub(super) struct Following {
    client: Client,
    intent: Intent,
    scope: CallScope,
    /// None when the stream is over.
    source: Option<Source>,
    /// What every event must be about, on whichever connection it comes.
    about: About,
    task: Option<String>,
    /// The last state that was told.
    state: Option<TaskState>,
    /// Nothing follows what was told.
    complete: bool,
    /// Resumptions since something new was told.
    failures: u32,
    /// The next event is the task as it stands, which is not new.
    resumed: bool,
    /// Since when there is this source.
    since: Instant,
}

type Told = Option<(Result<StreamResponse, ClientError>, Following)>;

impl Following {
    pub(super) fn new(
        client: Client,
        intent: Intent,
        scope: CallScope,
        about: About,
        source: Source,
    ) -> Self {
        Self {
            client,
            intent,
            scope,
            source: Some(source),
            about,
            task: None,
            state: None,
            complete: false,
            failures: 0,
            resumed: false,
            since: Instant::now(),
        }
    }

    /// Gives the next event, resuming the stream as often as it may be.
    pub(super) async fn step(mut self) -> Told {
        loop {
            let source = self.source.as_mut()?;
            let idle = self.client.0.stream_idle;
            // The deadline of the call it belongs to, no other: a stream may last for days.
            let scope = self.scope.clone();
            let next = async { Ok(source.next(idle).await) };
            let broke = match scope.bounded(Duration::MAX, next).await {
                Ok(Some(Ok(event))) => {
                    if let Err(error) = self.about.check_event(&event) {
                        return self.ended_by(error.into());
                    }
                    self.note(&event);
                    return Some((Ok(event), self));
                }
                // An agent that ends a stream in the middle of a task went away.
                Ok(None) if self.complete || self.task.is_none() => return None,
                Ok(None) => ClientError::Truncated,
                Ok(Some(Err(error))) if is_passing(&error) || has_expired(&error) => error,
                Ok(Some(Err(error))) | Err(error) => return self.ended_by(error),
            };
            if let Err(error) = self.resume(broke).await {
                return self.ended_by(error);
            }
        }
    }

    fn ended_by(mut self, error: ClientError) -> Told {
        self.source = None;
        Some((Err(error), self))
    }

    fn note(&mut self, event: &StreamResponse) {
        if let Some(id) = event.task_id()
            && self.task.is_none()
        {
            self.task = Some(id.to_owned());
        }
        self.state = event.state().or(self.state);
        // A2A §3.1.2: it ends after a message or a terminal state; and it may where the agent waits
        // for the client.
        let waits = matches!(
            self.state,
            Some(TaskState::InputRequired | TaskState::AuthRequired)
        );
        self.complete = event.is_last() || waits;
        if !std::mem::take(&mut self.resumed) {
            self.failures = 0;
        }
    }

    /// Subscribes to the task again; `broke` is the error when that may not be.
    async fn resume(&mut self, broke: ClientError) -> Result<(), ClientError> {
        let Some(id) = self.task.clone() else {
            return Err(broke);
        };
        // Silence is long by itself, and so is the life of a token: whoever answers then again has done
        // nothing wrong.
        let expired = has_expired(&broke) && self.since.elapsed() >= LASTS;
        let regular = expired || matches!(broke, ClientError::Idle { .. });
        let policy = self.client.0.retries;
        let mut error = broke;
        loop {
            let Some(wait) = policy.wait(self.failures, &error) else {
                return Err(error);
            };
            self.failures += 1;
            let wait = async {
                tokio::time::sleep(wait).await;
                Ok(())
            };
            self.scope.bounded(Duration::MAX, wait).await?;
            match self.subscribe(&id).await {
                Ok(source) => {
                    self.source = Some(source);
                    self.resumed = true;
                    self.since = Instant::now();
                    if regular {
                        self.failures = 0;
                    }
                    return Ok(());
                }
                Err(again) if is_passing(&again) => error = again,
                Err(other) => return Err(other),
            }
        }
    }

    async fn subscribe(&self, id: &str) -> Result<Source, ClientError> {
        let request = Request::SubscribeToTask(SubscribeToTaskRequest {
            id: id.to_owned(),
            ..SubscribeToTaskRequest::default()
        });
        match self.call(request).await {
            Ok(Got::Events(source)) => Ok(source),
            // A2A §3.1.6: a task that is over cannot be subscribed to, but it can be read.
            Err(ClientError::Agent(error)) if error.kind() == ErrorKind::UnsupportedOperation => {
                let request = Request::GetTask(GetTaskRequest {
                    id: id.to_owned(),
                    ..GetTaskRequest::default()
                });
                match self.call(request).await? {
                    Got::Response(Response::Task(task)) if task.status.state.is_terminal() => {
                        Ok(Source::only(StreamResponse::Task(task)))
                    }
                    _ => Err(ClientError::Agent(error)),
                }
            }
            Ok(_) => Err(ClientError::Truncated),
            Err(error) => Err(error),
        }
    }

    /// One attempt: those of the stream are counted here.
    async fn call(&self, request: Request) -> Result<Got, ClientError> {
        let once = RetryPolicy::NEVER;
        let (client, scope) = (&self.client, &self.scope);
        client.call(&self.intent, request, scope, &once).await
    }
}

impl Drop for Following {
    /// Whoever called us took it back: what we asked for on their behalf is not wanted either.
    fn drop(&mut self) {
        let over = self.complete && !self.state.is_some_and(TaskState::is_interrupted);
        let (Some(id), true, false) = (self.task.take(), self.scope.was_taken_back(), over) else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (client, intent) = (self.client.clone(), self.intent.clone());
        runtime.spawn(async move {
            let request = Request::CancelTask(CancelTaskRequest {
                id,
                ..CancelTaskRequest::default()
            });
            let scope = CallScope::default();
            let cancel = client.call(&intent, request, &scope, &RetryPolicy::NEVER);
            // Best effort: the task may be over, the agent away.
            if let Ok(Err(error)) = tokio::time::timeout(CANCEL, cancel).await {
                tracing::debug!(
                    reason = error.reason(),
                    "a task downstream was not canceled"
                );
            }
        });
    }
}

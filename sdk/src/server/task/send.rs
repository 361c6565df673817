//! SendMessage: a message in, an answer or a task out.

use std::sync::Arc;

use futures_util::FutureExt as _;

use super::begin::Begun;
use super::engine::Engine;
use super::live::Live;
use super::progress::{Outcome, Progress};
use super::run::{Before, Round};
use super::wording::failed;
use crate::a2a::{A2aError, SendMessageRequest, SendMessageResponse, Task};
use crate::server::ServerCallContext;

impl Engine {
    /// SendMessage (A2A §3.1.1): waits until the task is over or interrupted, unless told not to.
    pub(in crate::server) async fn send(
        self: &Arc<Self>,
        call: &ServerCallContext,
        request: SendMessageRequest,
    ) -> Result<SendMessageResponse, A2aError> {
        let sent = self.sent(call, request, true).await?;
        let at_once = sent.configuration.return_immediately;
        let history = sent.configuration.history_length;
        let answer = match self.begin(sent).await? {
            Begun::Here {
                live,
                before,
                round,
                ..
            } => {
                self.run(&live, before, round, at_once);
                wait(&live, 0, at_once).await
            }
            Begun::Joined { live, offered } => wait(&live, offered.ticket, at_once).await,
            Begun::Elsewhere(sent) => self.send_elsewhere(*sent).await.map(Into::into),
        };
        if let (Ok(SendMessageResponse::Task(task)), false) = (&answer, at_once)
            && let Some(push) = &self.parts.push
        {
            push.settle(call.owner(), &task.id).await;
        }
        answer.map(|answer| match answer {
            SendMessageResponse::Task(task) => SendMessageResponse::Task(shorten(task, history)),
            message @ SendMessageResponse::Message(_) => message,
        })
    }

    /// Runs the executor. One that waits for something gets a task of its own and goes on to its end,
    /// whatever becomes of this request; one that is done already needs none.
    pub(super) fn run(
        self: &Arc<Self>,
        live: &Arc<Live>,
        before: Before,
        round: Round,
        at_once: bool,
    ) {
        let mut work = self.clone().work(live.clone(), before, round).boxed();
        if at_once || work.as_mut().now_or_never().is_none() {
            tokio::spawn(work);
        }
    }
}

/// Waits for what the message that was change `ticket` of the task gives.
async fn wait(live: &Live, ticket: u64, at_once: bool) -> Result<SendMessageResponse, A2aError> {
    let mut progress = live.progress();
    let enough = |p: &Progress| {
        let written = at_once && p.outcome != Outcome::Open && p.kept >= ticket;
        written || p.answers(ticket)
    };
    // The sender lives in `live`, so waiting cannot fail.
    let _ = progress.wait_for(enough).await;
    let progress = *progress.borrow();
    let has_task = progress.settled > ticket || at_once && progress.kept >= ticket;
    if !has_task || progress.outcome != Outcome::Task {
        if let Some(error) = live.error() {
            return Err(error);
        }
        if let Some(answer) = live.take_answer() {
            return Ok(SendMessageResponse::Message(answer));
        }
    }
    let kept = live.kept().ok_or_else(|| failed("The agent failed"))?;
    Ok(Arc::unwrap_or_clone(kept.task.whole()).into())
}

impl From<Task> for SendMessageResponse {
    fn from(task: Task) -> Self {
        Self::Task(task)
    }
}

/// A2A §3.2.4: at most the newest `limit` messages; a negative limit was refused when it was read.
pub(super) fn shorten(mut task: Task, limit: Option<i32>) -> Task {
    task.limit_history(limit.and_then(|limit| usize::try_from(limit).ok()));
    task
}

//! Running an executor: its work and the writing of what comes of it, in one future.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Fuse, FusedFuture as _};
use tokio::time::Sleep;

use super::context::{Ask, RequestContext, ResumeContext};
use super::engine::Engine;
use super::events::EventQueue;
use super::live::{Ended, Live};
use super::wording::{failed, timestamp};
use crate::a2a::{A2aError, Message, TaskPushNotificationConfig};
use crate::client::{self, CallScope};

/// How long an executor may go on after its task is over, before it is dropped.
const GRACE: Duration = Duration::from_secs(30);

/// What an executor is called for.
pub(super) enum Round {
    /// A message.
    Execute(Box<(Message, Ask)>),
    /// A task that its instance left.
    Resume,
}

/// What comes before the executor's work.
pub(super) enum Before {
    /// Nothing: the task is new, and kept when something happens in it.
    Nothing,
    /// A new task is kept first, with the push configuration that came with its message.
    Keep(Option<Box<TaskPushNotificationConfig>>),
    /// The client's message is written into the task that waits for it.
    Write(Box<Message>, Option<Box<TaskPushNotificationConfig>>),
    /// The message is there already: it came to this instance while another held the task.
    Written,
}

enum Event {
    Ended(Ended),
    /// There is something to write.
    Write,
    /// The deadline, or the end of the grace.
    Time,
}

impl Engine {
    /// The work on a task up to its end, or until it waits and the executor returned.
    pub(super) async fn work(self: Arc<Self>, live: Arc<Live>, before: Before, round: Round) {
        let mut next = match self.prepare(&live, before).await {
            Ok(()) if live.is_over() => None,
            Ok(()) => Some(round),
            Err(error) => {
                live.lose(error);
                None
            }
        };
        while let Some(round) = next.take() {
            let ended = self.execute(&live, round).await;
            let again = live.ended(ended, timestamp(&*self.parts.clock));
            next = again.and_then(|follow_up| {
                let (message, ask) = follow_up.into_parts();
                ask.map(|ask| Round::Execute(Box::new((message, ask))))
            });
        }
        self.flush(&live).await;
        self.leave(&live).await;
    }

    async fn execute(&self, live: &Arc<Live>, round: Round) -> Ended {
        let events = EventQueue {
            live: live.clone(),
            clock: self.parts.clock.clone(),
        };
        let (task, client) = (live.task(), self.parts.client.clone());
        let mut scope = CallScope {
            cancelled: Some(live.cancelled()),
            ..CallScope::default()
        };
        match round {
            Round::Execute(asked) => {
                let (message, ask) = *asked;
                live.begin_round(ask.deadlines);
                if live.owner().is_shared() {
                    live.works_for(ask.said_by());
                }
                let context = RequestContext {
                    ask,
                    message,
                    task,
                    client,
                    live: live.clone(),
                };
                scope.admitted = context.caller().admitted().cloned();
                let work = self.parts.executor.execute(context, events);
                let work = client::scope_in_rounds(scope, live.clone(), work);
                self.drive(live, work).await
            }
            Round::Resume => {
                let context = ResumeContext {
                    task,
                    client,
                    live: live.clone(),
                };
                let work = self.parts.executor.resume(context, events);
                let work = client::scope_in_rounds(scope, live.clone(), work);
                self.drive(live, work).await
            }
        }
    }

    /// Polls the executor and, beside it, what takes its changes to the store.
    async fn drive(&self, live: &Live, work: impl Future<Output = Result<(), A2aError>>) -> Ended {
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let mut writing = pin!(Fuse::terminated());
        let (mut deadline, mut timer) = (None, None);
        let mut over = false;
        loop {
            let event = poll_fn(|cx| {
                live.register(cx);
                if live.is_lost() {
                    return Poll::Ready(Event::Ended(Ended::Dropped));
                }
                if let Poll::Ready(done) = work.as_mut().poll(cx) {
                    return Poll::Ready(Event::Ended(ended(live, done)));
                }
                if !writing.is_terminated() {
                    // Ready or not: what else there is to write is looked at below.
                    let _ = writing.as_mut().poll(cx);
                }
                // From its first wait on, the task exists.
                let unwritten = live.paused();
                if unwritten && writing.is_terminated() {
                    return Poll::Ready(Event::Write);
                }
                if !over && live.is_over() {
                    over = true;
                    timer = Some(Box::pin(tokio::time::sleep(GRACE)));
                }
                // The executor may have got another message, which has a deadline of its own.
                let work_until = live.deadlines().work.map(|end| end.at);
                if !over && work_until != deadline {
                    deadline = work_until;
                    timer = deadline.map(|at| Box::pin(tokio::time::sleep_until(at.into())));
                }
                ring(timer.as_mut(), cx)
            });
            match event.await {
                Event::Write => writing.set(self.flush(live).fuse()),
                Event::Time if over => {
                    tracing::warn!(task = live.id(), "an executor did not heed its task's end");
                    break finish(writing, Ended::Dropped).await;
                }
                Event::Time => {
                    let error = failed("The deadline of the task has passed");
                    live.fail(error, timestamp(&*self.parts.clock));
                    timer = None;
                }
                Event::Ended(how) => break finish(writing, how).await,
            }
        }
    }
}

/// What is being written is written, whatever became of the executor.
async fn finish<F: Future<Output = ()>>(mut writing: Pin<&mut Fuse<F>>, how: Ended) -> Ended {
    if !writing.is_terminated() {
        writing.as_mut().await;
    }
    how
}

fn ring(timer: Option<&mut Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> Poll<Event> {
    let rings = timer.is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
    if rings {
        Poll::Ready(Event::Time)
    } else {
        Poll::Pending
    }
}

type Done = Result<Result<(), A2aError>, Box<dyn std::any::Any + Send>>;

fn ended(live: &Live, done: Done) -> Ended {
    match done {
        Ok(result) => Ended::Returned(result),
        Err(_) => {
            tracing::error!(task = live.id(), "the executor panicked");
            Ended::Panicked
        }
    }
}

//! SendStreamingMessage and SubscribeToTask: what happens, as it happens.

use std::sync::Arc;

use futures_util::stream;

use super::begin::Begun;
use super::engine::Engine;
use super::feed::Subscription;
use super::live::Live;
use super::places::Place;
use super::progress::{Outcome, Progress};
use super::run::Before;
use super::wording::{failed, over, stopping};
use crate::a2a::{
    A2aError, Message, SendMessageRequest, StreamResponse, SubscribeToTaskRequest, Task, TaskState,
};
use crate::policy::Owner;
use crate::server::store::{Change, StoredTask};
use crate::server::{Events, ServerCallContext};

/// A stream that is being shown.
enum Showing {
    /// Whether there is a message or a task is not known yet.
    Undecided(Arc<Live>, Arc<StreamResponse>, Subscription),
    /// The task as it was.
    Snapshot(Arc<StreamResponse>, Subscription),
    /// Its events since.
    Events(Subscription),
    Done,
}

/// When a stream ends before its task does.
#[derive(Clone, Copy, Debug)]
struct Until {
    input_required: bool,
    auth_required: bool,
}

impl Until {
    fn is_reached(self, event: &StreamResponse) -> bool {
        event.is_last()
            || match event.state() {
                Some(TaskState::InputRequired) => self.input_required,
                Some(TaskState::AuthRequired) => self.auth_required,
                _ => false,
            }
    }
}

impl Engine {
    /// SendStreamingMessage (A2A §3.1.2): one message, or the task and then its updates in order.
    pub(in crate::server) async fn stream(
        self: &Arc<Self>,
        call: &ServerCallContext,
        request: SendMessageRequest,
    ) -> Result<Events, A2aError> {
        let sent = self.sent(call, request, false).await?;
        // A2A §11.7 ends it at both; §7.6.1 asks to keep it while an authorization is waited for.
        let until = Until {
            input_required: true,
            auth_required: self.parts.close_when_interrupted,
        };
        let owner = sent.owner.clone();
        // Before the message is given to an executor that is at work: nothing of it is to be missed.
        let follows = match sent.message.task_id.as_deref() {
            None | Some("") => Follows::NothingYet(self.places.take(&owner)?),
            Some(id) => {
                self.find(&owner, id).await?;
                Follows::Task(self.subscription(&owner, id)?)
            }
        };
        let first = match self.begin(sent).await? {
            Begun::Here {
                live,
                before,
                round,
                from,
            } => {
                let mut subscription = match follows {
                    Follows::Task(subscription) => subscription,
                    Follows::NothingYet(place) => {
                        self.feeds.subscribe(place, live.id()).ok_or_else(lost)?
                    }
                };
                subscription.start_after(from);
                let snapshot = snapshot_before(&live, &before);
                self.run(&live, before, round, false);
                let outcome = live.progress().borrow().outcome;
                match live.error() {
                    // Refused at once, so it is no stream at all.
                    Some(error) if outcome == Outcome::Alone => return Err(error),
                    _ => Showing::Undecided(live, snapshot, subscription),
                }
            }
            Begun::Joined { live, offered } => {
                let Follows::Task(mut subscription) = follows else {
                    return Err(lost());
                };
                subscription.start_after(offered.from);
                let mut progress = live.progress();
                let kept = |p: &Progress| p.kept >= offered.ticket || p.closed;
                // The sender lives in `live`, so waiting cannot fail.
                let _ = progress.wait_for(kept).await;
                Showing::Snapshot(whole(offered.task.whole()), subscription)
            }
            Begun::Elsewhere(sent) => {
                // It takes a place of its own.
                drop(follows);
                let (task, subscription) = self.write_elsewhere(*sent).await?;
                Showing::Snapshot(whole(task), subscription)
            }
        };
        Ok(show(first, until))
    }

    /// SubscribeToTask (A2A §3.1.6): the task as it is and then its updates, up to its end.
    pub(in crate::server) async fn subscribe(
        &self,
        owner: &Owner,
        request: &SubscribeToTaskRequest,
    ) -> Result<Events, A2aError> {
        // Looked at before anything is set up for it, and again after: what comes between is in both
        // the task and the feed, and shown once.
        self.find_unfinished(owner, &request.id).await?;
        let mut subscription = self.subscription(owner, &request.id)?;
        let stored = self.find_unfinished(owner, &request.id).await?;
        subscription.start_after(stored.version);
        let until = Until {
            input_required: false,
            auth_required: false,
        };
        let first = Showing::Snapshot(whole(stored.task), subscription);
        Ok(show(first, until))
    }

    async fn find_unfinished(&self, owner: &Owner, id: &str) -> Result<StoredTask, A2aError> {
        let stored = self.find(owner, id).await?;
        if stored.task.status.state.is_terminal() {
            return Err(over());
        }
        Ok(stored)
    }

    pub(super) fn subscription(&self, owner: &Owner, id: &str) -> Result<Subscription, A2aError> {
        if self.is_stopping() {
            return Err(stopping());
        }
        let place = self.places.take(owner)?;
        let subscription = self.feeds.subscribe(place, id);
        subscription.ok_or_else(A2aError::task_not_found)
    }
}

/// What a new stream follows when its message has not been given to anybody yet.
enum Follows {
    /// The task that the message is for.
    Task(Subscription),
    /// The task will be a new one.
    NothingYet(Place),
}

/// What cannot be: a new task that somebody else follows, or one that waits already.
fn lost() -> A2aError {
    failed("The agent failed")
}

/// The task as it is when the executor gets it.
fn snapshot_before(live: &Live, before: &Before) -> Arc<StreamResponse> {
    let mut task = live.snapshot();
    if let Before::Write(message, _) = before {
        task.apply(Change::Said(Message::clone(message)));
    }
    whole(task.whole())
}

fn whole(task: Arc<Task>) -> Arc<StreamResponse> {
    Arc::new(StreamResponse::Task(Arc::unwrap_or_clone(task)))
}

fn show(first: Showing, until: Until) -> Events {
    Events::new(stream::unfold(first, move |showing| async move {
        let mut showing = showing;
        loop {
            let event = match showing {
                Showing::Done => return None,
                Showing::Undecided(live, snapshot, subscription) => match decide(&live).await {
                    Ok(None) => {
                        showing = Showing::Snapshot(snapshot, subscription);
                        continue;
                    }
                    Ok(Some(message)) => return Some((Ok(message), Showing::Done)),
                    Err(error) => return Some((Err(error), Showing::Done)),
                },
                Showing::Snapshot(snapshot, subscription) => {
                    // A question of before is no reason to end.
                    let over = snapshot.is_last();
                    let next = if over {
                        Showing::Done
                    } else {
                        Showing::Events(subscription)
                    };
                    return Some((Ok(snapshot), next));
                }
                Showing::Events(mut subscription) => match subscription.next().await {
                    Ok(event) => (event.event, subscription),
                    Err(error) => return Some((Err(error), Showing::Done)),
                },
            };
            let (event, subscription) = event;
            let next = match until.is_reached(&event) {
                true => Showing::Done,
                false => Showing::Events(subscription),
            };
            return Some((Ok(event), next));
        }
    }))
}

/// The executor's answer, if it is a message; `None` when there is a task.
async fn decide(live: &Live) -> Result<Option<Arc<StreamResponse>>, A2aError> {
    let mut progress = live.progress();
    // The sender lives in `live`, so waiting cannot fail.
    let _ = progress
        .wait_for(|p| p.outcome != Outcome::Open || p.closed)
        .await;
    let outcome = progress.borrow().outcome;
    if outcome == Outcome::Task {
        return Ok(None);
    }
    if let Some(error) = live.error() {
        return Err(error);
    }
    let answer = live.take_answer().ok_or_else(lost)?;
    Ok(Some(Arc::new(StreamResponse::Message(answer))))
}

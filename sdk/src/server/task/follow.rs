//! Tasks that another instance works on: following them, and writing messages into them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;

use super::begin::Sent;
use super::context::Ask;
use super::engine::Engine;
use super::feed::Subscription;
use super::run::{Before, Round};
use super::wording::{busy, unavailable};
use crate::a2a::{A2aError, Message, Role, Task};
use crate::policy::Owner;
use crate::server::store::{Change, StoreError, TaskChange, TaskChanged, TaskSnapshot, settles};

/// How often somebody else may be first.
const ATTEMPTS: usize = 64;
/// Pause before following changes again after word of them ended.
const PAUSE: Duration = Duration::from_secs(1);
/// Pauses between looks whether the instance that holds a task has given it up.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_secs(15);
/// How long it is left to the instance that took a message to go on with it, should the one that
/// holds the task be gone: a lease, and the longest pause between looks, with time to spare. Only
/// that instance has the caller.
pub(super) const SEEN_TO: Duration = Duration::from_secs(60);

impl Engine {
    /// Follows what other processes change, as long as the engine is there. Ends at once when no other
    /// process shares the store.
    pub(super) async fn follow(engine: Weak<Self>) {
        loop {
            let changes = match engine.upgrade() {
                Some(engine) => engine.store().changes(),
                None => return,
            };
            let Some(mut changes) = changes else { return };
            // What changed before there was word of it.
            match engine.upgrade() {
                Some(engine) => engine.noticed_any().await,
                None => return,
            }
            while let Some(change) = changes.next().await {
                let Some(engine) = engine.upgrade() else {
                    return;
                };
                engine.noticed(&change).await;
            }
            // Word of changes ended: a second later there is new word, or everything is looked at.
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn noticed(self: &Arc<Self>, change: &TaskChanged) {
        if change.version == 0 {
            return self.noticed_any().await;
        }
        let id = &change.task_id;
        let live = self.lock().get(id).cloned();
        if let Some(live) = live {
            // What we wrote ourselves comes back here, too.
            if live
                .kept()
                .is_some_and(|kept| kept.version < change.version)
            {
                let (engine, version) = (self.clone(), change.version);
                tokio::spawn(async move { engine.sync(&live, version).await });
            }
        } else if let Some(feed) = self.feeds.get(id)
            && feed.version().is_some_and(|known| known < change.version)
        {
            self.catch_up(&feed).await;
        }
    }

    /// Something may have changed, it is not known what.
    async fn noticed_any(self: &Arc<Self>) {
        for live in self.all_running() {
            let engine = self.clone();
            tokio::spawn(async move { engine.sync(&live, 0).await });
        }
        for feed in self.feeds.all() {
            self.catch_up(&feed).await;
        }
    }

    /// SendMessage to a task that another instance works on: it is written into the task, and the
    /// answer is what becomes of it.
    pub(super) async fn send_elsewhere(self: &Arc<Self>, sent: Sent) -> Result<Task, A2aError> {
        let at_once = sent.configuration.return_immediately;
        let owner = sent.owner.clone();
        let (task, mut subscription) = self.write_elsewhere(sent).await?;
        if at_once {
            return Ok(Arc::unwrap_or_clone(task));
        }
        while !settles(&subscription.next().await?.event) {}
        let stored = self.find(&owner, &task.id).await?;
        Ok(Arc::unwrap_or_clone(stored.task))
    }

    /// Writes the message into the task, whose instance gives it to its executor. Should that
    /// instance be gone or done by then, this one goes on.
    pub(super) async fn write_elsewhere(
        self: &Arc<Self>,
        sent: Sent,
    ) -> Result<(Arc<Task>, Subscription), A2aError> {
        let owner = sent.owner.clone();
        // For whom its executor works is known only where it runs.
        if owner.is_shared() {
            return Err(busy());
        }
        let id = sent.message.task_id.clone().unwrap_or_default();
        let subscription = self.subscription(&owner, &id)?;
        // First, so that nothing that comes of the message is missed.
        let push = sent.configuration.task_push_notification_config.clone();
        let from = self.find(&owner, &id).await?.version;
        let new = self.register_push(&owner, &id, push, from).await?;
        let written = self.write_message(sent, &id, subscription).await;
        if written.is_err() {
            self.withdraw_push(&owner, &id, new).await;
        }
        written
    }

    async fn write_message(
        self: &Arc<Self>,
        sent: Sent,
        id: &str,
        mut subscription: Subscription,
    ) -> Result<(Arc<Task>, Subscription), A2aError> {
        let owner = sent.owner;
        for _ in 0..ATTEMPTS {
            let stored = self.find(&owner, id).await?;
            if !stored.task.status.state.is_interrupted() {
                return Err(busy());
            }
            self.parts.limits.takes(&stored.task, &sent.message)?;
            let mut task = TaskSnapshot::from(stored.task);
            let message = sent.message.clone();
            let message = message.in_task(task.id(), task.context_id());
            task.apply(Change::Said(message.clone()));
            let change = TaskChange {
                expected: stored.version,
                task,
                events: Vec::new(),
                work_from: Some(self.parts.clock.now().plus(SEEN_TO)),
            };
            match self.store().append(&owner, &change).await {
                Ok(version) => {
                    subscription.start_after(version);
                    let look = Self::take_up_later(Arc::downgrade(self), owner, message, sent.ask);
                    tokio::spawn(look);
                    return Ok((change.task.whole(), subscription));
                }
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(unavailable(&error)),
            }
        }
        Err(busy())
    }

    /// Goes on with a task once its instance has given it up without having heard `message`.
    async fn take_up_later(engine: Weak<Self>, owner: Owner, message: Message, ask: Ask) {
        let id = message.task_id.clone().unwrap_or_default();
        let mut pause = FIRST_LOOK;
        loop {
            tokio::time::sleep(pause).await;
            pause = LAST_LOOK.min(pause * 2);
            let Some(engine) = engine.upgrade() else {
                return;
            };
            let Ok(stored) = engine.store().get(&owner, &id).await else {
                continue;
            };
            let Some(stored) = stored.filter(|stored| still_waits(&stored.task, &message)) else {
                return;
            };
            let now = engine.parts.clock.now();
            let ours = engine
                .store()
                .acquire(&owner, &id, &engine.lease(), now)
                .await;
            if !matches!(ours, Ok(true)) {
                continue;
            }
            let Ok(Some(live)) = engine.enter_again(&owner, stored.task.clone()) else {
                return;
            };
            live.leased();
            let round = Round::Execute(Box::new((message, ask)));
            return engine.work(live, Before::Written, round).await;
        }
    }
}

/// Whether nothing was said or done since the client's message.
pub(super) fn still_waits(task: &Task, message: &Message) -> bool {
    let said = task
        .history
        .iter()
        .rev()
        .find(|said| said.role == Role::User);
    let last = said.is_some_and(|said| said.message_id == message.message_id);
    last && task.status.state.is_interrupted() && task.status.message.is_none()
}

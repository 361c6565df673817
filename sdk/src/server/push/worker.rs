//! The background task: finds what is due, lets it run, and gives it back.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use tokio::time::MissedTickBehavior;

use super::queue::{Lane, Queue};
use super::sender::Sender;
use super::settings::{AtOnce, PushSettings};
use super::settle::Ended;
use super::turn::Next;
use super::turns::Turns;
use crate::a2a::new_id;
use crate::client::Client;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::httpsig::WebUrl;
use crate::policy::Owner;
use crate::server::store::{Lease, PushConfigStore, PushDelivery, TaskStore};

/// How often it is looked for what is due again.
const POLL: Duration = Duration::from_secs(1);
/// How long a delivery is held at most; nothing is sent near its end.
const LEASE: Duration = Duration::from_secs(120);
/// Deliveries taken at once.
const BATCH: usize = 64;
/// Ends of turns that somebody who waits for one may miss.
const MAX_ENDED: usize = 256;
/// Tasks whose wake could not be kept, held until it can.
const MAX_MISSED: usize = 4096;

/// What the deliveries of one agent share.
pub(super) struct Worker {
    configs: Arc<dyn PushConfigStore>,
    tasks: Arc<dyn TaskStore>,
    clock: Arc<dyn Clock>,
    sender: Sender,
    patience: Duration,
    max_per_task: usize,
    at_once: AtOnce,
    before_answer: Duration,
    instance: String,
    due: Notify,
    stopping: watch::Sender<bool>,
    missed: Mutex<Vec<(Owner, String)>>,
    /// Told of every turn that ended.
    ended: broadcast::Sender<Ended>,
}

impl Worker {
    pub(super) fn new(
        settings: PushSettings,
        client: Option<&Client>,
        tasks: Arc<dyn TaskStore>,
    ) -> Self {
        let clock: Arc<dyn Clock> = match client {
            Some(client) => client.workload().clock().clone(),
            None => Arc::new(SystemClock),
        };
        Self {
            sender: Sender::new(&settings, client),
            configs: settings.store,
            tasks,
            clock,
            patience: settings.patience,
            max_per_task: settings.max_per_task,
            at_once: settings.at_once,
            before_answer: settings.before_answer,
            instance: new_id(),
            due: Notify::new(),
            stopping: watch::Sender::new(false),
            missed: Mutex::default(),
            ended: broadcast::Sender::new(MAX_ENDED),
        }
    }

    pub(super) fn ended(&self) -> &broadcast::Sender<Ended> {
        &self.ended
    }

    pub(super) fn configs(&self) -> &Arc<dyn PushConfigStore> {
        &self.configs
    }

    pub(super) fn tasks(&self) -> &Arc<dyn TaskStore> {
        &self.tasks
    }

    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(super) fn max_per_task(&self) -> usize {
        self.max_per_task
    }

    pub(super) fn before_answer(&self) -> Duration {
        self.before_answer
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Looks for what is due soon.
    pub(super) fn look(&self) {
        self.due.notify_one();
    }

    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn resume(&self) {
        self.stopping.send_replace(false);
    }

    /// Marks the configurations of the task as due.
    pub(super) async fn wake(&self, owner: &Owner, task_id: &str) {
        match self.configs.wake(owner, task_id, self.now()).await {
            Ok(()) => self.look(),
            Err(error) => {
                let reason = error.reason();
                tracing::error!(reason, "notifications cannot be made due for now: {error}");
                self.miss([(owner.clone(), task_id.to_owned())]);
            }
        }
    }

    /// Marks later what could not be marked.
    fn miss(&self, tasks: impl IntoIterator<Item = (Owner, String)>) {
        let mut missed = self.missed();
        for task in tasks {
            if missed.len() < MAX_MISSED && !missed.contains(&task) {
                missed.push(task);
            }
        }
    }

    fn missed(&self) -> std::sync::MutexGuard<'_, Vec<(Owner, String)>> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is time for another attempt before somebody else may take the delivery.
    pub(super) fn has_time(&self, lease: &Lease) -> bool {
        let margin = Duration::from_secs(5);
        self.now().plus(self.sender.timeout()).plus(margin) < lease.until
    }

    /// Delivers until it is stopped.
    pub(super) async fn run(self: Arc<Self>) {
        let mut stopping = self.stopping.subscribe();
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut queue = Queue::new(self.at_once);
        let mut turns = Turns::default();
        let mut more = false;
        // What another instance kept before it died, without a word of it.
        if let Err(error) = self.configs.wake_all(self.now()).await {
            let reason = error.reason();
            tracing::error!(
                reason,
                "notifications left by a stop wait for a wake: {error}"
            );
        }
        while !self.is_stopping() {
            tokio::select! {
                _ = stopping.changed() => break,
                _ = ticks.tick() => {
                    self.wake_missed().await;
                    more = self.take(&mut queue).await;
                }
                () = self.due.notified() => more = self.take(&mut queue).await,
                Some(lane) = turns.ended() => {
                    queue.done(&lane);
                    // What there was no room for may have its turn now.
                    if more {
                        more = self.take(&mut queue).await;
                    }
                }
            }
            while let Some((lane, (lease, delivery))) = queue.next() {
                turns.begin(lane, self.clone().turn(lease, delivery));
            }
        }
        for (lease, delivery) in queue.drain() {
            self.give_back(&lease, &delivery, Some(self.now())).await;
        }
        while turns.ended().await.is_some() {}
    }

    /// Takes what is due and puts it in the queue; says whether there may be more.
    async fn take(&self, queue: &mut Queue<(Lease, PushDelivery)>) -> bool {
        loop {
            let room = queue.room().min(BATCH);
            if room == 0 {
                return true;
            }
            let now = self.now();
            let lease = Lease {
                instance: self.instance.clone(),
                until: now.plus(LEASE),
            };
            let taken = match self.configs.take_due(&lease, now, room).await {
                Ok(taken) => taken,
                Err(error) => {
                    let reason = error.reason();
                    tracing::error!(reason, "due notifications could not be read: {error}");
                    return false;
                }
            };
            let whole = taken.len() < room;
            for delivery in taken {
                let pushed = queue.push(lane_of(&delivery), (lease.clone(), delivery));
                if let Err((lease, delivery)) = pushed {
                    let later = now.plus(POLL);
                    self.give_back(&lease, &delivery, Some(later)).await;
                }
            }
            if whole {
                return false;
            }
        }
    }

    async fn turn(self: Arc<Self>, lease: Lease, mut delivery: PushDelivery) {
        let next = self.deliver(&lease, &mut delivery).await;
        match next {
            Next::At(next) => self.give_back(&lease, &delivery, Some(next)).await,
            Next::Woken => self.give_back(&lease, &delivery, None).await,
            Next::Never => self.forget(&delivery).await,
        }
        // Nobody may be waiting for it.
        let _ = self.ended.send(Ended {
            task_id: delivery.config.task_id.unwrap_or_default(),
            id: delivery.config.id.unwrap_or_default(),
            delivered: delivery.delivered,
            in_vain: delivery.attempts > 0 || next == Next::Never,
        });
    }

    async fn give_back(&self, lease: &Lease, delivery: &PushDelivery, next: Option<UnixTime>) {
        if let Err(error) = self.configs.give_back(lease, delivery, next).await {
            // The lease runs out, and what was delivered in this turn is delivered again.
            let reason = error.reason();
            tracing::error!(reason, "how far a receiver was told is not kept: {error}");
        }
    }

    async fn forget(&self, delivery: &PushDelivery) {
        let config = &delivery.config;
        let (task, id) = (config.task_id.as_deref(), config.id.as_deref());
        let (task, id) = (task.unwrap_or_default(), id.unwrap_or_default());
        // One that was set anew meanwhile has nothing to do with it.
        match self.configs.get(&delivery.owner, task, id).await {
            Ok(Some(now)) if now == *config => {}
            _ => return,
        }
        if let Err(error) = self.configs.delete(&delivery.owner, task, id).await {
            let reason = error.reason();
            tracing::error!(
                reason,
                "a push configuration could not be forgotten: {error}"
            );
        }
    }

    async fn wake_missed(&self) {
        let mut missed = std::mem::take(&mut *self.missed()).into_iter();
        for (owner, task_id) in missed.by_ref() {
            if self
                .configs
                .wake(&owner, &task_id, self.now())
                .await
                .is_err()
            {
                self.miss([(owner, task_id)]);
                break;
            }
        }
        // The store still fails, which was said when it began to.
        self.miss(missed);
    }
}

fn lane_of(delivery: &PushDelivery) -> Lane {
    let url: Result<WebUrl, _> = delivery.config.url.parse();
    let owner = &delivery.owner;
    Lane {
        receiver: url.map(|url| url.to_string()).unwrap_or_default(),
        owner: owner
            .agent()
            .map_or_else(|| owner.to_text(), ToString::to_string),
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("sender", &self.sender)
            .field("patience", &self.patience)
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}

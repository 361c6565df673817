//! The right to work on tasks: keeping it, and giving it up in good order.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::engine::Engine;
use super::wording::{elsewhere, stopping};
use crate::clock::UnixTime;

/// How often leases are prolonged and left tasks looked for.
const EVERY: Duration = Duration::from_secs(5);
/// How long executors that were told to stop have until the process goes on without them.
const LAST_MOMENT: Duration = Duration::from_secs(5);

impl Engine {
    /// Keeps this instance's leases and takes over what others left, at once and every few seconds,
    /// as long as the engine is there.
    pub(super) async fn keep_up(engine: Weak<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(engine) = engine.upgrade() else {
                return;
            };
            if engine.is_stopping() {
                return;
            }
            engine.renew().await;
            engine.take_over().await;
        }
    }

    /// Prolongs the leases. Who was too late for it asks anew for each, and gives up what is
    /// somebody else's by now.
    pub(super) async fn renew(&self) {
        let lease = self.lease();
        let now = self.parts.clock.now();
        let late = now > UnixTime::from_secs(self.leased_until.load(Ordering::SeqCst));
        let held = self.all_running();
        let held: Vec<_> = held.into_iter().filter(|live| live.is_leased()).collect();
        if held.is_empty() {
            self.leased_until
                .store(lease.until.secs(), Ordering::SeqCst);
            return;
        }
        if let Err(error) = self.store().renew(&lease).await {
            tracing::warn!(
                reason = error.reason(),
                "leases were not prolonged: {error}"
            );
            if late {
                held.iter().for_each(|live| live.lose(elsewhere()));
            }
            return;
        }
        self.leased_until
            .store(lease.until.secs(), Ordering::SeqCst);
        if late {
            for live in held {
                let ours = self
                    .store()
                    .acquire(live.owner(), live.id(), &lease, now)
                    .await;
                if matches!(ours, Ok(false)) {
                    live.lose(elsewhere());
                }
            }
        }
    }

    /// Takes no more work, lets what is under way come to its end within `grace`, and gives the rest
    /// back, so that another instance or the next start takes it over.
    pub(in crate::server) async fn shutdown(self: &Arc<Self>, grace: Duration) {
        self.stop();
        // Who waits for a client may wait long.
        for live in self.all_running() {
            if live.is_waiting() {
                live.lose(stopping());
            }
        }
        if !self.nobody_within(grace).await {
            for live in self.all_running() {
                live.lose(stopping());
            }
            if !self.nobody_within(LAST_MOMENT).await {
                tracing::warn!("executors did not stop; their tasks go on elsewhere in a while");
            }
        }
        for feed in self.feeds.all() {
            feed.end(stopping());
        }
    }

    /// Whether nothing is worked on any more within that time.
    async fn nobody_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            // Made before the look, so that what comes between is not missed.
            let left = self.left.notified();
            if self.lock().is_empty() {
                return true;
            }
            if timeout_at(until, left).await.is_err() {
                return self.lock().is_empty();
            }
        }
    }
}

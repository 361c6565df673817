//! Tasks whose instance stopped while it worked on them.

use std::sync::Arc;

use super::engine::{Engine, MAX_LIVE};
use super::run::{Before, Round};

/// How many are taken over at once; the rest a few seconds later, or by another instance.
const AT_ONCE: usize = 64;

impl Engine {
    /// Takes over what others left, and lets the executor resume it.
    pub(super) async fn take_over(self: &Arc<Self>) {
        let room = MAX_LIVE.saturating_sub(self.lock().len());
        let limit = AT_ONCE.min(room);
        if limit == 0 {
            return;
        }
        let now = self.parts.clock.now();
        let taken = self.store().take_orphans(&self.lease(), now, limit).await;
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(
                    reason = error.reason(),
                    "left tasks were not looked for: {error}"
                );
                return;
            }
        };
        for orphan in taken {
            let (owner, stored) = (orphan.owner, orphan.stored);
            let id = stored.task.id.clone();
            match self.enter_again(&owner, stored.task.clone()) {
                Ok(Some(live)) => {
                    tracing::info!(task = id, "took over a task that its instance left");
                    live.start_from(stored);
                    live.leased();
                    tokio::spawn(self.clone().work(live, Before::Nothing, Round::Resume));
                }
                // Our own, whose lease ran out for a moment.
                Ok(None) => {}
                Err(_) => {
                    let given = self.store().release(&owner, &id, self.instance());
                    if let Err(error) = given.await {
                        tracing::warn!(
                            task = id,
                            reason = error.reason(),
                            "a task was not given back"
                        );
                    }
                }
            }
        }
    }
}

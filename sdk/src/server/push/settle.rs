//! Waiting for the notifications of a task.

use std::collections::HashSet;

use tokio::sync::broadcast::error::RecvError;

use super::worker::Worker;
use crate::policy::Owner;

/// How far a receiver was when its turn ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) task_id: String,
    pub(super) id: String,
    pub(super) delivered: u64,
    /// Whether an event was tried in vain, or nobody wants one.
    pub(super) in_vain: bool,
}

impl Worker {
    /// Returns when every configuration of the task was told of all events, or tried in vain.
    pub(super) async fn settled(&self, owner: &Owner, task_id: &str) {
        let mut ended = self.ended().subscribe();
        let configs = self
            .configs()
            .list(owner, task_id, None, self.max_per_task());
        let configs = configs.await.unwrap_or_default();
        let mut waits: HashSet<String> = configs.into_iter().filter_map(|c| c.id).collect();
        // Those that are through already have another turn, which ends at once and is seen here.
        self.wake(owner, task_id).await;
        while !waits.is_empty() {
            let turn = match ended.recv().await {
                Ok(turn) => turn,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            if turn.task_id != task_id || !waits.contains(&turn.id) {
                continue;
            }
            let later = self.tasks().events(owner, task_id, turn.delivered, 1).await;
            if turn.in_vain || later.is_ok_and(|later| later.is_empty()) {
                waits.remove(&turn.id);
            }
        }
    }
}

//! CancelTask: at any moment, whoever works on the task.

use std::sync::Arc;

use super::engine::Engine;
use super::live::Live;
use super::wording::{not_cancelable, status_event, timestamp, unavailable};
use crate::a2a::{A2aError, CancelTaskRequest, Task, TaskState};
use crate::policy::Owner;
use crate::server::store::{Change, StoreError, StoredTask, TaskChange, TaskSnapshot};

/// How often somebody else may be first.
const ATTEMPTS: usize = 64;

impl Engine {
    /// CancelTask (A2A §3.1.5).
    pub(in crate::server) async fn cancel(
        self: &Arc<Self>,
        owner: &Owner,
        request: &CancelTaskRequest,
    ) -> Result<Task, A2aError> {
        let mut asked = false;
        for _ in 0..ATTEMPTS {
            let stored = self.find(owner, &request.id).await?;
            if stored.task.status.state.is_terminal() {
                return Err(not_cancelable());
            }
            if !asked {
                self.parts.executor.cancel(&stored.task).await?;
                asked = true;
            }
            let done = match self.running(owner, &request.id) {
                Some(live) => self.cancel_here(live).await?,
                None => self.cancel_idle(owner, stored).await?,
            };
            if let Some(task) = done {
                return Ok(Arc::unwrap_or_clone(task));
            }
        }
        Err(not_cancelable())
    }

    /// Cancels a task that this instance works on; `None` when it slipped away.
    async fn cancel_here(self: &Arc<Self>, live: Arc<Live>) -> Result<Option<Arc<Task>>, A2aError> {
        let mut progress = live.progress();
        let Some(ticket) = live.cancel(timestamp(&*self.parts.clock)) else {
            // Over, though the store may not have that yet; or given up.
            let _ = progress.wait_for(|p| p.closed || p.settled > 0).await;
            return match live.is_lost() {
                true => Ok(None),
                false => Err(not_cancelable()),
            };
        };
        // In a task of its own: what is being written must not be dropped with this request.
        let (engine, writes) = (self.clone(), live.clone());
        tokio::spawn(async move { engine.flush(&writes).await });
        let _ = progress.wait_for(|p| p.closed || p.kept >= ticket).await;
        // It may have been given up before that; whoever has it now is asked again.
        let written = progress.borrow().kept >= ticket;
        let Some(kept) = live.kept().filter(|_| written) else {
            return Ok(None);
        };
        match kept.task.state() {
            TaskState::Canceled => Ok(Some(kept.task.whole())),
            _ => Err(not_cancelable()),
        }
    }

    /// Cancels a task that nobody works on, or another instance; `None` when it was changed first.
    async fn cancel_idle(
        &self,
        owner: &Owner,
        stored: StoredTask,
    ) -> Result<Option<Arc<Task>>, A2aError> {
        let now = timestamp(&*self.parts.clock);
        let mut task = TaskSnapshot::from(stored.task);
        let event = status_event(&task, TaskState::Canceled, None, now);
        task.apply(Change::Event(event.clone()));
        let change = TaskChange {
            expected: stored.version,
            task,
            events: vec![event],
            work_from: None,
        };
        match self.store().append(owner, &change).await {
            Ok(version) => {
                self.tell(owner, &change, version).await;
                Ok(Some(change.task.whole()))
            }
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

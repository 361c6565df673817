//! One receiver's turn: its events in their order, one request for each.

use std::time::Duration;

use http::StatusCode;

use super::backoff;
use super::error::DeliveryError;
use super::worker::Worker;
use crate::clock::UnixTime;
use crate::server::store::{Lease, PushDelivery, StoreError, StoredEvent};

/// Events read at a time.
const BATCH: usize = 16;
/// The pause after a store failed.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// When it is this receiver's turn again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    At(UnixTime),
    /// When its task has a new event.
    Woken,
    /// It is forgotten.
    Never,
}

impl Worker {
    /// Delivers all events that there are, in their order, until one fails.
    ///
    /// How far it came is in `delivery`, which is kept when it is given back: what was delivered after
    /// that, and before the process died, is delivered again.
    pub(super) async fn deliver(&self, lease: &Lease, delivery: &mut PushDelivery) -> Next {
        let task_id = delivery.config.task_id.clone().unwrap_or_default();
        let mut connection = None;
        loop {
            let after = delivery.delivered;
            let events = self.tasks().events(&delivery.owner, &task_id, after, BATCH);
            let events = match events.await {
                Ok(events) => events,
                Err(StoreError::NotFound) => return Next::Never,
                Err(error) => return self.store_failed(&error),
            };
            if events.is_empty() {
                return Next::Woken;
            }
            for event in events {
                if self.is_stopping() || !self.has_time(lease) {
                    return Next::At(self.now());
                }
                // A2A §3.1.10: after it was deleted nothing is sent.
                let id = delivery.config.id.as_deref().unwrap_or_default();
                let kept = self.configs().get(&delivery.owner, &task_id, id).await;
                match kept {
                    Ok(Some(config)) if config == delivery.config => {}
                    // The store leaves a configuration that was set anew as it is.
                    Ok(_) => return Next::Woken,
                    Err(error) => return self.store_failed(&error),
                }
                let sent = self.sender().send(delivery, &event, &mut connection).await;
                if let Some(next) = self.judge(delivery, &event, sent) {
                    return next;
                }
            }
        }
    }

    /// What an answer means; `None` when the event was delivered.
    fn judge(
        &self,
        delivery: &mut PushDelivery,
        event: &StoredEvent,
        sent: Result<StatusCode, DeliveryError>,
    ) -> Option<Next> {
        let error = match sent {
            Ok(status) if status.is_success() => {
                delivery.delivered = event.number;
                delivery.attempts = 0;
                return None;
            }
            Ok(StatusCode::NOT_FOUND | StatusCode::GONE) => {
                let (task, id) = (&delivery.config.task_id, &delivery.config.id);
                tracing::info!(?task, ?id, "a receiver wants no more notifications");
                return Some(Next::Never);
            }
            // Redirects too: the address they name was checked by nobody.
            Ok(status) => DeliveryError::Status(status),
            Err(error) => error,
        };
        delivery.attempts = delivery.attempts.saturating_add(1);
        let (attempts, reason) = (delivery.attempts, error.reason());
        let (task, id) = (&delivery.config.task_id, &delivery.config.id);
        match backoff::pause(attempts, self.patience()) {
            Some(pause) => {
                tracing::info!(
                    ?task,
                    ?id,
                    attempts,
                    reason,
                    ?pause,
                    "a notification was not delivered and is tried again: {error}"
                );
                Some(Next::At(self.now().plus(pause)))
            }
            None => {
                tracing::warn!(
                    ?task,
                    ?id,
                    attempts,
                    reason,
                    "a notification was not delivered for so long that its receiver is forgotten: {error}"
                );
                Some(Next::Never)
            }
        }
    }

    fn store_failed(&self, error: &StoreError) -> Next {
        tracing::error!(reason = error.reason(), "notifications: {error}");
        Next::At(self.now().plus(STORE_PAUSE))
    }
}

//! What the engine asks of push notifications.

use async_trait::async_trait;

use crate::a2a::{A2aError, TaskPushNotificationConfig};
use crate::policy::Owner;
use crate::server::push::PushNotifications;

/// Push notifications, as tasks need them.
#[async_trait]
pub(in crate::server) trait PushHook: Send + Sync + 'static {
    /// Whether a configuration that came with a message would be taken; asked before its task begins.
    async fn check(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
    ) -> Result<(), A2aError>;

    /// Keeps it for the task: the receiver is told of events with numbers above `from`.
    async fn register(
        &self,
        owner: &Owner,
        task_id: &str,
        config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), A2aError>;

    /// The task has new events in the store.
    async fn wake(&self, owner: &Owner, task_id: &str);

    /// The task is about to be answered with: waits for its notifications as long as that is wanted.
    async fn settle(&self, _owner: &Owner, _task_id: &str) {}
}

#[async_trait]
impl PushHook for PushNotifications {
    async fn check(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
    ) -> Result<(), A2aError> {
        Self::check(self, owner, config).await
    }

    async fn register(
        &self,
        owner: &Owner,
        task_id: &str,
        config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), A2aError> {
        Self::register(self, owner, task_id, config, from)
            .await
            .map(drop)
    }

    async fn wake(&self, owner: &Owner, task_id: &str) {
        Self::wake(self, owner, task_id).await;
    }

    async fn settle(&self, owner: &Owner, task_id: &str) {
        Self::settle(self, owner, task_id).await;
    }
}

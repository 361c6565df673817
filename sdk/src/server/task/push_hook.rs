//! What the engine asks of push notifications.

use async_trait::async_trait;

use super::engine::Engine;
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

    /// Keeps it for the task: the receiver is told of events with numbers above `from`. Gives its ID
    /// when there was none of that ID before.
    async fn register(
        &self,
        owner: &Owner,
        task_id: &str,
        config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<Option<String>, A2aError>;

    /// Forgets it: the message that it came with was refused after all.
    async fn withdraw(&self, owner: &Owner, task_id: &str, id: &str);

    /// The task has new events in the store.
    async fn wake(&self, owner: &Owner, task_id: &str);

    /// The task is about to be answered with: waits for its notifications as long as that is wanted.
    async fn settle(&self, _owner: &Owner, _task_id: &str) {}
}

impl Engine {
    /// Keeps a configuration that came with a message to the task; gives its ID when it is new.
    pub(super) async fn register_push(
        &self,
        owner: &Owner,
        task_id: &str,
        config: Option<TaskPushNotificationConfig>,
        from: u64,
    ) -> Result<Option<String>, A2aError> {
        match (config, &self.parts.push) {
            (Some(config), Some(hook)) => hook.register(owner, task_id, config, from).await,
            _ => Ok(None),
        }
    }

    /// The message was refused: a configuration that was new does not stay behind.
    pub(super) async fn withdraw_push(&self, owner: &Owner, task_id: &str, new: Option<String>) {
        if let (Some(id), Some(hook)) = (new, &self.parts.push) {
            hook.withdraw(owner, task_id, &id).await;
        }
    }
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
    ) -> Result<Option<String>, A2aError> {
        let added = self.add(owner, task_id, config, from).await;
        added.map(|(config, is_new)| config.id.filter(|_| is_new))
    }

    async fn withdraw(&self, owner: &Owner, task_id: &str, id: &str) {
        Self::withdraw(self, owner, task_id, id).await;
    }

    async fn wake(&self, owner: &Owner, task_id: &str) {
        Self::wake(self, owner, task_id).await;
    }

    async fn settle(&self, owner: &Owner, task_id: &str) {
        Self::settle(self, owner, task_id).await;
    }
}

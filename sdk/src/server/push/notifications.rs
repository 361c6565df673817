//! The operations on push configurations, and what the agent tells this room.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;

use super::error::WebhookError;
use super::fields::SecretFields;
use super::page;
use super::settings::PushSettings;
use super::worker::Worker;
use crate::a2a::{
    A2aError, DeleteTaskPushNotificationConfigRequest, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest, ListTaskPushNotificationConfigsResponse,
    TaskPushNotificationConfig, new_id,
};
use crate::client::Client;
use crate::policy::Owner;
use crate::server::store::{MAX_ID_BYTES, StoreError, StoredTask, TaskStore};

/// Configurations on a page, unless the caller says otherwise, and at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 100;

/// Push notifications of one agent: its configurations, and the deliveries. Cloning is cheap; when
/// the last clone is dropped, deliveries stop and go on with the next start or another instance.
#[derive(Clone)]
pub struct PushNotifications(Arc<Shared>);

struct Shared {
    worker: Arc<Worker>,
    /// Looking how many there are and adding one is one step.
    adding: tokio::sync::Mutex<()>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl PushNotifications {
    /// Notifications about the tasks in `tasks`, sent as the workload of `client`. Nothing is sent
    /// before [`PushNotifications::start`].
    pub fn new(settings: PushSettings, client: &Client, tasks: Arc<dyn TaskStore>) -> Self {
        Self::sent_by(Some(client), settings, tasks)
    }

    /// The same, of an agent that may have no identity: its notifications are not signed then.
    pub(in crate::server) fn sent_by(
        client: Option<&Client>,
        settings: PushSettings,
        tasks: Arc<dyn TaskStore>,
    ) -> Self {
        Self(Arc::new(Shared {
            worker: Arc::new(Worker::new(settings, client, tasks)),
            adding: tokio::sync::Mutex::default(),
            running: Mutex::default(),
        }))
    }

    /// CreateTaskPushNotificationConfig (A2A §3.1.7): the receiver is told of what happens from now
    /// on. The answer names the configuration, by an ID made here when the caller gave none.
    ///
    /// # Errors
    /// Task not found when it is not the owner's; invalid parameters when the webhook may not be told.
    pub async fn create(
        &self,
        owner: &Owner,
        config: TaskPushNotificationConfig,
    ) -> Result<TaskPushNotificationConfig, A2aError> {
        let task_id = config.task_id.clone().unwrap_or_default();
        let stored = self.task(owner, &task_id).await?;
        self.register(owner, &task_id, config, stored.version).await
    }

    /// Whether a configuration that comes with a message (A2A §3.2.2) would be taken: for the handler
    /// to ask before the task begins.
    ///
    /// # Errors
    /// Invalid parameters when the webhook may not be told.
    pub async fn check(
        &self,
        owner: &Owner,
        config: &TaskPushNotificationConfig,
    ) -> Result<(), A2aError> {
        if config.id.as_ref().is_some_and(|id| id.len() > MAX_ID_BYTES) {
            let what = format!("is longer than {MAX_ID_BYTES} bytes");
            return Err(A2aError::invalid_param("id", what));
        }
        let refused = |error: WebhookError| {
            tracing::info!(
                reason = error.reason(),
                "refused a push configuration: {error}"
            );
            error.to_a2a()
        };
        SecretFields::of(config).map_err(refused)?;
        let sender = self.0.worker.sender();
        let webhook = sender.guard().check(&config.url, owner).await;
        let webhook = webhook.map_err(refused)?;
        sender.can_prove(&webhook).map_err(refused)?;
        Ok(())
    }

    /// Keeps `config` for a task that is the owner's, which the caller knows: the receiver is told of
    /// events with numbers above `from`. For the configuration of a message that began the task that
    /// is 0.
    ///
    /// # Errors
    /// Invalid parameters when the webhook may not be told.
    pub async fn register(
        &self,
        owner: &Owner,
        task_id: &str,
        config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<TaskPushNotificationConfig, A2aError> {
        let added = self.add(owner, task_id, config, from).await;
        added.map(|(config, _)| config)
    }

    /// Keeps it, and says whether there was none of its ID before.
    pub(in crate::server) async fn add(
        &self,
        owner: &Owner,
        task_id: &str,
        mut config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(TaskPushNotificationConfig, bool), A2aError> {
        self.check(owner, &config).await?;
        let id = config.id.take().filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(new_id);
        config.id = Some(id.clone());
        config.task_id = Some(task_id.to_owned());
        let replaced = {
            let store = self.0.worker.configs();
            let _one_at_a_time = self.0.adding.lock().await;
            let max = self.0.worker.max_per_task();
            let known = store.list(owner, task_id, None, max).await;
            let known = known.map_err(|error| unavailable(&error))?;
            let replaced = known.iter().any(|known| known.id.as_ref() == Some(&id));
            if known.len() >= max && !replaced {
                return Err(WebhookError::TooMany { max }.to_a2a());
            }
            let kept = store.set(owner, &config, from).await;
            kept.map_err(|error| unavailable(&error))?;
            replaced
        };
        self.0.worker.look();
        Ok((config, !replaced))
    }

    /// Forgets one that came with a message that was refused after all.
    pub(in crate::server) async fn withdraw(&self, owner: &Owner, task_id: &str, id: &str) {
        let store = self.0.worker.configs();
        if let Err(error) = store.delete(owner, task_id, id).await {
            let reason = error.reason();
            tracing::error!(
                reason,
                "the push configuration of a refused message is left: {error}"
            );
        }
    }

    /// GetTaskPushNotificationConfig (A2A §3.1.8).
    ///
    /// # Errors
    /// Task not found when the task or the configuration is not the owner's.
    pub async fn get(
        &self,
        owner: &Owner,
        request: &GetTaskPushNotificationConfigRequest,
    ) -> Result<TaskPushNotificationConfig, A2aError> {
        self.task(owner, &request.task_id).await?;
        let store = self.0.worker.configs();
        let found = store.get(owner, &request.task_id, &request.id).await;
        let found = found.map_err(|error| unavailable(&error))?;
        found
            .map(|config| shown_to(owner, config))
            .ok_or_else(A2aError::task_not_found)
    }

    /// ListTaskPushNotificationConfigs (A2A §3.1.9): by ID, 50 on a page unless the caller asks for
    /// 1 to 100.
    ///
    /// # Errors
    /// Task not found when it is not the owner's; invalid parameters for a page that is none.
    pub async fn list(
        &self,
        owner: &Owner,
        request: &ListTaskPushNotificationConfigsRequest,
    ) -> Result<ListTaskPushNotificationConfigsResponse, A2aError> {
        let task_id = &request.task_id;
        self.task(owner, task_id).await?;
        let size = match usize::try_from(request.page_size) {
            Ok(0) => PAGE,
            Ok(size @ 1..=MAX_PAGE) => size,
            _ => return Err(A2aError::invalid_param("pageSize", "is not from 1 to 100")),
        };
        let token = request.page_token.as_deref().filter(|t| !t.is_empty());
        let after = token.map(|token| page::after(owner, task_id, token));
        let after = after.transpose()?;
        let store = self.0.worker.configs();
        let found = store.list(owner, task_id, after.as_deref(), size + 1).await;
        let mut configs = found.map_err(|error| unavailable(&error))?;
        let more = configs.len() > size;
        configs.truncate(size);
        let last = configs.last().and_then(|config| config.id.as_deref());
        let next_page_token = match last {
            Some(last) if more => page::token_after(owner, task_id, last),
            _ => String::new(),
        };
        let configs = configs
            .into_iter()
            .map(|config| shown_to(owner, config))
            .collect();
        Ok(ListTaskPushNotificationConfigsResponse {
            configs,
            next_page_token,
        })
    }

    /// DeleteTaskPushNotificationConfig (A2A §3.1.10): afterwards no delivery begins. One that is not
    /// there is deleted already.
    ///
    /// # Errors
    /// Task not found when it is not the owner's.
    pub async fn delete(
        &self,
        owner: &Owner,
        request: &DeleteTaskPushNotificationConfigRequest,
    ) -> Result<(), A2aError> {
        self.task(owner, &request.task_id).await?;
        let store = self.0.worker.configs();
        let deleted = store.delete(owner, &request.task_id, &request.id).await;
        deleted.map_err(|error| unavailable(&error))
    }

    /// Says that the task has new events. To be called after they are kept; this returns when the
    /// configurations are marked, long before anything is sent.
    pub async fn wake(&self, owner: &Owner, task_id: &str) {
        self.0.worker.wake(owner, task_id).await;
    }

    /// Waits until every configuration of the task was told of all events, or tried in vain; at most
    /// as long as [`PushSettings::before_answer`] says, which is not at all by default. For the handler,
    /// before it answers.
    pub async fn settle(&self, owner: &Owner, task_id: &str) {
        let within = self.0.worker.before_answer();
        if !within.is_zero() {
            let settled = self.0.worker.settled(owner, task_id);
            // Whatever is not delivered by then is delivered later.
            let _ = tokio::time::timeout(within, settled).await;
        }
    }

    /// Begins to deliver, or goes on with it, in a task of its own. A second call does nothing.
    ///
    /// Warns when tasks outlive the process and configurations do not: after the next start, tasks
    /// go on and nobody is told.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(&self) {
        let mut running = self.running();
        if running.is_none() {
            let worker = &self.0.worker;
            let tasks_stay = worker.tasks().outlives_process() == Some(true);
            if tasks_stay && worker.configs().outlives_process() == Some(false) {
                tracing::warn!(
                    "tasks outlive this process and push configurations do not: after a restart no \
                     receiver is told any more; give PushSettings a store that keeps them, such as \
                     that of the tasks"
                );
            }
            worker.resume();
            *running = Some(tokio::spawn(worker.clone().run()));
        }
    }

    /// Ends deliveries: those under way may finish within their timeout, others are given back, so
    /// that another instance or the next start goes on with them.
    pub async fn shutdown(&self) {
        self.0.worker.stop();
        let running = self.running().take();
        if let Some(running) = running {
            // An error here is a panic of the task, which the runtime has reported.
            let _ = running.await;
        }
    }

    /// Nothing more is asked of the store.
    pub(in crate::server) async fn close(&self) {
        self.0.worker.configs().close().await;
    }

    #[cfg(test)]
    pub(super) fn worker(&self) -> &Arc<Worker> {
        &self.0.worker
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The task, if it is the owner's.
    async fn task(&self, owner: &Owner, task_id: &str) -> Result<StoredTask, A2aError> {
        let found = self.0.worker.tasks().get(owner, task_id).await;
        let found = found.map_err(|error| unavailable(&error))?;
        found.ok_or_else(A2aError::task_not_found)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let running = self.running.get_mut();
        if let Some(running) = running.unwrap_or_else(PoisonError::into_inner) {
            running.abort();
        }
    }
}

impl fmt::Debug for PushNotifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PushNotifications")
            .field(&self.0.worker)
            .finish()
    }
}

/// The configuration as the owner reads it. Where several agents share a task, secrets that one of
/// them left are not for the others.
fn shown_to(owner: &Owner, mut config: TaskPushNotificationConfig) -> TaskPushNotificationConfig {
    if owner.agent().is_none() {
        config.token = None;
        if let Some(authentication) = &mut config.authentication {
            authentication.credentials = None;
        }
    }
    config
}

fn unavailable(error: &StoreError) -> A2aError {
    tracing::error!(reason = error.reason(), "push configurations: {error}");
    A2aError::internal()
}

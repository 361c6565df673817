//! What answers requests, put together from an agent's settings.

use std::sync::Arc;

use super::ExtendedCards;
use crate::client::Client;
use crate::clock::Clock;
use crate::server::default_handler::DefaultRequestHandler;
use crate::server::push::{PushNotifications, PushSettings};
use crate::server::store::TaskStore;
use crate::server::task::{AgentExecutor, TaskLimits};

/// What an agent works with, whoever its callers are.
pub(super) struct Work {
    pub(super) executor: Arc<dyn AgentExecutor>,
    /// None for an agent without an identity of its own.
    pub(super) client: Option<Client>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<dyn TaskStore>,
    pub(super) push: Option<PushSettings>,
    pub(super) close_when_interrupted: bool,
    pub(super) task_limits: TaskLimits,
}

impl Work {
    /// Starts the handler, which does what the public card of `extended` declares.
    pub(super) fn start(self, extended: ExtendedCards) -> DefaultRequestHandler {
        let push = self.push.map(|settings| {
            let client = self.client.as_ref();
            PushNotifications::sent_by(client, settings, self.store.clone())
        });
        let capabilities = extended.public.capabilities.clone();
        let handler = DefaultRequestHandler::builder(self.executor, self.client, self.clock)
            .task_store(self.store)
            .capabilities(capabilities)
            .close_streams_when_interrupted(self.close_when_interrupted)
            .task_limits(self.task_limits)
            .extended_card(Arc::new(extended));
        match push {
            Some(push) => handler.push(push).start(),
            None => handler.start(),
        }
    }
}

//! The other side: taking notifications about tasks at other agents.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use http::StatusCode;

use super::error::WebhookError;
use super::expected::Expected;
use super::notification::{NotificationHandler, TrustedSender};
use super::taking::Taking;
use crate::a2a::{AuthenticationInfo, TaskPushNotificationConfig};
use crate::clock::{Clock, Skew};
use crate::crypto::random;
use crate::httpsig::{MemoryReplayStore, Profile, Verifier, WebUrl};
use crate::jose::encode_base64url;

/// Tasks that are waited for at once.
const MAX_EXPECTED: usize = 10_000;

/// Takes notifications about tasks at other agents.
///
/// A notification is given out when everything about it is proved: it came over the connection of
/// the agent it is expected from (or is signed with a pinned key), that agent signed it just now, it
/// was not sent before, it carries the token that was given to that agent for that task, and it is
/// about that task. The sender learns that it arrived after the handler has taken it.
///
/// ```no_run
/// # async fn example(workload: countersign::Workload) -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::server::push::{NotificationReceiver, TrustedSender};
/// use countersign::tls::{ServeOptions, serve};
///
/// let (sender, mut notifications) = tokio::sync::mpsc::channel(100);
/// let url = "https://planner.example:4434/notifications";
/// let receiver = NotificationReceiver::new(url, workload.clock().clone(), sender)?;
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:4434").await?;
/// let serving = serve(
///     listener, workload, ServeOptions::default(), receiver.router(), std::future::pending(),
/// );
/// tokio::spawn(serving);
///
/// let booking = "spiffe://travel.example/agent/booking".parse()?;
/// let config = receiver.expect(TrustedSender::agent(booking))?;
/// // … goes as `task_push_notification_config` into the configuration of a message, and then:
/// while let Some(notification) = notifications.recv().await {
///     println!("{}: {:?}", notification.task_id, notification.event.state());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct NotificationReceiver(Arc<Taking>);

/// As many notifications are waited for as may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{max} tasks are waited for, and none of them is over")]
pub struct TooManyExpected {
    /// The limit.
    pub max: usize,
}

impl NotificationReceiver {
    /// A receiver at `url`, as senders address it.
    ///
    /// # Errors
    /// [`WebhookError::Url`] when `url` is none that a notification could be sent to.
    pub fn new(
        url: &str,
        clock: Arc<dyn Clock>,
        handler: impl NotificationHandler,
    ) -> Result<Self, WebhookError> {
        let read: WebUrl = url.parse()?;
        let path = read.target.path().to_owned();
        // Elsewhere these are parameters of a route.
        if path.split('/').any(|part| part.starts_with([':', '*'])) {
            let rule = "has a part of its path that begins with `:` or `*`";
            return Err(WebhookError::Url { rule });
        }
        let skew = Skew::default();
        Ok(Self(Arc::new(Taking {
            url: url.to_owned(),
            path,
            verifier: Verifier::new(Profile::a2a(), read.origin(), skew),
            skew,
            clock,
            replay: Arc::new(MemoryReplayStore::default()),
            handler: Arc::new(handler),
            expected: Expected::new(MAX_EXPECTED),
        })))
    }

    /// Begins to wait for the notifications of one task at that agent. The configuration that it is
    /// to be given has a secret of its own; the task is the one that the first notification is about.
    ///
    /// # Errors
    /// [`TooManyExpected`].
    pub fn expect(
        &self,
        from: TrustedSender,
    ) -> Result<TaskPushNotificationConfig, TooManyExpected> {
        self.expect_task(from, None)
    }

    /// The same, for a task that is known already.
    ///
    /// # Errors
    /// [`TooManyExpected`].
    pub fn expect_of(
        &self,
        from: TrustedSender,
        task_id: &str,
    ) -> Result<TaskPushNotificationConfig, TooManyExpected> {
        self.expect_task(from, Some(task_id.to_owned()))
    }

    fn expect_task(
        &self,
        from: TrustedSender,
        task_id: Option<String>,
    ) -> Result<TaskPushNotificationConfig, TooManyExpected> {
        let token = encode_base64url(&random::<32>());
        let config = TaskPushNotificationConfig {
            task_id,
            url: self.0.url.clone(),
            // Some agents send the one, some the other.
            token: Some(token.clone()),
            authentication: Some(AuthenticationInfo {
                scheme: "Bearer".to_owned(),
                credentials: Some(token),
            }),
            ..TaskPushNotificationConfig::default()
        };
        self.resume(from, &config)?;
        Ok(config)
    }

    /// Waits again for what was asked for before a restart: `config` is the one that was given out.
    ///
    /// # Errors
    /// [`TooManyExpected`].
    pub fn resume(
        &self,
        from: TrustedSender,
        config: &TaskPushNotificationConfig,
    ) -> Result<(), TooManyExpected> {
        let token = config.token.as_deref().unwrap_or_default();
        let added = self.0.expected.add(token, from, config.task_id.clone());
        let max = MAX_EXPECTED;
        added.then_some(()).ok_or(TooManyExpected { max })
    }

    /// Waits no more for the notifications of that configuration; a sender that goes on is told that
    /// they are gone.
    pub async fn end(&self, config: &TaskPushNotificationConfig) {
        let token = config.token.as_deref().unwrap_or_default();
        if let Some(found) = self.0.expected.find(token) {
            found.state.lock().await.ended = true;
            self.0.expected.over(&found);
        }
    }

    /// The route of the URL's path, to be served with the workload's certificate
    /// ([`tls::serve`](crate::tls::serve())), alone or beside others.
    pub fn router(&self) -> Router {
        Router::new()
            .route(&self.0.path, post(take))
            .with_state(self.0.clone())
    }
}

async fn take(State(receiver): State<Arc<Taking>>, request: Request) -> Response {
    match receiver.receive(request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(unwelcome) => {
            let reason = unwelcome.reason();
            tracing::info!(reason, "a notification was not taken");
            tracing::debug!(reason, "a notification was not taken: {unwelcome}");
            unwelcome.to_response()
        }
    }
}

impl fmt::Debug for NotificationReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotificationReceiver({})", self.0.path)
    }
}

//! What push notifications are told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::stage::{Stage, request, to_task};
use crate::a2a::{
    A2aError, ErrorKind, SendMessageConfiguration, SendMessageRequest, TaskPushNotificationConfig,
    TaskState,
};
use crate::policy::Owner;
use crate::server::task::push_hook::PushHook;

/// Writes down what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn note(&self, what: String) {
        self.0.lock().expect("no panic").push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

#[async_trait]
impl PushHook for Told {
    async fn check(&self, _: &Owner, config: &TaskPushNotificationConfig) -> Result<(), A2aError> {
        self.note("check".into());
        if config.url.starts_with("https:") {
            return Ok(());
        }
        Err(A2aError::invalid_param("url", "is no https URL"))
    }

    async fn register(
        &self,
        _: &Owner,
        _: &str,
        config: TaskPushNotificationConfig,
        from: u64,
    ) -> Result<(), A2aError> {
        self.note(format!("register from {from}"));
        if config.url.ends_with("full") {
            return Err(A2aError::invalid_param("url", "is one too many"));
        }
        Ok(())
    }

    async fn wake(&self, _: &Owner, _: &str) {
        self.note("wake".into());
    }
}

fn telling(url: &str, mut request: SendMessageRequest) -> SendMessageRequest {
    request.configuration = Some(SendMessageConfiguration {
        task_push_notification_config: Some(TaskPushNotificationConfig {
            url: url.to_owned(),
            ..TaskPushNotificationConfig::default()
        }),
        ..SendMessageConfiguration::default()
    });
    request
}

#[tokio::test]
async fn a_configuration_is_there_before_the_first_event_and_each_write_wakes_it() {
    let stage = Stage::new();
    let told = Arc::new(Told::default());
    let agent = stage.instance_with(Some(told.clone()));
    let asked = agent.send(telling("https://a.test", request("ask"))).await;
    assert_eq!(told.taken(), ["check", "register from 0", "wake"]);
    let version = stage.kept(&asked.id).await.version;
    let more = telling("https://a.test", to_task(&asked, "task"));
    let done = agent.send(more).await;
    assert_eq!(done.status.state, TaskState::Completed);
    let from = format!("register from {version}");
    assert_eq!(told.taken(), ["check", from.as_str(), "wake"]);
    agent.send(request("task")).await;
    assert_eq!(told.taken(), ["wake"]);
}

#[tokio::test]
async fn a_configuration_that_is_refused_begins_no_work() {
    let stage = Stage::new();
    let told = Arc::new(Told::default());
    let agent = stage.instance_with(Some(told.clone()));
    for url in ["http://a.test", "https://a.test/full"] {
        let refused = agent.ask(telling(url, request("task"))).await;
        let kind = refused.map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::InvalidParams), "{url}");
    }
    let plain = stage.instance();
    let refused = plain.ask(telling("https://a.test", request("task"))).await;
    let kind = refused.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::PushNotificationNotSupported));
    let called = agent.acts.called.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(called, 0);
}

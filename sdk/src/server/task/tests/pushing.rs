//! What push notifications are told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::stage::{Gate, Stage, at_once, eventually, request, soon, to_task};
use crate::a2a::{
    A2aError, ErrorKind, SendMessageConfiguration, SendMessageRequest, TaskPushNotificationConfig,
    TaskState,
};
use crate::policy::Owner;
use crate::server::task::push_hook::PushHook;

/// Writes down what it is told.
#[derive(Default)]
struct Told {
    notes: Mutex<Vec<String>>,
    /// A registration has begun that waits at the gate.
    began: Notify,
    gate: Gate,
}

impl Told {
    fn note(&self, what: String) {
        self.notes.lock().expect("no panic").push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().expect("no panic"))
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
    ) -> Result<Option<String>, A2aError> {
        if config.url.ends_with("slow") {
            self.began.notify_one();
            self.gate.pass().await;
        }
        self.note(format!("register from {from}"));
        if config.url.ends_with("full") {
            return Err(A2aError::invalid_param("url", "is one too many"));
        }
        Ok(Some("new".to_owned()).filter(|_| !config.url.contains("known")))
    }

    async fn withdraw(&self, _: &Owner, _: &str, id: &str) {
        self.note(format!("withdraw {id}"));
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

#[tokio::test]
async fn a_configuration_that_comes_with_a_follow_up_is_there_before_the_executor_hears_it() {
    let stage = Stage::new();
    let told = Arc::new(Told::default());
    let agent = stage.instance_with(Some(told.clone()));
    let asked = agent.send(request("talk")).await;
    told.taken();
    let version = stage.kept(&asked.id).await.version;
    let more = telling("https://a.test/slow", to_task(&asked, "bye"));
    let (done, ()) = tokio::join!(agent.send(more), async {
        soon(told.began.notified()).await;
        // As long as it is not there, nothing comes of the message.
        tokio::task::yield_now().await;
        assert_eq!(stage.kept(&asked.id).await.version, version);
        told.gate.open(1);
    });
    assert_eq!(done.status.state, TaskState::Completed);
    let told = told.taken();
    let from = format!("register from {version}");
    assert_eq!(told[..2], ["check", from.as_str()]);
    assert!(told.contains(&"wake".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_refused_follow_up_leaves_no_configuration_behind() {
    for (url, want) in [
        ("https://a.test/slow", Some("withdraw new")),
        ("https://a.test/known/slow", None),
    ] {
        let stage = Stage::new();
        let told = Arc::new(Told::default());
        let agent = stage.instance_with(Some(told.clone()));
        let asked = agent.send(request("talk")).await;
        let more = telling(url, to_task(&asked, "hello"));
        let (refused, ()) = tokio::join!(agent.ask(more), async {
            soon(told.began.notified()).await;
            agent.cancel(&asked.id).await.expect("canceled");
            eventually(|| agent.is_idle()).await;
            told.taken();
            told.gate.open(1);
        });
        let kind = refused.map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(ErrorKind::UnsupportedOperation), "{url}");
        let told = told.taken();
        assert_eq!(told.get(1).map(String::as_str), want, "{url}: {told:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_not_waited_for_registers_nothing() {
    let stage = Stage::new();
    let told = Arc::new(Told::default());
    let agent = stage.instance_with(Some(told.clone()));
    let task = agent.send(request("rude")).await;
    for number in 0..16 {
        agent
            .send(at_once(to_task(&task, &number.to_string())))
            .await;
    }
    told.taken();
    let more = telling("https://a.test", to_task(&task, "16"));
    let refused = agent.ask(more).await;
    let kind = refused.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::UnsupportedOperation));
    assert_eq!(told.taken(), ["check"]);
}

#[tokio::test]
async fn a_configuration_comes_along_with_a_message_for_another_instance() {
    let stage = Stage::new();
    let told = Arc::new(Told::default());
    let (one, two) = (stage.instance(), stage.instance_with(Some(told.clone())));
    let asked = one.send(request("talk")).await;
    let version = stage.kept(&asked.id).await.version;
    let more = telling("https://a.test", to_task(&asked, "bye"));
    let done = two.send(more).await;
    assert_eq!(done.status.state, TaskState::Completed);
    let from = format!("register from {version}");
    assert_eq!(told.taken()[..2], ["check", from.as_str()]);
}

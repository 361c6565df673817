//! Configurations, the guard and deliveries, with receivers on the loopback.

mod configs;
mod delivery;
mod ssrf;
#[cfg(feature = "sqlite")]
mod starting;

use std::sync::Arc;
use std::time::Duration;

use countersign_fixtures::ca::Ca;
use tokio::net::TcpListener;

use super::{PushNotifications, PushPolicy, PushSettings};
use crate::a2a::{
    StreamResponse, Task, TaskPushNotificationConfig, TaskState, TaskStatus, Timestamp,
};
use crate::client::Client;
use crate::oauth::AuthorityEndpoint;
use crate::policy::Owner;
use crate::server::store::{
    MemoryPushConfigStore, MemoryTaskStore, PushConfigStore as _, TaskChange, TaskStore,
};
use crate::tls::Endpoint;
use crate::web::testing::{Counter, Names};
use crate::workload::testing::workload;

/// A world with one task, which is `owner`'s.
struct World {
    client: Client,
    names: Arc<Names>,
    tasks: Arc<MemoryTaskStore>,
    configs: Arc<MemoryPushConfigStore>,
    owner: Owner,
}

const TASK: &str = "t-1";

impl World {
    async fn new() -> Self {
        let ca = Ca::new("push.test");
        let workload = workload(&ca, "/agent/worker").await;
        let id = ca.id("/authority").parse().expect("an ID");
        let nowhere = "https://127.0.0.1:1".parse().expect("a URL");
        let authority = AuthorityEndpoint {
            issuer: "https://127.0.0.1:1".to_owned(),
            endpoint: Endpoint::new(nowhere, id).expect("an endpoint"),
        };
        let world = Self {
            client: Client::new(workload, authority).expect("a client"),
            names: Arc::default(),
            tasks: Arc::default(),
            configs: Arc::default(),
            owner: owner("/agent/one"),
        };
        world.begin(TASK, TaskState::Submitted).await;
        world
    }

    fn settings(&self, policy: PushPolicy) -> PushSettings {
        PushSettings::new(self.configs.clone())
            .policy(policy)
            .resolver(self.names.clone())
            .timeout(Duration::from_secs(2))
    }

    fn push(&self, settings: PushSettings) -> PushNotifications {
        PushNotifications::new(settings, &self.client, self.tasks.clone())
    }

    async fn begin(&self, id: &str, state: TaskState) {
        let first = change(id, state, 0);
        let created = self.tasks.create(&self.owner, &first, None).await;
        assert_eq!(created.expect("created"), 1);
    }

    /// Adds an event; gives its number.
    async fn happens(&self, state: TaskState) -> u64 {
        let stored = self.tasks.get(&self.owner, TASK).await.expect("read");
        let version = stored.expect("it is there").version;
        let change = change(TASK, state, version);
        let appended = self.tasks.append(&self.owner, &change).await;
        appended.expect("appended")
    }

    /// Keeps a configuration as if it had been taken.
    async fn keep(&self, id: &str, url: &str) {
        let config = TaskPushNotificationConfig {
            id: Some(id.to_owned()),
            task_id: Some(TASK.to_owned()),
            ..config(url)
        };
        self.configs
            .set(&self.owner, &config, 0)
            .await
            .expect("kept");
    }
}

fn change(id: &str, state: TaskState, expected: u64) -> TaskChange {
    let status = TaskStatus::new(state, Timestamp::from_millis(0));
    let task = Task::new(id, "c-1", status);
    TaskChange {
        expected,
        task: task.clone().into(),
        events: vec![Arc::new(StreamResponse::Task(task))],
        work_from: None,
    }
}

fn owner(path: &str) -> Owner {
    let text = format!(r#"{{"agent":"spiffe://push.test{path}"}}"#);
    Owner::from_text(&text).expect("an owner")
}

fn config(url: &str) -> TaskPushNotificationConfig {
    TaskPushNotificationConfig {
        url: url.to_owned(),
        ..TaskPushNotificationConfig::default()
    }
}

/// Waits until `done`; panics when that takes far too long.
async fn until(what: &str, done: impl AsyncFn() -> bool) {
    for _ in 0..2000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 20 s");
}

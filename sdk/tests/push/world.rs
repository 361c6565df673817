//! An authority, a worker that notifies, and receivers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign::a2a::{
    StreamResponse, Task, TaskPushNotificationConfig, TaskState, TaskStatus, Timestamp,
};
use countersign::audit::MemoryLog;
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::Client;
use countersign::clock::{Clock, ManualClock, SystemClock};
use countersign::policy::Owner;
use countersign::server::push::{
    Notification, NotificationHandler, NotificationReceiver, PushNotifications, PushPolicy,
    PushSettings, TrustedSender,
};
use countersign::server::store::{
    MemoryPushConfigStore, MemoryTaskStore, TaskChange, TaskStore as _,
};
use countersign::tls::{AuthoritySource, ServeOptions, serve};
use countersign::workload::Workload;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) const ONE: &str = "spiffe://test.example/agent/one";
pub(crate) const WORKER: &str = "spiffe://test.example/agent/worker";
pub(crate) const TASK: &str = "t-1";

/// An authority with the agents `one`, `two` and `worker`. The worker works for `one`.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) worker: Client,
    pub(crate) tasks: Arc<MemoryTaskStore>,
    pub(crate) configs: Arc<MemoryPushConfigStore>,
    pub(crate) owner: Owner,
}

impl World {
    pub(crate) async fn new() -> Result<Self, Failure> {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let shared: Arc<dyn Clock> = clock.clone();
        let mut config = AuthorityConfig::new("test.example".parse()?);
        for agent in ["one", "two", "worker"] {
            config = config.agent(agent, "work".parse()?);
        }
        let authority = Authority::start(config, shared, Arc::new(MemoryLog::default())).await?;
        let workload = enrolled(&authority, &clock, "worker").await?;
        let owner = Owner::from_text(&format!(r#"{{"agent":"{ONE}"}}"#));
        Ok(Self {
            worker: Client::new(workload, authority.oauth_endpoint())?,
            authority,
            clock,
            tasks: Arc::default(),
            configs: Arc::default(),
            owner: owner.ok_or("no owner")?,
        })
    }

    pub(crate) async fn workload(&self, agent: &str) -> Result<Workload, Failure> {
        enrolled(&self.authority, &self.clock, agent).await
    }

    pub(crate) fn settings(&self) -> PushSettings {
        PushSettings::new(self.configs.clone())
            .policy(PushPolicy::default().danger().allow_loopback())
    }

    /// Lets time go by until `done`, a second at each look; fails when that takes far too long.
    pub(crate) async fn pass_until(
        &self,
        what: &str,
        done: impl Fn() -> bool,
    ) -> Result<(), Failure> {
        for _ in 0..1500 {
            if done() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.clock
                .set(self.clock.now().plus(Duration::from_secs(1)));
        }
        Err(format!("{what}: not within 30 s").into())
    }

    pub(crate) fn push(&self, settings: PushSettings) -> PushNotifications {
        let push = PushNotifications::new(settings, &self.worker, self.tasks.clone());
        push.start();
        push
    }

    /// A task with `events` events, the last of which ends it.
    pub(crate) async fn task(&self, id: &str, events: usize) -> Result<(), Failure> {
        let first = TaskChange {
            expected: 0,
            task: task(id, TaskState::Completed, events).into(),
            events: (1..=events)
                .map(|number| {
                    let last = number == events;
                    let state = if last {
                        TaskState::Completed
                    } else {
                        TaskState::Working
                    };
                    Arc::new(StreamResponse::Task(task(id, state, number)))
                })
                .collect(),
            work_from: None,
        };
        self.tasks.create(&self.owner, &first, None).await?;
        Ok(())
    }
}

pub(crate) async fn enrolled(
    authority: &Authority,
    clock: &Arc<ManualClock>,
    agent: &str,
) -> Result<Workload, Failure> {
    let clock: Arc<dyn Clock> = clock.clone();
    let source = AuthoritySource::new(authority.enrol(agent)?, clock.clone());
    Ok(Workload::start(Arc::new(source), clock).await?)
}

/// The number of an event is its time.
pub(crate) fn task(id: &str, state: TaskState, number: usize) -> Task {
    let status = TaskStatus::new(state, Timestamp::from_millis(number as u64));
    Task::new(id, "c-1", status)
}

pub(crate) fn number_of(notification: &Notification) -> i64 {
    match &notification.event {
        StreamResponse::Task(task) => task.status.timestamp.map_or(-1, Timestamp::unix_millis),
        _ => -1,
    }
}

/// A receiver that is being served as an agent.
pub(crate) struct Receiving {
    pub(crate) receiver: NotificationReceiver,
    pub(crate) url: String,
    /// Handshakes that failed.
    pub(crate) refused: Arc<AtomicUsize>,
    pub(crate) serving: JoinHandle<()>,
}

impl Receiving {
    pub(crate) async fn start(
        workload: &Workload,
        handler: impl NotificationHandler,
    ) -> Result<Self, Failure> {
        Self::at("127.0.0.1:0".parse()?, workload, handler).await
    }

    pub(crate) async fn at(
        address: SocketAddr,
        workload: &Workload,
        handler: impl NotificationHandler,
    ) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("https://{}/notifications?a=b", listener.local_addr()?);
        let receiver = NotificationReceiver::new(&url, workload.clock().clone(), handler)?;
        let refused = Arc::new(AtomicUsize::new(0));
        let counted = refused.clone();
        let options = ServeOptions {
            on_refused: Some(Arc::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            })),
            ..ServeOptions::default()
        };
        let (router, workload) = (receiver.router(), workload.clone());
        let serving = serve(listener, workload, options, router, std::future::pending());
        Ok(Self {
            receiver,
            url,
            refused,
            serving: tokio::spawn(serving),
        })
    }

    pub(crate) fn expect(&self) -> Result<TaskPushNotificationConfig, Failure> {
        Ok(self.receiver.expect(worker())?)
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(crate) fn worker() -> TrustedSender {
    TrustedSender::agent(WORKER.parse().expect("a SPIFFE ID"))
}

pub(crate) async fn next(from: &mut mpsc::Receiver<Notification>) -> Result<Notification, Failure> {
    let within = Duration::from_secs(30);
    let next = tokio::time::timeout(within, from.recv()).await?;
    Ok(next.ok_or("the receiver is gone")?)
}

pub(crate) async fn numbers(
    from: &mut mpsc::Receiver<Notification>,
    count: usize,
) -> Result<Vec<i64>, Failure> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(number_of(&next(from).await?));
    }
    Ok(numbers)
}

/// Waits until `done`; fails when that takes far too long.
pub(crate) async fn until(what: &str, done: impl Fn() -> bool) -> Result<(), Failure> {
    for _ in 0..3000 {
        if done() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{what}: not within 30 s").into())
}

//! Notifications from one agent to another, over real connections.

mod common;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use countersign::a2a::{
    A2aError, Artifact, Part, SendMessageConfiguration, StreamResponse, Task,
    TaskPushNotificationConfig, TaskState, TaskStatus, Timestamp,
};
use countersign::audit::MemoryLog;
use countersign::authority::{Authority, AuthorityConfig};
use countersign::client::Client;
use countersign::clock::{Clock, ManualClock, SystemClock, UnixTime};
use countersign::crypto::random;
use countersign::httpsig::{Origin, Profile, Signer};
use countersign::id::SpiffeId;
use countersign::jose::JwkSet;
use countersign::policy::Owner;
use countersign::server::push::{
    AtOnce, NotTaken, Notification, NotificationHandler, NotificationReceiver, NotificationSender,
    PinnedKeys, PushNotifications, PushPolicy, PushSettings, Resolver,
};
use countersign::server::store::{
    MemoryPushConfigStore, MemoryTaskStore, TaskChange, TaskStore as _,
};
use countersign::server::{AgentExecutor, EventQueue, RequestContext, async_trait};
use countersign::tls::{
    AuthoritySource, Endpoint, ServeOptions, Transport, TransportConfig, serve,
};
use countersign::workload::Workload;
use countersign_fixtures::ca::{Ca, Kind, Leaf};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ONE: &str = "spiffe://test.example/agent/one";
const WORKER: &str = "spiffe://test.example/agent/worker";
const TASK: &str = "t-1";

/// An authority with the agents `one`, `two` and `worker`. The worker works for `one`.
struct World {
    authority: Authority,
    clock: Arc<ManualClock>,
    worker: Client,
    tasks: Arc<MemoryTaskStore>,
    configs: Arc<MemoryPushConfigStore>,
    owner: Owner,
}

impl World {
    async fn new() -> Result<Self, Failure> {
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

    async fn workload(&self, agent: &str) -> Result<Workload, Failure> {
        enrolled(&self.authority, &self.clock, agent).await
    }

    fn settings(&self) -> PushSettings {
        PushSettings::new(self.configs.clone())
            .policy(PushPolicy::default().danger().allow_loopback())
    }

    /// Lets time go by until `done`, a second at each look; fails when that takes far too long.
    async fn pass_until(&self, what: &str, done: impl Fn() -> bool) -> Result<(), Failure> {
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

    fn push(&self, settings: PushSettings) -> PushNotifications {
        let push = PushNotifications::new(settings, &self.worker, self.tasks.clone());
        push.start();
        push
    }

    /// A task with `events` events, the last of which ends it.
    async fn task(&self, id: &str, events: usize) -> Result<(), Failure> {
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

async fn enrolled(
    authority: &Authority,
    clock: &Arc<ManualClock>,
    agent: &str,
) -> Result<Workload, Failure> {
    let clock: Arc<dyn Clock> = clock.clone();
    let source = AuthoritySource::new(authority.enrol(agent)?, clock.clone());
    Ok(Workload::start(Arc::new(source), clock).await?)
}

/// The number of an event is its time.
fn task(id: &str, state: TaskState, number: usize) -> Task {
    let status = TaskStatus::new(state, Timestamp::from_millis(number as u64));
    Task::new(id, "c-1", status)
}

fn number_of(notification: &Notification) -> i64 {
    match &notification.event {
        StreamResponse::Task(task) => task.status.timestamp.map_or(-1, Timestamp::unix_millis),
        _ => -1,
    }
}

/// A receiver that is being served as an agent.
struct Receiving {
    receiver: NotificationReceiver,
    url: String,
    /// Handshakes that failed.
    refused: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Receiving {
    async fn start(
        workload: &Workload,
        handler: impl NotificationHandler,
    ) -> Result<Self, Failure> {
        Self::at("127.0.0.1:0".parse()?, workload, handler).await
    }

    async fn at(
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

    fn expect(&self) -> Result<TaskPushNotificationConfig, Failure> {
        Ok(self.receiver.expect(worker())?)
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn worker() -> NotificationSender {
    NotificationSender::agent(WORKER.parse().expect("a SPIFFE ID"))
}

async fn next(from: &mut mpsc::Receiver<Notification>) -> Result<Notification, Failure> {
    let within = Duration::from_secs(30);
    let next = tokio::time::timeout(within, from.recv()).await?;
    Ok(next.ok_or("the receiver is gone")?)
}

async fn numbers(
    from: &mut mpsc::Receiver<Notification>,
    count: usize,
) -> Result<Vec<i64>, Failure> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(number_of(&next(from).await?));
    }
    Ok(numbers)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_task_is_told_with_every_proof() -> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    let push = world.push(world.settings());
    world.task(TASK, 3).await?;
    push.register(&world.owner, TASK, one.expect()?, 0).await?;
    for number in 1..=3 {
        let notification = next(&mut notifications).await?;
        assert_eq!(number_of(&notification), number);
        assert_eq!(notification.task_id, TASK);
        let from = notification.from.as_ref().map(SpiffeId::as_str);
        assert_eq!(from, Some(WORKER));
    }
    push.shutdown().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_owner_is_told() -> Result<(), Failure> {
    let world = World::new().await?;
    // Another agent of the same domain took the address.
    let (sender, mut stolen) = mpsc::channel(9);
    let workload = world.workload("two").await?;
    let two = Receiving::start(&workload, sender).await?;
    let address: SocketAddr = two.url["https://".len()..]
        .split('/')
        .next()
        .ok_or("no")?
        .parse()?;
    let config = two.expect()?;
    let push = world.push(world.settings());
    world.task(TASK, 2).await?;
    push.register(&world.owner, TASK, config.clone(), 0).await?;
    until("it is not let in", || {
        two.refused.load(Ordering::SeqCst) > 0
    })
    .await?;
    // The owner comes back to its address, and is told as if nothing had been.
    drop(two);
    let (sender, mut notifications) = mpsc::channel(9);
    let workload = world.workload("one").await?;
    let one = loop {
        // The port is free once the other is gone.
        match Receiving::at(address, &workload, sender.clone()).await {
            Ok(one) => break one,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    one.receiver.resume(worker(), &config)?;
    world
        .pass_until("both are told", || notifications.len() == 2)
        .await?;
    assert_eq!(numbers(&mut notifications, 2).await?, [1, 2]);
    assert!(stolen.try_recv().is_err());
    Ok(())
}

/// Works, and has a result.
struct Busy;

#[async_trait]
impl AgentExecutor for Busy {
    async fn execute(&self, _: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        events.working();
        events.flushed().await;
        events.artifact(Artifact::new(Part::text("the result")));
        events.complete(Some(Part::text("done")));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_for_it_with_its_message_is_told_of_its_task() -> Result<(), Failure> {
    let settings = PushSettings::new(Arc::new(MemoryPushConfigStore::default()))
        .policy(PushPolicy::default().danger().allow_loopback())
        .before_answer(Duration::from_secs(30));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let world = common::World::made(clock, Busy, |agent| agent.push(settings)).await?;
    let client = world.client("one").await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(client.workload(), sender).await?;
    let configuration = SendMessageConfiguration {
        task_push_notification_config: Some(one.expect()?),
        ..SendMessageConfiguration::default()
    };
    let call = client.on_own_behalf().call(world.worker.peer());
    let answer = call.configuration(configuration).send("work").await?;
    let task = answer.task().ok_or("no task")?;
    // The answer waited for them.
    let mut states = Vec::new();
    while let Ok(notification) = notifications.try_recv() {
        assert_eq!(notification.task_id, task.id);
        states.extend(notification.event.state());
    }
    assert_eq!(states.last(), Some(&TaskState::Completed));
    assert!(states.contains(&TaskState::Working), "{states:?}");
    Ok(())
}

/// A good notification, each part of which can be changed.
struct Raw {
    workload: Workload,
    signed_by: Workload,
    origin: Origin,
    at: UnixTime,
    parts: Parts,
    body: Vec<u8>,
}

impl Raw {
    async fn new(world: &World, to: &Receiving, token: &str) -> Result<Self, Failure> {
        let workload = world.worker.workload().clone();
        let (parts, ()) = Request::post(&to.url)
            .header(CONTENT_TYPE, "application/a2a+json")
            .header("a2a-version", "1.0")
            .header("a2a-notification-token", token)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(())?
            .into_parts();
        let authority = parts.uri.authority().ok_or("no authority")?;
        Ok(Self {
            signed_by: workload.clone(),
            workload,
            origin: Origin::https(authority.as_str()),
            at: world.clock.now(),
            parts,
            body: serde_json::to_vec(&StreamResponse::Task(task(TASK, TaskState::Working, 1)))?,
        })
    }

    fn sign(&mut self) -> Result<(), Failure> {
        let directory = "https://test.example/.well-known/http-message-signatures-directory";
        let key = self.signed_by.current().key().clone();
        let signer = Signer::new(key, directory, Profile::a2a())?;
        signer.sign(&mut self.parts, &self.origin, &self.body, self.at, random())?;
        Ok(())
    }

    async fn send(&self, to: &Receiving) -> Result<u16, Failure> {
        let transport = Transport::new(self.workload.clone(), TransportConfig::default());
        let endpoint = Endpoint::new(to.url.parse()?, ONE.parse()?)?;
        let body = Full::new(Bytes::from(self.body.clone()));
        let request = Request::from_parts(self.parts.clone(), body);
        Ok(transport
            .send(&endpoint, request)
            .await?
            .response
            .status()
            .as_u16())
    }

    fn insert(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a value");
        self.parts.headers.insert(name, value);
    }
}

type Change = fn(&mut Raw, &Workload);
const NOTHING: Change = |_, _| {};

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_thing_and_a_notification_is_refused() -> Result<(), Failure> {
    let world = World::new().await?;
    let two = world.workload("two").await?;
    let (sender, mut notifications) = mpsc::channel(99);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    // What is changed before it is signed, what after, and the answer.
    let cases: Vec<(&str, Change, Change, u16)> = vec![
        ("as it is", NOTHING, NOTHING, 204),
        (
            "plain JSON",
            |r, _| r.insert("content-type", "application/json; charset=utf-8"),
            NOTHING,
            204,
        ),
        (
            "the other header for the token",
            |r, _| {
                let token = r
                    .parts
                    .headers
                    .remove("a2a-notification-token")
                    .expect("there");
                r.parts.headers.insert("x-a2a-notification-token", token);
            },
            NOTHING,
            204,
        ),
        (
            "the token as credentials only",
            |r, _| drop(r.parts.headers.remove("a2a-notification-token")),
            NOTHING,
            204,
        ),
        (
            "the token without credentials",
            |r, _| drop(r.parts.headers.remove(AUTHORIZATION)),
            NOTHING,
            204,
        ),
        (
            "another token",
            |r, _| {
                r.insert("a2a-notification-token", "another");
                r.insert("authorization", "Bearer another");
            },
            NOTHING,
            401,
        ),
        (
            "two tokens",
            |r, _| r.insert("x-a2a-notification-token", "another"),
            NOTHING,
            401,
        ),
        (
            "other credentials",
            |r, _| r.insert("authorization", "Bearer another"),
            NOTHING,
            401,
        ),
        (
            "credentials of another scheme",
            |r, _| r.insert("authorization", "Basic eDp5"),
            NOTHING,
            401,
        ),
        (
            "no token",
            |r, _| {
                r.parts.headers.remove("a2a-notification-token");
                r.parts.headers.remove(AUTHORIZATION);
            },
            NOTHING,
            401,
        ),
        (
            "an empty token",
            |r, _| {
                r.insert("a2a-notification-token", "");
                r.parts.headers.remove(AUTHORIZATION);
            },
            NOTHING,
            401,
        ),
        (
            "another agent",
            |r, two| {
                r.workload = two.clone();
                r.signed_by = two.clone();
            },
            NOTHING,
            403,
        ),
        (
            "another agent with our request",
            |_, _| {},
            |r, two| r.workload = two.clone(),
            403,
        ),
        (
            "another agent's signature",
            |r, two| r.signed_by = two.clone(),
            NOTHING,
            403,
        ),
        (
            "unsigned",
            NOTHING,
            |r, _| {
                r.parts.headers.remove("signature");
                r.parts.headers.remove("signature-input");
            },
            401,
        ),
        (
            "another body",
            NOTHING,
            |r, _| {
                r.body = String::from_utf8_lossy(&r.body)
                    .replace("WORKING", "COMPLETED")
                    .into_bytes();
            },
            403,
        ),
        (
            "credentials taken away",
            NOTHING,
            |r, _| drop(r.parts.headers.remove(AUTHORIZATION)),
            403,
        ),
        (
            "signed for another host",
            |r, _| r.origin = Origin::https("other.example"),
            NOTHING,
            403,
        ),
        (
            "signed for another path",
            NOTHING,
            |r, _| r.parts.uri = "/notifications?a=c".parse().expect("a path"),
            403,
        ),
        (
            "signed long ago",
            |r, _| r.at = r.at.minus(Duration::from_secs(66)),
            NOTHING,
            403,
        ),
        (
            "another task",
            |r, _| {
                r.body = String::from_utf8_lossy(&r.body)
                    .replace(TASK, "t-2")
                    .into_bytes();
            },
            NOTHING,
            404,
        ),
        (
            "no task",
            |r, _| {
                r.body =
                    br#"{"message":{"messageId":"m","role":"ROLE_AGENT","parts":[{"text":"x"}]}}"#
                        .to_vec();
            },
            NOTHING,
            404,
        ),
        ("not JSON", |r, _| r.body = b"{".to_vec(), NOTHING, 400),
        ("no event", |r, _| r.body = b"{}".to_vec(), NOTHING, 400),
        (
            "a form",
            |r, _| r.insert("content-type", "application/x-www-form-urlencoded"),
            NOTHING,
            415,
        ),
        ("GET", |r, _| r.parts.method = Method::GET, NOTHING, 405),
        ("4 MiB", |r, _| r.body.resize(4 << 20, b' '), NOTHING, 204),
        (
            "a byte more",
            |r, _| r.body.resize((4 << 20) + 1, b' '),
            NOTHING,
            413,
        ),
    ];
    for (name, before, after, want) in cases {
        let config = one.receiver.expect_of(worker(), TASK)?;
        let mut raw = Raw::new(&world, &one, &config.token.ok_or("no token")?).await?;
        before(&mut raw, &two);
        raw.sign()?;
        after(&mut raw, &two);
        assert_eq!(raw.send(&one).await?, want, "{name}");
        let given_out = notifications.try_recv().is_ok();
        assert_eq!(given_out, want == 204, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_taken_once_and_given_out_once() -> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let one = Receiving::start(&world.workload("one").await?, sender).await?;
    let config = one.expect()?;
    let mut raw = Raw::new(&world, &one, config.token.as_deref().ok_or("no token")?).await?;
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    // The same request again is a replay; the same event in a new one was given out already.
    assert_eq!(raw.send(&one).await?, 429);
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 204);
    assert!(notifications.try_recv().is_ok());
    assert!(notifications.try_recv().is_err());
    // The first notification said which task it is.
    raw.body = String::from_utf8_lossy(&raw.body)
        .replace(TASK, "t-2")
        .into_bytes();
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 404);
    one.receiver.end(&config).await;
    raw.body = String::from_utf8_lossy(&raw.body)
        .replace("t-2", TASK)
        .into_bytes();
    raw.sign()?;
    assert_eq!(raw.send(&one).await?, 410);
    assert!(notifications.try_recv().is_err());
    Ok(())
}

/// Takes notifications while it is open.
#[derive(Clone, Default)]
struct Door {
    taken: Arc<Mutex<Vec<i64>>>,
    asked: Arc<AtomicUsize>,
    /// How many it takes; after that it holds them without an answer, or refuses.
    room: Arc<AtomicUsize>,
    refuses: bool,
}

impl Door {
    fn with_room(room: usize, refuses: bool) -> Self {
        Self {
            room: Arc::new(AtomicUsize::new(room)),
            refuses,
            ..Self::default()
        }
    }

    fn taken(&self) -> Vec<i64> {
        self.taken.lock().expect("no panic").clone()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl NotificationHandler for Door {
    async fn notified(&self, notification: Notification) -> Result<(), NotTaken> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.taken().len() >= self.room.load(Ordering::SeqCst) {
            if self.refuses {
                return Err(NotTaken);
            }
            std::future::pending::<()>().await;
        }
        let number = number_of(&notification);
        self.taken.lock().expect("no panic").push(number);
        Ok(())
    }
}

/// Waits until `done`; fails when that takes far too long.
async fn until(what: &str, done: impl Fn() -> bool) -> Result<(), Failure> {
    for _ in 0..3000 {
        if done() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(format!("{what}: not within 30 s").into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_away_gets_everything_in_order() -> Result<(), Failure> {
    let world = World::new().await?;
    let door = Door::with_room(2, true);
    let one = Receiving::start(&world.workload("one").await?, door.clone()).await?;
    let push = world.push(world.settings());
    world.task(TASK, 40).await?;
    push.register(&world.owner, TASK, one.expect()?, 0).await?;
    // Two are taken, the third is refused and tried again after a pause.
    until("the third is refused", || door.asked() == 3).await?;
    world
        .pass_until("it is tried again and again", || door.asked() >= 6)
        .await?;
    assert_eq!(door.taken(), [1, 2]);
    door.room.store(99, Ordering::SeqCst);
    world
        .pass_until("all are taken", || door.taken().len() >= 40)
        .await?;
    assert_eq!(door.taken(), (1..=40).collect::<Vec<i64>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_delivered_before_a_restart_is_delivered_after_it() -> Result<(), Failure> {
    for graceful in [false, true] {
        let world = World::new().await?;
        let door = Door::with_room(2, false);
        let one = Receiving::start(&world.workload("one").await?, door.clone()).await?;
        world.task(TASK, 5).await?;
        let settings = world.settings().timeout(Duration::from_secs(1));
        let push = world.push(settings.clone());
        push.register(&world.owner, TASK, one.expect()?, 0).await?;
        until("the third is on its way", || door.asked() == 3).await?;
        if graceful {
            push.shutdown().await;
        }
        drop(push);
        door.room.store(99, Ordering::SeqCst);
        // What a process held that is gone is free after a while.
        world
            .clock
            .set(world.clock.now().plus(Duration::from_secs(200)));
        let _push = world.push(settings);
        until("all are taken", || door.taken().len() >= 5).await?;
        assert_eq!(door.taken(), [1, 2, 3, 4, 5]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_does_not_keep_another_waiting() -> Result<(), Failure> {
    let world = World::new().await?;
    let workload = world.workload("one").await?;
    let slow = Door::with_room(0, false);
    let hung = Receiving::start(&workload, slow.clone()).await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let quick = Receiving::start(&workload, sender).await?;
    let at_once = AtOnce {
        all: 3,
        receiver: 2,
        owner: 3,
    };
    let settings = world.settings().timeout(Duration::from_secs(30));
    let push = world.push(settings.at_once(at_once));
    for task in 0..9 {
        let id = format!("slow-{task}");
        world.task(&id, 3).await?;
        push.register(&world.owner, &id, hung.expect()?, 0).await?;
    }
    until("the slow one holds its two", || slow.asked() == 2).await?;
    world.task(TASK, 3).await?;
    push.register(&world.owner, TASK, quick.expect()?, 0)
        .await?;
    assert_eq!(numbers(&mut notifications, 3).await?, [1, 2, 3]);
    assert!(slow.taken().is_empty());
    Ok(())
}

/// A server of the public web, on the loopback.
struct WebServer {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    accepted: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl axum::serve::Listener for WebServer {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((stream, address)) = self.tcp.accept().await else {
                continue;
            };
            match self.acceptor.accept(stream).await {
                Ok(stream) => {
                    self.accepted.fetch_add(1, Ordering::SeqCst);
                    return (stream, address);
                }
                Err(_) => drop(self.refused.fetch_add(1, Ordering::SeqCst)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Every name is this machine.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A receiver on the public web under the name `hooks.example`, with a certificate for `name`.
struct OnTheWeb {
    receiver: NotificationReceiver,
    root: CertificateDer<'static>,
    accepted: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl OnTheWeb {
    async fn start(
        world: &World,
        name: &str,
        handler: impl NotificationHandler,
    ) -> Result<Self, Failure> {
        let ca = Ca::new("web.example");
        let mut leaf = Leaf::of("spiffe://web.example/hooks");
        leaf.uris = Vec::new();
        leaf.addresses = Vec::new();
        leaf.dns = vec![name.to_owned()];
        leaf.kind = Kind::P256;
        let issued = ca.issue(&leaf);
        let key = PrivateKeyDer::Pkcs8(issued.pkcs8.clone().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(issued.chain.clone(), key)?;
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("https://hooks.example:{}/n", tcp.local_addr()?.port());
        let receiver = NotificationReceiver::new(&url, world.clock.clone(), handler)?;
        let (accepted, refused) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let server = WebServer {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            accepted: accepted.clone(),
            refused: refused.clone(),
        };
        let router = receiver.router();
        tokio::spawn(async move { axum::serve(server, router).await });
        Ok(Self {
            receiver,
            root: ca.root().clone(),
            accepted,
            refused,
        })
    }

    fn settings(&self, world: &World) -> Result<PushSettings, Failure> {
        let policy = PushPolicy::default().web("hooks.example")?;
        Ok(world
            .settings()
            .policy(policy.danger().allow_loopback())
            .resolver(Arc::new(Here))
            .web_roots(vec![self.root.clone()]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_on_the_public_web_is_told_by_its_name_and_knows_the_signer()
-> Result<(), Failure> {
    let world = World::new().await?;
    let (sender, mut notifications) = mpsc::channel(9);
    let web = OnTheWeb::start(&world, "hooks.example", sender).await?;
    let push = world.push(web.settings(&world)?);
    world.task(TASK, 3).await?;
    // A key that the receiver does not know yet.
    let two = world.workload("two").await?;
    let keys = PinnedKeys::new(JwkSet::of([two.current().key().verifying_key()]));
    let config = web
        .receiver
        .expect(NotificationSender::keys(keys.clone()))?;
    push.register(&world.owner, TASK, config, 0).await?;
    // A second attempt says that the first one failed.
    let tried = || web.accepted.load(Ordering::SeqCst) >= 2;
    world.pass_until("it is tried again", tried).await?;
    assert!(notifications.try_recv().is_err());
    let worker = world.worker.workload().current();
    keys.replace(JwkSet::of([worker.key().verifying_key()]));
    world
        .pass_until("all are told", || notifications.len() == 3)
        .await?;
    let first = next(&mut notifications).await?;
    assert_eq!((number_of(&first), first.from), (1, None));
    assert_eq!(numbers(&mut notifications, 2).await?, [2, 3]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_or_from_another_root_is_refused() -> Result<(), Failure> {
    for (name, same_root) in [("other.example", true), ("hooks.example", false)] {
        let world = World::new().await?;
        let door = Door::with_room(9, true);
        let mut web = OnTheWeb::start(&world, name, door.clone()).await?;
        if !same_root {
            web.root = Ca::new("another.example").root().clone();
        }
        let push = world.push(web.settings(&world)?);
        world.task(TASK, 1).await?;
        let worker = world.worker.workload().current();
        let keys = PinnedKeys::new(JwkSet::of([worker.key().verifying_key()]));
        let config = web.receiver.expect(NotificationSender::keys(keys))?;
        push.register(&world.owner, TASK, config, 0).await?;
        let refused = || web.refused.load(Ordering::SeqCst) >= 2;
        world.pass_until("the handshake fails", refused).await?;
        assert_eq!(door.asked(), 0, "{name}");
    }
    Ok(())
}

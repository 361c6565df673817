//! Engines, a store that tells and fails as it is told, and an executor that does what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{Semaphore, broadcast};

use crate::a2a::{
    A2aError, Artifact, CancelTaskRequest, ErrorKind, GetTaskRequest, Message, Part,
    SendMessageConfiguration, SendMessageRequest, SendMessageResponse, ServiceParameters,
    StreamResponse, SubscribeToTaskRequest, Task, TaskState,
};
use crate::card::AuthorizationRequest;
use crate::client::CallScope;
use crate::clock::{Clock as _, ManualClock, UnixTime};
use crate::delegation::testing::{app_only, delegated};
use crate::policy::Owner;
use crate::server::store::{
    Lease, MemoryTaskStore, Orphan, StoreError, StoredEvent, StoredTask, TaskChange, TaskChanged,
    TaskPage, TaskQuery, TaskStore,
};
use crate::server::task::push_hook::PushHook;
use crate::server::task::{
    AgentExecutor, Engine, EngineParts, EventQueue, RequestContext, ResumeContext, TaskLimits,
};
use crate::server::{Events, Requester, ServerCallContext};
use crate::token::testing::NOW;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store of several instances.
pub(super) struct Shared {
    pub(super) store: MemoryTaskStore,
    told: broadcast::Sender<TaskChanged>,
    pub(super) writes: AtomicUsize,
    /// Writes wait for a permit while this is set.
    pub(super) slow: AtomicBool,
    pub(super) may_write: Semaphore,
    /// The next writes are kept, and said to have failed.
    pub(super) lose_word: AtomicUsize,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryTaskStore::default(),
            told: broadcast::Sender::new(1024),
            writes: AtomicUsize::new(0),
            slow: AtomicBool::new(false),
            may_write: Semaphore::new(0),
            lose_word: AtomicUsize::new(0),
        })
    }

    async fn written(&self, id: &str, done: Result<u64, StoreError>) -> Result<u64, StoreError> {
        let version = done?;
        self.writes.fetch_add(1, Ordering::SeqCst);
        let changed = TaskChanged {
            task_id: id.to_owned(),
            version,
        };
        // An error means that nobody listens.
        let _ = self.told.send(changed);
        let lose = |n: usize| n.checked_sub(1);
        let lost = self
            .lose_word
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, lose);
        match lost {
            Ok(_) => Err(StoreError::Unavailable {
                what: "the word of it was lost".into(),
            }),
            Err(_) => Ok(version),
        }
    }

    async fn wait(&self) {
        if self.slow.load(Ordering::SeqCst) {
            let permit = self.may_write.acquire().await.expect("never closed");
            permit.forget();
        }
    }
}

#[async_trait]
impl TaskStore for Shared {
    async fn create(
        &self,
        owner: &Owner,
        first: &TaskChange,
        lease: Option<&Lease>,
    ) -> Result<u64, StoreError> {
        self.wait().await;
        let done = self.store.create(owner, first, lease).await;
        self.written(first.task.id(), done).await
    }

    async fn get(&self, owner: &Owner, id: &str) -> Result<Option<StoredTask>, StoreError> {
        self.store.get(owner, id).await
    }

    async fn append(&self, owner: &Owner, change: &TaskChange) -> Result<u64, StoreError> {
        self.wait().await;
        let done = self.store.append(owner, change).await;
        self.written(change.task.id(), done).await
    }

    async fn events(
        &self,
        owner: &Owner,
        id: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(owner, id, after, limit).await
    }

    async fn list(&self, owner: &Owner, query: &TaskQuery) -> Result<TaskPage, StoreError> {
        self.store.list(owner, query).await
    }

    async fn acquire(
        &self,
        owner: &Owner,
        id: &str,
        lease: &Lease,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        self.store.acquire(owner, id, lease, now).await
    }

    async fn release(&self, owner: &Owner, id: &str, instance: &str) -> Result<(), StoreError> {
        self.store.release(owner, id, instance).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.renew(lease).await
    }

    async fn take_orphans(
        &self,
        lease: &Lease,
        now: UnixTime,
        limit: usize,
    ) -> Result<Vec<Orphan>, StoreError> {
        self.store.take_orphans(lease, now, limit).await
    }

    fn changes(&self) -> Option<BoxStream<'static, TaskChanged>> {
        let told = self.told.subscribe();
        let next = |mut told: broadcast::Receiver<TaskChanged>| async move {
            let change = told.recv().await.ok()?;
            Some((change, told))
        };
        Some(stream::unfold(told, next).boxed())
    }
}

/// Does what the first word of the message says.
#[derive(Default)]
pub(super) struct Acts {
    pub(super) called: AtomicUsize,
    pub(super) resumed: AtomicUsize,
    /// How often an executor was told that its task is canceled.
    pub(super) cancelled: AtomicUsize,
    /// How often an executor has heard a message and is at work on it.
    pub(super) heard: AtomicUsize,
    /// Opens what waits.
    pub(super) gate: Gate,
}

pub(super) struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Gate {
    pub(super) async fn pass(&self) {
        self.0.acquire().await.expect("never closed").forget();
    }

    pub(super) fn open(&self, times: usize) {
        self.0.add_permits(times);
    }
}

pub(super) fn piece(text: impl Into<String>) -> Artifact {
    Artifact::new(Part::text(text))
}

#[async_trait]
impl AgentExecutor for Acts {
    async fn execute(&self, ctx: RequestContext, events: EventQueue) -> Result<(), A2aError> {
        self.called.fetch_add(1, Ordering::SeqCst);
        let text = ctx.text();
        let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match word {
            "reply" => {
                events.reply("said");
            }
            "late-reply" => {
                tokio::task::yield_now().await;
                assert!(events.reply("said at last"));
            }
            "late-error" => {
                tokio::task::yield_now().await;
                return Err(A2aError::new(ErrorKind::ContentTypeNotSupported, "no"));
            }
            "task" => {
                events.working();
                events.artifact(piece("result"));
                events.complete(Some(Part::text("done")));
            }
            "hold" => {
                events.working();
                tokio::select! {
                    () = self.gate.pass() => { events.complete(Some(Part::text("held"))); }
                    () = ctx.cancelled() => { self.cancelled.fetch_add(1, Ordering::SeqCst); }
                }
            }
            "silent" => {
                self.gate.pass().await;
                events.complete(None);
            }
            "many" => {
                events.working();
                self.gate.pass().await;
                for number in 0..rest.parse::<usize>().expect("a number") {
                    events.artifact(piece(number.to_string()));
                    events.flushed().await;
                }
                events.complete(None);
            }
            "pile" => {
                events.working();
                let size = rest.parse().expect("a number");
                while events.artifact(piece("x".repeat(size))) {}
                ctx.cancelled().await;
                self.cancelled.fetch_add(1, Ordering::SeqCst);
            }
            "again" => {
                let (times, size) = rest.split_once(' ').expect("two numbers");
                let mut whole = piece("x".repeat(size.parse().expect("a number")));
                whole.artifact_id = "one".to_owned();
                for _ in 0..times.parse().expect("a number") {
                    assert!(events.artifact(whole.clone()));
                }
                events.complete(None);
            }
            "chatter" => while events.update(TaskState::Working, Some(Part::text("and"))) {},
            "steps" => {
                for number in 0..10 {
                    events.artifact(piece(number.to_string()));
                    self.gate.pass().await;
                }
                events.complete(None);
            }
            "ask" => {
                events.input_required("which day?");
            }
            "talk" => return self.talk(&ctx, &events).await,
            "pay" => return pay(&ctx, &events).await,
            "rounds" => return self.rounds(&ctx, &events).await,
            "rude" => {
                events.input_required("anything else?");
                self.gate.pass().await;
            }
            "think" => {
                events.input_required("ready?");
                if ctx.next_message().await.is_some() {
                    self.heard.fetch_add(1, Ordering::SeqCst);
                    self.gate.pass().await;
                    events.complete(Some(Part::text("thought")));
                }
            }
            "fall" => {
                events.working();
                self.gate.pass().await;
                panic!("the executor panics, as the test wants");
            }
            other => {
                events.complete(Some(Part::text(format!("so: {other}"))));
            }
        }
        Ok(())
    }

    async fn resume(&self, ctx: ResumeContext, events: EventQueue) -> Result<(), A2aError> {
        self.resumed.fetch_add(1, Ordering::SeqCst);
        let first = ctx.task().history.first().map(Message::text);
        if first.is_some_and(|text| text.contains("again")) {
            events.complete(Some(Part::text("resumed")));
            return Ok(());
        }
        Err(A2aError::new(ErrorKind::Internal, "It was interrupted"))
    }
}

impl Acts {
    /// Says back what it hears until it hears `bye`.
    async fn talk(&self, ctx: &RequestContext, events: &EventQueue) -> Result<(), A2aError> {
        events.input_required("yes?");
        while let Some(heard) = ctx.next_message().await {
            let ours = heard.admitted().is_some();
            events.artifact(piece(format!("{} {ours}", heard.text())));
            match heard.text().as_str() {
                "bye" => events.complete(None),
                _ => events.input_required("and?"),
            };
        }
        self.cancelled.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Acts {
    /// Says of each round whether there is a deadline, for itself and for the calls it makes.
    async fn rounds(&self, ctx: &RequestContext, events: &EventQueue) -> Result<(), A2aError> {
        loop {
            let inherited = CallScope::current().deadline;
            let own = ctx.deadline().map(Into::into);
            assert_eq!(inherited, own, "calls inherit what the executor sees");
            events.artifact(piece(own.is_some().to_string()));
            events.input_required("and?");
            match ctx.next_message().await {
                Some(heard) if heard.text() == "hold" => break,
                Some(_) => {}
                None => return Ok(()),
            }
        }
        self.heard.fetch_add(1, Ordering::SeqCst);
        tokio::select! {
            () = self.gate.pass() => { events.complete(None); }
            () = ctx.cancelled() => { self.cancelled.fetch_add(1, Ordering::SeqCst); }
        }
        Ok(())
    }
}

/// Asks for an authorization and goes on once there is one.
async fn pay(ctx: &RequestContext, events: &EventQueue) -> Result<(), A2aError> {
    let scopes = "pay".parse().expect("a scope");
    events.auth_required(&AuthorizationRequest::new(scopes, "it costs 80"));
    while let Some(answer) = ctx.next_message().await {
        let call = answer.admitted();
        if call.is_some_and(|call| call.caller().scopes().contains("pay")) {
            events.complete(Some(Part::text("paid")));
            return Ok(());
        }
    }
    Ok(())
}

/// One instance of an agent.
pub(super) struct Instance {
    pub(super) engine: Arc<Engine>,
    pub(super) acts: Arc<Acts>,
}

/// Instances on one store.
pub(super) struct Stage {
    pub(super) store: Arc<Shared>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) limits: TaskLimits,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            store: Shared::new(),
            clock: Arc::new(ManualClock::at(NOW)),
            limits: TaskLimits::default(),
        }
    }

    /// An instance that follows the others.
    pub(super) fn instance(&self) -> Instance {
        self.instance_with(None)
    }

    pub(super) fn instance_with(&self, push: Option<Arc<dyn PushHook>>) -> Instance {
        let acts = Arc::new(Acts::default());
        let engine = Arc::new(Engine::new(EngineParts {
            executor: acts.clone(),
            store: self.store.clone(),
            client: None,
            clock: self.clock.clone(),
            push,
            close_when_interrupted: false,
            limits: self.limits,
        }));
        tokio::spawn(Engine::follow(Arc::downgrade(&engine)));
        Instance { engine, acts }
    }

    /// The time in a while.
    pub(super) fn clock_after(&self, time: Duration) -> UnixTime {
        self.clock.now().plus(time)
    }

    /// The task as it is kept.
    pub(super) async fn kept(&self, id: &str) -> StoredTask {
        let kept = self.store.get(&alice(), id).await;
        kept.expect("the store answers").expect("a task")
    }

    pub(super) async fn wait_for(&self, id: &str, state: TaskState) -> Task {
        let until = async {
            loop {
                let task = self.kept(id).await.task;
                if task.status.state == state {
                    return Task::clone(&task);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        soon(until).await
    }
}

pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, what).await;
    done.expect("it happens soon")
}

/// Waits until `done` says so.
pub(super) async fn eventually(done: impl Fn() -> bool) {
    soon(async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub(super) fn alice() -> Owner {
    Owner::of(&delegated("work"))
}

pub(super) fn nobody_else() -> Owner {
    Owner::of(&app_only("work"))
}

pub(super) fn call_of(owner: Owner) -> ServerCallContext {
    let parameters = ServiceParameters::default();
    ServerCallContext::new(Requester::Unauthenticated, owner, parameters, None)
}

pub(super) fn request(text: &str) -> SendMessageRequest {
    SendMessageRequest::new(Message::user(Part::text(text)))
}

pub(super) fn to_task(task: &Task, text: &str) -> SendMessageRequest {
    let message = Message::user(Part::text(text));
    SendMessageRequest::new(message.in_task(&task.id, &task.context_id))
}

pub(super) fn at_once(mut request: SendMessageRequest) -> SendMessageRequest {
    request.configuration = Some(SendMessageConfiguration {
        return_immediately: true,
        ..SendMessageConfiguration::default()
    });
    request
}

impl Instance {
    pub(super) async fn ask(
        &self,
        request: SendMessageRequest,
    ) -> Result<SendMessageResponse, A2aError> {
        soon(self.engine.send(&call_of(alice()), request)).await
    }

    /// Sends; the answer is a task.
    pub(super) async fn send(&self, request: SendMessageRequest) -> Task {
        match self.ask(request).await.expect("an answer") {
            SendMessageResponse::Task(task) => task,
            SendMessageResponse::Message(message) => panic!("a task, not {message:?}"),
        }
    }

    /// Begins a task and does not wait for it.
    pub(super) async fn begin(&self, text: &str) -> Task {
        self.send(at_once(request(text))).await
    }

    pub(super) async fn stream(&self, request: SendMessageRequest) -> Events {
        let events = self.engine.stream(&call_of(alice()), request).await;
        events.expect("a stream")
    }

    pub(super) async fn subscribe(&self, task: &Task) -> Result<Events, A2aError> {
        let request = SubscribeToTaskRequest {
            id: task.id.clone(),
            ..SubscribeToTaskRequest::default()
        };
        self.engine.subscribe(&alice(), &request).await
    }

    pub(super) async fn cancel(&self, id: &str) -> Result<Task, A2aError> {
        let request = CancelTaskRequest {
            id: id.to_owned(),
            ..CancelTaskRequest::default()
        };
        soon(self.engine.cancel(&alice(), &request)).await
    }

    pub(super) async fn get(&self, id: &str) -> Result<Task, A2aError> {
        let request = GetTaskRequest {
            id: id.to_owned(),
            ..GetTaskRequest::default()
        };
        self.engine.get(&alice(), &request).await
    }

    pub(super) fn is_idle(&self) -> bool {
        self.engine.lock().is_empty()
    }
}

/// An event in a word.
pub(super) fn word(event: &StreamResponse) -> String {
    match event {
        StreamResponse::Task(task) => format!("task {}", state(task.status.state)),
        StreamResponse::Message(message) => format!("message {}", message.text()),
        StreamResponse::StatusUpdate(update) => state(update.status.state).to_owned(),
        StreamResponse::ArtifactUpdate(update) => {
            let texts = update.artifact.parts.iter().filter_map(Part::as_text);
            texts.collect()
        }
    }
}

fn state(state: TaskState) -> &'static str {
    state.as_str().trim_start_matches("TASK_STATE_")
}

/// The next event of a stream, in a word; its error's text; or `end`.
pub(super) async fn next(events: &mut Events) -> String {
    match soon(events.next()).await {
        Some(Ok(event)) => word(&event),
        Some(Err(error)) => error.message().to_owned(),
        None => "end".to_owned(),
    }
}

/// All there is up to the end of the stream.
pub(super) async fn rest(mut events: Events) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match next(&mut events).await {
            end if end == "end" => return all,
            word => all.push(word),
        }
    }
}

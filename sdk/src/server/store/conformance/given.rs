//! What the tests begin with.

use std::sync::Arc;

use crate::a2a::{
    Artifact, Message, Part, StreamResponse, Task, TaskArtifactUpdateEvent,
    TaskPushNotificationConfig, TaskState, TaskStatus, TaskStatusUpdateEvent, Timestamp,
};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::policy::Owner;
use crate::server::store::{
    Lease, StoreError, StoredEvent, TaskChange, TaskPage, TaskQuery, TaskStore,
};

/// IDs that a careless store would take for something else, or for each other.
pub(super) const HOSTILE_IDS: [&str; 16] = [
    "",
    " ",
    "a",
    "A",
    "a ",
    "a\0",
    "a\0b",
    "'; DROP TABLE tasks; --",
    "\"quoted\"",
    "%",
    "_",
    "\\",
    "../a",
    "é",
    "e\u{301}",
    "\u{1f600}\u{10ffff}",
];

/// The time at which the tests begin: now, for stores with a clock of their own.
pub(super) fn start() -> UnixTime {
    SystemClock.now()
}

pub(super) fn after(start: UnixTime, secs: u64) -> UnixTime {
    UnixTime::from_secs(start.secs() + secs)
}

fn read(text: &str) -> Owner {
    Owner::from_text(text).expect("an owner")
}

pub(super) fn alice() -> Owner {
    read(
        r#"{"agent":"spiffe://travel.example/agent/booking",
        "principal":{"user":{"issuer":"https://login.example","subject":"alice"}}}"#,
    )
}

/// Owners that differ from [`alice`] and from each other in one thing each.
pub(super) fn others() -> Vec<Owner> {
    let texts = [
        r#"{"agent":"spiffe://travel.example/agent/booking",
            "principal":{"user":{"issuer":"https://login.example","subject":"bob"}}}"#,
        r#"{"agent":"spiffe://travel.example/agent/booking",
            "principal":{"user":{"issuer":"https://other.example","subject":"alice"}}}"#,
        r#"{"agent":"spiffe://travel.example/agent/booking",
            "principal":{"agent":{"issuer":"https://login.example","subject":"alice"}}}"#,
        r#"{"agent":"spiffe://travel.example/agent/other",
            "principal":{"user":{"issuer":"https://login.example","subject":"alice"}}}"#,
        r#"{"agent":"spiffe://travel.example/agent/booking"}"#,
        r#"{"principal":{"user":{"issuer":"https://login.example","subject":"alice"}}}"#,
    ];
    let tenants = ["one", "One", "o'ne\0"];
    let at_tenants = tenants.map(|tenant| alice().at_tenant(Some(tenant)));
    texts.into_iter().map(read).chain(at_tenants).collect()
}

pub(super) fn bob() -> Owner {
    others().swap_remove(0)
}

pub(super) fn lease(instance: &str, until: UnixTime) -> Lease {
    Lease {
        instance: instance.to_owned(),
        until,
    }
}

/// A task whose status was set so many milliseconds after 2001 began.
pub(super) fn task(id: &str, state: TaskState, millis: u64) -> Task {
    let set = Timestamp::from_millis(978_307_200_000 + millis);
    Task::new(id, "context", TaskStatus::new(state, set))
}

/// A task with something of everything.
pub(super) fn full_task(id: &str) -> Task {
    let mut task = task(id, TaskState::Working, 123);
    task.context_id = "c\0'\u{1f600}".to_owned();
    let said = Part::text("nul \0, quote ', \u{1f600}, \\u0000");
    let number = Part::data(serde_json::json!({"big": 9_007_199_254_740_991_i64, "deep": [[1.5]]}));
    task.history.push(Message::user([said.clone(), number]));
    task.status = task.status.with_message(Message::agent([said.clone()]));
    let raw = Part::raw(vec![0, 255, 10], "application/octet-stream");
    task.artifacts.push(Artifact::new([said, raw]).named("é"));
    task.metadata.insert("k\0".to_owned(), "v\0".into());
    task
}

pub(super) fn status_event(task: &Task) -> Arc<StreamResponse> {
    Arc::new(StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: task.id.clone(),
        context_id: task.context_id.clone(),
        status: task.status.clone(),
        metadata: Default::default(),
    }))
}

/// A piece of an artifact that tells which one it is.
pub(super) fn piece(task: &Task, number: usize) -> Arc<StreamResponse> {
    let mut artifact = Artifact::new([Part::text(format!("piece {number}"))]);
    artifact.artifact_id = "report".to_owned();
    Arc::new(StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
        task_id: task.id.clone(),
        context_id: task.context_id.clone(),
        artifact,
        append: number > 0,
        last_chunk: false,
        metadata: Default::default(),
    }))
}

pub(super) fn change(expected: u64, task: &Task, events: Vec<Arc<StreamResponse>>) -> TaskChange {
    TaskChange {
        expected,
        task: task.clone().into(),
        events,
        work_from: None,
    }
}

/// Keeps `task` as new, without events or lease.
pub(super) async fn create(store: &dyn TaskStore, owner: &Owner, task: &Task) {
    let made = store
        .create(owner, &change(0, task, Vec::new()), None)
        .await;
    assert_eq!(made, Ok(1), "a new task without events has version 1");
}

/// Lets the task become `task`.
pub(super) async fn turn(store: &dyn TaskStore, owner: &Owner, expected: u64, task: &Task) {
    let change = change(expected, task, vec![status_event(task)]);
    let changed = store.append(owner, &change).await;
    assert_eq!(
        changed,
        Ok(expected + 1),
        "a change of what was read is kept"
    );
}

pub(super) async fn events(
    store: &dyn TaskStore,
    owner: &Owner,
    id: &str,
    after: u64,
    limit: usize,
) -> Vec<StoredEvent> {
    let events = store.events(owner, id, after, limit).await;
    events.expect("the events of a task that is there")
}

pub(super) async fn page(store: &dyn TaskStore, owner: &Owner, query: &TaskQuery) -> TaskPage {
    store.list(owner, query).await.expect("a page")
}

/// The IDs on a page.
pub(super) fn ids(page: &TaskPage) -> Vec<&str> {
    page.tasks.iter().map(|task| task.id.as_str()).collect()
}

pub(super) async fn take(store: &dyn TaskStore, id: &str, by: &Lease, now: UnixTime) -> bool {
    let taken = store.acquire(&alice(), id, by, now).await;
    taken.expect("the task is there")
}

pub(super) fn config(task: &str, id: &str) -> TaskPushNotificationConfig {
    TaskPushNotificationConfig {
        id: Some(id.to_owned()),
        task_id: Some(task.to_owned()),
        url: "https://receiver.example/hook?a='b'".to_owned(),
        token: Some("to\0ken".to_owned()),
        ..TaskPushNotificationConfig::default()
    }
}

/// Whether it was refused for its length.
pub(super) fn is_too_long<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::TooLong { .. }))
}

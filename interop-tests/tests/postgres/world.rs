//! The server, and stores in it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign::a2a::{StreamResponse, Task, TaskState, TaskStatus};
use countersign::clock::UnixTime;
use countersign::policy::Owner;
use countersign::server::store::{PostgresStore, TaskChange};
use countersign_interop_tests::{Postgres, PostgresError};
use libtest_mimic::Failed;

/// A server, in which each test has schemas of its own.
pub(crate) struct World {
    pub(crate) server: Postgres,
}

static SHARED: Mutex<Option<Arc<World>>> = Mutex::new(None);

static SCHEMAS: AtomicUsize = AtomicUsize::new(0);

/// The server that most rows share.
pub(crate) fn shared() -> Result<Arc<World>, PostgresError> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(world) = &*shared {
        return Ok(Arc::clone(world));
    }
    let world = World::new()?;
    Ok(Arc::clone(shared.insert(world)))
}

/// Stops it.
pub(crate) fn stop_shared() {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    drop(shared.take());
}

/// The name of a schema that is not there yet.
pub(crate) fn new_schema() -> String {
    format!("schema_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed))
}

impl World {
    pub(crate) fn new() -> Result<Arc<Self>, PostgresError> {
        let server = Postgres::start(None)?;
        Ok(Arc::new(Self { server }))
    }

    /// Runs `test` with the world, on a runtime of its own.
    pub(crate) fn run(
        self: Arc<Self>,
        test: impl AsyncFnOnce(Arc<World>) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test(self))
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("127.0.0.1", "")
    }

    pub(crate) async fn store(&self, schema: &str) -> PostgresStore {
        let store = PostgresStore::connect_in(&self.url(), schema).await;
        store.expect("the store connects")
    }
}

pub(crate) fn owner() -> Owner {
    let text = r#"{"agent":"spiffe://travel.example/agent/booking","principal":"app"}"#;
    Owner::from_text(text).expect("an owner")
}

/// What makes or changes a task, with two events.
pub(crate) fn change(id: &str, state: TaskState, expected: u64) -> TaskChange {
    let status = TaskStatus::new(state, UnixTime::from_secs(1).into());
    let task = Task::new(id, "context", status);
    let event = Arc::new(StreamResponse::Task(task.clone()));
    TaskChange {
        expected,
        task: task.into(),
        events: vec![event; 2],
        work_from: None,
    }
}

//! What is SQLite's own: the file, other processes, the order in which pages are read.

mod closing;
mod damage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tempfile::TempDir;

use super::SqliteStore;
use super::lists::page_query;
use crate::a2a::{Message, Part, StreamResponse, Task, TaskState, TaskStatus};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::delegation::testing::delegated;
use crate::policy::Owner;
use crate::server::store::{
    EVENTS_KEPT, Lease, StoreError, TaskChange, TaskCursor, TaskQuery, TaskStore, conformance,
};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.expect("the store opens")
}

fn owner() -> Owner {
    Owner::of(&delegated("work"))
}

fn change(id: &str, state: TaskState, expected: u64) -> TaskChange {
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

async fn create(store: &SqliteStore, id: &str, state: TaskState) {
    let made = store.create(&owner(), &change(id, state, 0), None).await;
    assert_eq!(made, Ok(2), "its two events");
}

async fn total(store: &SqliteStore, state: Option<TaskState>) -> u64 {
    let query = TaskQuery {
        state,
        ..TaskQuery::default()
    };
    let page = TaskStore::list(store, &owner(), &query).await;
    page.expect("a page").total
}

/// New files in one folder.
struct Files {
    folder: TempDir,
    count: AtomicUsize,
}

impl Files {
    fn new() -> Self {
        Self {
            folder: folder(),
            count: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> PathBuf {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("{number}.db"))
    }
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_promises_for_tasks() {
    let files = Files::new();
    conformance::check_tasks(async || open(&files.next()).await).await;
}

#[tokio::test]
async fn the_sqlite_store_keeps_the_promises_for_push_configurations() {
    let files = Files::new();
    conformance::check_push_configs(async || open(&files.next()).await).await;
}

#[tokio::test]
async fn everything_is_there_when_the_file_is_opened_again() {
    let files = Files::new();
    let path = files.next();
    let store = open(&path).await;
    for id in ["a", "b"] {
        create(&store, id, TaskState::Working).await;
    }
    let done = change("b", TaskState::Completed, 2);
    assert_eq!(store.append(&owner(), &done).await, Ok(4));
    store.close().await;
    let refused = TaskStore::get(&store, &owner(), "b").await;
    let reason = refused.map_err(|error| error.reason());
    assert_eq!(reason, Err("store.unavailable"), "it is closed");

    let store = open(&path).await;
    let kept = TaskStore::get(&store, &owner(), "b").await;
    let kept = kept.expect("an answer").expect("the task");
    assert_eq!((kept.version, kept.task), (4, done.task.whole()));
    let events = store.events(&owner(), "b", 0, 9).await;
    assert_eq!(events.expect("events").len(), 4);
    for (state, want) in [
        (None, 2),
        (Some(TaskState::Working), 1),
        (Some(TaskState::Completed), 1),
    ] {
        assert_eq!(total(&store, state).await, want, "{state:?}");
    }
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_and_the_next_goes_on() {
    let files = Files::new();
    let store = open(&files.next()).await;
    // The middle one alone is larger than a page.
    for (id, mib) in [("a", 3), ("b", 9), ("c", 3), ("d", 3), ("e", 3)] {
        let mut first = change(id, TaskState::Working, 0);
        let said = Message::user(Part::text("x".repeat(mib << 20)));
        let mut task = Arc::unwrap_or_clone(first.task.whole());
        task.history.push(said);
        first.task = task.into();
        let made = store.create(&owner(), &first, None).await;
        assert_eq!(made, Ok(2), "its two events");
    }
    let mut query = TaskQuery {
        page_size: 10,
        ..TaskQuery::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = TaskStore::list(&store, &owner(), &query).await;
        let page = page.expect("a page");
        assert_eq!(page.total, 5);
        let ids: Vec<_> = page.tasks.iter().map(|task| task.id.clone()).collect();
        pages.push(ids.concat());
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["ed", "c", "b", "a"]);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_the_file_and_those_beside_it() {
    let folder = folder();
    let store = open(&folder.path().join("tasks.db")).await;
    create(&store, "a", TaskState::Working).await;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let entry = entry.expect("a file");
        let about = entry.metadata().expect("what it is");
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().expect("a name"));
    }
    names.sort_unstable();
    assert_eq!(names, ["tasks.db", "tasks.db-shm", "tasks.db-wal"]);
}

#[tokio::test]
async fn files_of_a_newer_version_and_of_other_programs_are_refused() {
    let files = Files::new();
    let cases: [(&str, Option<&str>); 4] = [
        ("as it was made", None),
        ("of a newer version", Some("PRAGMA user_version = 2")),
        ("of another program", Some("PRAGMA application_id = 7")),
        (
            "without a mark",
            Some("PRAGMA application_id = 0; PRAGMA user_version = 0"),
        ),
    ];
    for (name, damage) in cases {
        let path = files.next();
        open(&path).await.close().await;
        if let Some(damage) = damage {
            let options = SqliteConnectOptions::new().filename(&path);
            let mut connection = options.connect().await.expect("a connection");
            let damaged = sqlx::raw_sql(AssertSqlSafe(damage)).execute(&mut connection);
            damaged.await.expect("the change");
        }
        let opened = SqliteStore::open(&path).await.map(drop);
        let reason = opened.map_err(|error| error.reason());
        let want = damage.map_or(Ok(()), |_| Err("store.damaged"));
        assert_eq!(reason, want, "a file {name}");
    }
    let path = files.next();
    std::fs::write(
        &path,
        "no database at all, and long enough to tell".repeat(99),
    )
    .expect("a file");
    let opened = SqliteStore::open(&path).await.map(drop);
    let reason = opened.map_err(|error| error.reason());
    assert_eq!(reason, Err("store.unavailable"), "a file of something else");
    let missing = files.next().join("in no folder.db");
    let opened = SqliteStore::open(&missing).await.map(drop);
    let reason = opened.map_err(|error| error.reason());
    assert_eq!(reason, Err("store.unavailable"), "a file in no folder");
}

#[tokio::test]
async fn what_another_process_writes_is_seen_and_told() {
    let files = Files::new();
    let path = files.next();
    let (one, two) = (open(&path).await, open(&path).await);
    let mut changes = one.changes().expect("it can be shared");
    let first = changes.next().await.expect("word");
    assert_eq!(first.version, 0, "what was before is not told one by one");
    create(&two, "a", TaskState::Working).await;
    let told = changes.next().await.expect("word");
    assert_eq!((told.task_id.as_str(), told.version), ("a", 2));
    let changed = one
        .append(&owner(), &change("a", TaskState::Working, 2))
        .await;
    assert_eq!(changed, Ok(4), "one goes on from what two wrote");
    let late = two
        .append(&owner(), &change("a", TaskState::Failed, 2))
        .await;
    let (expected, found) = (2, 4);
    assert_eq!(late, Err(StoreError::Conflict { expected, found }));
    let told = changes.next().await.expect("word");
    assert_eq!((told.task_id.as_str(), told.version), ("a", 4));
}

#[tokio::test]
async fn writers_of_two_processes_wait_for_each_other() {
    let files = Files::new();
    let path = files.next();
    let stores = [open(&path).await, open(&path).await];
    let owner = owner();
    let writes = (0..60).map(|number: usize| {
        let (store, owner) = (&stores[number % 2], &owner);
        async move {
            let new = change(&format!("t{number}"), TaskState::Working, 0);
            store.create(owner, &new, None).await
        }
    });
    let made = futures_util::future::join_all(writes).await;
    assert_eq!(made, vec![Ok(2); 60]);
    assert_eq!(total(&stores[0], None).await, 60);
}

#[tokio::test]
async fn events_are_dropped_a_day_after_the_end() {
    let files = Files::new();
    let store = open(&files.next()).await;
    for (id, state) in [("a", TaskState::Completed), ("b", TaskState::Working)] {
        create(&store, id, state).await;
    }
    let late = SystemClock.now().plus(EVENTS_KEPT * 2);
    let lease = Lease {
        instance: "one".to_owned(),
        until: late,
    };
    let orphans = store.take_orphans(&lease, late, 9).await;
    assert_eq!(orphans.expect("the orphans").len(), 1, "b");
    for (id, want) in [("a", 0), ("b", 2)] {
        let events = store.events(&owner(), id, 0, 9).await;
        assert_eq!(events.expect("the task is there").len(), want, "{id}");
    }
}

#[tokio::test]
async fn every_page_is_read_in_the_order_of_an_index() {
    let files = Files::new();
    let path = files.next();
    open(&path).await.close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.expect("a connection");
    let cursor = TaskCursor {
        status_ms: 1,
        id: "a".to_owned(),
    };
    for (context, state, index) in [
        (None, None, "tasks_by_time"),
        (None, Some(TaskState::Working), "tasks_by_state"),
        (Some("c"), None, "tasks_by_context"),
        (Some("c"), Some(TaskState::Working), "tasks_by_context"),
    ] {
        for not_before_ms in [None, Some(0)] {
            for after in [None, Some(cursor.clone())] {
                let query = TaskQuery {
                    context_id: context.map(str::to_owned),
                    state,
                    not_before_ms,
                    page_size: 50,
                    after,
                    total: None,
                };
                let select = page_query(&owner(), &query).into_string();
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {select}"));
                let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await;
                let rows = rows.expect("a plan");
                let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
                let plan = plan.join("; ");
                assert!(plan.contains(index), "{query:?}: {plan}");
                assert!(!plan.contains("B-TREE"), "{query:?} is sorted: {plan}");
            }
        }
    }
}

#[tokio::test]
async fn its_debug_text_names_the_file_only() {
    let files = Files::new();
    let path = files.next();
    let store = open(&path).await;
    let want = format!("SqliteStore {{ file: {path:?}, .. }}");
    assert_eq!(format!("{store:?}"), want);
}

//! Rows that something else damaged: they stop nobody, and are not lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::{Files, change, create, open, owner};
use crate::a2a::{TaskPushNotificationConfig, TaskState};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::server::store::{Lease, PushConfigStore, SqliteStore, TaskStore};

/// Counts what is said to be wrong.
#[derive(Default)]
struct Reports(Arc<AtomicUsize>);

impl Subscriber for Reports {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        *about.level() == Level::ERROR && about.target().starts_with("countersign")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn lease(until: UnixTime) -> Lease {
    Lease {
        instance: "one".to_owned(),
        until,
    }
}

/// A store whose file is then changed by `damage`.
async fn damaged(files: &Files, damage: &'static str) -> SqliteStore {
    let path = files.next();
    let store = open(&path).await;
    for id in ["a", "b", "c"] {
        create(&store, id, TaskState::Working).await;
        let config = TaskPushNotificationConfig {
            id: Some("hook".to_owned()),
            task_id: Some(id.to_owned()),
            url: "https://receiver.example/".to_owned(),
            ..TaskPushNotificationConfig::default()
        };
        let set = PushConfigStore::set(&store, &owner(), &config, 0).await;
        set.expect("it is kept");
    }
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.expect("a connection");
    let done = sqlx::raw_sql(AssertSqlSafe(damage)).execute(&mut connection);
    done.await.expect("the damage");
    store
}

/// The tasks that are taken at `now`, under a lease that runs out at once.
async fn orphans(store: &SqliteStore, now: UnixTime) -> Vec<String> {
    let taken = store.take_orphans(&lease(now), now, 9).await;
    let taken = taken.expect("the others are taken");
    let mut ids: Vec<_> = taken
        .iter()
        .map(|taken| taken.stored.task.id.clone())
        .collect();
    ids.sort_unstable();
    ids
}

async fn due(store: &SqliteStore, now: UnixTime) -> Vec<String> {
    let taken = store.take_due(&lease(now), now, 9).await;
    let taken = taken.expect("the others are taken");
    let ids = taken.into_iter().filter_map(|taken| taken.config.task_id);
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_damaged_task_does_not_stop_the_others_and_is_not_taken_again_and_again() {
    let files = Files::new();
    for (name, damage) in [
        ("no JSON", "UPDATE tasks SET task = x'7b' WHERE id = x'62'"),
        (
            "an unknown state",
            "UPDATE tasks SET task = CAST(replace(CAST(task AS TEXT), 'STATE_WORKING',
                'STATE_DREAMING') AS BLOB) WHERE id = x'62'",
        ),
        ("a text", "UPDATE tasks SET task = 'text' WHERE id = x'62'"),
        (
            "a negative version",
            "UPDATE tasks SET version = -1 WHERE id = x'62'",
        ),
        (
            "an owner that is none",
            "INSERT INTO owners (id, digest, owner) VALUES (99, x'00', 'nobody');
            UPDATE tasks SET owner = 99 WHERE id = x'62'",
        ),
        (
            "an owner that is missing",
            "UPDATE tasks SET owner = 99 WHERE id = x'62'",
        ),
    ] {
        let store = damaged(&files, damage).await;
        let reports = Reports::default();
        let told = Arc::clone(&reports.0);
        let _guard = tracing::subscriber::set_default(reports);
        let now = SystemClock.now();
        assert_eq!(orphans(&store, now).await, ["a", "c"], "{name}");
        assert_eq!(told.load(Ordering::SeqCst), 1, "{name} is reported");
        // Its lease ran out like those of the others, and its instance prolongs what it has.
        let renewed = store.renew(&lease(now)).await;
        renewed.expect("leases are prolonged");
        let later = now.plus(SECOND);
        assert_eq!(orphans(&store, later).await, ["a", "c"], "{name}");
        assert_eq!(told.load(Ordering::SeqCst), 1, "{name} is reported once");
    }
}

#[tokio::test]
async fn a_task_that_was_mended_is_found_by_itself() {
    let files = Files::new();
    let store = damaged(&files, "UPDATE tasks SET version = -1 WHERE id = x'62'").await;
    let now = SystemClock.now();
    assert_eq!(orphans(&store, now).await, ["a", "c"]);
    let mut work = store.write().await.expect("a connection");
    let mend = sqlx::raw_sql("UPDATE tasks SET version = 2 WHERE id = x'62'").execute(&mut *work);
    mend.await.expect("it is mended");
    drop(work);
    let (day, next) = (now.plus(DAY), now.plus(DAY + SECOND));
    assert_eq!(orphans(&store, day).await, ["a", "c"], "a day is not over");
    assert_eq!(
        orphans(&store, next).await,
        ["a", "b", "c"],
        "nothing is lost"
    );
    let kept = TaskStore::get(&store, &owner(), "b").await;
    let kept = kept.expect("an answer").expect("the task");
    assert_eq!(kept.task, change("b", TaskState::Working, 0).task.whole());
}

#[tokio::test]
async fn a_damaged_push_configuration_does_not_stop_the_others() {
    let files = Files::new();
    for (name, damage) in [
        (
            "no JSON",
            "UPDATE push_configs SET config = x'7b' WHERE task = x'62'",
        ),
        (
            "attempts below none",
            "UPDATE push_configs SET attempts = -1 WHERE task = x'62'",
        ),
        (
            "an owner that is missing",
            "UPDATE push_configs SET owner = 99 WHERE task = x'62'",
        ),
    ] {
        let store = damaged(&files, damage).await;
        let reports = Reports::default();
        let told = Arc::clone(&reports.0);
        let _guard = tracing::subscriber::set_default(reports);
        let now = SystemClock.now();
        assert_eq!(due(&store, now).await, ["a", "c"], "{name}");
        // Neither the end of the lease, nor an event, nor a start brings it back.
        let later = now.plus(SECOND);
        let woken = store.wake(&owner(), "b", later).await;
        woken.expect("it is woken");
        store.wake_all(later).await.expect("all are woken");
        assert_eq!(due(&store, later).await, ["a", "c"], "{name}");
        assert_eq!(told.load(Ordering::SeqCst), 1, "{name} is reported once");
        let mut work = store.write().await.expect("a connection");
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM push_configs")
            .fetch_one(&mut *work)
            .await
            .expect("a count");
        assert_eq!(rows, 3, "{name} is not lost");
    }
}

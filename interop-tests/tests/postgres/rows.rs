//! What the rows do.

use std::sync::Arc;
use std::time::Duration;

use countersign::a2a::TaskState;
use countersign::clock::{Clock, SystemClock};
use countersign::server::store::{
    EVENTS_KEPT, Lease, PostgresStore, StoreError, TaskChanged, TaskQuery, TaskStore, conformance,
};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, future};
use libtest_mimic::Failed;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::timeout;

use crate::world::{World, change, new_schema, owner};

/// Long enough for anything that happens at all.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) async fn promises_for_tasks(world: Arc<World>) -> Result<(), Failed> {
    conformance::check_tasks(async || world.store(&new_schema()).await).await;
    Ok(())
}

pub(crate) async fn promises_for_push_configurations(world: Arc<World>) -> Result<(), Failed> {
    conformance::check_push_configs(async || world.store(&new_schema()).await).await;
    Ok(())
}

async fn next(changes: &mut BoxStream<'static, TaskChanged>) -> Result<TaskChanged, Failed> {
    let next = timeout(LIMIT, changes.next()).await?;
    next.ok_or_else(|| "the changes ended".into())
}

/// Waits for word of this change; what comes before is of others.
async fn told(
    changes: &mut BoxStream<'static, TaskChanged>,
    task_id: &str,
    version: u64,
) -> Result<(), Failed> {
    let task_id = task_id.to_owned();
    let wanted = TaskChanged { task_id, version };
    while next(changes).await? != wanted {}
    Ok(())
}

pub(crate) async fn several_instances(world: Arc<World>) -> Result<(), Failed> {
    let schema = new_schema();
    let (one, two) = (world.store(&schema).await, world.store(&schema).await);
    let elsewhere = world.store(&new_schema()).await;
    let mut changes = one.changes().ok_or("it can be shared")?;
    let first = next(&mut changes).await?;
    assert_eq!(first.version, 0, "what was before is not told one by one");
    let a = change("a'\0", TaskState::Working, 0);
    elsewhere
        .create(&owner(), &change("b", TaskState::Working, 0), None)
        .await?;
    two.create(&owner(), &a, None).await?;
    let first = next(&mut changes).await?;
    assert_eq!(
        (first.task_id.as_str(), first.version),
        ("a'\0", 2),
        "not b"
    );
    assert_eq!(
        one.append(&owner(), &change("a'\0", TaskState::Working, 2))
            .await,
        Ok(4)
    );
    let (expected, found) = (2, 4);
    let late = two
        .append(&owner(), &change("a'\0", TaskState::Failed, 2))
        .await;
    assert_eq!(late, Err(StoreError::Conflict { expected, found }));
    told(&mut changes, "a'\0", 4).await?;

    let done = change("a'\0", TaskState::Completed, 4);
    assert_eq!(one.append(&owner(), &done).await, Ok(6));
    let late = SystemClock.now().plus(EVENTS_KEPT * 2);
    let lease = Lease {
        instance: "two".to_owned(),
        until: late,
    };
    assert_eq!(two.take_orphans(&lease, late, 9).await, Ok(vec![]));
    let events = one.events(&owner(), "a'\0", 0, 9).await;
    assert_eq!(events, Ok(vec![]), "dropped long after the end");
    Ok(())
}

pub(crate) async fn many_writers(world: Arc<World>) -> Result<(), Failed> {
    let schema = new_schema();
    let stores = [world.store(&schema).await, world.store(&schema).await];
    let owner = owner();
    let writes = (0..120).map(|number: usize| {
        let (store, owner) = (&stores[number % 2], &owner);
        async move {
            let id = format!("t{number}");
            let new = change(&id, TaskState::Working, 0);
            store.create(owner, &new, None).await?;
            let states = [TaskState::Completed, TaskState::InputRequired];
            let changed = change(&id, states[number % 2], 2);
            store.append(owner, &changed).await
        }
    });
    let written = timeout(LIMIT, future::join_all(writes)).await?;
    assert_eq!(written, vec![Ok(4); 120]);
    for (state, want) in [
        (None, 120),
        (Some(TaskState::Working), 0),
        (Some(TaskState::Completed), 60),
        (Some(TaskState::InputRequired), 60),
    ] {
        let query = TaskQuery {
            state,
            ..TaskQuery::default()
        };
        let page = TaskStore::list(&stores[0], &owner, &query).await?;
        assert_eq!(page.total, want, "{state:?}");
    }
    Ok(())
}

pub(crate) async fn tables_are_made_once(world: Arc<World>) -> Result<(), Failed> {
    let schema = new_schema();
    let stores = (0..6).map(|_| world.store(&schema));
    let stores = timeout(LIMIT, future::join_all(stores)).await?;
    let new = change("a", TaskState::Working, 0);
    assert_eq!(stores[0].create(&owner(), &new, None).await, Ok(2));
    for store in stores {
        let kept = TaskStore::get(&store, &owner(), "a").await?;
        assert!(kept.is_some(), "all see one set of tables");
        store.close().await;
    }
    let kept = TaskStore::get(&world.store(&schema).await, &owner(), "a").await?;
    assert!(kept.is_some(), "it is there when an instance starts again");
    Ok(())
}

pub(crate) async fn tables_of_others(world: Arc<World>) -> Result<(), Failed> {
    for (name, damage, want) in [
        ("as they were made", "SELECT 1", Ok(())),
        (
            "newer",
            "UPDATE @.version SET version = 2",
            Err("store.damaged"),
        ),
        (
            "of another program",
            "DROP TABLE @.version",
            Err("store.damaged"),
        ),
    ] {
        let schema = new_schema();
        world.store(&schema).await.close().await;
        let mut connection = PgConnection::connect(&world.url()).await?;
        let damage = AssertSqlSafe(damage.replace('@', &schema));
        sqlx::raw_sql(damage).execute(&mut connection).await?;
        let opened = PostgresStore::connect_in(&world.url(), &schema).await;
        let reason = opened.map(drop).map_err(|error| error.reason());
        assert_eq!(reason, want, "tables {name}");
    }
    Ok(())
}

pub(crate) async fn hides_its_password(world: Arc<World>) -> Result<(), Failed> {
    let store = world.store(&new_schema()).await;
    let shown = format!("{store:?}");
    assert!(shown.contains("127.0.0.1"), "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
    let wrong = world.url().replace("horse", "mule");
    let refused = PostgresStore::connect(&wrong).await.map(drop);
    let error = refused.expect_err("another password");
    assert_eq!(error.reason(), "store.unavailable");
    let shown = format!("{error} {error:?}");
    assert!(
        shown.contains("28P01") && !shown.contains("mule"),
        "{shown}"
    );
    Ok(())
}

pub(crate) async fn stops_and_comes_back(world: Arc<World>) -> Result<(), Failed> {
    let store = world.store("countersign").await;
    let mut changes = store.changes().ok_or("it can be shared")?;
    assert_eq!(next(&mut changes).await?.version, 0);
    store
        .create(&owner(), &change("a", TaskState::Working, 0), None)
        .await?;
    told(&mut changes, "a", 2).await?;

    world.server.stop()?;
    let refused = TaskStore::get(&store, &owner(), "a").await;
    let reason = refused.map(drop).map_err(|error| error.reason());
    assert_eq!(reason, Err("store.unavailable"), "while it is stopped");
    world.server.go()?;

    let back = timeout(LIMIT, async {
        loop {
            if let Ok(kept) = TaskStore::get(&store, &owner(), "a").await {
                break kept;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert!(back.await?.is_some(), "it is there again");
    told(&mut changes, "", 0).await?;
    assert_eq!(
        store
            .append(&owner(), &change("a", TaskState::Working, 2))
            .await,
        Ok(4)
    );
    told(&mut changes, "a", 4).await
}

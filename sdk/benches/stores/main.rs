//! What a task and a page of tasks cost in a store of ten tasks and in one of a million.
//!
//! One owner has all tasks, in conversations of ten. GetTask asks for tasks in no order; each page has
//! ten tasks and the total. The medians are printed, and their ratio to the smallest store's.
//!
//!     cargo bench -p countersign --features sqlite --bench stores
//!     cargo bench -p countersign --features sqlite --bench stores -- 10 10000 1000000
//!
//! With the feature `postgres` and `COUNTERSIGN_POSTGRES=postgres://..` it fills a schema `bench_..` for
//! each size there, too.
#![allow(missing_docs, reason = "a bench is no library")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::a2a::{Message, Part, Task, TaskState, TaskStatus, Timestamp};
use countersign::policy::Owner;
use countersign::server::store::{MemoryTaskStore, TaskChange, TaskCursor, TaskQuery, TaskStore};
use futures_util::{StreamExt, TryStreamExt, stream};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CALLS: u64 = 400;
const PAGE: u32 = 10;
const SIZES: [u64; 3] = [10, 10_000, 100_000];

fn owner() -> Result<Owner, Failure> {
    let text = r#"{"agent":"spiffe://bench.example/agent/one","principal":"app"}"#;
    Ok(Owner::from_text(text).ok_or("an owner")?)
}

fn task(number: u64) -> Task {
    // In no order of their numbers.
    let set = Timestamp::from_millis(number.wrapping_mul(7_919) % 100_000_000);
    let state = match number % 10 {
        0 => TaskState::Failed,
        _ => TaskState::Completed,
    };
    let context = format!("context {}", number / 10);
    let mut task = Task::new(id(number), context, TaskStatus::new(state, set));
    task.history.push(Message::user([Part::text(
        "What is the weather in Lisbon?",
    )]));
    task
}

fn id(number: u64) -> String {
    format!("task {number}")
}

async fn fill(store: &dyn TaskStore, owner: &Owner, size: u64) -> Result<(), Failure> {
    let made = stream::iter(0..size).map(|number| async move {
        let first = TaskChange {
            expected: 0,
            task: Arc::new(task(number)),
            events: Vec::new(),
        };
        store.create(owner, &first, None).await
    });
    let made = made.buffer_unordered(16);
    made.try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}

/// The kinds of calls, each with what the call of this number asks for.
fn queries(size: u64) -> [(&'static str, TaskQuery); 4] {
    let first = TaskQuery {
        page_size: PAGE,
        ..TaskQuery::default()
    };
    let in_state = TaskQuery {
        state: Some(TaskState::Completed),
        ..first.clone()
    };
    let in_context = TaskQuery {
        context_id: Some(task(size / 2).context_id),
        ..first.clone()
    };
    let from_the_midst = TaskQuery {
        after: Some(TaskCursor::of(&task(size / 2))),
        ..first.clone()
    };
    [
        ("first page", first),
        ("page of a state", in_state),
        ("page of a context", in_context),
        ("page in the midst", from_the_midst),
    ]
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Microseconds of each kind of call.
async fn measure(
    store: &dyn TaskStore,
    owner: &Owner,
    size: u64,
) -> Result<Vec<(&'static str, f64)>, Failure> {
    let mut measured = Vec::new();
    let mut times = Vec::new();
    for number in 0..CALLS {
        let id = id(number.wrapping_mul(15_485_863) % size);
        let start = Instant::now();
        let found = store.get(owner, &id).await?;
        times.push(start.elapsed());
        found.ok_or("a task that was made")?;
    }
    measured.push(("GetTask", median(times)));
    for (name, query) in queries(size) {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let start = Instant::now();
            let page = store.list(owner, &query).await?;
            times.push(start.elapsed());
            if page.total == 0 || page.tasks.is_empty() && size > 10 {
                return Err(format!("an empty {name} of {size}").into());
            }
        }
        measured.push((name, median(times)));
    }
    Ok(measured)
}

async fn stores(size: u64, folder: &std::path::Path) -> Result<Vec<Named>, Failure> {
    let _ = folder;
    let memory = MemoryTaskStore::with_tasks(usize::try_from(size)?);
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        expect(unused_mut, reason = "only the features add to it")
    )]
    let mut stores: Vec<Named> = vec![("memory", Box::new(memory))];
    #[cfg(feature = "sqlite")]
    {
        use countersign::server::store::{SqliteDurability, SqliteStore};
        // How writes reach the disk changes nothing for reads, and much for how long this takes.
        let file = folder.join(format!("{size}.db"));
        let store = SqliteStore::open_with(file, SqliteDurability::ProcessOnly).await?;
        stores.push(("sqlite", Box::new(store)));
    }
    #[cfg(feature = "postgres")]
    if let Ok(url) = std::env::var("COUNTERSIGN_POSTGRES") {
        use countersign::server::store::PostgresStore;
        let schema = format!("bench_{size}_{}", std::process::id());
        let store = PostgresStore::connect_in(&url, &schema).await?;
        stores.push(("postgres", Box::new(store)));
    }
    Ok(stores)
}

type Named = (&'static str, Box<dyn TaskStore>);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let sizes: Vec<u64> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        SIZES.to_vec()
    } else {
        sizes
    };
    let folder = std::env::temp_dir().join(format!("countersign-stores-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = compare(&sizes, &folder).await;
    std::fs::remove_dir_all(&folder)?;
    done
}

async fn compare(sizes: &[u64], folder: &std::path::Path) -> Result<(), Failure> {
    let owner = owner()?;
    let mut smallest: Vec<(&str, Vec<(&str, f64)>)> = Vec::new();
    println!(
        "{:<9} {:>9} {:<18} {:>10} {:>6}",
        "store", "tasks", "call", "us", "ratio"
    );
    for &size in sizes {
        for (name, store) in stores(size, folder).await? {
            let start = Instant::now();
            fill(&*store, &owner, size).await?;
            let filled = start.elapsed().as_secs_f64();
            let measured = measure(&*store, &owner, size).await?;
            if !smallest.iter().any(|(known, _)| *known == name) {
                smallest.push((name, measured.clone()));
            }
            let base = smallest.iter().find(|(known, _)| *known == name);
            let base = base.map_or(&[][..], |(_, base)| base);
            for ((call, us), (_, least)) in measured.iter().zip(base) {
                let ratio = us / least;
                println!("{name:<9} {size:>9} {call:<18} {us:>10.1} {ratio:>6.2}");
            }
            println!("{name:<9} {size:>9} filled in {filled:.1} s");
        }
    }
    Ok(())
}

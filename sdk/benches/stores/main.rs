//! What a task and a page of tasks cost in a store of ten tasks and in one of a million.
//!
//! One owner has all tasks, in conversations of ten. GetTask asks for tasks in no order; each page has
//! ten tasks and the total. The medians are printed, and their ratio to the smallest store's.
//!
//!     cargo bench -p countersign --features sqlite --bench stores
//!     cargo bench -p countersign --features sqlite --bench stores -- 10 10000 1000000
//!
//! With the feature `postgres` and `COUNTERSIGN_POSTGRES=postgres://..` it fills a schema `bench_..` for
//! each size there, too, and drops it afterwards.
//!
//! Databases get most of the tasks as rows beside the store, compared with its own: see `bulk.rs`.
#![allow(missing_docs, reason = "a bench is no library")]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod bulk;

use std::ops::Range;
use std::path::Path;
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
    let mut asked = Message::user([Part::text("What is the weather in Lisbon?")]);
    // The same each time: what is read back is compared.
    asked.message_id = format!("message {number}");
    task.history.push(asked);
    task
}

fn id(number: u64) -> String {
    format!("task {number}")
}

/// A store under its name, and what fills it.
struct Bench {
    name: &'static str,
    store: Box<dyn TaskStore>,
    rows: Rows,
}

/// Where rows are written beside the store.
enum Rows {
    /// Nowhere: the store makes every task.
    None,
    #[cfg(feature = "sqlite")]
    Sqlite { file: std::path::PathBuf },
    #[cfg(feature = "postgres")]
    Postgres { url: String, schema: String },
}

impl Rows {
    /// How many of `size` tasks the store makes itself.
    fn made_by_store(&self, size: u64) -> u64 {
        match self {
            Self::None => size,
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            _ => size.min(200),
        }
    }

    #[cfg(feature = "sqlite")]
    async fn sqlite(file: &Path) -> Result<sqlx::SqliteConnection, sqlx::Error> {
        use sqlx::ConnectOptions as _;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let options = options.pragma("synchronous", "off");
        options.pragma("cache_size", "-262144").connect().await
    }

    #[cfg(feature = "postgres")]
    async fn postgres(url: &str, schema: &str) -> Result<sqlx::PgConnection, sqlx::Error> {
        use sqlx::ConnectOptions as _;
        let options: sqlx::postgres::PgConnectOptions = url.parse()?;
        options.options([("search_path", schema)]).connect().await
    }

    /// Writes the tasks of `numbers`; those of `made` were made by the store.
    async fn fill(
        &self,
        owner: &Owner,
        made: Range<u64>,
        numbers: Range<u64>,
    ) -> Result<(), Failure> {
        match self {
            Self::None => {
                let _ = (owner, made, numbers);
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite { file } => {
                let connection = Self::sqlite(file).await?;
                bulk::sqlite::fill(connection, owner, made, numbers).await?;
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => {
                let connection = Self::postgres(url, schema).await?;
                bulk::postgres::fill(connection, owner, made, numbers).await?;
                // What the database does by itself, some time after so many writes.
                let mut connection = Self::postgres(url, schema).await?;
                let vacuum = sqlx::query("VACUUM ANALYZE tasks, entries, counts");
                vacuum.execute(&mut connection).await?;
            }
        }
        Ok(())
    }

    /// Leaves nothing behind that is not in the bench's own folder.
    async fn drop(&self) -> Result<(), Failure> {
        #[cfg(feature = "postgres")]
        if let Self::Postgres { url, schema } = self {
            let mut connection = Self::postgres(url, schema).await?;
            let drop = sqlx::AssertSqlSafe(format!("DROP SCHEMA \"{schema}\" CASCADE"));
            sqlx::query(drop).execute(&mut connection).await?;
        }
        Ok(())
    }
}

impl Bench {
    /// Fills the store with as many tasks as `size` says, and reads some back through it.
    async fn fill(&self, owner: &Owner, size: u64) -> Result<(), Failure> {
        let made = self.rows.made_by_store(size);
        let tasks = stream::iter(0..made).map(|number| async move {
            let first = TaskChange {
                expected: 0,
                task: task(number).into(),
                events: Vec::new(),
                work_from: None,
            };
            self.store.create(owner, &first, None).await
        });
        let tasks = tasks.buffer_unordered(16);
        tasks.try_for_each(|_| async { Ok(()) }).await?;
        self.rows.fill(owner, 0..made, made..size).await?;
        for number in (0..size).step_by(usize::try_from(size / 100)?.max(1)) {
            let found = self.store.get(owner, &id(number)).await?;
            let found = found.ok_or_else(|| format!("no {}", id(number)))?;
            if (&*found.task, found.version) != (&task(number), 1) {
                return Err(format!("{found:?} is not as it was made").into());
            }
        }
        for (state, tasks) in [
            (None, size),
            (Some(TaskState::Failed), size / 10),
            (Some(TaskState::Completed), size - size / 10),
            (Some(TaskState::Working), 0),
        ] {
            let query = TaskQuery {
                state,
                ..TaskQuery::default()
            };
            let total = self.store.list(owner, &query).await?.total;
            if total != tasks {
                return Err(format!("{total} tasks in {state:?}, not {tasks}").into());
            }
        }
        Ok(())
    }
}

/// The kinds of calls, each with what the call of this number asks for.
fn queries(size: u64) -> [(&'static str, TaskQuery); 5] {
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
    let midst = TaskCursor::of(&task(size / 2));
    let since = TaskQuery {
        not_before_ms: Some(midst.status_ms),
        ..first.clone()
    };
    let from_the_midst = TaskQuery {
        after: Some(midst),
        ..first.clone()
    };
    [
        ("first page", first),
        ("page of a state", in_state),
        ("page of a context", in_context),
        ("page in the midst", from_the_midst),
        ("page since midst", since),
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

async fn stores(size: u64, folder: &Path) -> Result<Vec<Bench>, Failure> {
    let _ = folder;
    let memory = MemoryTaskStore::with_tasks(usize::try_from(size)?);
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "postgres")),
        expect(unused_mut, reason = "only the features add to it")
    )]
    let mut stores = vec![Bench {
        name: "memory",
        store: Box::new(memory),
        rows: Rows::None,
    }];
    #[cfg(feature = "sqlite")]
    {
        use countersign::server::store::SqliteStore;
        let file = folder.join(format!("{size}.db"));
        stores.push(Bench {
            name: "sqlite",
            store: Box::new(SqliteStore::open(&file).await?),
            rows: Rows::Sqlite { file },
        });
    }
    #[cfg(feature = "postgres")]
    if let Ok(url) = std::env::var("COUNTERSIGN_POSTGRES") {
        use countersign::server::store::PostgresStore;
        let schema = format!("bench_{size}_{}", std::process::id());
        stores.push(Bench {
            name: "postgres",
            store: Box::new(PostgresStore::connect_in(&url, &schema).await?),
            rows: Rows::Postgres { url, schema },
        });
    }
    Ok(stores)
}

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

async fn compare(sizes: &[u64], folder: &Path) -> Result<(), Failure> {
    let owner = owner()?;
    let mut smallest: Vec<(&str, Vec<(&str, f64)>)> = Vec::new();
    println!(
        "{:<9} {:>9} {:<18} {:>10} {:>6}",
        "store", "tasks", "call", "us", "ratio"
    );
    for &size in sizes {
        for bench in stores(size, folder).await? {
            let name = bench.name;
            let start = Instant::now();
            bench.fill(&owner, size).await?;
            let filled = start.elapsed().as_secs_f64();
            let measured = measure(&*bench.store, &owner, size).await?;
            bench.rows.drop().await?;
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

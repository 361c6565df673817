//! The file, and who reads and writes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use super::{changes, schema};
use crate::server::store::rows::failed;
use crate::server::store::share::Share;
use crate::server::store::{StoreError, TaskChanged};

/// Tasks and push configurations in a file, which outlive the process and the machine's power.
///
/// One line makes an agent keep its tasks:
///
/// ```no_run
/// # async fn keep(agent: countersign::server::Agent) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use countersign::server::store::SqliteStore;
///
/// let agent = agent.store(Arc::new(SqliteStore::open("tasks.db").await?));
/// # Ok(())
/// # }
/// ```
///
/// The file is made with its tables when it is not there, for its owner's eyes only (mode 0600):
/// it holds what tasks say, and tokens and credentials of push configurations as their clients sent
/// them. Beside it lie `-wal` and `-shm` while it is open; an agent that is shut down closes it, unless
/// there are other clones of the store. It must be on a disk of this machine, not
/// on a network file system. Several processes of one machine may share it: one writes at a time,
/// and [`changes`](crate::server::store::TaskStore::changes) looks four times a second for what the
/// others wrote.
///
/// What a store keeps is never dropped but for the events of tasks that are over; a clone is the
/// same store.
#[derive(Clone)]
pub struct SqliteStore {
    file: PathBuf,
    /// One connection: who wants to write waits here, in order, and not inside SQLite.
    writer: SqlitePool,
    readers: SqlitePool,
    /// Connections of those that follow the changes, each with its own.
    followers: SqlitePool,
    share: Share,
}

/// What has become of a change when the store says that it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SqliteDurability {
    /// It is on disk (`synchronous=FULL`): it outlives a power cut.
    #[default]
    Full,
    /// It is with the operating system (`synchronous=NORMAL`): it outlives the process, but the last
    /// changes before a power cut may be gone. Faster.
    ProcessOnly,
}

/// How long a process waits for another that writes.
const BUSY: Duration = Duration::from_secs(10);

/// How long a call waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(30);

const READERS: u32 = 4;

const FOLLOWERS: u32 = 64;

/// How long a closing store waits for those that follow its changes.
const LEAVING: Duration = Duration::from_secs(5);

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("SqliteStore");
        shown.field("file", &self.file).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// The store in this file, which is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be opened, [`StoreError::Damaged`] when it
    /// belongs to another program or its tables are of a newer version.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteDurability::default()).await
    }

    /// The same, with another durability than [`SqliteDurability::Full`].
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub async fn open_with(
        path: impl AsRef<Path>,
        durability: SqliteDurability,
    ) -> Result<Self, StoreError> {
        let file = path.as_ref().to_owned();
        make_file(&file)?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match durability {
                SqliteDurability::Full => SqliteSynchronous::Full,
                SqliteDurability::ProcessOnly => SqliteSynchronous::Normal,
            })
            .busy_timeout(BUSY);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        schema::prepare(&mut *writer.acquire().await.map_err(failed)?).await?;
        let reading = options.pragma("query_only", "on");
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE)
                .test_before_acquire(false)
                .connect_lazy_with(reading.clone())
        };
        Ok(Self {
            file,
            writer,
            readers: pool(READERS),
            followers: pool(FOLLOWERS),
            share: Share::whole(),
        })
    }

    /// Closes the file, for all clones, once what is under way is done. Dropping the last clone closes
    /// it, too, but does not wait.
    pub async fn close(&self) {
        self.readers.close().await;
        // One that follows the changes and is not asked for them gives its connection back to nobody.
        let followers = self.followers.close();
        if tokio::time::timeout(LEAVING, followers).await.is_err() {
            tracing::warn!("a store is closed whose changes are still followed");
        }
        // Whoever is last takes the files beside it away.
        self.writer.close().await;
    }

    /// Closes the file unless another clone needs it.
    pub(super) async fn leave(&self) {
        if self.share.leave() {
            self.close().await;
        }
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let begun = self.writer.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(failed)
    }

    pub(super) async fn write(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.writer.acquire().await.map_err(failed)
    }

    pub(super) async fn read(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(failed)
    }

    /// Other processes see for themselves.
    pub(super) fn tell(&self, _id: &str, _version: u64) {}

    pub(super) fn follow(&self) -> BoxStream<'static, TaskChanged> {
        changes::follow(self.followers.clone())
    }
}

/// Makes the file, which nobody else may read, unless it is there; SQLite gives the files beside it
/// the same mode.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Unavailable {
            what: format!("{}: {error}", path.display()),
        }),
    }
}

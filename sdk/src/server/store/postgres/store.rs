//! The database, and how it is reached.

use std::time::Duration;

use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Postgres, Transaction};

use super::notifier::{self, Changes};
use super::{address, changes, schema};
use crate::server::store::rows::failed;
use crate::server::store::share::Share;
use crate::server::store::{StoreError, TaskChanged};

/// Tasks and push configurations in PostgreSQL (15 or newer), for several instances of one agent.
///
/// One line makes an agent keep its tasks there:
///
/// ```no_run
/// # async fn keep(agent: countersign::server::Agent) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use countersign::server::store::PostgresStore;
///
/// let url = "postgres://agent@db.example/travel";
/// let agent = agent.store(Arc::new(PostgresStore::connect(url).await?));
/// # Ok(())
/// # }
/// ```
///
/// The tables are made by the first instance that starts, in the schema `countersign`; two agents
/// in one database need a schema each ([`PostgresStore::connect_in`]). They hold what tasks say, and
/// tokens and credentials of push configurations as their clients sent them.
///
/// The URL has the form of libpq's, with the parameters `sslmode`, `sslrootcert`, `sslcert`, `sslkey`,
/// `host`, `port`, `user`, `password`, `dbname` and `application_name`. Where it names no `sslmode`,
/// another machine must show a certificate for its name (`verify-full`); `PGPASSWORD` and the
/// password file serve when it has no password. A statement that takes longer than thirty seconds is
/// given up. [`changes`](crate::server::store::TaskStore::changes) needs a connection of the
/// session's own, not one through a pooler of transactions.
///
/// What a store keeps is never dropped but for the events of tasks that are over; a clone is the
/// same store.
#[derive(Clone)]
pub struct PostgresStore {
    options: PgConnectOptions,
    channel: String,
    pool: PgPool,
    changes: Changes,
    share: Share,
}

/// How long a call waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// A connection that was idle for so long is tried before it is used.
const FRESH: Duration = Duration::from_secs(1);

const CONNECTIONS: u32 = 16;

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("PostgresStore");
        shown.field("host", &self.options.get_host());
        shown.field("port", &self.options.get_port());
        shown.field("database", &self.options.get_database());
        shown.finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// The store in the schema `countersign` of this database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the URL cannot be used or the database not be reached,
    /// [`StoreError::Damaged`] when the schema belongs to another program or its tables are of a
    /// newer version. No error holds the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_in(url, "countersign").await
    }

    /// The store in another schema, with a name of a-z, 0-9 and `_`: one for each agent.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`].
    pub async fn connect_in(url: &str, schema: &str) -> Result<Self, StoreError> {
        let options = address::read(url, schema)?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move {
                    if about.idle_for > FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        let mut connection = pool.acquire().await.map_err(failed)?;
        schema::prepare(&mut connection, schema).await?;
        drop(connection);
        let channel = format!("{schema}_tasks");
        Ok(Self {
            changes: notifier::start(pool.clone(), channel.clone()),
            options,
            channel,
            pool,
            share: Share::whole(),
        })
    }

    /// Closes the connections, for all clones, once what is under way is done. Dropping the last clone closes them,
    /// too, but does not wait.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Closes the connections unless another clone needs them.
    pub(super) async fn leave(&self) {
        if self.share.leave() {
            self.close().await;
        }
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin().await.map_err(failed)
    }

    pub(super) async fn write(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(failed)
    }

    pub(super) async fn read(&self) -> Result<PoolConnection<Postgres>, StoreError> {
        self.pool.acquire().await.map_err(failed)
    }

    pub(super) fn tell(&self, id: &str, version: u64) {
        // It is there as long as a store is, unless the runtime ends.
        let _ = self.changes.send((id.to_owned(), version));
    }

    pub(super) fn follow(&self) -> BoxStream<'static, TaskChanged> {
        changes::follow(self.options.clone(), self.channel.clone())
    }
}

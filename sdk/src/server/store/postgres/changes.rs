//! What other instances changed, as the database tells it.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::timeout;

use super::notifier;
use crate::server::store::rows::{damaged, failed};
use crate::server::store::{StoreError, TaskChanged};

/// After so long without a word it is asked whether the connection is still there, and every task is
/// to be looked at: an instance may have died between a change and its notice.
const SILENCE: Duration = Duration::from_secs(30);

const ANSWER: Duration = Duration::from_secs(10);

struct Follower {
    options: PgConnectOptions,
    channel: String,
    listener: Option<PgListener>,
    pending: VecDeque<TaskChanged>,
}

/// Follows the notices on `channel`.
pub(super) fn follow(
    options: PgConnectOptions,
    channel: String,
) -> BoxStream<'static, TaskChanged> {
    let follower = Follower {
        options,
        channel,
        listener: None,
        pending: VecDeque::new(),
    };
    let changes = stream::unfold(follower, |mut follower| async move {
        loop {
            if let Some(change) = follower.pending.pop_front() {
                return Some((change, follower));
            }
            if let Err(error) = follower.listen().await {
                tracing::warn!(reason = error.reason(), %error, "the changes of the store are lost");
                follower.listener = None;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    changes.boxed()
}

impl Follower {
    async fn listen(&mut self) -> Result<(), StoreError> {
        let Some(listener) = &mut self.listener else {
            self.listener = Some(self.connect().await?);
            self.everything();
            return Ok(());
        };
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(received) => match received.map_err(failed)? {
                Some(notice) => {
                    let changes = notifier::read(notice.payload());
                    let changes = changes.ok_or_else(|| damaged("a notice of changes"))?;
                    self.pending.extend(changes);
                }
                None => self.listener = None,
            },
            Err(_) => {
                let question = sqlx::query("SELECT 1").execute(listener);
                let answer = timeout(ANSWER, question).await;
                let answer = answer.map_err(|_| StoreError::Unavailable {
                    what: "the database does not answer".to_owned(),
                })?;
                answer.map_err(failed)?;
                self.everything();
            }
        }
        Ok(())
    }

    async fn connect(&self) -> Result<PgListener, StoreError> {
        // A connection of its own: it is never free for anything else.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
        listener.eager_reconnect(false);
        let listening = listener.listen(&self.channel).await;
        listening.map_err(failed)?;
        Ok(listener)
    }

    fn everything(&mut self) {
        self.pending.push_back(TaskChanged {
            task_id: String::new(),
            version: 0,
        });
    }
}

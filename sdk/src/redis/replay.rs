//! Nonces in Redis: each is a key that is set once.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{Cmd, Value};

use super::error::RedisError;
use super::link::Link;
use super::options::RedisOptions;
use super::tls;
use crate::clock::UnixTime;
use crate::crypto::{KeyThumbprint, sha256};
use crate::httpsig::{Recording, ReplayError, ReplayStore};

/// How much longer than asked a nonce is kept: as far may the clocks of two instances be apart, and
/// then what one still takes, Redis still remembers.
const APART: Duration = Duration::from_secs(60);

/// Nonces in Redis (6 or newer), for several instances of one agent.
///
/// One command looks and records (`SET` with `NX` and `PX`). A nonce that could not be recorded is
/// refused with `replay.unavailable`: when the server is not reached, when it does not answer in
/// time, when it answers anything but yes or no. Nothing is asked twice; a connection that broke is
/// made anew by the next request.
///
/// What is kept is a digest of each nonce beside the thumbprint of its key. The clocks of the
/// instances may be up to a minute apart. A server that drops keys when its memory is full is
/// refused ([`RedisError::Evicts`]), as is one on another machine without TLS. Its user needs `SET`
/// and `INFO`.
///
/// A server that lost its data has forgotten nonces like a process that starts anew, and a replica
/// that takes over lacks those of the last moment: as long as a signature lives, a request of before
/// could then come in again. With `appendonly yes` and `appendfsync always` a restart loses nothing.
pub struct RedisReplayStore {
    link: Link,
    prefix: String,
    timeout: Duration,
}

impl RedisReplayStore {
    /// Connects to the server of a URL such as `rediss://user:password@redis.example:6379/0`.
    ///
    /// # Errors
    /// [`RedisError`] when the URL cannot be used, the server is not reached or does not let us in,
    /// or drops keys.
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        Self::connect_with(RedisOptions::new(url)?).await
    }

    /// The same with more to say.
    ///
    /// # Errors
    /// As for [`RedisReplayStore::connect`].
    pub async fn connect_with(options: RedisOptions) -> Result<Self, RedisError> {
        options.check()?;
        let tls = if options.address.tls {
            let (host, roots) = (options.address.host.clone(), options.roots);
            // The system's roots are read from files.
            let made = tokio::task::spawn_blocking(move || tls::connector(&host, roots)).await;
            let what = "was given up";
            Some(made.map_err(|_| RedisError::Unavailable { what })??)
        } else {
            None
        };
        let store = Self {
            link: Link::new(options.address, tls),
            prefix: options.prefix,
            timeout: options.timeout,
        };
        let ping = redis::cmd("PING");
        store.ask(&ping).await?;
        Ok(store)
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        let answer = tokio::time::timeout(self.timeout, self.link.ask(command)).await;
        answer.unwrap_or_else(|_| {
            self.link.give_up();
            let what = "does not answer in time";
            Err(RedisError::Unavailable { what })
        })
    }

    /// `SET` of the nonce's key, unless it is there, for as long as it is to be remembered.
    fn command(&self, key: KeyThumbprint, nonce: &str, until: UnixTime, now: UnixTime) -> Cmd {
        let nonce = URL_SAFE_NO_PAD.encode(sha256(nonce.as_bytes()));
        // Its last second counts whole.
        let kept = until.since(now) + Duration::from_secs(1) + APART;
        let mut command = redis::cmd("SET");
        command
            .arg(format!("{}{key}:{nonce}", self.prefix))
            .arg(1)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(kept.as_millis()).unwrap_or(u64::MAX));
        command
    }
}

impl ReplayStore for RedisReplayStore {
    fn check_and_record<'a>(
        &'a self,
        key: KeyThumbprint,
        nonce: &'a str,
        until: UnixTime,
        now: UnixTime,
    ) -> Recording<'a> {
        if until < now {
            return Recording::now(Err(ReplayError::Late { until, now }));
        }
        let command = self.command(key, nonce, until, now);
        Recording::later(async move {
            match self.ask(&command).await {
                Ok(Value::Okay) => Ok(()),
                Ok(Value::Nil) => Err(ReplayError::Seen { key }),
                Ok(_) => {
                    self.link.give_up();
                    let what = "answers neither yes nor no";
                    Err(ReplayError::Unavailable { what })
                }
                Err(error) => {
                    let what = error.what();
                    Err(ReplayError::Unavailable { what })
                }
            }
        })
    }
}

impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisReplayStore")
    }
}

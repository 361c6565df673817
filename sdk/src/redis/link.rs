//! One connection to the server, made anew when it broke.

use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisConnectionInfo, Value};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::error::RedisError;

const fn unavailable(what: &'static str) -> RedisError {
    RedisError::Unavailable { what }
}

/// A server, and the connection to it that all requests share.
pub(super) struct Link {
    address: Address,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    current: Mutex<Option<Arc<Open>>>,
    /// Held by the one request that connects.
    dialling: tokio::sync::Mutex<()>,
}

/// A connection; dropped, it is closed.
struct Open {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Link {
    pub(super) fn new(address: Address, tls: Option<(TlsConnector, ServerName<'static>)>) -> Self {
        Self {
            address,
            tls,
            current: Mutex::new(None),
            dialling: tokio::sync::Mutex::new(()),
        }
    }

    /// Sends a command, once. Who cannot wait any longer drops the future and calls [`Link::give_up`].
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        let open = self.open().await?;
        let mut connection = open.connection.clone();
        match connection.send_packed_command(command).await {
            // An error of the server: the connection is as good as before.
            Ok(Value::ServerError(_)) => Err(unavailable("answers with an error")),
            Ok(value) => Ok(value),
            Err(error) => {
                self.forget(&open);
                let said = error.code().is_some();
                Err(unavailable(if said {
                    "answers with an error"
                } else {
                    "is not reached any more"
                }))
            }
        }
    }

    /// The next request connects anew.
    pub(super) fn give_up(&self) {
        drop(self.lock().take());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Open>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<Arc<Open>> {
        self.lock().clone()
    }

    fn forget(&self, open: &Arc<Open>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|now| Arc::ptr_eq(now, open)) {
            *current = None;
        }
    }

    async fn open(&self) -> Result<Arc<Open>, RedisError> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let _one = self.dialling.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let open = Arc::new(self.dial().await?);
        refuse_eviction(&open).await?;
        *self.lock() = Some(Arc::clone(&open));
        Ok(open)
    }

    async fn dial(&self) -> Result<Open, RedisError> {
        let to = (self.address.host.as_str(), self.address.port);
        let socket = TcpStream::connect(to).await;
        let socket = socket.map_err(|_| unavailable("is not reached"))?;
        // A command is one small packet that somebody waits for.
        socket
            .set_nodelay(true)
            .map_err(|_| unavailable("is not reached"))?;
        match &self.tls {
            None => self.greet(socket).await,
            Some((connector, name)) => {
                let secured = connector.connect(name.clone(), socket).await;
                let what = "does not prove its name over TLS";
                self.greet(secured.map_err(|_| unavailable(what))?).await
            }
        }
    }

    async fn greet(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Open, RedisError> {
        let mut login = RedisConnectionInfo::default()
            .set_db(self.address.database)
            .set_skip_set_lib_name();
        if let Some(user) = &self.address.user {
            login = login.set_username(user);
        }
        if let Some(password) = &self.address.password {
            login = login.set_password(password.expose());
        }
        // What it answers is not shown: it may quote what it was told.
        // How long it may take, the request that waits for it says.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let greeted = MultiplexedConnection::new_with_config(&login, stream, config).await;
        let (connection, driver) = greeted.map_err(|_| unavailable("does not let us in"))?;
        let driver = tokio::spawn(driver).abort_handle();
        Ok(Open { connection, driver })
    }
}

/// A server that drops keys to make room forgets nonces, and lets replays in.
async fn refuse_eviction(open: &Open) -> Result<(), RedisError> {
    let mut ask = redis::cmd("INFO");
    ask.arg("memory");
    let mut connection = open.connection.clone();
    let said = connection.send_packed_command(&ask).await;
    let text: String = said
        .and_then(|value| redis::from_redis_value(value).map_err(Into::into))
        .map_err(|_| unavailable("does not say what it does when its memory is full"))?;
    let field = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    match (field("maxmemory"), field("maxmemory_policy")) {
        (Some("0"), Some(_)) | (Some(_), Some("noeviction")) => Ok(()),
        (Some(_), Some(_)) => Err(RedisError::Evicts),
        _ => Err(unavailable(
            "does not say what it does when its memory is full",
        )),
    }
}

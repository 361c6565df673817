//! A Redis server of our own, on a free port of loopback, in a folder that goes with it.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child::{RunError, run};
use crate::postgres::ServerTls;

const LIMIT: Duration = Duration::from_secs(30);

/// What the server lets its user in with.
const PASSWORD: &str = "correct'horse@battery";

/// Why there is no Redis on this machine.
#[derive(Debug)]
pub enum RedisServerError {
    /// Its program is not there.
    Program,
    /// It could not be started.
    Server(RunError),
}

impl std::fmt::Display for RedisServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Program => write!(f, "needs Redis: there is no redis-server"),
            Self::Server(why) => write!(f, "Redis cannot be started: {why}"),
        }
    }
}

impl std::error::Error for RedisServerError {}

impl From<std::io::Error> for RedisServerError {
    fn from(error: std::io::Error) -> Self {
        Self::Server(RunError::Io(error))
    }
}

/// A running server that keeps nothing on disk; dropped, it stops.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    folder: TempDir,
    tls: bool,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl RedisServer {
    /// A new server; with `tls` it takes connections over TLS only.
    ///
    /// # Errors
    /// When Redis is not installed or does not start.
    pub fn start(tls: Option<&ServerTls>) -> Result<Self, RedisServerError> {
        let program = program("redis-server").ok_or(RedisServerError::Program)?;
        let folder = tempfile::tempdir()?;
        if let Some(tls) = tls {
            std::fs::write(folder.path().join("server.crt"), &tls.certificate)?;
            std::fs::write(folder.path().join("server.key"), &tls.key)?;
        }
        let mut server = Self {
            program,
            folder,
            tls: tls.is_some(),
            port: 0,
            child: Mutex::new(None),
        };
        // Between the look for a free port and the start another may take it.
        let mut tried = Ok(());
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            tried = server.go();
            if tried.is_ok() {
                return Ok(server);
            }
        }
        Err(tried.map_or_else(RedisServerError::Server, |()| RedisServerError::Program))
    }

    /// Where it is, with the password.
    pub fn url(&self, host: &str) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let port = self.port;
        format!("{scheme}://:correct%27horse%40battery@{host}:{port}/0")
    }

    /// Starts it, empty, on the port that it had.
    ///
    /// # Errors
    /// When it does not start.
    pub fn go(&self) -> Result<(), RunError> {
        let settings = self.folder.path().join("redis.conf");
        std::fs::write(&settings, self.settings())?;
        let mut start = Command::new(&self.program);
        start.arg(settings).stdin(Stdio::null());
        start.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = start.spawn()?;
        let deadline = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if let Some(status) = child.try_wait()? {
                let (stdout, stderr) = Default::default();
                return Err(RunError::Failed {
                    status,
                    stdout,
                    stderr,
                });
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                return Err(RunError::TooSlow { limit: LIMIT });
            }
            thread::sleep(Duration::from_millis(10));
        }
        *self.child() = Some(child);
        Ok(())
    }

    /// Kills it, with all that it knew; whoever is connected loses the connection.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&self) -> Result<(), RunError> {
        if let Some(mut child) = self.child().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Stops it in what it does, or lets it go on; connections stay open.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn halt(&self, halted: bool) -> Result<(), RunError> {
        let id = self.child().as_ref().map(Child::id);
        let signal = if halted { "-STOP" } else { "-CONT" };
        let mut kill = Command::new("kill");
        kill.arg(signal).arg(id.unwrap_or_default().to_string());
        run(&mut kill, b"", LIMIT).map(drop)
    }

    /// What it answers to a command, as `redis-cli` prints it.
    ///
    /// # Errors
    /// When it answers nothing.
    pub fn ask(&self, command: &[&str]) -> Result<String, RunError> {
        let mut ask = Command::new(self.program.with_file_name("redis-cli"));
        ask.env("REDISCLI_AUTH", PASSWORD).arg("-p");
        ask.arg(self.port.to_string()).args(command);
        run(&mut ask, b"", LIMIT)
    }

    fn settings(&self) -> String {
        let (port, folder) = (self.port, self.folder.path().display());
        let place = if self.tls {
            format!(
                "port 0\ntls-port {port}\ntls-auth-clients no\n\
                 tls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n\
                 tls-ca-cert-file {folder}/server.crt\n"
            )
        } else {
            format!("port {port}\n")
        };
        format!(
            "{place}bind 127.0.0.1\ndir {folder}\nsave \"\"\nappendonly no\n\
             requirepass \"{PASSWORD}\"\n"
        )
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It fails when the server is gone already, which is what is wanted.
        let _ = self.kill();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|program| program.is_file())
}

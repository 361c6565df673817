//! A PostgreSQL server of our own, on a free port of loopback, in a folder that goes with it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::child::{RunError, run};

const LIMIT: Duration = Duration::from_secs(60);

/// Fast for tests: what is in it need not outlive the machine.
const SETTINGS: &str = "\
unix_socket_directories = ''
fsync = off
full_page_writes = off
synchronous_commit = off
max_connections = 200
logging_collector = off
";

/// Who its tables belong to.
const USER: &str = "postgres";

/// What it lets that user in with.
pub const PASSWORD: &str = "correct'horse@battery";

/// Why there is no PostgreSQL on this machine.
#[derive(Debug)]
pub enum PostgresError {
    /// Its programs are not there.
    Programs,
    /// It could not be started.
    Server(RunError),
}

impl std::fmt::Display for PostgresError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Programs => write!(f, "needs PostgreSQL: there is no initdb"),
            Self::Server(why) => write!(f, "PostgreSQL cannot be started: {why}"),
        }
    }
}

impl std::error::Error for PostgresError {}

impl From<RunError> for PostgresError {
    fn from(error: RunError) -> Self {
        Self::Server(error)
    }
}

impl From<std::io::Error> for PostgresError {
    fn from(error: std::io::Error) -> Self {
        Self::Server(RunError::Io(error))
    }
}

/// A certificate with its key, in PEM.
#[derive(Debug)]
pub struct ServerTls {
    /// The chain.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// A running server; dropped, it stops.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    is_root: bool,
    port: u16,
}

impl Postgres {
    /// A new server; with `tls` it takes connections over TLS, too.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(tls: Option<&ServerTls>) -> Result<Self, PostgresError> {
        let programs = programs().ok_or(PostgresError::Programs)?;
        let folder = tempfile::tempdir()?;
        let user = run(Command::new("id").arg("-u"), b"", LIMIT)?;
        let mut server = Self {
            programs,
            folder,
            is_root: user.trim() == "0",
            port: 0,
        };
        server.make(tls)?;
        // Between the look for a free port and the start another may take it.
        let mut tried = Ok(());
        for _ in 0..5 {
            server.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            tried = server.go();
            if tried.is_ok() {
                return Ok(server);
            }
        }
        Err(tried.map_or_else(PostgresError::Server, |()| PostgresError::Programs))
    }

    /// Where it is, with the password; `parameters` stand behind the question mark.
    pub fn url(&self, host: &str, parameters: &str) -> String {
        let port = self.port;
        format!("postgres://{USER}:correct%27horse%40battery@{host}:{port}/postgres?{parameters}")
    }

    /// Starts it, on the port that it had.
    ///
    /// # Errors
    /// When it does not start.
    pub fn go(&self) -> Result<(), RunError> {
        let log = self.data().join("log");
        let options = format!("-c listen_addresses=127.0.0.1 -p {}", self.port);
        let mut start = self.program("pg_ctl");
        start.args(["-w", "-t", "30", "-s", "-o", &options, "-l"]);
        start.arg(log).arg("start");
        run(&mut start, b"", LIMIT).map(drop)
    }

    /// Stops it; whoever is connected loses the connection.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> Result<(), RunError> {
        let mut stop = self.program("pg_ctl");
        stop.args(["-w", "-t", "30", "-s", "-m", "fast", "stop"]);
        run(&mut stop, b"", LIMIT).map(drop)
    }

    fn make(&self, tls: Option<&ServerTls>) -> Result<(), PostgresError> {
        let password = self.folder.path().join("password");
        std::fs::write(&password, PASSWORD)?;
        self.give(self.folder.path())?;
        let mut make = self.program("initdb");
        make.args(["-A", "scram-sha-256", "-E", "UTF8", "--no-locale"]);
        make.args(["--no-sync", "-U", USER, "--pwfile"])
            .arg(password);
        run(&mut make, b"", LIMIT)?;
        let mut settings = SETTINGS.to_owned();
        if let Some(tls) = tls {
            std::fs::write(self.data().join("server.crt"), &tls.certificate)?;
            let key = self.data().join("server.key");
            std::fs::write(&key, &tls.key)?;
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&key, private)?;
            settings.push_str("ssl = on\n");
        }
        let file = self.data().join("postgresql.conf");
        let text = std::fs::read_to_string(&file)? + &settings;
        std::fs::write(&file, text)?;
        Ok(self.give(self.folder.path())?)
    }

    /// PostgreSQL refuses to run as root, so that its folder belongs to a user of its own then.
    fn give(&self, folder: &Path) -> Result<(), RunError> {
        if !self.is_root {
            return Ok(());
        }
        let mut give = Command::new("chown");
        give.args(["-R", USER]).arg(folder);
        run(&mut give, b"", LIMIT).map(drop)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", USER, "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("-D").arg(self.data());
        // It wants to know where it stands, and that user may not look everywhere.
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It fails when the server is stopped already, which is what is wanted.
        let _ = self.stop();
    }
}

/// The folder of the newest version: Debian keeps each in its own.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable();
    let elsewhere = std::env::var_os("PATH");
    let elsewhere = elsewhere.iter().flat_map(std::env::split_paths);
    let newest = versions.into_iter().rev().map(|(_, folder)| folder);
    newest
        .chain(elsewhere)
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

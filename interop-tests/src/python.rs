//! Python with the packages of `python/requirements.txt`, in an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use countersign::crypto::sha256;
use countersign::jose::encode_base64url;
use serde_json::Value;

use crate::child::{RunError, run};

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const START_LIMIT: Duration = Duration::from_secs(20);
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);

/// Variables that would change whom a script trusts or where it connects to.
const NOT_INHERITED: [&str; 10] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

/// Why there is no Python peer on this machine.
#[derive(Clone, Debug)]
pub enum PythonError {
    /// There is no `python3`, or it is older than 3.10.
    Interpreter(String),
    /// The environment or its packages could not be made.
    Packages(String),
}

impl std::fmt::Display for PythonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Interpreter(why) => write!(f, "needs Python 3.10 or newer: {why}"),
            Self::Packages(why) => write!(f, "the Python packages cannot be had: {why}"),
        }
    }
}

impl std::error::Error for PythonError {}

/// An interpreter whose packages are installed.
#[derive(Clone, Debug)]
pub struct Python {
    interpreter: PathBuf,
    scripts: PathBuf,
}

impl Python {
    /// The peer, made on the first call and kept in `.cache` for later runs.
    ///
    /// # Errors
    /// When Python or a package is missing; every later call fails the same way.
    pub fn ready() -> Result<Self, PythonError> {
        static READY: OnceLock<Result<Python, PythonError>> = OnceLock::new();
        READY.get_or_init(Self::prepare).clone()
    }

    /// Runs one of our scripts; its last line of output is JSON.
    ///
    /// # Errors
    /// When the script fails, takes longer than a minute, or prints no JSON.
    pub fn run(&self, script: &str, args: &[String], input: &str) -> Result<Value, RunError> {
        let mut command = Command::new(&self.interpreter);
        // Nothing of the user's own Python settings, and no byte code beside the sources.
        command.args(["-E", "-s", "-B"]);
        command.arg(self.scripts.join(script)).args(args);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        let output = run(&mut command, input.as_bytes(), SCRIPT_LIMIT)?;
        let line = output.lines().last().unwrap_or_default();
        serde_json::from_str(line).map_err(|error| RunError::Io(error.into()))
    }

    fn prepare() -> Result<Self, PythonError> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = home.join("python");
        let wanted = scripts.join("requirements.txt");
        let packages = fs::read(&wanted).map_err(|e| PythonError::Packages(e.to_string()))?;
        let version = version()?;
        // Another Python or another list of packages is another environment.
        let key = sha256(&[version.as_bytes(), &packages].concat());
        let name = format!("python-{}", &encode_base64url(&key)[..16]);
        let environment = home.join(".cache").join(name);
        let interpreter = environment.join("bin").join("python");
        let complete = environment.join("complete");
        if !complete.exists() {
            install(&environment, &interpreter, &wanted)
                .and_then(|()| Ok(fs::write(&complete, "")?))
                .map_err(|error| PythonError::Packages(error.to_string()))?;
        }
        Ok(Self {
            interpreter,
            scripts,
        })
    }
}

fn version() -> Result<String, PythonError> {
    let script = "import sys; assert sys.version_info >= (3, 10), sys.version; print(sys.version)";
    let mut command = Command::new("python3");
    run(command.args(["-c", script]), b"", START_LIMIT)
        .map_err(|error| PythonError::Interpreter(error.to_string()))
}

fn install(environment: &Path, interpreter: &Path, wanted: &Path) -> Result<(), RunError> {
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(environment);
    run(&mut create, b"", INSTALL_LIMIT)?;
    let mut packages = Command::new(interpreter);
    packages.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    packages.arg(wanted);
    run(&mut packages, b"", INSTALL_LIMIT)?;
    Ok(())
}

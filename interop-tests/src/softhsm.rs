//! SoftHSM: a PKCS#11 token in files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use tempfile::TempDir;

use crate::child::{RunError, run};

const LIMIT: Duration = Duration::from_secs(60);

/// Where it looks for its settings.
const SETTINGS: &str = "SOFTHSM2_CONF";

/// Says that this process is the one that [`in_a_folder_of_its_own`] started.
const STARTED: &str = "COUNTERSIGN_SOFTHSM";

/// Why there is no SoftHSM on this machine.
#[derive(Debug)]
pub enum SoftHsmError {
    /// Its library is not there.
    Library,
    /// A token could not be made.
    Token(RunError),
}

impl std::fmt::Display for SoftHsmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Library => write!(f, "needs SoftHSM: there is no libsofthsm2.so"),
            Self::Token(why) => write!(f, "SoftHSM makes no token: {why}"),
        }
    }
}

impl std::error::Error for SoftHsmError {}

/// Runs `tests` in a process whose tokens are in a folder that goes with it: the library reads
/// from the environment where they are.
///
/// # Errors
/// When that process cannot be started.
pub fn in_a_folder_of_its_own(tests: impl FnOnce() -> ExitCode) -> std::io::Result<ExitCode> {
    if std::env::var_os(STARTED).is_some() {
        return Ok(tests());
    }
    let folder = TempDir::new()?;
    let settings = folder.path().join("softhsm2.conf");
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens)?;
    let text = format!(
        "directories.tokendir = {}\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&settings, text)?;
    let status = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(SETTINGS, settings)
        .env(STARTED, "1")
        .status()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The library, where distributions put it.
///
/// # Errors
/// [`SoftHsmError::Library`] when it is not installed.
pub fn library() -> Result<PathBuf, SoftHsmError> {
    let folders = [
        "/usr/lib/softhsm",
        "/usr/lib/x86_64-linux-gnu/softhsm",
        "/usr/lib/aarch64-linux-gnu/softhsm",
        "/usr/lib64/softhsm",
        "/usr/local/lib/softhsm",
        "/opt/homebrew/lib/softhsm",
    ];
    let mut paths = folders
        .iter()
        .map(|folder| Path::new(folder).join("libsofthsm2.so"));
    paths
        .find(|path| path.is_file())
        .ok_or(SoftHsmError::Library)
}

/// Makes a token. The library sees those that were made before it was loaded.
///
/// # Errors
/// [`SoftHsmError::Token`] when it cannot be made.
pub fn make_token(label: &str, pin: &str) -> Result<(), SoftHsmError> {
    let mut make = Command::new("softhsm2-util");
    make.args(["--init-token", "--free", "--label", label]);
    make.args([
        OsStr::new("--so-pin"),
        OsStr::new("so-pin-of-tests"),
        OsStr::new("--pin"),
    ]);
    run(make.arg(pin), b"", LIMIT)
        .map(drop)
        .map_err(SoftHsmError::Token)
}

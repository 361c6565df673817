//! Node.js with the packages of `javascript/package.json`, in a folder of its own.

use std::fs;
use std::io;
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
const SCRIPT_LIMIT: Duration = Duration::from_secs(120);

/// Why there is no JavaScript peer on this machine.
#[derive(Clone, Debug)]
pub enum NodeError {
    /// There is no `node`, or it is older than 20.
    Runtime(String),
    /// The packages could not be installed.
    Packages(String),
}

impl std::fmt::Display for NodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runtime(why) => write!(f, "needs Node.js 20 or newer: {why}"),
            Self::Packages(why) => write!(f, "the npm packages cannot be had: {why}"),
        }
    }
}

impl std::error::Error for NodeError {}

/// A runtime whose packages are installed.
#[derive(Clone, Debug)]
pub struct Node {
    scripts: PathBuf,
}

impl Node {
    /// The peer, made on the first call and kept in `.cache` for later runs.
    ///
    /// # Errors
    /// When Node.js or a package is missing; every later call fails the same way.
    pub fn ready() -> Result<Self, NodeError> {
        static READY: OnceLock<Result<Node, NodeError>> = OnceLock::new();
        READY.get_or_init(Self::prepare).clone()
    }

    /// Runs one of our scripts; its last line of output is JSON.
    ///
    /// # Errors
    /// When the script fails, takes longer than two minutes, or prints no JSON.
    pub fn run(&self, script: &str, input: &str) -> Result<Value, RunError> {
        let mut command = Command::new("node");
        command
            .arg(self.scripts.join(script))
            .env_remove("NODE_OPTIONS");
        let output = run(&mut command, input.as_bytes(), SCRIPT_LIMIT)?;
        let line = output.lines().last().unwrap_or_default();
        serde_json::from_str(line).map_err(|error| RunError::Io(error.into()))
    }

    fn prepare() -> Result<Self, NodeError> {
        let packages = |error: &dyn std::fmt::Display| NodeError::Packages(error.to_string());
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = sources(&home.join("javascript")).map_err(|error| packages(&error))?;
        // Another runtime, other packages or other scripts are another folder.
        let mut key = version()?.into_bytes();
        for (name, text) in &sources {
            key.extend_from_slice(name.as_os_str().as_encoded_bytes());
            key.extend_from_slice(text);
        }
        let name = format!("javascript-{}", &encode_base64url(&sha256(&key))[..16]);
        let scripts = home.join(".cache").join(name);
        let complete = scripts.join("complete");
        if !complete.exists() {
            install(&scripts, &sources)
                .and_then(|()| Ok(fs::write(&complete, "")?))
                .map_err(|error| packages(&error))?;
        }
        Ok(Self { scripts })
    }
}

type Source = (PathBuf, Vec<u8>);

/// Our scripts and what names their packages, by their places below `from`.
fn sources(from: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    for folder in ["", "libraries"] {
        for entry in fs::read_dir(from.join(folder))? {
            let path = entry?.path();
            let wanted = path
                .extension()
                .is_some_and(|is| is == "mjs" || is == "json");
            if let (true, Some(name)) = (wanted, path.file_name()) {
                found.push((Path::new(folder).join(name), fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn version() -> Result<String, NodeError> {
    let script = "if (parseInt(process.versions.node) < 20) throw process.version; \
                  console.log(process.version)";
    let mut command = Command::new("node");
    run(command.args(["-e", script]), b"", START_LIMIT)
        .map_err(|error| NodeError::Runtime(error.to_string()))
}

fn install(to: &Path, sources: &[Source]) -> Result<(), RunError> {
    fs::create_dir_all(to.join("libraries"))?;
    for (name, text) in sources {
        fs::write(to.join(name), text)?;
    }
    let mut packages = Command::new("npm");
    // No package may run a script of its own.
    packages.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(packages.current_dir(to), b"", INSTALL_LIMIT)?;
    Ok(())
}

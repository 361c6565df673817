//! Files of the demonstration, and how to call the agents that stay.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

use countersign::audit;
use countersign::authority::Authority;
use countersign::crypto::random;
use countersign::workload::Snapshot;
use serde_json::json;

use crate::agents::{Agents, Failure};
use crate::show::Show;

/// A new folder that only its owner can look into, for the audit log and the identity of `--stay`.
/// It goes when this does.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Failure> {
        let name: [u8; 8] = random();
        let name = u64::from_be_bytes(name);
        let path = std::env::temp_dir().join(format!("countersign-{name:016x}"));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Fails for a path that is there already, be it a link that somebody laid.
        builder.create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays behind: {error}", self.0.display());
        }
    }
}

/// Where the audit log goes: into a file that the user named and that is not there yet, or into the
/// folder that goes.
pub(crate) fn audit_file(named: Option<&Path>, folder: &Folder) -> Result<PathBuf, Failure> {
    let Some(path) = named else {
        return Ok(folder.path().join("audit.jsonl"));
    };
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    made.map_err(|e| format!("--audit {}: {e}; name a new file", path.display()))?;
    Ok(path.to_owned())
}

/// Reads the audit log back and checks that it is whole.
pub(crate) fn verify(file: &Path, written: usize) -> Result<bool, Failure> {
    let summary = audit::verify(BufReader::new(File::open(file)?))?;
    Ok(summary.head.seq == written as u64)
}

/// Prints how to call the agents, and waits for Ctrl-C or a request to end.
pub(crate) async fn until_interrupted(
    folder: &Folder,
    log: &Path,
    authority: &Authority,
    agents: &Agents,
    show: &Show,
) -> Result<(), Failure> {
    let workload = agents.front_desk.client().workload();
    let mut changed = workload.changed();
    write_identity(folder.path(), &workload.current(), authority)?;
    write_settings(folder.path(), authority, agents)?;
    let dir = folder.path().display();
    let url = agents.planner.peer().origin();
    let name = command_name();
    let scopes = "trip:plan trip:book payments:charge";
    let commands = [
        ("doctor", format!("{name} doctor --identity {dir}")),
        ("card", format!("{name} card show {url} --identity {dir}")),
        (
            "call",
            format!(
                "{name} call {url} 'Bern on Friday' --identity {dir} --user alice --skill plan \
                 --scope '{scopes}'"
            ),
        ),
        ("audit", format!("{name} audit show {}", log.display())),
        (
            "curl",
            format!(
                "curl --cacert {dir}/bundle.pem --cert {dir}/cert.pem --key {dir}/key.pem \
                 {url}/.well-known/agent-card.json"
            ),
        ),
    ];
    let mut text = "\nThe agents stay until Ctrl-C. As front-desk, for alice; with curl, a card \
                    needs a certificate\nonly, a call also a token and a signature:\n"
        .to_owned();
    let mut value = json!({ "event": "staying", "folder": dir.to_string() });
    for (event, command) in commands {
        text += &format!("\n  {command}");
        value[event] = command.into();
    }
    show.staying(&format!("{text}\n"), value);
    let mut end = std::pin::pin!(end());
    loop {
        tokio::select! {
            ended = &mut end => return ended,
            // The certificate was renewed: the files follow.
            Ok(()) = changed.changed() => {
                write_identity(folder.path(), &workload.current(), authority)?;
            }
        }
    }
}

#[cfg(unix)]
async fn end() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn end() -> Result<(), Failure> {
    Ok(tokio::signal::ctrl_c().await?)
}

/// How the command is called here: by its name where it is installed, else through cargo.
fn command_name() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("countersign{}", std::env::consts::EXE_SUFFIX);
    if std::env::split_paths(&path).any(|dir| dir.join(&file).is_file()) {
        "countersign"
    } else {
        "cargo run -q -p countersign --features cli --"
    }
}

/// front-desk's certificate of this hour, for the command and for curl.
fn write_identity(folder: &Path, own: &Snapshot, authority: &Authority) -> Result<(), Failure> {
    write(&folder.join("key.pem"), own.expose_key_pem().expose())?;
    write(&folder.join("cert.pem"), &own.chain_pem())?;
    write(&folder.join("bundle.pem"), &authority.bundle().to_pem())
}

/// Which authority, and who is where.
fn write_settings(folder: &Path, authority: &Authority, agents: &Agents) -> Result<(), Failure> {
    let mut settings = format!(
        "issuer = \"{}\"\nauthority = \"{}\"\n\n[peers]\n",
        authority.issuer(),
        authority.id()
    );
    for agent in agents.all() {
        let peer = agent.peer();
        settings += &format!("\"{}\" = \"{}\"\n", peer.origin(), peer.id());
    }
    write(&folder.join("countersign.toml"), &settings)
}

/// Replaces a file as a whole; only its owner can read it.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(text.as_bytes())?;
    fs::rename(new, path)?;
    Ok(())
}

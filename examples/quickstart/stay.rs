//! Files that outlive the demonstration, and how to call the agents that stay.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use countersign::audit;
use countersign::authority::Authority;
use countersign::server::RunningAgent;
use serde_json::json;

use crate::agents::{Agents, Failure};
use crate::show::Show;

/// A folder of this process, for the audit log and the certificates of `--stay`.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    let path = std::env::temp_dir().join(format!("countersign-{}", std::process::id()));
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// Reads the audit log back and checks that it is whole.
pub(crate) fn verify(file: &Path, written: usize) -> Result<bool, Failure> {
    let summary = audit::verify(BufReader::new(File::open(file)?))?;
    Ok(summary.head.seq == written as u64)
}

/// Prints how to call the agents, and waits for Ctrl-C.
pub(crate) async fn until_interrupted(
    folder: &Path,
    authority: &Authority,
    agents: &Agents,
    show: &Show,
) -> Result<(), Failure> {
    write_identity(folder, &agents.front_desk, authority)?;
    let peer = agents.planner.peer();
    let (url, id) = (peer.origin(), peer.id());
    let dir = folder.display();
    let login = "--user alice --scope 'trip:plan trip:book payments:charge'";
    let command =
        format!("countersign call {url} 'Bern on Friday' --peer {id} --identity {dir} {login}");
    let card = format!("countersign card show {url} --peer {id} --identity {dir}");
    let curl = format!(
        "curl --cacert {dir}/bundle.pem --cert {dir}/cert.pem --key {dir}/key.pem \
         {url}/.well-known/agent-card.json"
    );
    show.staying(
        &format!(
            "\nThe agents stay until Ctrl-C. As front-desk, for alice:\n\n  {command}\n  {card}\n  \
             countersign audit show {dir}/audit.jsonl\n\n\
             With curl; a card needs a certificate only, a call also a token and a signature:\n\n  {curl}\n"
        ),
        json!({ "event": "staying", "call": command, "card": card, "curl": curl, "folder": dir.to_string() }),
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// front-desk's certificate of this hour, for the command and for curl.
fn write_identity(
    folder: &Path,
    agent: &RunningAgent,
    authority: &Authority,
) -> Result<(), Failure> {
    let own = agent.client().workload().current();
    fs::write(folder.join("cert.pem"), own.chain_pem())?;
    fs::write(folder.join("bundle.pem"), authority.bundle().to_pem())?;
    write_private(&folder.join("key.pem"), own.expose_key_pem().expose())?;
    let settings = format!(
        "issuer = \"{}\"\nauthority = \"{}\"\n",
        authority.issuer(),
        authority.id()
    );
    fs::write(folder.join("authority.toml"), settings)?;
    Ok(())
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)?;
    Ok(())
}

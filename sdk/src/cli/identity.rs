//! The folder in which a workload's identity lies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::outcome::Stop;
use crate::client::{Client, ClientError, Peer};
use crate::clock::SystemClock;
use crate::id::SpiffeId;
use crate::oauth::AuthorityEndpoint;
use crate::tls::{Endpoint, TransportConfig};
use crate::workload::{FileSource, Workload};

/// The file that names the authority.
const SETTINGS: &str = "countersign.toml";
const CORRECT: &str = "countersign.toml holds issuer = \"https://…\", authority = \"spiffe://…\" and, under \
     [peers], lines like \"https://host:port\" = \"spiffe://…\"";

/// `countersign.toml`: which authority, and who is where.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The authorization server's issuer: an https URL.
    pub(super) issuer: String,
    /// The authorization server's SPIFFE ID.
    pub(super) authority: SpiffeId,
    /// Agents by their URL.
    #[serde(default)]
    peers: BTreeMap<String, SpiffeId>,
}

impl Settings {
    /// Reads and checks the file in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, Stop> {
        let file = folder.join(SETTINGS);
        let wrong = |what: &dyn std::fmt::Display| {
            let what = format!("{}: {what}", file.display());
            Stop::failed("cli.settings", what, CORRECT)
        };
        let text = std::fs::read_to_string(&file).map_err(|e| wrong(&e))?;
        // Where and what, but not the line itself: it may hold what was pasted by mistake.
        let parsed = toml::from_str(&text).map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|b| *b == b'\n').count();
            wrong(&format_args!("line {line}: {}", error.message()))
        });
        let settings: Self = parsed?;
        settings
            .endpoint()
            .map_err(|stop| wrong(&format_args!("issuer: {}", stop.what)))?;
        for (url, id) in &settings.peers {
            peer(url, id.as_str())
                .map_err(|stop| wrong(&format_args!("[peers]: {}", stop.what)))?;
        }
        Ok(settings)
    }

    /// Where the authority is.
    pub(super) fn endpoint(&self) -> Result<AuthorityEndpoint, Stop> {
        let issuer = plain_url(&self.issuer)?;
        let base = issuer
            .parse()
            .map_err(|e| Stop::usage(format!("{issuer:?}: {e}"), CORRECT))?;
        let endpoint = Endpoint::new(base, self.authority.clone());
        Ok(AuthorityEndpoint {
            issuer: self.issuer.clone(),
            endpoint: endpoint.map_err(ClientError::from)?,
        })
    }

    /// The agents of `[peers]`.
    pub(super) fn peers(&self) -> impl Iterator<Item = Result<Peer, Stop>> {
        self.peers.iter().map(|(url, id)| peer(url, id.as_str()))
    }

    /// Who is called at `url`: `named`, else whom the settings name.
    pub(super) fn find(&self, url: &str, named: Option<&str>) -> Result<Peer, Stop> {
        if let Some(id) = named {
            return peer(url, id);
        }
        // Any name will do to read the URL; the one that counts is found by it.
        let wanted = peer(url, self.authority.as_str())?;
        let same = |found: &Peer| {
            let origins = found.target().normalized().ok();
            origins.is_some_and(|origin| wanted.target().normalized().ok() == Some(origin))
        };
        let found = self.peers().filter_map(Result::ok).find(same);
        found.ok_or_else(|| {
            Stop::usage(
                format!("nothing says who is at {}", wanted.origin()),
                "give --peer SPIFFE-ID, or name the agent under [peers] in countersign.toml: there \
                 is no call to whoever happens to answer",
            )
        })
    }
}

/// An agent's address and name. What may be a password is not repeated.
fn peer(url: &str, id: &str) -> Result<Peer, Stop> {
    Ok(Peer::new(plain_url(url)?, id)?)
}

fn plain_url(url: &str) -> Result<&str, Stop> {
    if url.contains(['@', '?', '#']) {
        return Err(Stop::usage(
            "a URL with user, query or fragment",
            "give https://host:port alone; no secret belongs in a URL",
        ));
    }
    Ok(url)
}

/// A workload that can call.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) client: Client,
    pub(super) settings: Settings,
}

impl Identity {
    pub(super) async fn open(folder: &Path, wait: Duration) -> Result<Self, Stop> {
        let settings = Settings::read(folder)?;
        let source = Arc::new(source(folder, &settings));
        let workload = Workload::start(source, Arc::new(SystemClock)).await?;
        let client = client(workload, &settings, wait)?;
        Ok(Self { client, settings })
    }
}

/// The certificate, key and bundle of `folder`.
pub(super) fn source(folder: &Path, settings: &Settings) -> FileSource {
    FileSource::new(folder.join("cert.pem"), folder.join("key.pem"))
        .trust(settings.authority.trust_domain(), folder.join("bundle.pem"))
}

/// Calls with `workload`, waiting `wait` for each answer.
pub(super) fn client(
    workload: Workload,
    settings: &Settings,
    wait: Duration,
) -> Result<Client, Stop> {
    let transport = TransportConfig {
        connect_timeout: wait.min(TransportConfig::default().connect_timeout),
        answer_timeout: wait,
        ..TransportConfig::default()
    };
    let client = Client::builder(workload, settings.endpoint()?);
    Ok(client.transport(transport).deadline(wait).build()?)
}

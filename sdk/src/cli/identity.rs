//! The folder in which a workload's identity lies.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::outcome::Stop;
use crate::client::Client;
use crate::clock::SystemClock;
use crate::id::SpiffeId;
use crate::oauth::AuthorityEndpoint;
use crate::tls::Endpoint;
use crate::workload::{FileSource, Workload};

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
    pub(super) peers: BTreeMap<String, SpiffeId>,
}

impl Settings {
    pub(super) fn read(folder: &Path) -> Result<Self, Stop> {
        let file = folder.join("countersign.toml");
        let advice = "it names the authority: issuer = \"https://…\", authority = \"spiffe://…\"";
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|e| Stop::failed(format!("{}: {e}", file.display()), advice))?;
        let parsed = toml::from_str(&text);
        parsed.map_err(|e| Stop::failed(format!("{}: {e}", file.display()), advice))
    }
}

/// A workload that can call.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) client: Client,
    pub(super) settings: Settings,
}

impl Identity {
    pub(super) async fn open(folder: &Path) -> Result<Self, Stop> {
        let settings = Settings::read(folder)?;
        let workload = workload(folder, &settings).await?;
        let client = Client::new(workload, settings.endpoint()?)?;
        Ok(Self { client, settings })
    }

    /// Who is at `url`, according to `countersign.toml`.
    pub(super) fn peer_at(&self, url: &str) -> Result<String, Stop> {
        let found = self.settings.peers.get(url.trim_end_matches('/'));
        found.map(ToString::to_string).ok_or_else(|| {
            Stop::usage(format!(
                "who is at {url}? Give --peer SPIFFE-ID, or name it under [peers] in countersign.toml"
            ))
        })
    }
}

impl Settings {
    pub(super) fn endpoint(&self) -> Result<AuthorityEndpoint, Stop> {
        let wrong = |e: &dyn std::fmt::Display| {
            Stop::failed(
                format!("the issuer {:?}: {e}", self.issuer),
                "correct it in countersign.toml",
            )
        };
        let base = self
            .issuer
            .parse()
            .map_err(|e: http::uri::InvalidUri| wrong(&e))?;
        let endpoint = Endpoint::new(base, self.authority.clone()).map_err(|e| wrong(&e))?;
        Ok(AuthorityEndpoint {
            issuer: self.issuer.clone(),
            endpoint,
        })
    }
}

/// The certificate, key and bundle of `folder`.
pub(super) async fn workload(folder: &Path, settings: &Settings) -> Result<Workload, Stop> {
    let source = FileSource::new(folder.join("cert.pem"), folder.join("key.pem"))
        .trust(settings.authority.trust_domain(), folder.join("bundle.pem"));
    let started = Workload::start(Arc::new(source), Arc::new(SystemClock)).await;
    started.map_err(|e| {
        Stop::failed(
            e,
            "cert.pem, key.pem and bundle.pem must be there, match and be in time; \
             `countersign doctor` looks at each",
        )
    })
}

//! Where documents may be fetched from.

use std::path::PathBuf;

use clap::Args;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::files::{MAX_DOCUMENT, read};
use crate::cli::outcome::Stop;
use crate::web::{AddressRules, Fetcher, Network};

/// Which addresses may be connected to, and whose certificates are trusted.
#[derive(Args, Debug)]
pub(super) struct FetchArgs {
    /// Trust these roots (PEM) instead of the system's.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Fetch from this private network too, as 10.20.0.0/16.
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<Network>,
    /// Fetch from this machine too, where anything may listen. For tests.
    #[arg(long)]
    danger_allow_loopback: bool,
}

impl FetchArgs {
    pub(super) fn fetcher(&self) -> Result<Fetcher, Stop> {
        let networks = self.networks.iter();
        let rules = networks.fold(AddressRules::default(), |rules, network| {
            rules.network(*network)
        });
        let rules = match self.danger_allow_loopback {
            true => rules.danger().allow_loopback(),
            false => rules,
        };
        let fetcher = Fetcher::new(rules);
        let Some(path) = &self.roots else {
            return Ok(fetcher);
        };
        let pem = read(path, MAX_DOCUMENT)?;
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match roots {
            Ok(roots) if !roots.is_empty() => Ok(fetcher.roots(roots)),
            _ => Err(Stop::failed(
                "cli.file",
                format!("{}: there are no certificates in it", path.display()),
                "give the root certificates as PEM, sections CERTIFICATE",
            )),
        }
    }
}

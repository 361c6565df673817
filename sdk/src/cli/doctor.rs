//! `countersign doctor`: looks at everything a call needs, and says what to do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::advice;
use super::checks::Checks;
use super::identity::{self, Settings};
use super::outcome::{Outcome, Stop};
use crate::client::Client;
use crate::clock::{Clock as _, ManualClock, Skew, SystemClock, UnixTime};
use crate::svid::SvidError;
use crate::workload::{FileSource, IdentitySource as _, Material, Workload, WorkloadError};

/// A certificate with less than this left is worth a word, in seconds.
const SOON: u64 = 300;
const NEEDS_IDENTITY: &str = "it needs a usable certificate";
const NTP: &str = "set this machine's clock by NTP: signatures, tokens and certificates are refused \
     by clocks that are apart";

pub(super) async fn doctor(folder: &Path, wait: Duration) -> Result<Outcome, Stop> {
    let mut checks = Checks::default();
    let settings = match Settings::read(folder) {
        Ok(settings) => settings,
        Err(stop) => {
            checks.bad("settings", stop.what, stop.advice);
            key_file(&mut checks, folder);
            for name in ["certificate", "trust bundle", "authority", "clock", "cards"] {
                checks.skip(name, "it needs countersign.toml");
            }
            return Ok(checks.finish());
        }
    };
    checks.good("settings", format!("issuer {}", settings.issuer));
    key_file(&mut checks, folder);
    let source = identity::source(folder, &settings);
    let own = match source.fetch().await {
        Ok(material) => own(&mut checks, &material, SystemClock.now()),
        Err(error) => {
            unusable(&mut checks, &error);
            Own::Unusable
        }
    };
    match own {
        Own::Usable => connected(&mut checks, source, &settings, wait).await?,
        Own::InDateAt(when) => {
            checks.skip("authority", NEEDS_IDENTITY);
            // Only to ask what time it is; nothing is called by this clock.
            let clock = Arc::new(ManualClock::at(when));
            let theirs = match Workload::start(Arc::new(source), clock).await {
                Ok(workload) => ask_time(&identity::client(workload, &settings, wait)?).await,
                Err(_) => None,
            };
            match theirs {
                Some(theirs) => compare(&mut checks, theirs),
                None => checks.skip("clock", "the authority takes no certificate out of date"),
            }
            checks.skip("cards", NEEDS_IDENTITY);
        }
        Own::Unusable => {
            for name in ["authority", "clock", "cards"] {
                checks.skip(name, NEEDS_IDENTITY);
            }
        }
    }
    Ok(checks.finish())
}

async fn connected(
    checks: &mut Checks,
    source: FileSource,
    settings: &Settings,
    wait: Duration,
) -> Result<(), Stop> {
    let workload = Workload::start(Arc::new(source), Arc::new(SystemClock)).await?;
    let client = identity::client(workload, settings, wait)?;
    if authority(checks, &client).await {
        match ask_time(&client).await {
            Some(theirs) => compare(checks, theirs),
            None => {
                let found = "the authority does not say what time it is";
                checks.warn("clock", found, "compare this machine's clock by NTP");
            }
        }
    } else {
        checks.skip("clock", "it is compared with the authority's");
    }
    cards(checks, &client, settings).await;
    Ok(())
}

/// Whether others on this machine can read the private key.
fn key_file(checks: &mut Checks, folder: &Path) {
    let file = folder.join("key.pem");
    match std::fs::metadata(&file) {
        Err(error) => checks.bad(
            "key file",
            format!("{}: {error}", file.display()),
            "put the private key of cert.pem there, PKCS#8 in PEM",
        ),
        #[cfg(unix)]
        Ok(about) if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 => {
            let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777;
            checks.warn(
                "key file",
                format!("{} has mode {mode:03o}: others can read it", file.display()),
                format!(
                    "chmod 600 {}; if somebody may have read it, enrol again",
                    file.display()
                ),
            );
        }
        Ok(_) => checks.good("key file", "only its owner can read it"),
    }
}

/// What the files of an identity are good for.
enum Own {
    Usable,
    /// Good but for the time: by a clock that shows this, all would be well.
    InDateAt(UnixTime),
    Unusable,
}

/// Looks at certificate, key and trust.
fn own(checks: &mut Checks, material: &Material, now: UnixTime) -> Own {
    let identity = match material.check(now) {
        Ok(identity) => identity,
        Err(error) => {
            unusable(checks, &error);
            return match error {
                WorkloadError::Svid(SvidError::NotYetValid { not_before, .. }) => {
                    Own::InDateAt(not_before)
                }
                WorkloadError::Svid(SvidError::Expired { not_after, .. }) => {
                    Own::InDateAt(not_after)
                }
                _ => Own::Unusable,
            };
        }
    };
    let left = identity.not_after().since(now).as_secs();
    let found = format!("{}, {left} s left, of key.pem", identity.id());
    if left > SOON {
        checks.good("certificate", found);
    } else {
        let advice = "see that it is renewed in time: calls stop when it expires";
        checks.warn("certificate", found, advice);
    }
    for bundle in material.bundles.iter() {
        let (roots, domain) = (bundle.roots().len(), bundle.domain());
        let found = format!(
            "{roots} root(s) of {domain}, good until {}",
            bundle.not_after()
        );
        checks.good("trust bundle", found);
    }
    Own::Usable
}

fn unusable(checks: &mut Checks, error: &WorkloadError) {
    let (name, advice) = match error {
        WorkloadError::File { path, .. } if path.ends_with("bundle.pem") => (
            "trust bundle",
            "put the authority's roots there, as certificates in PEM",
        ),
        WorkloadError::File { path, .. } if path.ends_with("key.pem") => (
            "private key",
            "put the private key of cert.pem there, PKCS#8 in PEM",
        ),
        WorkloadError::Key(_) => ("private key", "enrol again, or copy key.pem again"),
        WorkloadError::KeyMismatch => (
            "private key",
            "cert.pem and key.pem must come from the same enrolment or renewal: copy both again",
        ),
        WorkloadError::Svid(SvidError::Bundle { .. } | SvidError::Untrusted { .. }) => (
            "trust bundle",
            "take cert.pem and bundle.pem from the same authority (a development authority has a \
             new root at each start)",
        ),
        WorkloadError::Svid(SvidError::TrustDomain { .. }) => (
            "trust bundle",
            "cert.pem and `authority` in countersign.toml must be of the same trust domain",
        ),
        WorkloadError::Svid(SvidError::NotYetValid { .. }) => (
            "certificate",
            "look at this machine's clock first: it is probably behind",
        ),
        WorkloadError::Svid(SvidError::Expired { .. }) | WorkloadError::Expired { .. } => (
            "certificate",
            "renew it or enrol again; if it should be good still, look at this machine's clock",
        ),
        WorkloadError::File { .. } => (
            "certificate",
            "put the workload's X.509-SVID there, leaf first, in PEM",
        ),
        _ => (
            "certificate",
            "it is no X.509-SVID that others would take: enrol again",
        ),
    };
    checks.bad(name, error.to_string(), advice);
}

/// Whether the authority answers at all.
async fn authority(checks: &mut Checks, client: &Client) -> bool {
    let oauth = client.oauth();
    let metadata = match oauth.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => {
            checks.bad("authority", error.to_string(), advice::oauth(&error).1);
            checks.skip("signing keys", "the authority does not say where they are");
            return !matches!(error, crate::oauth::OAuthError::Connection(_));
        }
    };
    checks.good("authority", format!("{} answers", metadata.issuer()));
    match oauth.issuer_keys(None).await {
        Ok(keys) => checks.good("signing keys", format!("{} usable", keys.len())),
        Err(error) => checks.bad("signing keys", error.to_string(), advice::oauth(&error).1),
    }
    true
}

/// The authority's time, if it says so.
async fn ask_time(client: &Client) -> Option<UnixTime> {
    client.oauth().server_time().await.ok().flatten()
}

fn compare(checks: &mut Checks, theirs: UnixTime) {
    let ours = SystemClock.now();
    let (ahead, behind) = (ours.since(theirs), theirs.since(ours));
    let apart = ahead.max(behind);
    let which = if ahead > behind { "ahead of" } else { "behind" };
    let found = format!("{} s {which} the authority's", apart.as_secs());
    if apart <= Skew::default().get() {
        checks.good("clock", found);
    } else {
        checks.bad("clock", found, NTP);
    }
}

async fn cards(checks: &mut Checks, client: &Client, settings: &Settings) {
    let mut none = true;
    for peer in settings.peers() {
        none = false;
        let peer = match peer {
            Ok(peer) => peer,
            Err(stop) => {
                checks.bad("cards", stop.what, stop.advice);
                continue;
            }
        };
        let name = format!("card {}", peer.id().short_name());
        match client.card(&peer).await {
            Ok(_) => {
                let found = format!("signed and served by {} at {}", peer.id(), peer.origin());
                checks.good(&name, found);
            }
            Err(error) => checks.bad(&name, error.to_string(), advice::client(&error).1),
        }
    }
    if none {
        checks.skip("cards", "[peers] in countersign.toml names no agent");
    }
}

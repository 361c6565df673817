//! `countersign doctor`: looks at everything a call needs, and says what to do.

use std::path::Path;

use serde_json::json;

use super::identity::{self, Identity, Settings};
use super::outcome::{Outcome, Stop};
use crate::client::{Client, Peer};
use crate::clock::{Clock as _, SystemClock};

/// A certificate with less than this left is worth a word, in seconds.
const SOON: u64 = 300;
/// Clocks that differ by more than this break signatures and tokens, in seconds.
const SKEW: u64 = 5;

struct Check {
    name: String,
    good: bool,
    found: String,
    advice: Option<&'static str>,
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn good(&mut self, name: impl Into<String>, found: impl Into<String>) {
        self.0.push(Check {
            name: name.into(),
            good: true,
            found: found.into(),
            advice: None,
        });
    }

    fn bad(&mut self, name: impl Into<String>, found: impl Into<String>, advice: &'static str) {
        self.0.push(Check {
            name: name.into(),
            good: false,
            found: found.into(),
            advice: Some(advice),
        });
    }

    fn finish(self) -> Outcome {
        let good = self.0.iter().all(|check| check.good);
        let mut text = String::new();
        for check in &self.0 {
            let mark = if check.good { '✓' } else { '✗' };
            text += &format!("{mark} {:<14} {}\n", check.name, check.found);
            if let Some(advice) = check.advice {
                text += &format!("  what to do:    {advice}\n");
            }
        }
        let checks = self.0.iter().map(|check| {
            json!({ "check": check.name, "ok": check.good, "found": check.found, "advice": check.advice })
        });
        let value = json!({ "ok": good, "checks": checks.collect::<Vec<_>>() });
        Outcome {
            text,
            json: value,
            good,
        }
    }
}

pub(super) async fn doctor(folder: &Path) -> Result<Outcome, Stop> {
    let mut checks = Checks::default();
    let settings = match Settings::read(folder) {
        Ok(settings) => settings,
        Err(Stop::Failed { what, advice }) => {
            checks.bad("settings", what, advice);
            return Ok(checks.finish());
        }
        Err(other) => return Err(other),
    };
    checks.good("settings", format!("issuer {}", settings.issuer));
    let workload = match identity::workload(folder, &settings).await {
        Ok(workload) => workload,
        Err(Stop::Failed { what, .. }) => {
            checks.bad(
                "certificate",
                what,
                "enrol the workload again, or copy a fresh cert.pem with its key.pem; if it is \
                 \"not yet valid\" or just expired, look at this machine's clock first",
            );
            return Ok(checks.finish());
        }
        Err(other) => return Err(other),
    };
    let own = workload.current();
    let left = own
        .identity()
        .not_after()
        .since(SystemClock.now())
        .as_secs();
    let found = format!("{}, {left} s left", workload.id());
    if left > SOON {
        checks.good("certificate", found);
    } else {
        checks.bad(
            "certificate",
            found,
            "renew it now: calls stop when it expires",
        );
    }
    let domain = workload.id().trust_domain();
    let roots = own
        .bundles()
        .get(domain.as_str())
        .map_or(0, |bundle| bundle.roots().len());
    checks.good("trust bundle", format!("{roots} root(s) of {domain}"));
    let client = Client::new(workload, settings.endpoint()?)?;
    authority(&mut checks, &client).await;
    let identity = Identity { client, settings };
    cards(&mut checks, &identity).await;
    Ok(checks.finish())
}

async fn authority(checks: &mut Checks, client: &Client) {
    let oauth = client.oauth();
    match oauth.metadata().await {
        Ok(metadata) => checks.good("authority", format!("{} answers", metadata.issuer())),
        Err(error) => checks.bad(
            "authority",
            error.to_string(),
            "start the authority, or correct `issuer` and `authority` in countersign.toml",
        ),
    }
    match oauth.server_time().await {
        Ok(None) => checks.bad(
            "clock",
            "the authority does not say what time it is",
            "compare this machine's clock by NTP",
        ),
        Ok(Some(theirs)) => {
            let ours = SystemClock.now();
            let apart = ours.since(theirs).max(theirs.since(ours)).as_secs();
            let found = format!("{apart} s apart from the authority's");
            if apart <= SKEW {
                checks.good("clock", found);
            } else {
                checks.bad("clock", found, "set this machine's clock by NTP: over 5 s apart, signatures and tokens are refused");
            }
        }
        Err(error) => checks.bad(
            "clock",
            format!("could not be compared: {error}"),
            "it is compared with the authority's once that answers",
        ),
    }
}

async fn cards(checks: &mut Checks, identity: &Identity) {
    for (url, id) in &identity.settings.peers {
        let name = format!("card {}", id.short_name());
        let card = match Peer::new(url, id.as_str()) {
            Ok(peer) => identity.client.card(&peer).await.map(drop),
            Err(error) => Err(error),
        };
        match card {
            Ok(()) => checks.good(name, format!("signed by and served by {id}")),
            Err(error) => checks.bad(
                name,
                error.to_string(),
                "start the agent, or correct its line under [peers] in countersign.toml",
            ),
        }
    }
}

//! `countersign http registry`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::card::unfetched;
use super::fetch::FetchArgs;
use super::files::{MAX_DOCUMENT, print, read};
use super::lint::{Finding, tell};
use super::serve::{ServeArgs, Site};
use crate::cli::outcome::{Outcome, Stop};
use crate::clock::{Clock as _, SystemClock};
use crate::discovery::fetch_registry;
use crate::httpsig::signature_agent::{Registry, RegistryEntry, RegistryRule, RegistryWarning};

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("work").required(true).args(["urls", "lint", "fetch_it"]))]
pub(in crate::cli) struct RegistryArgs {
    /// The URLs of the cards that it lists.
    #[arg(value_name = "URL")]
    urls: Vec<String>,
    /// Say what is wrong with the registry in this file.
    #[arg(long, value_name = "FILE", conflicts_with = "serve")]
    lint: Option<PathBuf>,
    /// Fetch the registry at this https URL, print it, and say what is wrong with it.
    #[arg(long = "fetch", value_name = "URL", conflicts_with = "serve")]
    fetch_it: Option<String>,
    /// Where it is served.
    #[arg(long, value_name = "PATH", default_value = "/", requires = "serve")]
    path: String,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    fetch: FetchArgs,
}

pub(super) async fn registry(args: &RegistryArgs, as_json: bool) -> Result<Outcome, Stop> {
    if let Some(file) = &args.lint {
        let read = Registry::read(&read(file, MAX_DOCUMENT + 1)?);
        let read = read.map_err(|error| {
            let advice = "a registry is text, one URL of a card a line";
            Stop::refused(error.reason(), error, advice)
        });
        let (registry, warnings) = read?;
        return Ok(told(&registry, &warnings, false));
    }
    if let Some(url) = &args.fetch_it {
        let fetched = fetch_registry(&args.fetch.fetcher()?, url).await;
        let (registry, warnings) = fetched.map_err(|error| unfetched(&error))?;
        return Ok(told(&registry, &warnings, true));
    }
    let mut registry = Registry::default();
    for url in &args.urls {
        let more = registry.with(url);
        registry = more.map_err(|error| Stop::usage(error, "give https URLs of cards"))?;
    }
    if let Some(address) = args.serve.serve {
        let served = registry.to_served(SystemClock.now());
        let there = args.path.clone();
        let site: Site = Arc::new(move |method, path, asked| {
            (path == there).then(|| served.answer(method, asked))
        });
        let site = |_: &_| Ok(site);
        return args.serve.run(address, &args.path, as_json, site).await;
    }
    if as_json {
        let value = json!({ "ok": true, "registry": registry.to_text() });
        return Ok(Outcome::good("", value));
    }
    print(registry.to_text().as_bytes())?;
    Ok(Outcome::good("", json!({})))
}

fn told(registry: &Registry, warnings: &[RegistryWarning], show: bool) -> Outcome {
    let findings = warnings.iter().map(|warning| Finding {
        reason: warning.reason(),
        text: warning.to_string(),
        taken: matches!(warning.rule, RegistryRule::Data),
    });
    let findings: Vec<_> = findings.collect();
    let entries = registry.entries().iter().map(RegistryEntry::as_str);
    let entries: Vec<_> = entries.collect();
    let about = vec![("cards", json!(entries))];
    let what = format!("a registry of {} cards", entries.len());
    let mut outcome = tell(&what, about, &findings);
    if show {
        outcome.text.push_str(&registry.to_text());
    }
    outcome
}

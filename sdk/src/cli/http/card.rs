//! `countersign http card`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::fetch::FetchArgs;
use super::files::{MAX_DOCUMENT, print, read};
use super::keys::signing_keys;
use super::lint::{Finding, tell};
use super::serve::{ServeArgs, Site};
use crate::cli::outcome::{Outcome, Stop};
use crate::clock::{Clock as _, SystemClock};
use crate::discovery::{DiscoveryError, fetch_card};
use crate::httpsig::signature_agent::{
    CardError, CardRule, CardWarning, SignatureAgentCard, Trigger,
};
use crate::httpsig::{HttpKeySet, WebUrl};

#[derive(Args, Debug)]
pub(in crate::cli) struct CardArgs {
    /// The https URL at which the card is, which is its client_id.
    #[arg(value_name = "URL")]
    url: String,
    /// A name for people.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// A page about the agent.
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// How to reach who runs it: a URI, as mailto:bot@bot.example.
    #[arg(long = "contact", value_name = "URI")]
    contacts: Vec<String>,
    /// Where its key directory is.
    #[arg(long, value_name = "URL", conflicts_with = "keys")]
    jwks_uri: Option<String>,
    /// A key that the card has in it, in place of a URL: only its public half gets there.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// What makes the agent ask.
    #[arg(long, value_name = "WHAT")]
    trigger: Option<TriggerName>,
    /// What it asks for.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// The User-Agent that it sends, or how that begins.
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Say what is wrong with the card in this file, which is to be served at URL.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fetch_it", "serve"])]
    lint: Option<PathBuf>,
    /// Fetch the card at URL, print it, and say what is wrong with it.
    #[arg(long = "fetch", conflicts_with = "serve")]
    fetch_it: bool,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    fetch: FetchArgs,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum TriggerName {
    Fetcher,
    Crawler,
}

pub(super) async fn card(args: &CardArgs, as_json: bool) -> Result<Outcome, Stop> {
    if let Some(file) = &args.lint {
        let body = read(file, MAX_DOCUMENT)?;
        let read = SignatureAgentCard::read(&body, &args.url);
        let (card, warnings) = read.map_err(|error| broken(&error))?;
        return Ok(told(&card, &warnings, false));
    }
    if args.fetch_it {
        let fetched = fetch_card(&args.fetch.fetcher()?, &args.url).await;
        let (card, warnings) = fetched.map_err(|error| unfetched(&error))?;
        return Ok(told(&card, &warnings, true));
    }
    let card = made(args)?;
    // Nothing is made that others would leave out.
    let read = SignatureAgentCard::read(&card.to_bytes(), &args.url);
    let (_, warnings) = read.map_err(|error| Stop::usage(error, URL))?;
    if let Some(warning) = warnings.first() {
        return Err(Stop::usage(
            warning,
            "give --jwks-uri or --key, and https URLs; a contact is a URI, as mailto:…",
        ));
    }
    if let Some(address) = args.serve.serve {
        let url: WebUrl = args.url.parse().map_err(|error| Stop::usage(error, URL))?;
        let path = url.path().to_owned();
        let served = card.to_served(SystemClock.now());
        let there = path.clone();
        let site: Site = Arc::new(move |method, path, asked| {
            (path == there).then(|| served.answer(method, asked))
        });
        return args.serve.run(address, &path, as_json, |_| Ok(site)).await;
    }
    if as_json {
        return Ok(Outcome::good("", json!({ "ok": true, "card": card })));
    }
    print(&[&card.to_bytes()[..], b"\n"].concat())?;
    Ok(Outcome::good("", json!({})))
}

const URL: &str = "give the https URL at which the card is served, letter by letter";

fn made(args: &CardArgs) -> Result<SignatureAgentCard, Stop> {
    let mut card = SignatureAgentCard::new(&args.url);
    card.client_name = args.name.clone();
    card.client_uri = args.page.clone();
    card.contacts = args.contacts.clone();
    card.jwks_uri = args.jwks_uri.clone();
    if !args.keys.is_empty() {
        let mut keys = Vec::new();
        for path in &args.keys {
            keys.extend(signing_keys(path)?.into_iter().map(|(_, key)| key));
        }
        for key in &keys {
            super::keys::refuse_test_key(key.verifying_key(), false)?;
        }
        let public = keys.iter().map(|key| key.verifying_key());
        card.jwks = Some(HttpKeySet::of(public).to_value());
    }
    let behaviour = [&args.purpose, &args.user_agent];
    if args.trigger.is_some() || behaviour.iter().any(|given| given.is_some()) {
        let about = card.web_bot_auth.get_or_insert_default();
        about.purpose = args.purpose.clone();
        about.expected_user_agent = args.user_agent.clone();
        about.trigger = args.trigger.map(|trigger| match trigger {
            TriggerName::Fetcher => Trigger::Fetcher,
            TriggerName::Crawler => Trigger::Crawler,
        });
    }
    Ok(card)
}

fn broken(error: &CardError) -> Stop {
    let advice = "`countersign http card URL` prints a good one";
    Stop::refused(error.reason(), error, advice)
}

/// What was not fetched, or is not what it should be.
pub(super) fn unfetched(error: &DiscoveryError) -> Stop {
    match error {
        DiscoveryError::Card(_) | DiscoveryError::Registry(_) | DiscoveryError::Directory(_) => {
            let advice = "the document breaks the draft: who serves it has to correct it";
            Stop::refused(error.reason(), error, advice)
        }
        DiscoveryError::Url { .. } => Stop::usage(error, "give an https URL"),
        _ => {
            let advice = "see that it is served over https, with status 200 and no redirect";
            Stop::failed(error.reason(), error, advice)
        }
    }
}

fn told(card: &SignatureAgentCard, warnings: &[CardWarning], show: bool) -> Outcome {
    let findings = warnings.iter().map(|warning| Finding {
        reason: warning.rule.reason(),
        text: warning.to_string(),
        taken: matches!(
            warning.rule,
            CardRule::ComplianceList | CardRule::Empty | CardRule::NoKeys
        ),
    });
    let findings: Vec<_> = findings.collect();
    let value: Value = serde_json::to_value(card).unwrap_or_default();
    let mut outcome = tell(
        &format!("the card of {}", card.client_id),
        vec![("card", value.clone())],
        &findings,
    );
    if show {
        outcome.text.push_str(&format!("{value:#}\n"));
    }
    outcome
}

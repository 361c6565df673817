//! `countersign http directory`.

use std::path::{Path, PathBuf};

use clap::Args;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::args::ClockArgs;
use super::fetch::FetchArgs;
use super::files::{MAX_DOCUMENT, print, read};
use super::keys::{Keys, refuse_test_key, signing_keys};
use super::lint::{Finding, tell};
use super::serve::ServeArgs;
use super::{proved, stop};
use crate::cli::outcome::{Outcome, Stop};
use crate::clock::{Skew, UnixTime};
use crate::httpsig::directory::{
    Directory, DirectoryError, DirectoryUrl, DirectoryWarning, Divergence, Reading, verify_proof,
};
use crate::httpsig::{
    DIRECTORY_CONTENT_TYPE, DIRECTORY_PATH, HttpKeySet, HttpSigningKey, HttpVerifyingKey,
    SignatureError,
};
use crate::web::Fetched;

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("work").required(true).args(["keys", "lint"]))]
pub(in crate::cli) struct DirectoryArgs {
    /// A key that the directory has: PEM, a JWK or a JWK Set, private or public. To serve it, private.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Say what is wrong with the directory in this file, or at this https URL; there its proofs are
    /// checked, too.
    #[arg(long, value_name = "FILE|URL", conflicts_with = "serve")]
    lint: Option<String>,
    /// The directory to be linted is not at the well-known path: a `kid` may be any text.
    #[arg(long, requires = "lint")]
    elsewhere: bool,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    clock: ClockArgs,
    #[command(flatten)]
    fetch: FetchArgs,
    /// Print keys that are printed in RFC 9421, too; they are never served. Anybody has them.
    #[arg(long)]
    danger_accept_public_test_keys: bool,
}

pub(super) async fn directory(args: &DirectoryArgs, as_json: bool) -> Result<Outcome, Stop> {
    match (&args.lint, args.serve.serve) {
        (Some(what), _) if what.starts_with("https://") => lint_url(args, what).await,
        (Some(what), _) => {
            let body = read(Path::new(what), MAX_DOCUMENT)?;
            let reading = reading(!args.elsewhere);
            let directory = reading.read(&body).map_err(|error| broken(what, &error))?;
            let findings = directory.warnings().iter().map(finding).collect();
            Ok(told(&directory, findings))
        }
        (None, Some(address)) => {
            let keys = private_keys(args)?;
            let site = |origin: &_| proved::site(keys, origin);
            args.serve.run(address, DIRECTORY_PATH, as_json, site).await
        }
        (None, None) => {
            let value = HttpKeySet::of(&public_keys(args)?).to_value();
            if as_json {
                let value = json!({ "ok": true, "directory": value });
                return Ok(Outcome::good("", value));
            }
            print(format!("{value}\n").as_bytes())?;
            Ok(Outcome::good("", json!({})))
        }
    }
}

fn private_keys(args: &DirectoryArgs) -> Result<Vec<HttpSigningKey>, Stop> {
    let mut all = Vec::new();
    for path in &args.keys {
        all.extend(signing_keys(path)?.into_iter().map(|(_, key)| key));
    }
    for key in &all {
        publishable(args, key.verifying_key())?;
    }
    Ok(all)
}

fn public_keys(args: &DirectoryArgs) -> Result<Vec<HttpVerifyingKey>, Stop> {
    let mut all = Vec::new();
    for path in &args.keys {
        match signing_keys(path) {
            Ok(keys) => all.extend(keys.iter().map(|(_, key)| key.verifying_key().clone())),
            Err(stop) if stop.reason == "key.public" => match Keys::read(path, None)? {
                Keys::One(_, key) => all.push(key),
                Keys::Set(set) => all.extend(set.iter().map(|(_, key)| key.clone())),
            },
            Err(stop) => return Err(stop),
        }
    }
    for key in &all {
        publishable(args, key)?;
    }
    Ok(all)
}

/// Neither a shared secret nor a key that everybody has.
fn publishable(args: &DirectoryArgs, key: &HttpVerifyingKey) -> Result<(), Stop> {
    let algorithm = key.algorithm();
    if algorithm.is_shared_secret() {
        let refused = SignatureError::AlgorithmRefused { algorithm };
        return Err(stop::signature(&refused));
    }
    refuse_test_key(key, args.danger_accept_public_test_keys)
}

fn reading(well_known: bool) -> Reading {
    match well_known {
        true => Reading::default(),
        false => Reading::default().elsewhere(),
    }
}

fn broken(what: &str, error: &DirectoryError) -> Stop {
    let advice = "a key directory is a JWK Set: `countersign http directory --key FILE` prints one";
    Stop::refused(error.reason(), format!("{what}: {error}"), advice)
}

fn finding(warning: &DirectoryWarning) -> Finding {
    Finding {
        reason: warning.divergence.reason(),
        text: warning.to_string(),
        taken: warning.used,
    }
}

fn told(directory: &Directory, findings: Vec<Finding>) -> Outcome {
    let count = directory.len();
    let keys = if count == 1 { "key" } else { "keys" };
    let about = vec![("keys", Value::from(count))];
    tell(&format!("a directory of {count} {keys}"), about, &findings)
}

async fn lint_url(args: &DirectoryArgs, text: &str) -> Result<Outcome, Stop> {
    let url = DirectoryUrl::at(text);
    let url = url.map_err(|error| Stop::usage(error, "give an https URL"))?;
    let reading = reading(url.is_well_known() && !args.elsewhere);
    let fetcher = args.fetch.fetcher()?;
    let fetched = fetcher.get(url.url(), "application/json", reading.bytes());
    let fetched = fetched.await.map_err(|error| {
        let advice = "see that it is served over https, with status 200 and no redirect";
        Stop::failed(error.reason(), error, advice)
    })?;
    let directory = reading.read(&fetched.body);
    let directory = directory.map_err(|error| broken(text, &error))?;
    let mut findings: Vec<_> = directory.warnings().iter().map(finding).collect();
    if url.is_well_known() && !has_media_type(&fetched) {
        findings.push(finding(&DirectoryWarning {
            key: None,
            divergence: Divergence::MediaType,
            used: true,
        }));
    }
    findings.extend(unproved(&directory, &fetched, &url, args.clock.now()));
    Ok(told(&directory, findings))
}

fn has_media_type(fetched: &Fetched) -> bool {
    let media_type = fetched.headers.get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next());
    media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case(DIRECTORY_CONTENT_TYPE))
}

/// The keys whose possession is not proved. Readers do not have to ask for proofs, so such a key is
/// taken all the same; one whose proof is wrong is not.
fn unproved(
    directory: &Directory,
    fetched: &Fetched,
    url: &DirectoryUrl,
    now: UnixTime,
) -> Vec<Finding> {
    let origin = url.url().origin();
    let (headers, body, skew) = (&fetched.headers, &fetched.body, Skew::default());
    let keys = directory.keys_at(now).filter_map(|key| {
        let error = verify_proof(headers, body, &origin, key, now, skew).err()?;
        Some(Finding {
            reason: error.reason(),
            text: format!("key {} does not prove itself: {error}", key.thumbprint()),
            taken: !error.is_conclusive(),
        })
    });
    keys.collect()
}

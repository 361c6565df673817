//! `countersign http verify`.

use std::path::PathBuf;

use clap::Args;

use super::args::{ClockArgs, MessageArgs, ProfileName, algorithm, profile_name, tolerance};
use super::choose::{by_tag, profile};
use super::fetch::FetchArgs;
use super::keys::Keys;
use super::resolve::resolve;
use super::sign::label_error;
use super::verdict::Verdict;
use crate::cli::outcome::{Outcome, Stop};
use crate::clock::Skew;
use crate::httpsig::{
    self, CheckedSignature, HttpAlgorithm, PresentedSignature, Profile, ResolvedKey, Tolerance,
};

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["keys", "resolve"]))]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    message: MessageArgs,
    /// The signer's keys: PEM (PUBLIC KEY), a JWK, a JWK Set, or a shared secret as JWK.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Fetch the key from where the signature says it is.
    #[arg(long)]
    resolve: bool,
    /// What the signature must cover and say, see `sign`; by default what its tag speaks of.
    #[arg(long, value_name = "PROFILE", value_parser = profile_name)]
    profile: Option<ProfileName>,
    /// The signature with this label only.
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// Let this pass: bare-signature-agent, foreign-member, agent-parameters, no-signature-agent or
    /// long-life.
    #[arg(long = "tolerate", value_name = "WHAT", value_parser = tolerance)]
    tolerated: Vec<Tolerance>,
    /// The algorithm of the given key: RSA keys have two.
    #[arg(long, value_name = "NAME", value_parser = algorithm, conflicts_with = "resolve")]
    alg: Option<HttpAlgorithm>,
    #[command(flatten)]
    clock: ClockArgs,
    #[command(flatten)]
    fetch: FetchArgs,
    /// Take keys that are printed in RFC 9421, too. Anybody can sign with them.
    #[arg(long)]
    danger_accept_public_test_keys: bool,
}

pub(super) async fn verify(args: &VerifyArgs) -> Result<Outcome, Stop> {
    let loaded = args.message.load()?;
    let keys = args.keys.as_deref();
    let keys = keys.map(|path| Keys::read(path, args.alg)).transpose()?;
    let types = loaded.types();
    let view = loaded.message.view(loaded.request.as_ref(), &types);
    let response = loaded.message.is_response();
    let label = args.label.as_deref();
    let name = args.profile;
    let name = name.unwrap_or_else(|| by_tag(&view, response, label));
    let profile = profile_of(args, name, response)?;
    let presented = match PresentedSignature::choose(&view, &profile) {
        Ok(presented) => presented,
        Err(error) => return Ok(Verdict::broken(None, error).tell(name)),
    };
    let claims = presented.claims();
    let now = args.clock.now();
    let checked = match presented.check(&loaded.message.body, now, Skew::default()) {
        Ok(checked) => checked,
        Err(error) => return Ok(Verdict::broken(Some(claims), error).tell(name)),
    };
    let key = match &keys {
        Some(keys) => match keys.find(&checked.wanted_key()) {
            Ok(key) => ResolvedKey::Held(key),
            Err(error) => return Ok(Verdict::broken(Some(claims), error).tell(name)),
        },
        None => match resolve(&args.fetch.fetcher()?, &checked.wanted_key(), now).await {
            Ok(key) => ResolvedKey::Published(key),
            Err(none) => {
                return Ok(Verdict::no_key(claims, none.reason, none.what).tell(name));
            }
        },
    };
    let result = CheckedSignature::verify_resolved(checked, &key);
    let outcome = httpsig::Outcome::of(Some(claims), result);
    Ok(Verdict::of(&outcome).tell(name))
}

fn profile_of(args: &VerifyArgs, name: ProfileName, response: bool) -> Result<Profile, Stop> {
    let mut profile = profile(name, response);
    if let Some(label) = &args.label {
        profile = profile.pick_label(label).map_err(label_error)?;
    }
    for tolerance in &args.tolerated {
        profile = profile.tolerate(*tolerance);
    }
    Ok(match args.danger_accept_public_test_keys {
        true => profile.danger().accept_public_test_keys(),
        false => profile,
    })
}

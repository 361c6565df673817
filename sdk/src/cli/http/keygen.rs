//! `countersign http keygen`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::args::algorithm;
use super::files::{print, write_private};
use super::private_jwk::make;
use super::stop;
use crate::cli::outcome::{Outcome, Stop};
use crate::httpsig::HttpAlgorithm;

#[derive(Args, Debug)]
pub(in crate::cli) struct KeygenArgs {
    /// What the key is for, by its name in the registry of RFC 9421.
    #[arg(long, value_name = "NAME", default_value = "ed25519", value_parser = algorithm)]
    alg: HttpAlgorithm,
    /// How the key is written.
    #[arg(long, value_name = "FORMAT", default_value = "pem")]
    format: Format,
    /// The file that is made, never written over: by default agent.pem or agent.jwk. `-` prints the
    /// private key.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Format {
    Pem,
    Jwk,
}

pub(super) fn keygen(args: &KeygenArgs, as_json: bool) -> Result<Outcome, Stop> {
    if args.alg.is_shared_secret() && args.format == Format::Pem {
        return Err(Stop::usage(
            "a shared secret has no form in PEM",
            "give --format jwk",
        ));
    }
    let made = make(args.alg).map_err(|error| stop::key("the new key", &error))?;
    let (text, name) = match (args.format, made.pem) {
        (Format::Pem, Some(pem)) => (pem, "agent.pem"),
        _ => (made.jwk, "agent.jwk"),
    };
    let public = made.key.verifying_key();
    let keyid = public.thumbprint().to_string();
    let mut value = json!({
        "ok": true, "alg": args.alg.name(), "keyid": keyid, "public": public.to_jwk(),
    });
    let file = args.out.clone().unwrap_or_else(|| name.into());
    if file.as_os_str() == "-" {
        if as_json {
            value["private"] = text.as_str().into();
        } else {
            print(text.as_bytes())?;
        }
        return Ok(Outcome::good("", value));
    }
    write_private(&file, text.as_bytes())?;
    value["file"] = file.display().to_string().into();
    let told = format!(
        "✓ {} has a new private key for {}\nkeyid  {keyid}\n",
        file.display(),
        args.alg.name()
    );
    Ok(Outcome::good(told, value))
}

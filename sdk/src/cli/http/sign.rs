//! `countersign http sign`.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};

use super::args::{
    ClockArgs, Loaded, MessageArgs, ProfileName, algorithm, component, profile_name,
};
use super::choose::profile;
use super::files::print;
use super::keys::{refuse_test_key, signing_key};
use super::message::{Message, Start, title};
use super::{sign_plain, stop};
use crate::cli::outcome::{Outcome, Stop};
use crate::clock::UnixTime;
use crate::crypto::random;
use crate::httpsig::{
    ComponentId, HttpAlgorithm, HttpSigningKey, PresentedSignature, Profile, Signer, sign_response,
};

#[derive(Args, Debug)]
pub(in crate::cli) struct SignArgs {
    #[command(flatten)]
    message: MessageArgs,
    /// The private key: PEM (PKCS#8), a JWK or a JWK Set.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Which key of a JWK Set, by its `kid` or thumbprint.
    #[arg(long, value_name = "NAME")]
    kid: Option<String>,
    /// What the signature covers and says: a2a, web-bot-auth (also with :ietf-01, :meunier-02 or
    /// :legacy), wimse, or rfc9421, which asks for nothing beyond the RFC.
    #[arg(long, value_name = "PROFILE", default_value = "a2a", value_parser = profile_name)]
    profile: ProfileName,
    /// Where the key is published; by default what the message's Signature-Agent says.
    #[arg(long, value_name = "URL")]
    signature_agent: Option<String>,
    /// Cover this component, beside those of the profile; under rfc9421 these alone.
    #[arg(long = "component", value_name = "ID", value_parser = component)]
    pub(super) components: Vec<ComponentId<'static>>,
    /// The label of the signature.
    #[arg(long, value_name = "LABEL")]
    pub(super) label: Option<String>,
    /// What the signature is for; only under rfc9421, other profiles have their own.
    #[arg(long, value_name = "TAG")]
    pub(super) tag: Option<String>,
    /// What to call the key; only under rfc9421, others use the thumbprint.
    #[arg(long, value_name = "NAME")]
    pub(super) keyid: Option<String>,
    /// How long the signature lives.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) expires_in: Option<u64>,
    /// What is used once; 16 bytes in base64 except under rfc9421. By default a fresh one.
    #[arg(long, value_name = "TEXT")]
    pub(super) nonce: Option<String>,
    /// Sign with this algorithm, and say so in `alg`: RSA keys have two.
    #[arg(long, value_name = "NAME", value_parser = algorithm)]
    pub(super) alg: Option<HttpAlgorithm>,
    #[command(flatten)]
    clock: ClockArgs,
    /// Sign with keys that are printed in RFC 9421, too. Anybody can.
    #[arg(long)]
    pub(super) danger_accept_public_test_keys: bool,
}

pub(super) fn sign(args: &SignArgs, as_json: bool) -> Result<Outcome, Stop> {
    let mut loaded = args.message.load()?;
    let key = signing_key(&args.key, args.kid.as_deref(), args.alg)?;
    refuse_test_key(key.verifying_key(), args.danger_accept_public_test_keys)?;
    let now = args.clock.now();
    let has_none = matches!(args.profile, ProfileName::Rfc9421 | ProfileName::Wimse);
    if has_none && args.signature_agent.is_some() {
        return Err(Stop::usage(
            format!("--signature-agent with --profile {}", args.profile.as_str()),
            "only a2a and web-bot-auth have one; under rfc9421 write the field into the message, \
             and name it with --component",
        ));
    }
    if args.profile == ProfileName::Rfc9421 {
        sign_plain::sign(args, &mut loaded, &key, now)?;
    } else if loaded.message.is_response() {
        answer(args, &mut loaded, &key, now)?;
    } else {
        request(args, &mut loaded.message, &key, now)?;
    }
    told(&loaded, as_json)
}

/// The profile with what was asked for.
fn profile_of(args: &SignArgs, response: bool) -> Result<Profile, Stop> {
    for (option, given) in [("--tag", &args.tag), ("--keyid", &args.keyid)] {
        if given.is_some() {
            return Err(Stop::usage(
                format!("{option} with --profile {}", args.profile.as_str()),
                "only --profile rfc9421 leaves it to you; the others have their own",
            ));
        }
    }
    let mut profile = profile(args.profile, response);
    if let Some(label) = &args.label {
        profile = profile.with_label(label).map_err(label_error)?;
    }
    if let Some(secs) = args.expires_in {
        let life = Duration::from_secs(secs);
        profile = profile.with_life(life).map_err(|e| stop::signature(&e))?;
    }
    if args.alg.is_some() {
        profile = profile.naming_algorithm();
    }
    for component in &args.components {
        profile = profile.covering(component.clone());
    }
    Ok(match args.danger_accept_public_test_keys {
        true => profile.danger().accept_public_test_keys(),
        false => profile,
    })
}

pub(super) fn label_error(error: impl std::fmt::Display) -> Stop {
    Stop::usage(error, "give another --label, as sig2")
}

fn nonce_of(args: &SignArgs) -> Result<[u8; 16], Stop> {
    let Some(text) = &args.nonce else {
        return Ok(random());
    };
    let bytes = STANDARD.decode(text).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Stop::usage(
                "--nonce is not 16 bytes in base64",
                "leave it out for a fresh one; --profile rfc9421 takes any text",
            )
        })
}

fn answer(
    args: &SignArgs,
    loaded: &mut Loaded,
    key: &HttpSigningKey,
    now: UnixTime,
) -> Result<(), Stop> {
    let profile = profile_of(args, true)?;
    let nonce = nonce_of(args)?;
    let body = loaded.message.body.clone();
    let request = loaded.request.as_ref().and_then(Message::request_view);
    let request = request.ok_or_else(|| {
        Stop::usage(
            "a response without its request",
            "give --request FILE; only --profile rfc9421 signs a response alone",
        )
    })?;
    let Start::Response { status, headers } = &mut loaded.message.start else {
        return Ok(());
    };
    let signed = sign_response(
        key,
        &profile,
        (*status, headers, &body),
        &request,
        now,
        nonce,
    );
    signed.map_err(|error| stop::signature(&error))
}

fn request(
    args: &SignArgs,
    message: &mut Message,
    key: &HttpSigningKey,
    now: UnixTime,
) -> Result<(), Stop> {
    let profile = profile_of(args, false)?;
    let nonce = nonce_of(args)?;
    let agent = match (&args.signature_agent, args.profile) {
        (_, ProfileName::Wimse) => String::new(),
        (Some(url), _) => url.clone(),
        (None, _) => agent_of(message, args.label.as_deref()).ok_or_else(|| {
            Stop::usage(
                "nothing says where the key is published",
                "give --signature-agent https://…, or a message with Signature-Agent",
            )
        })?,
    };
    let wrong = |error| stop::signature(&error);
    let signer = Signer::new(key, &agent, profile).map_err(wrong)?;
    let Start::Request { parts, origin, .. } = &mut message.start else {
        return Ok(());
    };
    let signed = match parts.headers.contains_key("signature-input") {
        true => signer.add(parts, origin, &message.body, now, nonce),
        false => signer.sign(parts, origin, &message.body, now, nonce),
    };
    signed.map_err(wrong)
}

/// The URL in the message's `Signature-Agent`: the member under the label, the only one, or the
/// bare string.
fn agent_of(message: &Message, label: Option<&str>) -> Option<String> {
    let field = message.headers().get("signature-agent")?.to_str().ok()?;
    let text = |item: &BareItem| item.as_string().map(|text| text.as_str().to_owned());
    if let Ok(item) = Parser::new(field).parse::<Item>() {
        return text(&item.bare_item);
    }
    let members: Dictionary = Parser::new(field).parse().ok()?;
    let named = label.and_then(|label| members.get(label));
    let only = members.values().next().filter(|_| members.len() == 1);
    match named.or(only)? {
        ListEntry::Item(item) => text(&item.bare_item),
        ListEntry::InnerList(_) => None,
    }
}

/// Prints the signed message, or what was added.
fn told(loaded: &Loaded, as_json: bool) -> Result<Outcome, Stop> {
    let bytes = loaded.message.to_bytes();
    if !as_json {
        print(&bytes)?;
        return Ok(Outcome::good("", json!({})));
    }
    let types = loaded.types();
    let view = loaded.message.view(loaded.request.as_ref(), &types);
    let plain = Profile::rfc9421();
    let all = PresentedSignature::all(&view, &plain).unwrap_or_default();
    let claims = all.iter().flatten().last().map(PresentedSignature::claims);
    let claims = claims.unwrap_or_default();
    let fields: Vec<_> = loaded
        .message
        .changed_fields()
        .into_iter()
        .map(|(name, value)| json!([title(&name), String::from_utf8_lossy(&value)]))
        .collect();
    let value = json!({
        "ok": true, "label": claims.label, "covered": claims.covered, "keyid": claims.keyid,
        "fields": fields, "message": std::str::from_utf8(&bytes).ok(),
        "message_base64": STANDARD.encode(&bytes),
    });
    Ok(Outcome::good("", value))
}

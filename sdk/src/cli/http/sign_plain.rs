//! Signatures that RFC 9421 alone asks for.

use std::time::Duration;

use http::HeaderValue;

use super::args::Loaded;
use super::sign::{SignArgs, label_error};
use super::stop;
use crate::cli::outcome::Stop;
use crate::clock::UnixTime;
use crate::httpsig::{
    ComponentId, ComponentParam, HttpSigningKey, ParamValue, PresentedSignature, Profile,
    SignatureParams, content_digest, sign_message, verify_content_digest,
};

/// Signs the components that were named: by default method and target URI, or the status, and the
/// body.
pub(super) fn sign(
    args: &SignArgs,
    loaded: &mut Loaded,
    key: &HttpSigningKey,
    now: UnixTime,
) -> Result<(), Stop> {
    let components = match args.components.as_slice() {
        [] => usual(loaded)?,
        named => named.to_vec(),
    };
    digest(loaded, &components)?;
    let label = args.label.as_deref().unwrap_or("sig1");
    Profile::rfc9421().with_label(label).map_err(label_error)?;
    let types = loaded.types();
    let view = loaded.message.view(loaded.request.as_ref(), &types);
    let plain = Profile::rfc9421();
    let there = PresentedSignature::all(&view, &plain).unwrap_or_default();
    if there.iter().flatten().any(|one| one.label() == label) {
        return Err(label_error(format!(
            "the message has a signature {label:?} already"
        )));
    }
    let params = match args.danger_accept_public_test_keys {
        true => params(args, key, now).danger().accept_public_test_keys(),
        false => params(args, key, now),
    };
    let signed = sign_message(&view, key, label, &components, &params);
    let fields = signed.map_err(|error| stop::signature(&error))?;
    drop(there);
    let headers = loaded.message.headers_mut();
    headers.append("signature-input", fields.signature_input);
    headers.append("signature", fields.signature);
    Ok(())
}

fn params(args: &SignArgs, key: &HttpSigningKey, now: UnixTime) -> SignatureParams {
    let mut params = SignatureParams::new().created(now);
    if let Some(secs) = args.expires_in {
        params = params.expires(now.plus(Duration::from_secs(secs)));
    }
    match &args.keyid {
        Some(keyid) => params = params.with("keyid", ParamValue::Text(keyid.clone())),
        // A shared secret has no name that others know.
        None if key.algorithm().is_shared_secret() => {}
        None => params = params.keyid(key.verifying_key().thumbprint()),
    }
    if let Some(algorithm) = args.alg {
        params = params.alg(algorithm);
    }
    if let Some(nonce) = &args.nonce {
        params = params.nonce(nonce);
    }
    if let Some(tag) = &args.tag {
        params = params.tag(tag);
    }
    params
}

fn usual(loaded: &Loaded) -> Result<Vec<ComponentId<'static>>, Stop> {
    let mut names = match loaded.message.is_response() {
        true => vec!["\"@status\""],
        false => vec!["\"@method\"", "\"@target-uri\""],
    };
    if !loaded.message.body.is_empty() {
        names.push("\"content-digest\"");
    }
    let ids = names.into_iter().map(ComponentId::parse);
    let ids: Result<Vec<_>, _> = ids.collect();
    ids.map_err(|error| stop::signature(&error))
}

/// Sets `Content-Digest` when it is to be covered and not there; one that is there must be the
/// body's.
fn digest(loaded: &mut Loaded, components: &[ComponentId<'_>]) -> Result<(), Stop> {
    let covered = components.iter().any(|id| {
        let of_message = !id.params().contains(&ComponentParam::Req);
        of_message && id.name().as_str() == "content-digest"
    });
    if !covered {
        return Ok(());
    }
    let digest = content_digest(&loaded.message.body);
    let body = loaded.message.body.clone();
    let headers = loaded.message.headers_mut();
    let Some(there) = headers.get("content-digest") else {
        if let Ok(value) = HeaderValue::try_from(digest) {
            headers.insert("content-digest", value);
        }
        return Ok(());
    };
    let there = there.to_str().unwrap_or_default();
    let same = verify_content_digest(there, &body);
    same.map_err(|error| stop::signature(&error.into()))
}

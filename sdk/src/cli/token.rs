//! `countersign token inspect`.

use std::io::{IsTerminal, Read};

use serde_json::{Value, json};

use super::outcome::{Outcome, Stop};
use super::plain::line;
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::delegation::ActChain;
use crate::jose::{Header, JsonLimits, ParsedJws, parse_json};
use crate::token::MAX_TOKEN_BYTES;

/// How deep a chain is shown.
const SHOWN_DEPTH: usize = 16;
const PIPE: &str = "pipe one access token (a signed JWT) into standard input";

/// Reads a token from `input`: never from the arguments, which others on the machine can see.
pub(super) fn inspect(input: impl Read + IsTerminal) -> Result<Outcome, Stop> {
    if input.is_terminal() {
        return Err(Stop::usage("no token on standard input", PIPE));
    }
    let mut bytes = Vec::new();
    let most = MAX_TOKEN_BYTES as u64 + 1024;
    let read = input.take(most).read_to_end(&mut bytes);
    read.map_err(|e| Stop::failed("cli.input", e, PIPE))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Stop::refused("jws.form", "what came is not even text", PIPE))?;
    let token = text.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let jws = ParsedJws::parse(token, MAX_TOKEN_BYTES);
    let jws = jws.map_err(|e| Stop::refused(e.reason(), e, PIPE))?;
    let claims = parse_json(jws.unverified_payload(), JsonLimits::default());
    let claims = claims.map_err(|e| Stop::refused(e.reason(), e, PIPE))?;
    if !claims.is_object() {
        let what = "the token's payload is not a JSON object";
        return Err(Stop::refused("token.claims", what, PIPE));
    }
    Ok(report(jws.header(), &claims, SystemClock.now()))
}

fn report(header: &Header, claims: &Value, now: UnixTime) -> Outcome {
    let chain = chain(claims);
    let typ = header.typ.as_deref().unwrap_or("none");
    let mut rows = vec![("type", format!("{typ} {}", header.alg))];
    for (label, claim) in [
        ("issuer", "iss"),
        ("for whom", "sub"),
        ("audience", "aud"),
        ("client", "client_id"),
        ("scope", "scope"),
        ("id", "jti"),
    ] {
        if let Some(value) = claims.get(claim) {
            rows.push((label, plain(value)));
        }
    }
    if let Some(expires) = time(claims, "exp") {
        let left = expires.since(now).as_secs();
        rows.push(("expires", format!("{expires}, {left} s left")));
    }
    if let Some(bound) = claims.pointer("/cnf/x5t#S256") {
        rows.push(("bound to", plain(bound)));
    }
    rows.push(match &chain {
        Ok(actors) if actors.is_empty() => ("acts", "no act claim".to_owned()),
        Ok(actors) => ("acts", actors.join(", before it ")),
        Err(why) => ("acts", why.clone()),
    });
    let odd = odd(header, claims, &chain, now);
    let mut text = "nothing is verified: this is what the token says of itself\n".to_owned();
    for (label, value) in rows {
        text += &format!("{label:<12} {}\n", line(&value));
    }
    for (_, what) in &odd {
        text += &format!("! {what}\n");
    }
    let odd = odd
        .iter()
        .map(|(reason, what)| json!({ "reason": reason, "text": what }));
    let value = json!({
        "ok": true, "verified": false, "header": header, "claims": claims,
        "chain": chain.unwrap_or_default(), "warnings": odd.collect::<Vec<_>>(),
    });
    Outcome::good(text, value)
}

/// What an agent would refuse whoever brings the token.
fn odd(
    header: &Header,
    claims: &Value,
    chain: &Result<Vec<String>, String>,
    now: UnixTime,
) -> Vec<(&'static str, &'static str)> {
    let mut odd = Vec::new();
    let at_jwt = |typ: &str| {
        let typ = typ.to_ascii_lowercase();
        matches!(typ.as_str(), "at+jwt" | "application/at+jwt")
    };
    // RFC 9068 §2.1.
    if !header.typ.as_deref().is_some_and(at_jwt) {
        odd.push(("token.typ", "not of the type of access tokens, at+jwt"));
    }
    match time(claims, "exp") {
        None => odd.push(("token.no_exp", "says of no end")),
        Some(expires) if expires <= now => odd.push(("token.expired", "expired")),
        Some(_) => {}
    }
    if claims.pointer("/cnf/x5t#S256").is_none() {
        let what = "bound to no certificate: whoever has it could use it";
        odd.push(("token.not_bound", what));
    }
    if claims.get("aud").is_some_and(Value::is_array) {
        odd.push(("token.audience", "for more than one audience, or none"));
    }
    let client = claims.get("client_id").and_then(Value::as_str);
    match chain {
        Err(_) => odd.push((
            "delegation.malformed",
            "the act claim is no chain of actors",
        )),
        Ok(actors) => match (actors.split_first(), client) {
            (Some((newest, prior)), Some(client)) if newest != client => {
                if prior.iter().any(|actor| actor == client) {
                    odd.push((
                        "delegation.inverted",
                        "the chain is the wrong way round: the client must stand first in it",
                    ));
                } else {
                    let what = "the newest actor is not the client";
                    odd.push(("delegation.actor_not_client", what));
                }
            }
            (None, Some(client)) if claims.get("sub") != Some(&Value::from(client)) => {
                odd.push((
                    "delegation.impersonation",
                    "speaks for another without an act claim: good for an exchange at its issuer \
                     at most, no agent takes it",
                ));
            }
            _ => {}
        },
    }
    odd
}

fn time(claims: &Value, claim: &str) -> Option<UnixTime> {
    claims.get(claim)?.as_u64().map(UnixTime::from_secs)
}

fn chain(claims: &Value) -> Result<Vec<String>, String> {
    let Some(act) = claims.get("act") else {
        return Ok(Vec::new());
    };
    let chain = ActChain::parse(act, SHOWN_DEPTH).map_err(|e| e.to_string())?;
    Ok(chain.iter().map(|actor| actor.sub.clone()).collect())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

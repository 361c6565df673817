//! `countersign token inspect`.

use std::io::Read;

use serde_json::{Value, json};

use super::outcome::{Outcome, Stop};
use crate::clock::{Clock as _, SystemClock, UnixTime};
use crate::delegation::ActChain;
use crate::jose::{JsonLimits, ParsedJws, parse_json};
use crate::token::MAX_TOKEN_BYTES;

/// How deep a chain is shown.
const SHOWN_DEPTH: usize = 16;

/// Reads a token from `input`: never from the arguments, which others on the machine can see.
pub(super) fn inspect(input: impl Read) -> Result<Outcome, Stop> {
    let mut text = String::new();
    let most = MAX_TOKEN_BYTES as u64 + 1024;
    let read = input.take(most).read_to_string(&mut text);
    read.map_err(|e| Stop::failed(e, "pipe the token into standard input"))?;
    let token = text.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let refused = |reason, what: String| Stop::Refused { reason, what };
    let jws = ParsedJws::parse(token, MAX_TOKEN_BYTES);
    let jws = jws.map_err(|e| refused(e.reason(), e.to_string()))?;
    let claims = parse_json(jws.unverified_payload(), JsonLimits::default());
    let claims = claims.map_err(|e| refused(e.reason(), e.to_string()))?;
    let header = jws.header();
    let now = SystemClock.now();
    let chain = chain(&claims);
    let mut lines = vec![
        "nothing is verified: this is what the token says of itself".to_owned(),
        format!(
            "type         {} {}",
            header.typ.as_deref().unwrap_or("none"),
            header.alg
        ),
    ];
    for (label, claim) in [
        ("issuer", "iss"),
        ("for whom", "sub"),
        ("audience", "aud"),
        ("client", "client_id"),
        ("scope", "scope"),
        ("id", "jti"),
    ] {
        if let Some(value) = claims.get(claim) {
            lines.push(format!("{label:<12} {}", plain(value)));
        }
    }
    if let Some(exp) = claims.get("exp").and_then(Value::as_u64) {
        let exp = UnixTime::from_secs(exp);
        let left = exp.since(now).as_secs();
        let state = if exp > now {
            format!("in {left} s")
        } else {
            "it is past".to_owned()
        };
        lines.push(format!("expires      {exp}, {state}"));
    }
    let bound = claims
        .pointer("/cnf/x5t#S256")
        .map_or("nothing: anyone can use it".to_owned(), plain);
    lines.push(format!("bound to     {bound}"));
    match &chain {
        Ok(actors) if actors.is_empty() => lines.push("acts         nobody: app-only".to_owned()),
        Ok(actors) => lines.push(format!("acts         {}", actors.join(", before it "))),
        Err(why) => lines.push(format!("acts         malformed: {why}")),
    }
    let value = json!({
        "ok": true, "verified": false, "header": header, "claims": claims,
        "chain": chain.unwrap_or_default(),
    });
    Ok(Outcome::good(lines.join("\n"), value))
}

fn chain(claims: &Value) -> Result<Vec<String>, String> {
    let Some(act) = claims.get("act") else {
        return Ok(Vec::new());
    };
    let chain = ActChain::parse(act, SHOWN_DEPTH).map_err(|e| e.to_string())?;
    let actors = std::iter::once(chain.current()).chain(chain.prior());
    Ok(actors.map(|actor| actor.sub.clone()).collect())
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

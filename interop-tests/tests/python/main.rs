//! Python as a peer: the official A2A SDK calls us, and http-message-signatures checks what we
//! sign and signs what we check.

mod booking;
mod signed;
mod world;

use std::process::ExitCode;

use countersign::crypto::Algorithm;
use countersign_interop_tests::{Python, row};
use libtest_mimic::{Arguments, Failed};
use serde_json::Value;

use booking::{Running, start_booking};
use signed::{Planner, Request, SIGNATURE_AGENT};
use world::{SCOPE, USER, World};

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let rows = vec![
        row("python_verifies_what_we_sign", Python::ready, |python| {
            verifies_what_we_sign(&python)
        }),
        row("python_refuses_what_was_changed", Python::ready, |python| {
            refuses_what_was_changed(&python)
        }),
        row("we_verify_what_python_signs", Python::ready, |python| {
            we_verify_what_python_signs(&python)
        }),
        row("python_gets_our_tokens", Python::ready, |python| {
            gets_our_tokens(&python)
        }),
        row("python_calls_an_agent", Python::ready, |python| {
            calls_an_agent(&python)
        }),
        row(
            "python_is_refused_without_every_proof",
            Python::ready,
            |python| is_refused_without_every_proof(&python),
        ),
    ];
    libtest_mimic::run(&args, rows).exit_code()
}

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256];

/// Field by field what the `a2a` profile covers when everything is there.
const COVERED: [&str; 9] = [
    "\"@method\"",
    "\"@authority\"",
    "\"@path\"",
    "\"@query\"",
    "\"content-type\"",
    "\"content-digest\"",
    "\"authorization\"",
    "\"a2a-version\"",
    "\"signature-agent\";key=\"sig1\"",
];

fn verifies_what_we_sign(python: &Python) -> Result<(), Failed> {
    for algorithm in ALGORITHMS {
        let planner = Planner::new(algorithm)?;
        let signed = Request::post().signed_by_us(&planner)?;
        let answer = signed.verified_by_python(python, &planner)?;
        check(answer["verified"] == true, "not verified", &answer)?;
        check(answer["keyid"] == planner.keyid(), "another key", &answer)?;
        let covered = answer["covered"].as_array().into_iter().flatten();
        let mut covered: Vec<_> = covered.filter_map(Value::as_str).collect();
        covered.sort_unstable();
        let mut wanted = COVERED;
        wanted.sort_unstable();
        check(covered == wanted, "other components", &answer)?;

        let signed = Request::get().signed_by_us(&planner)?;
        let answer = signed.verified_by_python(python, &planner)?;
        check(answer["verified"] == true, "not verified", &answer)?;
    }
    Ok(())
}

type Change = fn(&mut Request);

/// One change each to a signed request.
const CHANGES: [(&str, Change, &str); 3] = [
    ("body", |request| request.body[2] ^= 1, "signature.digest"),
    (
        "query",
        |request| request.path = "/a2a?trip=8",
        "signature.invalid",
    ),
    (
        "token",
        |request| set(request, "authorization", "Bearer another"),
        "signature.invalid",
    ),
];

fn set(request: &mut Request, name: &str, value: &str) {
    let field = request.headers.iter_mut().find(|field| field.0 == name);
    value.clone_into(&mut field.expect("the field is there").1);
}

fn refuses_what_was_changed(python: &Python) -> Result<(), Failed> {
    let planner = Planner::new(Algorithm::Ed25519)?;
    let signed = Request::post().signed_by_us(&planner)?;
    for (what, change, _) in CHANGES {
        let mut changed = signed.clone();
        change(&mut changed);
        let answer = changed.verified_by_python(python, &planner)?;
        check(answer["verified"] == false, what, &answer)?;
    }
    let other = Planner::new(Algorithm::Ed25519)?;
    let answer = signed.verified_by_python(python, &other)?;
    check(answer["verified"] == false, "another key", &answer)
}

fn we_verify_what_python_signs(python: &Python) -> Result<(), Failed> {
    for algorithm in ALGORITHMS {
        let planner = Planner::new(algorithm)?;
        for request in [Request::post(), Request::get()] {
            let signed = request.signed_by_python(python, &planner)?;
            let verified = signed.verified_by_us(&planner)??;
            let keyid = verified.keyid().to_string();
            if keyid != planner.keyid() {
                return Err(format!("signed with {keyid}").into());
            }
        }
        let signed = Request::post().signed_by_python(python, &planner)?;
        for (what, change, want) in CHANGES {
            let mut changed = signed.clone();
            change(&mut changed);
            let found = changed.verified_by_us(&planner)?.map_err(|e| e.reason());
            if found.as_ref().err() != Some(&want) {
                return Err(format!("{what}: {found:?}, wanted {want}").into());
            }
        }
    }
    Ok(())
}

/// For itself and for a user, and each is bound to Python's own certificate.
fn gets_our_tokens(python: &Python) -> Result<(), Failed> {
    let world = World::start()?;
    let planner = world.planner.id().to_string();
    let for_itself = world.arguments();
    let for_user = [for_itself.clone(), args(["--user", USER])].concat();
    let cases = [
        (&for_itself, planner.as_str(), None),
        (&for_user, USER, Some(planner.as_str())),
    ];
    for (arguments, subject, actor) in cases {
        let answer = python.run("get_token.py", arguments, "")?;
        let text = answer["access_token"].as_str();
        let text = text.ok_or_else(|| format!("no token: {answer}"))?;
        let token = world.check(text)?;
        let found = token.act().map(|act| act["sub"].as_str());
        if token.subject() != subject || found.flatten() != actor {
            return Err(format!("another caller: {token:?}").into());
        }
    }
    // The last word counts: more than anybody granted is refused, not narrowed.
    let wider = format!("{SCOPE} trips:pay");
    let too_much = [for_user, args(["--scope", &wider])].concat();
    let answer = python.run("get_token.py", &too_much, "")?;
    check(answer["error"] == "invalid_scope", "not refused", &answer)
}

/// The agent knows for whom Python calls, from the proofs and not from the message.
fn calls_an_agent(python: &Python) -> Result<(), Failed> {
    let world = World::start()?;
    let booking = start_booking(&world)?;
    let call = [call(&world, &booking), args(["--user", USER])].concat();
    let answer = python.run("call_booking.py", &call, "")?;
    let server = world.booking.id().to_string();
    check(answer["server"] == server, "another agent", &answer)?;
    let text = answer.pointer("/events/0/message/parts/0/text");
    let text = text.and_then(Value::as_str).unwrap_or_default();
    let told = text.contains("a room for two") && text.contains(USER);
    check(told, &booking.last_reason(), &answer)
}

/// The same call with one proof left out each.
fn is_refused_without_every_proof(python: &Python) -> Result<(), Failed> {
    let world = World::start()?;
    let booking = start_booking(&world)?;
    let good = [call(&world, &booking), args(["--user", USER])].concat();
    let without = |what: &str| [good.clone(), args([what])].concat();
    let cases = [
        (without("--unsigned"), 403, "signature.missing"),
        (without("--without-token"), 401, "token.missing"),
        (call(&world, &booking), 403, "policy.needs_user"),
    ];
    for (call, status, reason) in cases {
        let answer = python.run("call_booking.py", &call, "")?;
        check(answer["status"] == status, reason, &answer)?;
        check(
            booking.last_reason() == reason,
            reason,
            &booking.last_reason().into(),
        )?;
    }
    Ok(())
}

fn call(world: &World, booking: &Running) -> Vec<String> {
    let call = args(["--url", &booking.url(), "--text", "a room for two"]);
    let directory = args(["--signature-agent", SIGNATURE_AGENT]);
    [world.arguments(), call, directory].concat()
}

fn args<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn check(holds: bool, what: &str, answer: &Value) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {answer}").into())
    }
}

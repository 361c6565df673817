//! Python as a peer: the official A2A SDK calls us, and http-message-signatures checks what we
//! sign and signs what we check.

mod booking;
mod signed;

use std::path::Path;
use std::process::ExitCode;

use countersign::crypto::{Algorithm, SigningKey};
use countersign_interop_tests::{Python, row};
use libtest_mimic::{Arguments, Failed};
use serde_json::Value;

use booking::{Booking, start_booking};
use signed::Request;

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let rows = vec![
        row("python_knows_our_keys", Python::ready, |python| {
            knows_our_keys(&python)
        }),
        row(
            "python_calls_an_agent_over_mutual_tls",
            || {
                let python = Python::ready().map_err(|error| error.to_string())?;
                Ok::<_, String>((python, start_booking()?))
            },
            |(python, booking)| calls_an_agent(&python, &booking),
        ),
    ];
    libtest_mimic::run(&args, rows).exit_code()
}

/// Both of Python's halves agree with each other on keys that are ours, so that a row below that
/// fails tells of us.
fn knows_our_keys(python: &Python) -> Result<(), Failed> {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
        let key = SigningKey::generate(algorithm)?;
        let signed = Request::unsigned().signed_by_python(python, &key)?;
        let answer = signed.verified_by_python(python, &key)?;
        let keyid = key.verifying_key().thumbprint().to_string();
        check(answer["verified"] == true, "not verified", &answer)?;
        check(answer["keyid"] == keyid, "another thumbprint", &answer)?;

        let other = SigningKey::generate(algorithm)?;
        let answer = signed.verified_by_python(python, &other)?;
        check(
            answer["verified"] == false,
            "verified by another key",
            &answer,
        )?;
    }
    Ok(())
}

fn calls_an_agent(python: &Python, booking: &Booking) -> Result<(), Failed> {
    let file = |path: &Path| path.display().to_string();
    let (certificate, key) = (file(&booking.certificate), file(&booking.key));
    let bundle = file(&booking.bundle);
    let args = [
        ["--url", &booking.url],
        ["--certificate", &certificate],
        ["--key", &key],
        ["--bundle", &bundle],
        ["--signature-agent", &booking.signature_agent],
        ["--text", "a room for two"],
    ];
    let answer = python.run("call_booking.py", args.as_flattened(), &booking.token)?;
    let other = "served by another agent";
    check(answer["server"] == booking.id, other, &answer)?;
    let event = &answer["events"][0];
    let text = event
        .pointer("/message/parts/0/text")
        .or(event.pointer("/task/status/message/parts/0/text"))
        .and_then(Value::as_str);
    let answered = text.is_some_and(|text| text.contains("room"));
    check(answered, "no answer", &answer)
}

fn check(holds: bool, what: &str, answer: &Value) -> Result<(), Failed> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {answer}").into())
    }
}

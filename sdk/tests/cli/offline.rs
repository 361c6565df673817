//! What needs no network: arguments, tokens and audit logs.

use std::fs;
use std::sync::Arc;

use countersign::audit::{AuditLog, Context, Decision, Draft, JsonLinesLog, MemoryLog, TraceId};
use countersign::authority::{Authority, AuthorityConfig};
use countersign::clock::SystemClock;
use countersign::secret::Secret;
use serde_json::{Value, json};

use crate::common::Failure;
use crate::ran::{run, run_with};
use crate::stage::at;

#[test]
fn arguments_that_make_no_sense_are_code_2() {
    for args in [
        &[][..],
        &["card"],
        &["sing"],
        &["audit", "verify"],
        &["doctor"],
        &["card", "show", "https://127.0.0.1:1"],
        &["audit", "verify", "x", "--known", "1:nothing"],
    ] {
        let ran = run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains("what to do: "), "{ran:?}");
        let ran = run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.json()["reason"], "cli.usage");
    }
    for args in [&["--help"][..], &["--version"], &["call", "--help"]] {
        let ran = run(args);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    }
}

#[test]
fn a_secret_among_the_arguments_is_not_repeated() {
    let token = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl";
    let inline = format!("--token={token}");
    for args in [
        &["token", "inspect", token][..],
        &["token", "inspect", &inline],
        &[token],
    ] {
        for more in [&[][..], &["--json"]] {
            let ran = run(&[args, more].concat());
            assert_eq!(ran.code, Some(2), "{ran:?}");
            let told = format!("{}{}", ran.out, ran.err);
            assert!(!told.contains("eyJ"), "{told}");
            assert!(told.contains("standard input"), "{told}");
        }
    }
}

async fn authority(log: Arc<dyn AuditLog>) -> Result<Authority, Failure> {
    let config = AuthorityConfig::new("test.example".parse()?);
    Ok(Authority::start(config, Arc::new(SystemClock), log).await?)
}

fn inspect(token: &Secret) -> (Value, String) {
    let input = format!("{}\n", token.expose());
    let (machine, human) = (
        run_with(&["token", "inspect", "--json"], input.as_bytes()),
        run_with(&["token", "inspect"], format!("Bearer {input}").as_bytes()),
    );
    let signature = token.expose().rsplit('.').next().expect("three parts");
    for ran in [&machine, &human] {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.out.contains(signature), "the signature: {ran:?}");
    }
    assert!(human.out.starts_with("nothing is verified"), "{human:?}");
    let value = machine.json();
    assert_eq!(value["verified"], false);
    (value, human.out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_read_and_what_is_odd_is_named() -> Result<(), Failure> {
    let authority = authority(Arc::new(MemoryLog::default())).await?;
    let good = json!({
        "iss": authority.issuer(), "sub": "alice", "aud": "spiffe://test.example/agent/two",
        "client_id": "spiffe://test.example/agent/one", "scope": "work", "jti": "1",
        "iat": at(0).secs(), "exp": at(60).secs(), "cnf": { "x5t#S256": "AAAA" },
        "act": { "sub": "spiffe://test.example/agent/one", "act": { "sub": "first" } },
    });
    let (value, human) = inspect(&authority.danger().token(&good)?);
    assert_eq!(value["warnings"], json!([]), "{value}");
    assert_eq!(
        value["chain"],
        json!(["spiffe://test.example/agent/one", "first"])
    );
    assert_eq!(value["claims"]["sub"], "alice");
    for line in [
        "type         at+jwt EdDSA",
        "for whom     alice",
        "acts         spiffe://test.example/agent/one, before it first",
    ] {
        assert!(human.lines().any(|found| found == line), "{line}: {human}");
    }
    let other = "spiffe://test.example/agent/zero";
    let client = "spiffe://test.example/agent/one";
    for (change, want) in [
        (
            json!({ "act": { "sub": other, "act": { "sub": client } } }),
            "delegation.inverted",
        ),
        (
            json!({ "act": { "sub": other } }),
            "delegation.actor_not_client",
        ),
        (json!({ "act": [client] }), "delegation.malformed"),
        (json!({ "act": null }), "delegation.impersonation"),
        (json!({ "cnf": null }), "token.not_bound"),
        (json!({ "exp": 1 }), "token.expired"),
        (json!({ "aud": ["a", "b"] }), "token.audience"),
    ] {
        let token = authority.danger().token(&good)?;
        let (value, human) = inspect(&authority.danger().reissue(&token, &change)?);
        let warnings = value["warnings"].as_array().ok_or("warnings")?;
        assert_eq!(warnings.len(), 1, "{want}: {value}");
        assert_eq!(warnings[0]["reason"], want, "{value}");
        assert_eq!(
            human.lines().filter(|line| line.starts_with("! ")).count(),
            1
        );
    }
    let (value, _) = inspect(&authority.danger().token_of_type("JWT", &good)?);
    assert_eq!(value["warnings"][0]["reason"], "token.typ");
    // A name that would write a line of its own.
    let forged = authority
        .danger()
        .token(&json!({ "iss": "a\nbound to     you\u{1b}[2J" }))?;
    let (_, human) = inspect(&forged);
    assert!(!human.contains("\nbound to"), "{human}");
    assert!(!human.contains('\u{1b}'), "{human}");
    Ok(())
}

#[test]
fn garbage_is_no_token() {
    let long = format!("eyJ{}", "a".repeat(100_000));
    for garbage in [
        &b""[..],
        b"garbage",
        b"a.b.c",
        b"\xff\xfe",
        b"e30.W10.",
        long.as_bytes(),
    ] {
        let ran = run_with(&["token", "inspect"], garbage);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.err.contains("standard input"), "{ran:?}");
        let ran = run_with(&["token", "inspect", "--json"], garbage);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.json()["reason"].is_string(), "{ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_is_shown_and_followed() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.jsonl");
    let log: Arc<dyn AuditLog> = Arc::new(JsonLinesLog::open(&file)?);
    let authority = authority(log.clone()).await?;
    let context = |n: i64| Context::new(authority.id().clone(), at(n), TraceId::fresh());
    for n in 0..4 {
        log.append(Draft::new(context(n), "call", Decision::Refused))?;
    }
    let path = file.display().to_string();
    let good = run(&["audit", "verify", &path, "--json"]).json();
    assert_eq!((&good["records"], &good["refused"]), (&json!(4), &json!(4)));
    let known = format!("4:{}", good["last_hash"].as_str().ok_or("a hash")?);
    let human = run(&["audit", "verify", &path]);
    assert!(
        human.out.contains("✓ 4 records") && human.out.contains(&known),
        "{human:?}"
    );
    assert_eq!(
        run(&["audit", "verify", &path, "--known", &known]).code,
        Some(0)
    );
    let shown = run(&["audit", "show", &path]);
    assert_eq!(
        (shown.code, shown.out.lines().count()),
        (Some(0), 4),
        "{shown:?}"
    );
    let shown = run(&["audit", "show", &path, "--json"]).json();
    assert_eq!(shown["records"].as_array().map(Vec::len), Some(4));

    let whole = fs::read_to_string(&file)?;
    let lines: Vec<&str> = whole.lines().collect();
    let join = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    let changed = lines[1].replace("refused", "permitted");
    let cases = [
        (
            "changed",
            join(&[lines[0], &changed, lines[2], lines[3]]),
            "audit.changed",
            2,
        ),
        (
            "dropped",
            join(&[lines[0], lines[2], lines[3]]),
            "audit.dropped",
            2,
        ),
        (
            "reordered",
            join(&[lines[0], lines[2], lines[1], lines[3]]),
            "audit.reordered",
            2,
        ),
        (
            "truncated",
            whole[..whole.len() - 9].to_owned(),
            "audit.truncated",
            4,
        ),
        (
            "garbage",
            join(&[lines[0], lines[1], lines[2], "garbage"]),
            "audit.changed",
            4,
        ),
    ];
    for (what, text, want, line) in cases {
        fs::write(&file, text)?;
        for command in ["verify", "show"] {
            let ran = run(&["audit", command, &path, "--json"]);
            assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
            let value = ran.json();
            assert_eq!(value["reason"], want, "{what}: {value}");
            assert_eq!(value["line"], line, "{what}: {value}");
            let ran = run(&["audit", command, &path]);
            assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
            let told = format!("{}{}", ran.out, ran.err);
            assert!(told.contains(&format!("line {line}")), "{what}: {told}");
            // What comes before is shown, what comes after is not believed.
            let before = ran
                .out
                .lines()
                .filter(|line| line.contains("refused"))
                .count();
            assert_eq!(
                before,
                if command == "show" { line - 1 } else { 0 },
                "{what}"
            );
        }
    }
    // A log cut off at the end of a line is whole by itself; a known end tells.
    fs::write(&file, join(&lines[..3]))?;
    assert_eq!(run(&["audit", "verify", &path]).code, Some(0));
    let cut = run(&["audit", "verify", &path, "--known", &known, "--json"]);
    assert_eq!(
        (cut.code, &cut.json()["reason"]),
        (Some(1), &json!("audit.cut"))
    );
    for wrong in [folder.path().join("none"), folder.path().to_owned()] {
        let path = wrong.display().to_string();
        for command in ["verify", "show"] {
            let ran = run(&["audit", command, &path, "--json"]);
            assert_eq!(ran.code, Some(3), "{ran:?}");
            assert_eq!(ran.json()["reason"], "cli.file");
        }
    }
    Ok(())
}

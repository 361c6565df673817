//! Wrong usage, and what could not be carried out.

use super::desk::{AGENT, Desk, NOW, REQUEST, http, printed};
use crate::ran::reason;

#[test]
fn wrong_usage_is_code_2() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let directory = desk.directory("directory.json", &key);
    let message = desk.file("m.http", REQUEST);
    let answer = desk.file("answer.http", "HTTP/1.1 200 OK\n\n");
    let sign = ["sign", "--key", &key, "--signature-agent", AGENT, &message];
    let with = |more: &[&'static str]| [&sign[..], more].concat();
    for args in [
        vec!["sign", &message],
        vec!["sign", "--key", &key],
        // Nothing says where the key is published.
        vec!["sign", "--key", &key, &message],
        with(&["--profile", "web-bot-auth:ietf-02"]),
        with(&["--profile", "wimse"]),
        with(&["--profile", "rfc9421"]),
        with(&["--profile", "web-bot-auth:meunier-02"]),
        with(&["--signature-agent", "http://bot.example/keys"]),
        with(&["--component", "@nothing"]),
        with(&["--component", "@status"]),
        with(&["--component", "@method"]),
        with(&["--label", "Sig 1"]),
        with(&["--tag", "mine"]),
        with(&["--keyid", "mine"]),
        with(&["--nonce", "short"]),
        with(&["--expires-in", "0"]),
        with(&["--expires-in", "301"]),
        with(&["--alg", "ed448"]),
        with(&["--alg", "rsa-pss-sha512"]),
        with(&["--request", "x"]),
        with(&["--scheme", "ftp"]),
        with(&["--now", "soon"]),
        with(&["--field-type", "x-list"]),
        with(&["--kid", "another"]),
        vec!["verify", &message],
        vec!["verify", "--keys", &directory, "--resolve", &message],
        vec![
            "verify",
            "--keys",
            &directory,
            "--tolerate",
            "everything",
            &message,
        ],
        vec![
            "verify",
            "--keys",
            &directory,
            "--request",
            &message,
            &message,
        ],
        vec![
            "verify",
            "--keys",
            &directory,
            "--request",
            &answer,
            &answer,
        ],
        vec!["verify", "--keys", &directory, "--request", "-", "-"],
        vec!["base", "--params", ";a=1", &message],
        vec!["base", "--component", "Content-Type", &message],
        vec!["keygen", "--alg", "hmac-sha256"],
        vec!["keygen", "--format", "der"],
        vec!["directory"],
        vec!["directory", "--key", &key, "--serve", "nowhere"],
        vec![
            "directory",
            "--key",
            &key,
            "--origin",
            "https://bot.example",
        ],
        vec!["card"],
        vec!["card", "http://bot.example/card", "--jwks-uri", AGENT],
        vec!["card", "https://bot.example/card"],
        vec![
            "card",
            "https://bot.example/card",
            "--jwks-uri",
            "keys.json",
        ],
        vec!["registry"],
        vec!["registry", "bot.example"],
        vec!["sing"],
        vec![],
    ] {
        let ran = http(&args);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{args:?}: {ran:?}"
        );
        assert!(ran.err.contains("what to do: "), "{ran:?}");
        let json = http(&[&args[..], &["--json"]].concat());
        assert_eq!(json.code, Some(2), "{json:?}");
        assert_ne!(reason(&json.json()), "");
    }
    for args in [&["--help"][..], &["sign", "--help"], &["verify", "--help"]] {
        printed(args);
    }
}

#[test]
fn what_cannot_be_read_is_code_3() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let directory = desk.directory("directory.json", &key);
    let message = desk.file("m.http", REQUEST);
    let cut = desk.file("cut.http", "GET / HTTP/1.1\nHost: a\n");
    let hostless = desk.file("hostless.http", "GET / HTTP/1.1\n\n");
    let text = desk.file("text", "no key");
    let empty = desk.file("empty.json", "{\"keys\":[]}");
    let folder = desk.path("").display().to_string();
    let sign = |key: &str, message: &str| {
        ["sign", "--key", key, "--signature-agent", AGENT, message]
            .map(str::to_owned)
            .to_vec()
    };
    let verify = |keys: &str, message: &str| {
        ["verify", "--keys", keys, message]
            .map(str::to_owned)
            .to_vec()
    };
    let of = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    for (args, want) in [
        (sign("/nowhere", &message), "cli.file"),
        (sign(&key, "/nowhere"), "cli.file"),
        (sign(&key, &folder), "cli.file"),
        (sign(&text, &message), "key.json"),
        (sign(&directory, &message), "key.public"),
        (sign(&key, &cut), "http.message"),
        (sign(&key, &hostless), "http.message"),
        (verify("/nowhere", &message), "cli.file"),
        (verify(&key, &message), "key.private"),
        (verify(&text, &message), "key.json"),
        (verify(&empty, &message), "key.none"),
        (verify(&directory, &cut), "http.message"),
        (of(&["base", "/nowhere"]), "cli.file"),
        (of(&["base", &message]), "signature.missing"),
        (
            of(&["base", "--component", "x-absent", &message]),
            "signature.component_absent",
        ),
        (of(&["directory", "--lint", "/nowhere"]), "cli.file"),
        (
            of(&["directory", "--lint", "https://127.0.0.1:4433/keys"]),
            "fetch.address",
        ),
        (
            of(&["card", "https://127.0.0.1:4433/card", "--fetch"]),
            "fetch.address",
        ),
        (
            of(&["registry", "--fetch", "https://127.0.0.1:4433/"]),
            "fetch.address",
        ),
        (of(&["registry", "--lint", "/nowhere"]), "cli.file"),
        (of(&["keygen", "--out", "/nowhere/agent.pem"]), "cli.file"),
        (
            of(&["directory", "--key", &key, "--serve", "192.0.2.1:0"]),
            "http.listen",
        ),
    ] {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let ran = http(&[&args[..], &["--json"]].concat());
        assert_eq!(ran.code, Some(3), "{args:?}: {ran:?}");
        assert_eq!(reason(&ran.json()), want, "{args:?}");
    }
}

#[test]
fn a_field_of_the_message_says_where_the_key_is() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let now = NOW.to_string();
    for (field, said) in [
        (
            "sig1=\"https://one.example/keys\"",
            Some("https://one.example/keys"),
        ),
        (
            "\"https://two.example/keys\"",
            Some("https://two.example/keys"),
        ),
        ("a=\"https://a.example/k\", b=\"https://b.example/k\"", None),
        ("sig1=7", None),
    ] {
        let message = REQUEST.replace("X-Other", &format!("Signature-Agent: {field}\nX-Other"));
        let message = desk.file("m.http", message);
        let args = [
            "sign",
            "--key",
            &key,
            "--profile",
            "web-bot-auth",
            "--now",
            &now,
            &message,
        ];
        let ran = http(&args);
        assert_eq!(ran.code == Some(0), said.is_some(), "{field}: {ran:?}");
        if let Some(said) = said {
            let want = format!("\nSignature-Agent: sig1=\"{said}\"\n");
            assert!(ran.out.contains(&want), "{ran:?}");
        }
    }
}

//! Private keys: made, kept, and never told.

use serde_json::{Value, json};

use super::desk::{AGENT, Desk, NOW, REQUEST, http, printed, rfc9421, verified};

#[test]
fn a_private_key_is_in_a_file_of_its_owner_and_nowhere_else() {
    let desk = Desk::new();
    for (alg, file) in [
        ("ed25519", "a.pem"),
        ("ecdsa-p256-sha256", "b.jwk"),
        ("ecdsa-p384-sha384", "c.pem"),
        ("rsa-pss-sha512", "d.jwk"),
        ("hmac-sha256", "e.jwk"),
    ] {
        let (name, format) = (desk.name(file), file.rsplit('.').next().expect("an end"));
        let args = ["keygen", "--alg", alg, "--format", format, "--out", &name];
        let made = http(&args);
        assert_eq!(made.code, Some(0), "{made:?}");
        let key = std::fs::read_to_string(&name).expect("a key");
        let secrets: Vec<_> = match serde_json::from_str::<Value>(&key) {
            Ok(jwk) => ["d", "p", "q", "k"]
                .map(|m| jwk[m].as_str().unwrap_or("-----").to_owned())
                .into(),
            Err(_) => key
                .lines()
                .filter(|line| !line.starts_with("--"))
                .map(str::to_owned)
                .collect(),
        };
        // Nothing that is told about it has it, whatever is done with it.
        let message = desk.file("m.http", REQUEST);
        let sign = ["sign", "--key", &name, "--profile", "rfc9421", &message];
        let broken = desk.file("broken.pem", key.replace(['A', 'a'], "!"));
        for ran in [
            made,
            http(&sign),
            http(&["directory", "--key", &name]),
            http(&["verify", "--keys", &name, &message]),
            http(&["sign", "--key", &broken, "--profile", "rfc9421", &message]),
            http(&[
                "sign",
                "--key",
                &broken,
                "--profile",
                "rfc9421",
                "--json",
                &message,
            ]),
        ] {
            for secret in secrets.iter().filter(|secret| *secret != "-----") {
                assert!(
                    !ran.out.contains(secret) && !ran.err.contains(secret),
                    "{ran:?}"
                );
            }
        }
        only_its_owners(&desk, file);
        // One that is there is not written over.
        let again = http(&[&args[..], &["--json"]].concat());
        assert_eq!(again.code, Some(3), "{again:?}");
        assert_eq!(again.json()["reason"], "cli.file");
        assert_eq!(std::fs::read_to_string(&name).expect("a key"), key);
    }
}

#[cfg(unix)]
fn only_its_owners(desk: &Desk, file: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(desk.path(file))
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "{file}");
}

#[cfg(not(unix))]
fn only_its_owners(_: &Desk, _: &str) {}

#[test]
fn a_private_key_is_printed_when_that_is_asked_for() {
    let pem = printed(&["keygen", "--out", "-"]);
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{pem}");
    let jwk = printed(&["keygen", "--format", "jwk", "--out", "-"]);
    let jwk: Value = serde_json::from_str(&jwk).expect("JSON");
    assert_eq!(
        (&jwk["crv"], jwk["d"].is_string()),
        (&json!("Ed25519"), true)
    );
    let told = http(&["keygen", "--out", "-", "--json"]).json();
    assert!(
        told["private"]
            .as_str()
            .is_some_and(|text| text.contains("PRIVATE KEY")),
        "{told}"
    );
    assert_eq!(told["keyid"], told["public"]["kid"]);
    assert_eq!(told["public"]["d"], Value::Null);
}

#[test]
fn a_set_of_private_keys_signs_with_the_one_that_is_named() {
    let desk = Desk::new();
    let keys = ["one", "two"].map(|name| {
        let jwk = printed(&["keygen", "--format", "jwk", "--out", "-"]);
        let mut jwk: Value = serde_json::from_str(&jwk).expect("JSON");
        jwk["kid"] = name.into();
        jwk
    });
    let set = desk.file("set.json", json!({ "keys": keys }).to_string());
    let message = desk.file("m.http", REQUEST);
    let now = NOW.to_string();
    let sign = [
        "sign",
        "--key",
        &set,
        "--signature-agent",
        AGENT,
        "--now",
        &now,
        &message,
    ];
    let which = http(&sign);
    assert_eq!(which.code, Some(2), "{which:?}");
    let made = printed(&[&sign[..], &["--kid", "two"]].concat());
    let made = desk.file("signed.http", made);
    let directory = desk.directory("directory.json", &set);
    let value = verified(&["--keys", &directory], &made, 0);
    assert_eq!(value["outcome"], "verified", "{value}");
    let listed = std::fs::read_to_string(&directory).expect("a directory");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed["keys"][1]["kid"], value["keyid"]);
    assert_eq!(listed["keys"][1]["x"], keys[1]["x"]);
}

#[test]
fn keys_that_everybody_has_are_refused() {
    let desk = Desk::new();
    let jwk = &rfc9421()["keys"]["test-key-ed25519"];
    let key = desk.file("key.jwk", jwk.to_string());
    let message = desk.file("m.http", REQUEST);
    let now = NOW.to_string();
    let sign = [
        "sign",
        "--key",
        &key,
        "--signature-agent",
        AGENT,
        "--now",
        &now,
        &message,
    ];
    let danger = ["--danger-accept-public-test-keys"];
    for profile in ["a2a", "web-bot-auth"] {
        let args = [&sign[..], &["--profile", profile]].concat();
        let refused = http(&[&args[..], &["--json"]].concat());
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert_eq!(refused.json()["reason"], "signature.test_key");
        let made = desk.file("signed.http", printed(&[&args[..], &danger].concat()));
        let list = ["directory", "--key", &key];
        assert_eq!(http(&list).code, Some(1));
        let listed = desk.file("directory.json", printed(&[&list[..], &danger].concat()));
        let value = verified(&["--keys", &listed], &made, 0);
        assert_eq!(value["reason"], "signature.test_key", "{value}");
        let value = verified(&["--keys", &listed, danger[0]], &made, 0);
        assert_eq!(value["outcome"], "verified", "{value}");
    }
}

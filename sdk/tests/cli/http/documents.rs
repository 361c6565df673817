//! Key directories, cards and registries: printed, and what is wrong with them.

use serde_json::{Value, json};

use super::desk::{AGENT, Desk, http, printed};

const CARD: &str = "https://bot.example/card";

fn warnings(value: &Value) -> Vec<&str> {
    let warnings = value["warnings"].as_array().expect("warnings");
    warnings
        .iter()
        .filter_map(|warning| warning["reason"].as_str())
        .collect()
}

#[test]
fn a_directory_has_only_public_halves_and_lints_clean() {
    let desk = Desk::new();
    let (one, two) = (
        desk.key("one.pem", "ed25519"),
        desk.key("two.jwk", "ecdsa-p256-sha256"),
    );
    let text = printed(&["directory", "--key", &one, "--key", &two]);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let keys = value["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 2);
    assert!(
        keys.iter()
            .all(|key| key["d"].is_null() && key["kid"].is_string()),
        "{text}"
    );
    let file = desk.file("directory.json", &text);
    let ran = http(&["directory", "--lint", &file, "--json"]);
    let linted = ran.json();
    assert_eq!(
        (ran.code, &linted["keys"], &linted["warnings"]),
        (Some(0), &json!(2), &json!([]))
    );
    // What was printed can be printed again.
    assert_eq!(printed(&["directory", "--key", &file]), text);
}

#[test]
fn each_divergence_of_a_directory_is_named() {
    let desk = Desk::new();
    let key = desk.key("one.pem", "ed25519");
    let good: Value = serde_json::from_str(&printed(&["directory", "--key", &key])).expect("JSON");
    let with = |member: &str, value: Value| {
        let mut document = good.clone();
        document["keys"][0][member] = value;
        document
    };
    let mut twice = good.clone();
    twice["keys"] = json!([good["keys"][0], good["keys"][0]]);
    for (document, code, want) in [
        (good.clone(), 0, vec![]),
        (with("alg", json!("EdDSA")), 0, vec!["directory.alg_jose"]),
        (with("kid", json!("mine")), 1, vec!["directory.kid_other"]),
        (with("use", json!("enc")), 1, vec!["directory.use"]),
        (with("d", json!("AAAA")), 1, vec!["directory.private_key"]),
        (with("kty", json!("RSA")), 1, vec!["directory.key"]),
        (
            with("exp", json!(1_735_689_600_000_u64)),
            1,
            vec!["directory.milliseconds"],
        ),
        (twice, 1, vec!["directory.repeated"]),
    ] {
        let file = desk.file("directory.json", document.to_string());
        let ran = http(&["directory", "--lint", &file, "--json"]);
        let value = ran.json();
        assert_eq!(
            (ran.code, warnings(&value)),
            (Some(code), want),
            "{document}"
        );
    }
    let file = desk.file("directory.json", with("kid", json!("mine")).to_string());
    let ran = http(&["directory", "--lint", &file, "--elsewhere"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (text, want) in [("{}", "directory.no_keys"), ("[", "directory.json")] {
        let file = desk.file("directory.json", text);
        let ran = http(&["directory", "--lint", &file, "--json"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(ran.json()["reason"], want);
    }
}

#[test]
fn a_card_that_was_printed_lints_clean_and_an_altered_one_does_not() {
    let desk = Desk::new();
    let key = desk.key("one.pem", "ed25519");
    let common = [
        "card",
        CARD,
        "--name",
        "Example Bot",
        "--contact",
        "mailto:bot@bot.example",
        "--trigger",
        "fetcher",
        "--purpose",
        "search",
        "--user-agent",
        "ExampleBot/1.0",
    ];
    for keys in [["--jwks-uri", AGENT], ["--key", &key]] {
        let text = printed(&[&common[..], &keys].concat());
        let card: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(card["client_id"], CARD);
        assert_eq!(card["web_bot_auth"]["trigger"], "fetcher");
        assert_eq!(card["jwks"]["keys"][0]["d"], Value::Null);
        for (change, code, want) in [
            ((Value::Null, ""), 0, vec![]),
            ((json!(7), "client_name"), 1, vec!["agent_card.type"]),
            (
                (json!("http://bot.example"), "client_uri"),
                1,
                vec!["agent_card.https"],
            ),
        ] {
            let mut card = card.clone();
            if !change.1.is_empty() {
                card[change.1] = change.0;
            }
            let file = desk.file("card.json", card.to_string());
            let ran = http(&["card", CARD, "--lint", &file, "--json"]);
            let value = ran.json();
            assert_eq!((ran.code, warnings(&value)), (Some(code), want), "{card}");
        }
        let file = desk.file("card.json", &text);
        let elsewhere = http(&[
            "card",
            "https://bot.example/other",
            "--lint",
            &file,
            "--json",
        ]);
        assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
        assert_eq!(elsewhere.json()["reason"], "agent_card.client_id");
    }
}

#[test]
fn a_registry_is_text_and_its_bad_lines_are_named() {
    let desk = Desk::new();
    let other = "https://other.example/card";
    let text = printed(&["registry", CARD, other]);
    assert_eq!(text, format!("{CARD}\n{other}\n"));
    for (text, code, want) in [
        (text.clone(), 0, vec![]),
        (format!("# bots\n{text}"), 0, vec![]),
        (
            format!("{text}ftp://bot.example/\n"),
            1,
            vec!["registry.url"],
        ),
        (format!("{text}{CARD}\n"), 1, vec!["registry.repeated"]),
    ] {
        let file = desk.file("registry.txt", &text);
        let ran = http(&["registry", "--lint", &file, "--json"]);
        let value = ran.json();
        assert_eq!((ran.code, warnings(&value)), (Some(code), want), "{text}");
        assert_eq!(value["cards"], json!([CARD, other]));
    }
    let told = printed(&["registry", "--lint", &desk.file("registry.txt", &text)]);
    assert_eq!(told, "✓ a registry of 2 cards\n");
}

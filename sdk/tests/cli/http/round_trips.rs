//! What is signed is verified, and what was altered is not.

use serde_json::{Value, json};

use super::desk::{AGENT, Desk, NOW, REQUEST, http, http_with, printed, signed, verified};

const PROFILES: [&str; 6] = [
    "a2a",
    "web-bot-auth",
    "web-bot-auth:meunier-02",
    "web-bot-auth:legacy",
    "wimse",
    "rfc9421",
];

/// Where the key is, in the form that the profile has.
fn agent(profile: &str) -> Option<&'static str> {
    match profile {
        "wimse" | "rfc9421" => None,
        "web-bot-auth:meunier-02" => Some("https://bot.example"),
        _ => Some(AGENT),
    }
}

#[test]
fn each_profile_verifies_what_it_signs_with_each_algorithm() {
    let desk = Desk::new();
    let now = NOW.to_string();
    for (alg, file) in [
        ("ed25519", "a.pem"),
        ("ecdsa-p256-sha256", "b.pem"),
        ("ecdsa-p384-sha384", "c.jwk"),
        ("rsa-pss-sha512", "d.pem"),
        ("rsa-v1_5-sha256", "e.jwk"),
    ] {
        let key = desk.key(file, alg);
        let directory = desk.directory("directory.json", &key);
        for (index, profile) in PROFILES.into_iter().enumerate() {
            let end = ["\n", "\r\n"][index % 2];
            let message = desk.file("m.http", REQUEST.replace('\n', end));
            let mut args = vec!["sign", "--key", &key, "--profile", profile, "--now", &now];
            if let Some(agent) = agent(profile) {
                args.extend(["--signature-agent", agent]);
            }
            args.push(&message);
            let made = printed(&args);
            assert!(made.starts_with("POST /a2a?task=7 HTTP/1.1"), "{made}");
            assert!(
                made.contains(&format!("{end}X-Other: as it was{end}")),
                "{made}"
            );
            assert!(made.ends_with("{\"hello\": \"world\"}"), "{made}");
            let made = desk.file("signed.http", made);
            let of = ["--keys", &directory, "--profile", profile];
            let value = verified(&of, &made, 0);
            assert_eq!(value["outcome"], "verified", "{profile} {alg}: {value}");
            assert_eq!(value["covers_body"], true, "{profile} {alg}: {value}");
            assert_eq!(
                value["signature_agent"],
                json!(agent(profile)),
                "{profile} {alg}"
            );
        }
    }
}

#[test]
fn a_shared_secret_signs_under_rfc9421_and_nowhere_else() {
    let desk = Desk::new();
    let key = desk.key("secret.jwk", "hmac-sha256");
    let message = desk.file("m.http", REQUEST);
    let now = NOW.to_string();
    let sign = ["sign", "--key", &key, "--now", &now, &message];
    let made = printed(&[&sign[..], &["--profile", "rfc9421"]].concat());
    let made = desk.file("signed.http", made);
    let value = verified(&["--keys", &key, "--profile", "rfc9421"], &made, 0);
    assert_eq!(value["outcome"], "verified", "{value}");
    for profile in ["a2a", "web-bot-auth", "wimse"] {
        let mut args = vec!["--profile", profile, "--json"];
        if let Some(agent) = agent(profile) {
            args.extend(["--signature-agent", agent]);
        }
        let ran = http(&[&sign[..], &args].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(
            ran.json()["reason"],
            "signature.algorithm_refused",
            "{profile}"
        );
    }
    // Nor is it published.
    let ran = http(&["directory", "--key", &key, "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.json()["reason"], "signature.algorithm_refused");
}

#[test]
fn the_json_of_a_verdict_has_its_shape() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let directory = desk.directory("directory.json", &key);
    let message = desk.file("m.http", REQUEST);
    let made = signed(&key, &message, &["--profile", "web-bot-auth"]);
    let made = desk.file("signed.http", made);
    let mut value = verified(&["--keys", &directory], &made, 0);
    let set = std::fs::read_to_string(&directory).expect("a directory");
    let set: Value = serde_json::from_str(&set).expect("JSON");
    let keyid = value["keyid"].take();
    assert_eq!(keyid, set["keys"][0]["kid"]);
    let want = json!({
        "ok": true, "outcome": "verified", "reason": null, "profile": "web-bot-auth:ietf-01",
        "label": "sig1", "keyid": null, "signature_agent": AGENT, "attributed_to": null,
        "covered": [
            "\"@method\"", "\"@authority\"", "\"@path\"", "\"@query\"", "\"content-digest\"",
            "\"signature-agent\";key=\"sig1\"",
        ],
        "created": NOW, "expires": NOW + 60, "tag": "web-bot-auth", "covers_body": true,
    });
    assert_eq!(value, want);
    // For people: the same, and nobody is named whose directory was not asked.
    let now = NOW.to_string();
    let told = printed(&["verify", "--keys", &directory, "--now", &now, &made]);
    assert!(
        told.starts_with("✓ verified under web-bot-auth:ietf-01\n"),
        "{told}"
    );
    assert!(
        told.contains("signed by  nobody: the key was given"),
        "{told}"
    );
}

#[test]
fn an_altered_message_is_refused_with_its_reason() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let directory = desk.directory("directory.json", &key);
    let message = desk.file("m.http", REQUEST);
    let good = signed(&key, &message, &[]);
    let other = desk.key("other.pem", "ed25519");
    let others = desk.directory("others.json", &other);
    let signature = good
        .lines()
        .find(|line| line.starts_with("Signature: "))
        .expect("a line");
    let input = good
        .lines()
        .find(|line| line.starts_with("Signature-Input: "))
        .expect("a line");
    let (signature, input) = (format!("{signature}\n"), format!("{input}\n"));
    for (from, to, outcome, reason) in [
        ("X-Other: as it was", "X-Other: not so", "verified", None),
        ("world", "World", "invalid", Some("signature.digest")),
        ("POST", "PUT", "invalid", Some("signature.invalid")),
        ("/a2a", "/a2b", "invalid", Some("signature.invalid")),
        ("task=7", "task=8", "invalid", Some("signature.invalid")),
        ("booking", "other", "invalid", Some("signature.invalid")),
        (
            "application/json",
            "text/plain",
            "invalid",
            Some("signature.invalid"),
        ),
        (
            ";tag=\"web-bot-auth\"",
            "",
            "unverified",
            Some("signature.tag"),
        ),
        (
            "bot.example/keys",
            "bot.example/kezs",
            "invalid",
            Some("signature.invalid"),
        ),
        (&signature, "", "invalid", Some("signature.missing")),
        (&input, "", "unverified", Some("signature.missing")),
        (
            "Signature-Input: sig1=",
            "Signature-Input: sig1=(",
            "invalid",
            Some("signature.malformed"),
        ),
    ] {
        let altered = desk.file("altered.http", good.replacen(from, to, 1));
        let value = verified(&["--keys", &directory, "--profile", "a2a"], &altered, 0);
        let got = (value["outcome"].as_str(), value["reason"].as_str());
        assert_eq!(got, (Some(outcome), reason), "{from} {to}: {value}");
        // The same for people.
        let now = NOW.to_string();
        let args = [
            "verify",
            "--keys",
            &directory,
            "--profile",
            "a2a",
            "--now",
            &now,
            &altered,
        ];
        let told = http(&args);
        assert_eq!(told.code, Some(i32::from(reason.is_some())), "{told:?}");
        assert!(
            reason.is_none_or(|reason| told.out.contains(reason)),
            "{told:?}"
        );
    }
    let good = desk.file("signed.http", good);
    for (secs, keys, outcome, reason) in [
        (65, &directory, "verified", None),
        (66, &directory, "invalid", Some("signature.expired")),
        (0, &others, "unverified", Some("signature.key_unknown")),
    ] {
        let value = verified(&["--keys", keys], &good, secs);
        let got = (value["outcome"].as_str(), value["reason"].as_str());
        assert_eq!(got, (Some(outcome), reason), "{secs}: {value}");
    }
    let early = (NOW - 6).to_string();
    let ran = http(&[
        "verify", "--json", "--keys", &directory, "--now", &early, &good,
    ]);
    assert_eq!(ran.json()["reason"], "signature.not_yet", "{ran:?}");
}

#[test]
fn a_message_comes_from_standard_input_too() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ecdsa-p256-sha256");
    let directory = desk.directory("directory.json", &key);
    let now = NOW.to_string();
    let sign = [
        "sign",
        "--key",
        &key,
        "--signature-agent",
        AGENT,
        "--now",
        &now,
        "-",
    ];
    let made = http_with(&sign, REQUEST.as_bytes());
    assert_eq!(made.code, Some(0), "{made:?}");
    let verify = ["verify", "--keys", &directory, "--now", &now, "-"];
    let judged = http_with(&verify, made.out.as_bytes());
    assert_eq!(judged.code, Some(0), "{judged:?}");
    let base = http_with(&["base", "-"], made.out.as_bytes());
    assert!(base.out.starts_with("\"@method\": POST\n"), "{base:?}");
}

#[test]
fn one_request_is_signed_for_web_bot_auth_and_for_wimse() {
    let desk = Desk::new();
    let (one, two) = (
        desk.key("one.pem", "ed25519"),
        desk.key("two.pem", "ecdsa-p256-sha256"),
    );
    let (ones, twos) = (
        desk.directory("1.json", &one),
        desk.directory("2.json", &two),
    );
    let message = desk.file("m.http", REQUEST);
    let first = desk.file(
        "1.http",
        signed(&one, &message, &["--profile", "web-bot-auth"]),
    );
    let now = NOW.to_string();
    let both = printed(&[
        "sign",
        "--key",
        &two,
        "--profile",
        "wimse",
        "--now",
        &now,
        &first,
    ]);
    let both = desk.file("2.http", both);
    for (profile, keys, label) in [("web-bot-auth", &ones, "sig1"), ("wimse", &twos, "wimse")] {
        let value = verified(&["--keys", keys, "--profile", profile], &both, 0);
        assert_eq!(
            (&value["outcome"], &value["label"]),
            (&json!("verified"), &json!(label))
        );
        // By the label, the tag says which profile it is.
        let value = verified(&["--keys", keys, "--label", label], &both, 0);
        assert_eq!(value["outcome"], "verified", "{value}");
        let base = printed(&["base", "--label", label, &both]);
        assert!(base.starts_with("\"@method\": POST\n"), "{base}");
    }
    let which = http(&["base", &both]);
    assert_eq!(which.code, Some(2), "{which:?}");
}

#[test]
fn a_response_is_signed_for_the_request_it_answers() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let directory = desk.directory("directory.json", &key);
    let message = desk.file("m.http", REQUEST);
    let request = desk.file("request.http", signed(&key, &message, &[]));
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\ndone";
    let answer = desk.file("answer.http", answer);
    let now = NOW.to_string();
    let sign = ["sign", "--key", &key, "--now", &now, &answer];
    let alone = http(&sign);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    let made = printed(&[&sign[..], &["--request", &request]].concat());
    let made = desk.file("signed.http", made);
    let value = verified(&["--keys", &directory, "--request", &request], &made, 0);
    assert_eq!(
        (&value["outcome"], &value["tag"]),
        (&json!("verified"), &json!("a2a-response"))
    );
    // Another request, signed a second later, was not answered by this.
    let later = (NOW + 1).to_string();
    let args = [
        "sign",
        "--key",
        &key,
        "--signature-agent",
        AGENT,
        "--now",
        &later,
        &message,
    ];
    let other = desk.file("other.http", printed(&args));
    let value = verified(&["--keys", &directory, "--request", &other], &made, 0);
    assert_eq!(value["outcome"], "invalid", "{value}");
    // The RFC alone ties a response to nothing that is not named.
    let made = printed(&[&sign[..], &["--profile", "rfc9421"]].concat());
    let made = desk.file("plain.http", made);
    let value = verified(&["--keys", &directory], &made, 0);
    assert_eq!(
        (&value["outcome"], &value["profile"]),
        (&json!("verified"), &json!("rfc9421"))
    );
}

#[test]
fn what_the_signature_says_can_be_chosen() {
    let desk = Desk::new();
    let key = desk.key("agent.pem", "ed25519");
    let message = desk.file("m.http", REQUEST);
    let more = [
        "--profile",
        "rfc9421",
        "--component",
        "@method",
        "--component",
        "x-other;bs",
        "--label",
        "mine",
        "--tag",
        "my-app",
        "--expires-in",
        "30",
        "--nonce",
        "once",
        "--alg",
        "ed25519",
        "--keyid",
        "me",
        "--json",
    ];
    let now = NOW.to_string();
    let ran = http(&[&["sign", "--key", &key, "--now", &now, &message][..], &more].concat());
    let value = ran.json();
    let input = value["fields"][0][1].as_str().expect("a text");
    let want = format!(
        "mine=(\"@method\" \"x-other\";bs);created={NOW};expires={};keyid=\"me\";alg=\"ed25519\";\
         nonce=\"once\";tag=\"my-app\"",
        NOW + 30
    );
    assert_eq!((input, &value["label"]), (want.as_str(), &json!("mine")));
    assert_eq!(value["fields"][0][0], "Signature-Input");
    let directory = desk.directory("directory.json", &key);
    let made = desk.file("signed.http", value["message"].as_str().expect("a text"));
    // The key is not called so in the directory.
    let value = verified(&["--keys", &directory], &made, 0);
    assert_eq!(value["reason"], "signature.key_unknown");
}

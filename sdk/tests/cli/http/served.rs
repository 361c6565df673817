//! Documents that the command serves over TLS, fetched by the command.

use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};

use countersign_fixtures::ca::{Ca, Leaf};
use serde_json::{Value, json};

use super::desk::{Desk, REQUEST, http, printed};
use crate::stage::pem;

/// A server, ended when the test is.
struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the command and waits until it says where it is.
fn serve(args: &[&str]) -> Served {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("http")
        .args(args)
        .arg("--json")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let stdout = child.stdout.take().expect("a pipe");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
    let url = said["serving"].as_str().expect("a URL").to_owned();
    Served { child, url }
}

/// A certificate for the loopback: its file, its key's, and its root's.
fn certificate(desk: &Desk) -> [String; 3] {
    let ca = Ca::new("web.example");
    let mut leaf = Leaf::of("spiffe://web.example/host");
    leaf.uris = Vec::new();
    leaf.addresses = vec![IpAddr::from([127, 0, 0, 1])];
    let issued = ca.issue(&leaf);
    [
        desk.file("cert.pem", pem("CERTIFICATE", &issued.chain[0])),
        desk.file("tls.pem", pem("PRIVATE KEY", &issued.pkcs8)),
        desk.file("root.pem", pem("CERTIFICATE", ca.root())),
    ]
}

#[test]
fn a_directory_that_is_served_verifies_what_its_keys_signed() {
    let desk = Desk::new();
    let [cert, tls, root] = certificate(&desk);
    let (one, two) = (
        desk.key("one.pem", "ed25519"),
        desk.key("two.jwk", "ecdsa-p256-sha256"),
    );
    let stranger = desk.key("stranger.pem", "ed25519");
    let listen = [
        "--serve",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &tls,
    ];
    let keys = ["directory", "--key", &one, "--key", &two];
    let served = serve(&[&keys[..], &listen].concat());
    let url = served.url.as_str();
    let origin = url.strip_suffix("/.well-known/http-message-signatures-directory");
    let origin = origin.expect("the well-known path");
    let fetch = ["--roots", &root, "--danger-allow-loopback"];
    let message = desk.file("m.http", REQUEST);
    for (key, profile, agent, want) in [
        (&one, "web-bot-auth", url, None),
        (&two, "web-bot-auth:meunier-02", origin, None),
        (&one, "web-bot-auth:legacy", origin, None),
        (&two, "a2a", url, None),
        (&stranger, "web-bot-auth", url, Some("discovery.key_absent")),
    ] {
        let sign = [
            "sign",
            "--key",
            key,
            "--profile",
            profile,
            "--signature-agent",
            agent,
        ];
        let made = desk.file("signed.http", printed(&[&sign[..], &[&message]].concat()));
        let verify = ["verify", "--resolve", "--profile", profile, "--json", &made];
        let ran = http(&[&verify[..], &fetch].concat());
        let value = ran.json();
        assert_eq!(value["reason"], json!(want), "{profile}: {ran:?}");
        let outcome = if want.is_some() {
            "unverified"
        } else {
            "verified"
        };
        assert_eq!(value["outcome"], outcome, "{ran:?}");
        assert_eq!(ran.code, Some(i32::from(want.is_some())), "{ran:?}");
        if want.is_none() {
            assert_eq!(value["attributed_to"], agent, "{ran:?}");
        }
        // This machine is nowhere on the web, and its root nobody's.
        for (more, want) in [
            (&["--roots", &root][..], "fetch.address"),
            (&["--danger-allow-loopback"], "fetch.connection"),
        ] {
            let value = http(&[&verify[..], more].concat()).json();
            let got = (value["outcome"].as_str(), value["reason"].as_str());
            assert_eq!(got, (Some("unverified"), Some(want)), "{value}");
        }
    }
    // Each key proves itself.
    let linted = http(&[&["directory", "--lint", url, "--json"][..], &fetch].concat());
    let value = linted.json();
    assert_eq!(
        (&value["keys"], &value["warnings"]),
        (&json!(2), &json!([])),
        "{linted:?}"
    );
    // Under another name than the one it is reached by, it does not.
    let named = ["--origin", "https://bot.example"];
    let other = serve(&[&keys[..], &listen, &named].concat());
    assert!(
        other.url.starts_with("https://bot.example/.well-known/"),
        "{}",
        other.url
    );
}

#[test]
fn a_proof_is_for_the_origin_that_serves_it() {
    let desk = Desk::new();
    let [cert, tls, root] = certificate(&desk);
    let key = desk.key("one.pem", "ed25519");
    // A free port, told to the server under another host's name.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let args = [
        "directory",
        "--key",
        &key,
        "--serve",
        &address,
        "--tls-cert",
        &cert,
        "--tls-key",
        &tls,
        "--origin",
        "https://bot.example",
    ];
    let _served = serve(&args);
    let url = format!("https://{address}/.well-known/http-message-signatures-directory");
    let args = [
        "directory",
        "--lint",
        &url,
        "--json",
        "--roots",
        &root,
        "--danger-allow-loopback",
    ];
    let ran = http(&args);
    let value = ran.json();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(
        value["warnings"][0]["reason"], "signature.invalid",
        "{value}"
    );
}

#[test]
fn cards_and_registries_are_served_and_fetched() {
    let desk = Desk::new();
    let [cert, tls, root] = certificate(&desk);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address").to_string();
    drop(free);
    let card = format!("https://{address}/card");
    let listen = ["--serve", &address, "--tls-cert", &cert, "--tls-key", &tls];
    let fetch = ["--roots", &root, "--danger-allow-loopback", "--json"];
    let key = desk.key("one.pem", "ed25519");
    {
        let _served = serve(&[&["card", &card, "--key", &key][..], &listen].concat());
        let ran = http(&[&["card", &card, "--fetch"][..], &fetch].concat());
        let value = ran.json();
        assert_eq!(
            (ran.code, &value["card"]["client_id"]),
            (Some(0), &json!(card)),
            "{ran:?}"
        );
        let wrong = format!("{card}s");
        let ran = http(&[&["card", &wrong, "--fetch"][..], &fetch].concat());
        assert_eq!(
            (ran.code, &ran.json()["reason"]),
            (Some(3), &json!("fetch.status"))
        );
    }
    let listen = [
        "--serve",
        "127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &tls,
    ];
    let served = serve(&[&["registry", &card, "--path", "/bots"][..], &listen].concat());
    let ran = http(&[&["registry", "--fetch", &served.url][..], &fetch].concat());
    assert_eq!(
        (ran.code, &ran.json()["cards"]),
        (Some(0), &json!([card])),
        "{ran:?}"
    );
}

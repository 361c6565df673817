//! Public vectors of signature agent cards and registries, read as data.

use std::path::Path;

use countersign::httpsig::directory::{Reading, document};
use countersign::httpsig::signature_agent::{Registry, RegistryEntry, SignatureAgentCard};
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../fixtures/vectors/cloudflare-web-bot-auth");
    let text = std::fs::read(folder.join(name)).expect("the vectors are there");
    let read: Value = serde_json::from_slice(&text).expect("JSON");
    read.as_array().expect("a list").clone()
}

#[test]
fn the_published_cards_are_read_as_they_say() {
    let cases = vectors("web_bot_auth_signature_agent_card_v1.json");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let url = case["url"].as_str().expect("a URL");
        let body = case["card"].to_string();
        let read = SignatureAgentCard::read(body.as_bytes(), url);
        let want = match name {
            "jwks-and-jwks-uri" => Some("agent_card.two_key_sources"),
            "client-id-mismatch" => Some("agent_card.client_id"),
            _ => None,
        };
        assert_eq!(want.is_none(), case["valid"] == true, "{name}");
        match read {
            Err(error) => assert_eq!(Some(error.reason()), want, "{name}"),
            Ok((card, warnings)) => {
                assert_eq!((want, warnings.len()), (None, 0), "{name}");
                let written: Value = serde_json::from_slice(&card.to_bytes()).expect("JSON");
                assert_eq!(written, case["card"], "{name}");
            }
        }
    }
}

#[test]
fn the_keys_of_a_published_card_are_read() {
    let cases = vectors("web_bot_auth_signature_agent_card_v1.json");
    let case = cases.iter().find(|case| case["name"] == "jwks-card");
    let set = case.expect("it is there")["card"]["jwks"].to_string();
    let reading = Reading::default().elsewhere();
    let keys = reading.read(set.as_bytes()).expect("a set");
    assert_eq!((keys.len(), keys.warnings().len()), (1, 0));
    // It is the test key of RFC 9421 B.1.4, by its published thumbprint.
    let at = countersign::clock::UnixTime::from_secs(0);
    let key = keys.keys_at(at).next().expect("a key");
    let thumbprint = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";
    assert_eq!(key.thumbprint().to_string(), thumbprint);
    let again = Reading::default()
        .read(&document([key]))
        .expect("a directory");
    assert_eq!(again.keys_at(at).next(), Some(key));
}

#[test]
fn the_published_registries_are_read_as_they_say() {
    let cases = vectors("web_bot_auth_registry_v1.json");
    assert_eq!(cases.len(), 2);
    for case in cases {
        let text = case["registry_txt"].as_str().expect("a text");
        let (registry, warnings) = Registry::read(text.as_bytes()).expect("a registry");
        assert_eq!(warnings, [], "{case}");
        let got: Vec<Value> = registry
            .entries()
            .iter()
            .map(RegistryEntry::as_str)
            .map(Value::from)
            .collect();
        assert_eq!(Value::from(got), case["signature_agent_cards"]);
    }
}

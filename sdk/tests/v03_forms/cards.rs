//! Cards of 0.3.

use countersign::a2a::{AgentCard, AgentInterface, ErrorKind, Version, v03};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::reading::vectors;

#[test]
fn a_card_of_0_3_becomes_one_with_interfaces_of_0_3() {
    let vectors = vectors("python_sdk_messages.json");
    let card = AgentCard::deserialize(&vectors["json_rpc"]["card"]).expect("a card");
    let listed: Vec<_> = card.supported_interfaces.iter().collect();
    let interface = |url: &str, binding: &str| AgentInterface {
        url: url.into(),
        protocol_binding: binding.into(),
        tenant: None,
        protocol_version: "0.3.0".into(),
    };
    assert_eq!(
        listed,
        [
            &interface("https://jokes.example/a2a", "JSONRPC"),
            &interface("https://jokes.example/rest", "HTTP+JSON")
        ]
    );
    let as_1_0 = serde_json::to_value(&card).expect("JSON");
    assert_eq!(
        as_1_0["securitySchemes"],
        json!({
            "basic": {"httpAuthSecurityScheme": {"scheme": "Basic"}},
            "key": {"apiKeySecurityScheme": {"location": "header", "name": "X-Key"}},
            "mtls": {"mtlsSecurityScheme": {"description": "cert"}},
            // Of two flows, the one that an agent can use.
            "oauth": {"oauth2SecurityScheme": {"flows": {"clientCredentials":
                {"tokenUrl": "https://as.example/token", "scopes": {"joke": "tell"}}}}},
        })
    );
    assert_eq!(
        as_1_0["securityRequirements"],
        json!([{"schemes": {"mtls": {}, "oauth": {"list": ["joke"]}}}, {"schemes": {"key": {}}}])
    );
    let of_skill = &as_1_0["skills"][0]["securityRequirements"];
    assert_eq!(
        of_skill,
        &json!([{"schemes": {"oauth": {"list": ["joke"]}}}])
    );
    assert_eq!(card.capabilities.extended_agent_card, Some(true));
    assert!(card.extension("urn:x").is_some_and(|x| x.required));
    // The proto's JSON says the same, but for its one flow and what proto3 leaves out.
    let mut proto = AgentCard::deserialize(&vectors["rest"]["card"]).expect("a card");
    proto.security_schemes["oauth"] = card.security_schemes["oauth"].clone();
    proto.capabilities.push_notifications = card.capabilities.push_notifications;
    proto.provider.clone_from(&card.provider);
    assert_eq!(proto, card);
    // And back.
    let written = v03::card_to_json(&card).expect("a card of 0.3");
    assert_eq!(written["url"], json!("https://jokes.example/a2a"));
    assert_eq!(AgentCard::deserialize(written).expect("a card"), card);
    let sample = vectors_card();
    let card = AgentCard::deserialize(sample).expect("a card");
    // The sample says 0.2.9: nobody here speaks that.
    assert!(
        card.supported_interfaces
            .iter()
            .all(|i| Version::read(&i.protocol_version).is_none())
    );
    assert_eq!((card.supported_interfaces.len(), card.skills.len()), (3, 2));
}

fn vectors_card() -> Value {
    vectors("specification_examples.json")["card"].clone()
}

#[test]
fn a_card_that_0_3_cannot_say_is_refused_and_never_weakened() {
    let good = json!({
        "name": "A", "description": "", "version": "1", "capabilities": {}, "skills": [],
        "defaultInputModes": [], "defaultOutputModes": [],
        "supportedInterfaces": [
            {"url": "https://a.example/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
            {"url": "https://a.example/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}],
        "securitySchemes": {"device": {"oauth2SecurityScheme": {"flows": {"deviceCode":
            {"deviceAuthorizationUrl": "d", "tokenUrl": "t", "scopes": {}}}}}},
        "signatures": [{"protected": "e30", "signature": "AA"}],
    });
    let write = |card: &Value| {
        let card = AgentCard::deserialize(card).expect("a card");
        v03::card_to_json(&card)
    };
    let written = write(&good).expect("a card of 0.3");
    assert_eq!(written["url"], json!("https://a.example/a2a"));
    // Signatures are over the other form, and nothing asks for what was left out.
    assert!(written.get("signatures").is_none() && written.get("securitySchemes").is_none());
    let mut required = good.clone();
    required["securityRequirements"] = json!([{"schemes": {"device": {}}}]);
    let mut only_1_0 = good.clone();
    only_1_0["supportedInterfaces"]
        .as_array_mut()
        .expect("a list")
        .pop();
    for bad in [required, only_1_0] {
        let error = write(&bad).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::UnsupportedOperation);
    }
}

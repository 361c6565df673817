//! The page `docs/extension.md` says what the code does: our types read its examples and write the
//! members of its schemas.

use std::collections::BTreeSet;

use countersign::a2a::{AgentExtension, AgentSkill, Message, Part, Struct, Timestamp};
use countersign::card::{
    AuthorizationRequest, CardBuilder, CountersignParams, EXTENSION_URI, Enforced, OAuthEnforced,
};
use indexmap::IndexMap;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../docs/extension.md");

/// The JSON texts of the page, in their order.
fn blocks() -> Vec<Value> {
    let fenced = PAGE.split("```json\n").skip(1);
    let texts = fenced.map(|rest| rest.split("```").next().expect("an end"));
    let blocks: Vec<Value> = texts
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    assert_eq!(blocks.len(), 5, "three examples and two schemas");
    blocks
}

/// The one example with this member.
fn example(member: &str) -> Value {
    let mut all = blocks().into_iter().filter(|b| b.get("$id").is_none());
    all.find(|b| b.get(member).is_some()).expect(member)
}

fn schema(name: &str) -> Value {
    let id = format!("{EXTENSION_URI}:{name}");
    let mut all = blocks().into_iter();
    all.find(|b| b["$id"] == *id).expect("a schema")
}

fn names(object: &Value) -> BTreeSet<String> {
    object
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

fn required(schema: &Value) -> BTreeSet<String> {
    let listed = schema["required"].as_array().expect("a list");
    let texts = listed.iter().map(|name| name.as_str().expect("a text"));
    texts.map(str::to_owned).collect()
}

/// What of `value` breaks `schema`; the keywords are those that the page uses and code can decide.
fn broken(schema: &Value, value: &Value) -> Vec<String> {
    let kind = match value {
        Value::Object(_) => "object",
        Value::String(_) => "string",
        _ => "another type",
    };
    if schema["type"] != kind {
        return vec![format!("it is of {kind}: {value}")];
    }
    let mut wrong = Vec::new();
    if let Some(text) = value.as_str() {
        let least = schema["minLength"].as_u64().unwrap_or(0);
        let most = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
        if !(least..=most).contains(&(text.chars().count() as u64)) {
            wrong.push(format!("its length: {text:?}"));
        }
        return wrong;
    }
    if schema.get("required").is_some() {
        let missing = required(schema)
            .difference(&names(value))
            .cloned()
            .collect::<Vec<_>>();
        wrong.extend(missing.into_iter().map(|name| format!("no {name}")));
    }
    for (name, inner) in value.as_object().expect("an object") {
        if let Some(known) = schema["properties"].get(name) {
            wrong.extend(broken(known, inner));
        }
    }
    wrong
}

fn good() -> Enforced {
    let text = |name: &str| {
        example("params")["params"][name]
            .as_str()
            .expect(name)
            .to_owned()
    };
    Enforced {
        mtls: true,
        oauth: Some(OAuthEnforced {
            issuer: text("issuer"),
            token_url: text("tokenExchange"),
            metadata_url: "https://authority.travel.example/.well-known/metadata".to_owned(),
            scopes: IndexMap::from([("trip:book".to_owned(), "Book".to_owned())]),
        }),
        signature_profile: Some(text("signatureProfile")),
        agent: text("agent").parse().expect("an ID"),
        audience: text("audience"),
        skills: IndexMap::new(),
    }
}

/// What a card says of a server that enforces this.
fn said(enforced: &Enforced) -> Value {
    let card = CardBuilder::new("Booking", "Books rooms", "1.0.0")
        .interface("https://booking.travel.example/a2a")
        .skill(AgentSkill::new("book", "Book", "Books rooms").tagged(["travel"]))
        .build(enforced)
        .expect("a card");
    let all = card.capabilities.extensions.iter();
    let mut ours = all.filter(|extension| extension.uri == EXTENSION_URI);
    let found = ours.next().expect("our extension");
    assert!(ours.next().is_none(), "one entry at most");
    serde_json::to_value(found).expect("JSON")
}

#[test]
fn the_cards_example_is_what_a_card_says() {
    let shown = example("params");
    assert_eq!(said(&good()), shown);
    let read: AgentExtension = serde_json::from_value(shown).expect("an extension");
    assert!(!read.required, "never required");
    let params = Value::Object(read.params.expect("parameters"));
    assert_eq!(broken(&schema("params"), &params), [""; 0]);
}

#[test]
fn the_schema_of_params_names_what_a_card_writes() {
    let schema = schema("params");
    assert_eq!(
        names(&schema["properties"]),
        names(&said(&good())["params"])
    );
    let mut least = good();
    (least.oauth, least.signature_profile) = (None, None);
    assert_eq!(required(&schema), names(&said(&least)["params"]));
}

#[test]
fn params_that_break_the_schema_are_not_read() {
    let (schema, good) = (schema("params"), example("params")["params"].clone());
    let read = |params: Value| serde_json::from_value::<CountersignParams>(params);
    assert!(read(good.clone()).is_ok());
    let mut more = good.clone();
    more["unknown"] = json!(1);
    assert!(read(more).is_ok(), "unknown members are ignored");
    for name in required(&schema) {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(&name);
        assert!(
            !broken(&schema, &bad).is_empty() && read(bad).is_err(),
            "no {name}"
        );
    }
    for name in names(&schema["properties"]) {
        let mut bad = good.clone();
        bad[&name] = json!(1);
        assert!(
            !broken(&schema, &bad).is_empty() && read(bad).is_err(),
            "{name} of another type"
        );
    }
}

#[test]
fn the_message_of_the_page_names_a_skill_and_a_deadline() {
    let shown = example("messageId");
    let message: Message = serde_json::from_value(shown.clone()).expect("a message");
    assert_eq!(serde_json::to_value(&message).expect("JSON"), shown);
    assert_eq!(message.extensions, [EXTENSION_URI]);
    let ours = &message.metadata[EXTENSION_URI];
    assert_eq!(broken(&schema("metadata"), ours), [""; 0]);
    let deadline = ours["deadline"].as_str().expect("a text");
    let read: Timestamp = deadline.parse().expect("a time");
    assert_eq!(read.to_string(), deadline);
}

/// The message of an agent that says `ours` under the extension's URI.
fn asking(ours: Value) -> Message {
    let mut message = Message::agent(Part::text("May I?"));
    message.metadata = Struct::from_iter([(EXTENSION_URI.to_owned(), ours)]);
    message
}

#[test]
fn the_request_for_an_authorization_is_what_is_written() {
    let (schema, shown) = (schema("metadata"), example("authorizationRequest"));
    assert_eq!(broken(&schema, &shown), [""; 0]);
    let request = AuthorizationRequest::of(&asking(shown.clone())).expect("a request");
    let written = request.write_to(Message::agent(Part::text("May I?")));
    assert_eq!(written.metadata[EXTENSION_URI], shown);
    assert_eq!(written.extensions, [EXTENSION_URI]);

    let of_request = &schema["properties"]["authorizationRequest"];
    let least = AuthorizationRequest::new(request.scopes.clone(), "why");
    let json = |request| serde_json::to_value(request).expect("JSON");
    assert_eq!(names(&of_request["properties"]), names(&json(&request)));
    assert_eq!(required(of_request), names(&json(&least)));
    assert_eq!(broken(of_request, &json(&least)), [""; 0]);
}

#[test]
fn a_request_that_breaks_the_schema_is_none() {
    let (schema, good) = (schema("metadata"), example("authorizationRequest"));
    let of_request = &schema["properties"]["authorizationRequest"];
    let refused = |change: &dyn Fn(&mut Struct)| {
        let mut bad = good.clone();
        let member = &mut bad["authorizationRequest"];
        change(member.as_object_mut().expect("an object"));
        let breaks = !broken(&schema, &bad).is_empty();
        (breaks, AuthorizationRequest::of(&asking(bad)).is_none())
    };
    assert_eq!(refused(&|_| {}), (false, false), "unchanged");
    for name in required(of_request) {
        let done = refused(&|request| drop(request.remove(&name)));
        assert_eq!(done, (true, true), "no {name}");
    }
    for (name, rules) in of_request["properties"].as_object().expect("an object") {
        let done = refused(&|request| request[name] = json!(1));
        assert_eq!(done, (true, true), "{name} of another type");
        let least = rules.get("minLength").is_some();
        let done = refused(&|request| request[name] = json!(""));
        assert_eq!(done, (least, least), "an empty {name}");
    }
}

//! Messages, bases and signatures of RFC 9421, as files.

use http::Uri;
use serde_json::{Value, json};

use super::desk::{Desk, NOW, http, printed, rfc9421};

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The message as it stands in a file, with these fields more.
fn raw(message: &Value, more: &str, end: &str) -> String {
    let mut out = match message["type"] == "response" {
        true => format!("HTTP/1.1 {} Some Reason\n", message["status"]),
        false => {
            let url: Uri = text(message, "url").parse().expect("a URI");
            let target = url.path_and_query().map_or("/", |target| target.as_str());
            format!("{} {target} HTTP/1.1\n", text(message, "method"))
        }
    };
    for field in list(&message["headers"]) {
        let (name, value) = (field[0].as_str(), field[1].as_str());
        let value = value.expect("a value").replace("\r\n", "\n");
        out.push_str(&format!("{}: {value}\n", name.expect("a name")));
    }
    out.push_str(more);
    let has_host = out.to_lowercase().contains("\nhost:");
    if message["type"] == "request" && !has_host {
        let url: Uri = text(message, "url").parse().expect("a URI");
        out.push_str(&format!(
            "Host: {}\n",
            url.authority().expect("an authority")
        ));
    }
    out.push('\n');
    let mut out = out.replace('\n', end);
    if let Some(trailers) = message["trailers"].as_array() {
        out.push_str(&format!("0{end}"));
        for field in trailers {
            let (name, value) = (field[0].as_str(), field[1].as_str());
            let (name, value) = (name.expect("a name"), value.expect("a value"));
            out.push_str(&format!("{name}: {value}{end}"));
        }
        out.push_str(end);
    }
    out + message["body"].as_str().unwrap_or_default()
}

fn scheme(vector: &Value) -> &'static str {
    let url = vector["message"]["url"]
        .as_str()
        .or(vector["request"]["url"].as_str());
    match url.is_some_and(|url| url.starts_with("http://")) {
        true => "http",
        false => "https",
    }
}

/// What verifies with a test key.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    let members = jwk.as_object_mut().expect("an object");
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        members.remove(private);
    }
    jwk
}

/// The files of a vector, and how commands name them.
fn files(desk: &Desk, vector: &Value, end: &str) -> Vec<String> {
    let (label, input) = (text(vector, "label"), text(vector, "signature_input"));
    let signature = text(vector, "signature");
    let more = format!("Signature-Input: {label}={input}\nSignature: {label}={signature}\n");
    let message = desk.file("m.http", raw(&vector["message"], &more, end));
    let mut args = vec![
        "--label".into(),
        label.into(),
        "--scheme".into(),
        scheme(vector).into(),
    ];
    if vector["message"]["type"] == "response" && !vector["request"].is_null() {
        let request = desk.file("request.http", raw(&vector["request"], "", end));
        args.extend(["--request".into(), request]);
    }
    args.push(message);
    args
}

#[test]
fn every_signature_of_rfc_9421_is_judged_as_printed() {
    let (vectors, desk) = (rfc9421(), Desk::new());
    let (mut good, mut bad) = (0, 0);
    for (index, vector) in list(&vectors["signed"]).iter().enumerate() {
        let (id, alg) = (text(vector, "id"), text(vector, "alg"));
        let args = files(&desk, vector, ["\n", "\r\n"][index % 2]);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let base = printed(&[&["base"], &args[..]].concat());
        assert_eq!(
            base,
            format!("{}\n", text(vector, "signature_base")),
            "{id}"
        );
        let key = public(&vectors["keys"][text(vector, "keyid")]);
        let keys = desk.file("key.json", key.to_string());
        // One of them ends, and holds for the last time at this second.
        let now = match id {
            "4.3.proxy.proxy_sig" => 1_618_884_540,
            _ => NOW,
        };
        let now = now.to_string();
        let verify = [
            "verify",
            "--json",
            "--profile",
            "rfc9421",
            "--keys",
            &keys,
            "--now",
            &now,
        ];
        let verify = [&verify[..], &["--alg", alg], &args].concat();
        // A key whose private half is printed in the RFC is worth nothing outside of tests.
        let refused = http(&verify);
        assert_eq!(refused.code, Some(1), "{id}: {refused:?}");
        assert_eq!(refused.json()["reason"], "signature.test_key", "{id}");
        let ran = http(&[&verify[..], &["--danger-accept-public-test-keys"]].concat());
        let value = ran.json();
        if vector["valid"] == true {
            assert_eq!(
                (ran.code, value["outcome"].as_str()),
                (Some(0), Some("verified")),
                "{id}"
            );
            assert_eq!(value["reason"], Value::Null);
            assert_eq!(value["label"], text(vector, "label"));
            good += 1;
        } else {
            assert_eq!(
                (ran.code, value["outcome"].as_str()),
                (Some(1), Some("invalid")),
                "{id}"
            );
            assert_eq!(value["reason"], "signature.invalid", "{id}");
            bad += 1;
        }
    }
    assert_eq!((good, bad), (17, 4));
}

#[test]
fn every_component_of_rfc_9421_stands_in_the_base() {
    let (vectors, desk) = (rfc9421(), Desk::new());
    let (mut values, mut errors) = (0, 0);
    for vector in list(&vectors["base_only"]) {
        let message = desk.file("m.http", raw(&vector["message"], "", "\r\n"));
        let fixed = [
            "base",
            "--scheme",
            scheme(vector),
            "--field-type",
            "example-dict=dictionary",
        ];
        let mut args = fixed.to_vec();
        let (mut want, mut ids) = (String::new(), Vec::new());
        for (id, value) in vector["components"].as_object().expect("an object") {
            args.extend(["--component", id]);
            ids.push(id.as_str());
            want.push_str(&format!("{id}: {}\n", value.as_str().expect("a text")));
            values += 1;
        }
        if !ids.is_empty() {
            let base = printed(&[&args[..], &["--params", ";created=1", &message]].concat());
            let last = format!("\"@signature-params\": ({});created=1\n", ids.join(" "));
            assert_eq!(base, want + &last, "{}", vector["id"]);
        }
        for id in list(&vector["errors"]) {
            let id = id.as_str().expect("an identifier");
            let ran = http(&[&fixed[..], &["--component", id, &message]].concat());
            assert!(ran.code == Some(2) || ran.code == Some(3), "{id}: {ran:?}");
            errors += 1;
        }
    }
    assert_eq!((values, errors), (35, 11));
}

#[test]
fn signatures_without_chance_are_made_as_printed() {
    let (vectors, desk) = (rfc9421(), Desk::new());
    let signed = list(&vectors["signed"]);
    for (id, components) in [
        ("B.2.5", &["date", "@authority", "content-type"][..]),
        (
            "B.2.6",
            &[
                "date",
                "@method",
                "@path",
                "@authority",
                "content-type",
                "content-length",
            ],
        ),
    ] {
        let vector = signed
            .iter()
            .find(|vector| vector["id"] == id)
            .expect("a vector");
        let keyid = text(vector, "keyid");
        let mut jwk = vectors["keys"][keyid].clone();
        jwk["alg"] = json!(text(vector, "alg"));
        let set = desk.file("keys.json", json!({ "keys": [jwk] }).to_string());
        let message = desk.file("m.http", raw(&vector["message"], "", "\r\n"));
        let mut args = vec![
            "sign",
            "--key",
            &set,
            "--profile",
            "rfc9421",
            "--now",
            "1618884473",
            "--keyid",
            keyid,
            "--label",
            text(vector, "label"),
        ];
        for component in components {
            args.extend(["--component", component]);
        }
        args.push(&message);
        let refused = http(&args);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.err.contains("is a published test key"),
            "{refused:?}"
        );
        args.push("--danger-accept-public-test-keys");
        let made = printed(&args);
        let label = text(vector, "label");
        let want = format!("\r\nSignature: {label}={}\r\n", text(vector, "signature"));
        assert!(made.contains(&want), "{id}: {made}");
    }
}

//! Bodies that are no request: broken JSON, other encodings, batches, and one byte too many.

use countersign::a2a::Operation;
use http::Method;
use http::header::CONTENT_TYPE as MEDIA;
use serde_json::{Value, json};

use super::plain::Plain;
use super::sent::{Sent, good};
use super::told::{CONTENT_TYPE, METHOD, Named, PARAMS, PARSE, REQUEST, TASK_NOT_FOUND, Told};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// Good bytes changed into bad ones, and the error.
fn changed(good: &[u8]) -> Vec<(&'static str, Vec<u8>, Named)> {
    let text = String::from_utf8(good.to_vec()).expect("JSON");
    let deep = |levels: usize| {
        let nested = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        text.replacen('{', &format!(r#"{{"later":{nested},"#), 1)
    };
    // Good bodies are not empty, so the comma before the old members is right.
    let with = |member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let joined = |parts: &[&[u8]]| parts.concat();
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        ("a brace", b"{".to_vec(), PARSE),
        ("no end", good[..good.len() - 1].to_vec(), PARSE),
        ("twice", joined(&[good, good]), PARSE),
        ("a byte order mark", joined(&[b"\xef\xbb\xbf", good]), PARSE),
        ("UTF-16", utf_16, PARSE),
        (
            "invalid UTF-8",
            joined(&[br#"{"later":"#, b"\"\xff\"", b",", &good[1..]]),
            PARSE,
        ),
        (
            "an overlong NUL",
            joined(&[br#"{"later":"#, b"\"\xc0\x80\"", b",", &good[1..]]),
            PARSE,
        ),
        (
            "a lone surrogate",
            with(r#""later":"\ud800""#).into(),
            PARSE,
        ),
        (
            "a lone low surrogate",
            with(r#""later":"\udc00x""#).into(),
            PARSE,
        ),
        (
            "a control character",
            with("\"later\":\"\0\"").into(),
            PARSE,
        ),
        (
            "a number that is none",
            with(r#""later":NaN"#).into(),
            PARSE,
        ),
        ("a comment", with(r#"/* */"later":1"#).into(), PARSE),
        (
            "a comma too many",
            text.replacen('{', "{,", 1).into(),
            PARSE,
        ),
        (
            "a repeated member",
            with(r#""later":1,"later":2"#).into(),
            REQUEST,
        ),
        (
            "a member repeated deep down",
            with(r#""later":[{"a":1,"\u0061":2}]"#).into(),
            REQUEST,
        ),
        ("64 levels", deep(64).into(), REQUEST),
        ("100,000 levels", deep(100_000).into(), REQUEST),
        (
            "100,000 levels without an end",
            "[".repeat(100_000).into(),
            REQUEST,
        ),
        ("a batch", joined(&[b"[", good, b"]"]), REQUEST),
        ("an empty batch", b"[]".to_vec(), REQUEST),
        ("null", b"null".to_vec(), REQUEST),
        ("a text", b"\"SendMessage\"".to_vec(), REQUEST),
        ("a number", b"1e400".to_vec(), PARSE),
        ("blanks", b" \r\n".to_vec(), PARSE),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_request_is_the_same_error_on_both_json_bindings() -> Result<(), Failure>
{
    let plain = Plain::start().await?;
    let before = plain.counts().await?;
    let mut findings = Findings::default();
    for wire in [Wire::JsonRpc, Wire::HttpJson] {
        for operation in Operation::ALL {
            let params = good(operation, &plain.task);
            let mut sent = Sent::over(wire, operation, &params).ok_or("a good request")?;
            if sent.body.is_empty() {
                continue;
            }
            // In what was read as a member of the body, the rest still is a good request.
            if sent.body == b"{}" {
                sent.body = br#"{"metadata":{}}"#.to_vec();
            }
            for (name, body, want) in changed(&sent.body) {
                let told = plain.told(sent.clone().with_body(body)).await;
                let what = format!("{operation} over {wire:?}: {name}");
                findings.result(what, told, Told::error(wire, want, &[]));
            }
        }
    }
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, before);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_no_json_rpc_is_refused_with_its_id() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    let good = json!({"jsonrpc": "2.0", "id": 7, "method": "GetTask", "params": {"id": "no-such"}});
    let long = "x".repeat(257);
    for (member, value, want, id) in [
        ("id", Some(json!(7)), TASK_NOT_FOUND, json!(7)),
        ("id", Some(json!("a")), TASK_NOT_FOUND, json!("a")),
        ("id", Some(json!("")), TASK_NOT_FOUND, json!("")),
        ("id", Some(json!(null)), TASK_NOT_FOUND, json!(null)),
        ("id", Some(json!(1.5)), TASK_NOT_FOUND, json!(1.5)),
        ("id", Some(json!(u64::MAX)), TASK_NOT_FOUND, json!(u64::MAX)),
        ("id", None, REQUEST, json!(null)),
        ("id", Some(json!(true)), REQUEST, json!(null)),
        ("id", Some(json!({})), REQUEST, json!(null)),
        ("id", Some(json!([1])), REQUEST, json!(null)),
        ("id", Some(json!(long)), REQUEST, json!(null)),
        ("jsonrpc", None, REQUEST, json!(7)),
        ("jsonrpc", Some(json!("1.0")), REQUEST, json!(7)),
        ("jsonrpc", Some(json!(2.0)), REQUEST, json!(7)),
        ("method", None, REQUEST, json!(7)),
        ("method", Some(json!(1)), REQUEST, json!(7)),
        ("method", Some(json!("")), METHOD, json!(7)),
        ("method", Some(json!("gettask")), METHOD, json!(7)),
        ("method", Some(json!("GetTask ")), METHOD, json!(7)),
        ("method", Some(json!("GetTask\0")), METHOD, json!(7)),
        ("method", Some(json!("tasks/get")), METHOD, json!(7)),
        ("method", Some(json!("rpc.discover")), METHOD, json!(7)),
        ("params", None, PARAMS, json!(7)),
        ("params", Some(json!(null)), PARAMS, json!(7)),
        ("params", Some(json!([])), REQUEST, json!(7)),
        ("params", Some(json!("id")), REQUEST, json!(7)),
        ("params", Some(json!(1)), REQUEST, json!(7)),
    ] {
        let mut request = good.clone();
        match &value {
            Some(value) => request[member] = value.clone(),
            None => drop(request.as_object_mut().and_then(|all| all.remove(member))),
        }
        let what = format!("{member}: {value:?}");
        let sent = Sent::json_rpc("GetTask", &json!({})).with_body(request.to_string());
        let got = plain.send(sent).await?;
        let answer: Value = serde_json::from_slice(&got.body)?;
        findings.expect(format!("{what}, the id"), &answer["id"], &id);
        let fields: &[&str] = if want == PARAMS { &["id"] } else { &[] };
        let want = Told::error(Wire::JsonRpc, want, fields);
        findings.result(what, got.told(Wire::JsonRpc), want);
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_media_type_is_not_read() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for wire in [Wire::JsonRpc, Wire::HttpJson] {
        for operation in Operation::ALL {
            let params = good(operation, &plain.waiting_task().await?);
            let sent = Sent::over(wire, operation, &params).ok_or("a good request")?;
            if sent.body.is_empty() {
                continue;
            }
            let rest = wire == Wire::HttpJson;
            for (media, taken) in [
                ("text/plain", false),
                ("text/json", false),
                ("application/x-www-form-urlencoded", false),
                ("multipart/form-data; boundary=x", false),
                ("application/jsonx", false),
                ("application/grpc", false),
                ("*/*", false),
                ("", false),
                ("application/a2a+json", rest),
                ("Application/JSON ; charset=utf-8", true),
            ] {
                // A cancelled task is not cancelled again, and that is told instead.
                if taken && operation == Operation::CancelTask {
                    continue;
                }
                let told = plain.told(sent.clone().with("content-type", media)).await;
                let want = if taken {
                    Told::Answer
                } else {
                    Told::error(wire, CONTENT_TYPE, &[])
                };
                let what = format!("{operation} over {wire:?} as {media:?}");
                findings.result(what, told, want);
            }
            let mut without = sent.clone();
            without.headers.remove(MEDIA);
            let told = plain.told(without).await;
            let what = format!("{operation} over {wire:?} without a media type");
            findings.result(what, told, Told::error(wire, CONTENT_TYPE, &[]));
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_4_mib_is_read_on_every_binding_and_one_byte_more_is_not() -> Result<(), Failure>
{
    const MAX: usize = 4 << 20;
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        let of = |text: usize| {
            let mut params = good(Operation::SendMessage, "");
            params["message"]["parts"][0]["text"] = "x".repeat(text).into();
            Sent::over(wire, Operation::SendMessage, &params).ok_or("a good request")
        };
        // What stands around the text is as long for any text of this size.
        let around = of(MAX - 1000)?.body.len() - (MAX - 1000);
        for (len, want) in [
            (MAX - 1, Told::Answer),
            (MAX, Told::Answer),
            (MAX + 1, too_long(wire)),
        ] {
            let sent = of(len - around)?;
            findings.expect("the length", sent.body.len(), len);
            let told = plain.told(sent).await;
            findings.result(format!("{len} bytes over {wire:?}"), told, want);
        }
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

/// HTTP's own status, and gRPC's RESOURCE_EXHAUSTED: the protocol has no error for it.
fn too_long(wire: Wire) -> Told {
    match wire {
        Wire::JsonRpc | Wire::HttpJson => Told::Status(413),
        #[cfg(feature = "grpc")]
        Wire::Grpc => Told::Status(8),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_body_is_an_object_without_members_where_the_path_says_the_rest()
-> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    let wire = Wire::HttpJson;
    for operation in Operation::ALL {
        let params = good(operation, &plain.waiting_task().await?);
        let mut sent = Sent::over(wire, operation, &params).ok_or("a good request")?;
        if sent.method != Method::POST {
            // The body of a request that has none is not looked at, but what it is must be said.
            sent = sent.with_body("{").with("content-type", "application/json");
            let told = plain.told(sent.clone()).await;
            findings.result(format!("{operation} with a body"), told, Told::Answer);
            continue;
        }
        let want = match operation {
            Operation::CancelTask => Told::Answer,
            Operation::CreateTaskPushNotificationConfig => Told::error(wire, PARAMS, &["url"]),
            _ => Told::error(wire, PARAMS, &["message"]),
        };
        let told = plain.told(sent.with_body("")).await;
        findings.result(format!("{operation} without a body"), told, want);
    }
    let nothing = Sent::json_rpc("GetTask", &json!({})).with_body("");
    let want = Told::error(Wire::JsonRpc, PARSE, &[]);
    findings.result("JSON-RPC without a body", plain.told(nothing).await, want);
    findings.none()
}

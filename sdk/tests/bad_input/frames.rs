//! What only gRPC can get wrong: frames, protobuf, metadata.

use bytes::Bytes;
use countersign::a2a::{Operation, grpc};
use futures_util::stream;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;

use super::plain::Plain;
use super::sent::{Sent, good};
use super::told::{METHOD, PARAMS, PARSE, REQUEST, TASK_NOT_FOUND, Told};
use crate::common::Failure;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

/// A field of protobuf that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
    out
}

/// A field of protobuf that holds a number below 128.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// A refusal with another number than its error has elsewhere.
fn refused(number: i64) -> Told {
    Told::Error(REQUEST.0.to_owned(), number, Vec::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_none_is_refused_in_every_operation() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let before = plain.counts().await?;
    let mut findings = Findings::default();
    for operation in Operation::ALL {
        let params = good(operation, &plain.task);
        let sent = Sent::over(Wire::Grpc, operation, &params).ok_or("a good request")?;
        let good = sent.body.clone();
        let with = |at: usize, byte: u8| {
            let mut body = good.clone();
            body[at] = byte;
            body
        };
        let mut frames = vec![
            ("a compressed message", with(0, 1), refused(12)),
            ("an unknown flag", with(0, 2), refused(3)),
            ("a flag of gRPC-Web", with(0, 0x80), refused(3)),
            ("4 GiB", with(1, 255), refused(8)),
            ("4 MiB more", with(2, 64), refused(8)),
            ("nothing", Vec::new(), refused(3)),
            ("half a prefix", good[..4].to_vec(), refused(3)),
            ("two messages", [&good[..], &good].concat(), refused(3)),
            ("a byte behind", [&good[..], b"\0"].concat(), refused(3)),
            ("no frame", good[5..].to_vec(), refused(3)),
        ];
        if good.len() > 5 {
            frames.push((
                "a byte too few",
                good[..good.len() - 1].to_vec(),
                refused(3),
            ));
        } else {
            // Without a message, what is left is of another kind.
            frames.retain(|(name, ..)| *name != "no frame");
        }
        for (name, body, want) in frames {
            let got = plain.told(sent.clone().with_body(body)).await;
            // Whatever the first byte of a bare message says: it is no flag, or a length too long.
            if name == "no frame" {
                let error = matches!(&got, Ok(Told::Error(reason, ..)) if reason == REQUEST.0);
                findings.expect(format!("{operation}: {name}: {got:?}"), error, true);
                continue;
            }
            findings.result(format!("{operation}: {name}"), got, want);
        }
    }
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, before);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_no_protobuf_or_breaks_a_rule_is_refused() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    let get = "/lf.a2a.v1.A2AService/GetTask";
    let list = "/lf.a2a.v1.A2AService/ListTasks";
    let send = "/lf.a2a.v1.A2AService/SendMessage";
    let id = field(2, b"no-such");
    let text = field(5, &field(1, b"hi"));
    // Message: its ID, the role, the parts.
    let message = |role: u8, part: &[u8], more: &[u8]| {
        let members = [&field(1, b"m-1"), &number(4, role)[..], part, more].concat();
        field(2, &members)
    };
    // google.protobuf.Value: a list (6) of values (1), again and again.
    let mut deep = field(3, b"x");
    for _ in 0..2000 {
        deep = field(6, &field(1, &deep));
    }
    let deep = field(5, &field(4, &deep));
    let error = |named, fields: &[&str]| Told::error(Wire::Grpc, named, fields);
    let broken = || error(PARSE, &[]);
    for (name, path, message, want) in [
        ("good", get, id.clone(), error(TASK_NOT_FOUND, &[])),
        (
            "an unknown field",
            get,
            [&id[..], &field(15, b"?")].concat(),
            error(TASK_NOT_FOUND, &[]),
        ),
        (
            "an ID twice: the last one counts",
            get,
            [&id[..], &id].concat(),
            error(TASK_NOT_FOUND, &[]),
        ),
        ("no field", get, Vec::new(), error(PARAMS, &["id"])),
        ("no UTF-8", get, field(2, b"\xff"), broken()),
        (
            "half a surrogate pair",
            get,
            field(2, b"\xed\xa0\x80"),
            broken(),
        ),
        ("a number for a text", get, number(2, 1), broken()),
        ("a text for a number", list, field(4, b"10"), broken()),
        (
            "a length beyond the end",
            get,
            vec![0x12, 100, b'x'],
            broken(),
        ),
        (
            "a length of 2^64 - 1",
            get,
            [&[0x12][..], &[0xff; 9], &[1]].concat(),
            broken(),
        ),
        (
            "a number without an end",
            list,
            [&[0x20][..], &[0xff; 11]].concat(),
            broken(),
        ),
        ("field 0", get, vec![0, 0], broken()),
        ("wire type 7", get, vec![0x17, 0], broken()),
        ("a group without an end", get, vec![0x13], broken()),
        (
            "an unknown state",
            list,
            number(3, 99),
            error(PARAMS, &["status"]),
        ),
        (
            "a page of nothing",
            list,
            number(4, 0),
            error(PARAMS, &["pageSize"]),
        ),
        (
            "a page of -1",
            list,
            [&[0x20][..], &[0xff; 9], &[1]].concat(),
            error(PARAMS, &["pageSize"]),
        ),
        ("no message", send, Vec::new(), error(PARAMS, &["message"])),
        ("a good message", send, message(1, &text, b""), Told::Answer),
        (
            "no role",
            send,
            message(0, &text, b""),
            error(PARAMS, &["message.role"]),
        ),
        (
            "an unknown role",
            send,
            message(9, &text, b""),
            error(PARAMS, &["message.role"]),
        ),
        (
            "no parts",
            send,
            message(1, b"", b""),
            error(PARAMS, &["message.parts"]),
        ),
        (
            "a part of nothing",
            send,
            message(1, &field(5, b""), b""),
            error(PARAMS, &["message.parts[0]"]),
        ),
        (
            "2000 lists in each other",
            send,
            message(1, &deep, b""),
            broken(),
        ),
    ] {
        let sent = Sent::grpc_message(path, &message);
        findings.result(name, plain.told(sent).await, want);
    }
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_and_metadata_that_are_none_are_refused() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    let mut findings = Findings::default();
    let params = good(Operation::GetTask, &plain.task);
    let sent = Sent::over(Wire::Grpc, Operation::GetTask, &params).ok_or("a good request")?;
    for method in ["DropTask", "getTask", "GetTask%20", "..", "tasks%2Fget"] {
        let path = format!("/{}/{method}", grpc::SERVICE);
        let told = plain.told(sent.clone().to(http::Method::POST, path)).await;
        findings.result(method, told, Told::error(Wire::Grpc, METHOD, &[]));
    }
    for (timeout, served) in [
        ("1H", true),
        ("99999999n", true),
        ("30S", true),
        ("30", false),
        ("S", false),
        ("", false),
        ("1s", false),
        ("-1S", false),
        ("+1S", false),
        ("1.5S", false),
        ("1 S", false),
        ("123456789S", false),
        ("1S1S", false),
        ("\u{e9}S", false),
        ("1\u{e9}", false),
    ] {
        let told = plain.told(sent.clone().with("grpc-timeout", timeout)).await;
        let want = if served {
            Told::Answer
        } else {
            Told::error(Wire::Grpc, REQUEST, &[])
        };
        findings.result(format!("grpc-timeout {timeout:?}"), told, want);
    }
    let mut twice = sent.clone();
    for timeout in ["1S", "1H"] {
        let value = HeaderValue::from_static(timeout);
        twice.headers.append("grpc-timeout", value);
    }
    let told = plain.told(twice).await;
    findings.result("two timeouts", told, Told::error(Wire::Grpc, REQUEST, &[]));
    // What the client would like to have back compressed, and what it says of itself, is not looked at.
    for (name, value) in [
        ("grpc-accept-encoding", "gzip, br"),
        ("grpc-encoding", "gzip"),
        ("content-type", "application/grpc+proto"),
        ("user-agent", "\u{e9}"),
    ] {
        let told = plain.told(sent.clone().with(name, value)).await;
        findings.result(format!("{name}: {value}"), told, Told::Answer);
    }
    for (media, want) in [
        ("application/json", 415),
        ("application/grpc-web", 415),
        ("application/grpc-web+proto", 415),
        ("application/grpcx", 415),
        ("", 415),
    ] {
        let got = plain.send(sent.clone().with("content-type", media)).await?;
        findings.expect(format!("as {media:?}"), got.status, want);
    }
    let mut over_http1 = sent.clone();
    over_http1.http2 = false;
    let got = plain.send(over_http1).await?;
    findings.expect("over HTTP/1.1", got.status, 505);
    plain.still_serves().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_in_pieces_or_with_trailers_is_read_and_one_that_is_reset_is_forgotten()
-> Result<(), Failure> {
    let plain = Plain::start().await?;
    let before = plain.counts().await?;
    let mut findings = Findings::default();
    for operation in Operation::ALL {
        let params = good(operation, "no-such");
        let sent = Sent::over(Wire::Grpc, operation, &params).ok_or("a good request")?;
        let pieces = |body: &[u8]| {
            let piece = |byte: &u8| Ok(Frame::data(Bytes::copy_from_slice(&[*byte])));
            body.iter().map(piece).collect::<Vec<Result<_, Failure>>>()
        };
        let reset = || Err::<Frame<Bytes>, Failure>("reset, as the test wants".into());
        let mut with_trailers = pieces(&sent.body);
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        with_trailers.push(Ok(Frame::trailers(trailers)));
        let opened = plain.open_with(&sent, StreamBody::new(stream::iter(with_trailers)));
        let status = opened.await?.status();
        findings.expect(format!("{operation} in pieces"), status, 200);
        for at in [0, 3, sent.body.len()] {
            let mut cut = pieces(&sent.body[..at]);
            cut.push(reset());
            let opened = plain.open_with(&sent, StreamBody::new(stream::iter(cut)));
            // Whether it is told so or not: it is not served.
            let told = match opened.await {
                Ok(opened) => opened.whole().await.and_then(|got| got.told(Wire::Grpc)),
                Err(error) => Err(error),
            };
            let served = matches!(told, Ok(Told::Answer));
            findings.expect(
                format!("{operation} reset at {at}: {told:?}"),
                served,
                false,
            );
        }
    }
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, before);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

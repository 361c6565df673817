//! After many hostile requests nothing of them is left: no task, no webhook, no executor, nothing
//! that the runtime still has to do.

use std::time::Duration;

use countersign::a2a::Operation;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::plain::Plain;
use super::sent::{Sent, good};

use crate::common::Failure;
use crate::common::findings::{Findings, alive, down_to, panics};
use crate::common::wire::Wire;

const ROUNDS: usize = 25;

/// Bytes that no HTTP client would send.
fn raw_bytes(task: &str) -> Vec<Vec<u8>> {
    let head =
        "POST /a2a HTTP/1.1\r\nhost: a\r\na2a-version: 1.0\r\ncontent-type: application/json\r\n";
    let subscribe = format!(
        "GET /a2a/rest/tasks/{task}:subscribe HTTP/1.1\r\nhost: a\r\na2a-version: 1.0\r\n\
         a2a-extensions: urn:test:must\r\n\r\n"
    );
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let bytes = |text: String| text.into_bytes();
    vec![
        bytes(format!("{head}content-length: 100\r\n\r\n{{")),
        bytes(format!("{head}content-length: 2\r\n\r\n{{}}")),
        bytes(format!(
            "{head}content-length: 99999999999999999999\r\n\r\n"
        )),
        bytes(format!("{head}content-length: -1\r\n\r\n")),
        bytes(format!(
            "{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"
        )),
        bytes(format!(
            "{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}"
        )),
        bytes(format!(
            "{head}transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{{}}"
        )),
        bytes(format!("{head}x: {}\r\n\r\n", "y".repeat(1 << 20))),
        bytes(format!("{head}{}\r\n", "x: y\r\n".repeat(1000))),
        bytes(format!(
            "{head}expect: 100-continue\r\ncontent-length: 9\r\n\r\n"
        )),
        bytes("POST /a2a HTTP/1.1\r\n".to_owned()),
        bytes("POST /a2a HTTP/9.9\r\nhost: a\r\n\r\n".to_owned()),
        bytes("GET /a2a/rest/tasks/\u{e9}\0 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        bytes(subscribe),
        vec![0; 4096],
        vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc],
        [preface.as_bytes(), &[0xff; 64]].concat(),
        // A frame of headers that is too long, and one of another connection's stream.
        [
            preface.as_bytes(),
            &[
                0, 0, 0, 4, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 1, 4, 0, 0, 0, 1,
            ],
        ]
        .concat(),
        [
            preface.as_bytes(),
            &[
                0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 9, 0, 0, 0, 0,
            ],
        ]
        .concat(),
        preface.as_bytes().to_vec(),
    ]
}

/// Every kind of hostile request once.
async fn round(plain: &Plain) -> Result<(), Failure> {
    for &wire in Wire::ALL {
        for operation in Operation::ALL {
            let mut params = good(operation, &plain.task);
            params["tenant"] = json!("nowhere");
            let sent = Sent::over(wire, operation, &params).ok_or("a request")?;
            plain.send(sent.clone()).await?;
            let mut body = sent.body.clone();
            body.truncate(sent.body.len() / 2);
            plain.send(sent.with_body(body)).await?;
        }
        // A listener that goes away in the middle, and one that never listened.
        let params = good(Operation::SubscribeToTask, &plain.task);
        let sent = Sent::over(wire, Operation::SubscribeToTask, &params).ok_or("a request")?;
        let mut opened = plain.open(sent.clone()).await?;
        opened.piece().await?;
        drop(opened);
        drop(plain.open(sent).await?);
    }
    for bytes in raw_bytes(&plain.task) {
        let mut stream = plain.connect().await?;
        // The agent may close before all of it was sent.
        let written = stream.write_all(&bytes).await;
        drop(written);
        // Half-closed: nothing more comes, and whatever is answered is read.
        let closed = stream.shutdown().await;
        drop(closed);
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let read = tokio::time::timeout(Duration::from_secs(30), read).await;
        if read.is_err() {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(100)]).into_owned();
            return Err(format!("the connection stays open after {shown:?}").into());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_hostile_requests() -> Result<(), Failure> {
    let plain = Plain::start().await?;
    plain.still_serves().await?;
    let counts = plain.counts().await?;
    let tasks = alive().await;
    let mut findings = Findings::default();
    for at in 0..ROUNDS {
        round(&plain)
            .await
            .map_err(|error| format!("round {at}: {error}"))?;
    }
    let left = down_to(tasks).await;
    findings.expect(
        format!("{left} tasks of the runtime, {tasks} before"),
        left <= tasks,
        true,
    );
    plain.still_serves().await?;
    findings.expect("tasks, webhooks, executors", plain.counts().await?, counts);
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

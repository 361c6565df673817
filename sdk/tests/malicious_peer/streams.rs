//! Streams that break, never end, say too much or say it wrong.

use std::time::Duration;

use bytes::Bytes;
use countersign::a2a::{
    Artifact, ErrorKind, Part, StreamResponse, TaskArtifactUpdateEvent, TaskState,
};
use countersign::client::ClientError;

use super::fake::{Answer, Fake, MAX, header, piece};
use crate::common::Failure;
use crate::common::double::End;
use crate::common::double::{moved, task};
use crate::common::findings::{Findings, alive, down_to, panics};
use crate::common::wire::Wire;

/// How many events came, and why no more did; nothing when the agent ended the stream.
async fn listen(fake: &Fake, wire: Wire) -> Result<(usize, Option<&'static str>), Failure> {
    let all = async {
        let mut stream = match fake.call(wire).stream("hi").await {
            Ok(stream) => stream,
            Err(error) => return (0, Some(error.reason())),
        };
        let mut events = 0;
        while let Some(event) = stream.next().await {
            match event {
                Ok(_) => events += 1,
                Err(error) => {
                    // There is nothing after an error.
                    let after = stream.next().await.is_some();
                    let reason = error.reason();
                    return (events, Some(if after { "more" } else { reason }));
                }
            }
        }
        (events, None)
    };
    Ok(tokio::time::timeout(Duration::from_secs(30), all).await?)
}

type Change = fn(Wire, &mut Answer);

/// What is changed in a stream of three events, how many of them are heard, and the reason.
fn cases() -> Vec<(&'static str, Change, usize, Option<&'static str>)> {
    let wrong = Some("client.agent_error");
    vec![
        ("good", |_, _| {}, 3, None),
        ("byte by byte", |_, a| a.pieces = bytes(&a.body()), 3, None),
        (
            "closed in the middle of the task",
            |_, a| a.pieces.truncate(2),
            2,
            Some("client.truncated"),
        ),
        (
            "broken between two events",
            |_, a| {
                a.pieces.truncate(2);
                (a.trailers, a.end) = (None, End::Broken);
            },
            2,
            Some("client.truncated"),
        ),
        (
            "broken in an event",
            |_, a| {
                let len = a.body().len();
                a.pieces = vec![a.body()[..len - 3].to_vec().into()];
                (a.trailers, a.end) = (None, End::Broken);
            },
            2,
            Some("client.truncated"),
        ),
        (
            "half an event at the end",
            |_, a| {
                let len = a.body().len();
                a.pieces = vec![a.body()[..len - 3].to_vec().into()];
            },
            2,
            Some("client.truncated"),
        ),
        (
            "silent",
            |_, a| {
                a.pieces.truncate(1);
                (a.trailers, a.end) = (None, End::Silent);
            },
            1,
            Some("client.stream_idle"),
        ),
        (
            "an event that is none",
            |wire, a| a.pieces[1] = nonsense(wire),
            1,
            wrong,
        ),
        (
            "an event too long",
            |wire, a| a.pieces[1] = piece(wire, &long(MAX + 1)),
            1,
            Some("client.answer"),
        ),
        (
            "an event that never ends",
            |wire, a| endless(wire, a),
            1,
            Some("client.answer"),
        ),
        (
            "more after the end of the task",
            |_, a| a.pieces.push(a.pieces[2].clone()),
            4,
            None,
        ),
        (
            "another media type",
            |_, a| a.headers = header("content-type", "text/plain"),
            0,
            Some("any"),
        ),
        (
            "a status of HTTP",
            |_, a| a.status = 500,
            0,
            Some("client.refused"),
        ),
        ("busy", |_, a| a.status = 503, 0, Some("client.busy")),
    ]
}

fn bytes(body: &[u8]) -> Vec<Bytes> {
    body.iter().map(|byte| Bytes::from(vec![*byte])).collect()
}

/// An event in good form that says nothing.
fn nonsense(wire: Wire) -> Bytes {
    match wire {
        Wire::JsonRpc => {
            Bytes::from_static(b"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n")
        }
        Wire::HttpJson => Bytes::from_static(b"data: {}\n\n"),
        #[cfg(feature = "grpc")]
        Wire::Grpc => Bytes::from_static(&[0; 5]),
    }
}

fn long(len: usize) -> StreamResponse {
    StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
        task_id: "t-1".into(),
        context_id: "c-1".into(),
        artifact: Artifact::new(Part::text("x".repeat(len))),
        append: false,
        last_chunk: true,
        metadata: Default::default(),
    })
}

/// After the first event one that goes on and on.
fn endless(wire: Wire, answer: &mut Answer) {
    let begin: &'static [u8] = match wire {
        Wire::JsonRpc | Wire::HttpJson => b"data: ",
        #[cfg(feature = "grpc")]
        Wire::Grpc => b"\0\xff\xff\xff\xff",
    };
    answer.pieces.truncate(1);
    answer.pieces.push(Bytes::from_static(begin));
    let more = Bytes::from_static(&[b'x'; 1024]);
    answer
        .pieces
        .extend((0..2 * MAX / 1024).map(|_| more.clone()));
    (answer.trailers, answer.end) = (None, End::Silent);
}

fn good(wire: Wire) -> Answer {
    Answer::stream(
        wire,
        &[
            StreamResponse::Task(task(TaskState::Submitted)),
            moved(TaskState::Working),
            moved(TaskState::Completed),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_wrong_in_a_stream_is_the_same_reason_on_every_binding() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    for &wire in Wire::ALL {
        for (name, change, events, want) in cases() {
            fake.says(&good(wire).with(|answer| change(wire, answer)));
            let got = listen(&fake, wire).await?;
            let want = match want {
                // Which error, the binding says; that it is one is enough.
                Some("any") if got.1.is_some() => got.1,
                want => want,
            };
            findings.expect(format!("{wire:?}: {name}"), got, (events, want));
        }
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_server_sent_events_can_get_wrong_ends_the_stream() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let wrong = Some("client.agent_error");
    let error = br#"data: {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}"#;
    let error = [&error[..], b"\n\n"].concat();
    for (name, event, want) in [
        ("a comment", b": still here\n\n".to_vec(), (3, None)),
        (
            "an event without data",
            b"event: x\nid: 1\n\n".to_vec(),
            (3, None),
        ),
        ("a field that is none", b"later: 1\n\n".to_vec(), (3, None)),
        (
            "other ends of lines",
            b": 1\r\r: 2\r\n\r\n".to_vec(),
            (3, None),
        ),
        ("no JSON", b"data: {\n\n".to_vec(), (1, wrong)),
        (
            "no UTF-8",
            b"data: \"\xff\"\n\n".to_vec(),
            (1, Some("client.answer")),
        ),
        ("a batch", b"data: []\n\n".to_vec(), (1, wrong)),
        ("an error", error, (1, wrong)),
        (
            "the answer to another request",
            b"data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"message\":{}}}\n\n".to_vec(),
            (1, wrong),
        ),
    ] {
        let answer = good(Wire::JsonRpc).with(|answer| {
            answer.pieces.insert(1, event.into());
        });
        fake.says(&answer);
        findings.expect(name, listen(&fake, Wire::JsonRpc).await?, want);
    }
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[cfg(feature = "grpc")]
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_over_grpc_ends_with_a_status_or_is_cut_off() -> Result<(), Failure> {
    type Case = (&'static str, fn(&mut Answer), (usize, Option<&'static str>));
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let cases: Vec<Case> = vec![
        ("good", |_| {}, (3, None)),
        (
            "no trailers",
            |a| a.trailers = None,
            (3, Some("client.truncated")),
        ),
        (
            "no status",
            |a| a.trailers = Some(header("x", "y")),
            (3, Some("client.truncated")),
        ),
        (
            "no trailers in the middle of the task",
            |a| {
                a.pieces.truncate(2);
                a.trailers = None;
            },
            (2, Some("client.truncated")),
        ),
        (
            "an error",
            |a| {
                a.pieces.truncate(2);
                a.trailers = Some(header("grpc-status", "13"));
            },
            (2, Some("client.agent_error")),
        ),
        (
            "a status that is none",
            |a| {
                a.pieces.truncate(2);
                a.trailers = Some(header("grpc-status", "fine"));
            },
            (2, Some("client.agent_error")),
        ),
        (
            "a compressed event",
            |a| a.pieces[1] = Bytes::from_static(&[1, 0, 0, 0, 0]),
            (1, Some("client.answer")),
        ),
        (
            "nothing but a status",
            |a| {
                a.pieces.clear();
                a.trailers = None;
                a.headers.extend(header("grpc-status", "0"));
            },
            (0, Some("client.answer")),
        ),
    ];
    for (name, change, want) in cases {
        fake.says(&good(Wire::Grpc).with(change));
        findings.expect(name, listen(&fake, Wire::Grpc).await?, want);
    }
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_hostile_streams() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    fake.is_still_heard().await?;
    let before = alive().await;
    let mut findings = Findings::default();
    for _ in 0..3 {
        for &wire in Wire::ALL {
            for (_, change, ..) in cases() {
                fake.says(&good(wire).with(|answer| change(wire, answer)));
                listen(&fake, wire).await?;
            }
            // Somebody who goes away in the middle.
            let silent = |answer: &mut Answer| {
                answer.pieces.truncate(1);
                (answer.trailers, answer.end) = (None, End::Silent);
            };
            for _ in 0..20 {
                fake.says(&good(wire).with(silent));
                let mut stream = fake.call(wire).stream("hi").await?;
                stream.next().await.ok_or("no event")??;
            }
        }
    }
    fake.is_still_heard().await?;
    let left = down_to(before).await;
    findings.expect(
        format!("{left} tasks, {before} before"),
        left <= before,
        true,
    );
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_stream_is_the_agents_own_word() -> Result<(), Failure> {
    let fake = Fake::start().await?;
    let error = countersign::a2a::A2aError::new(ErrorKind::InvalidAgentResponse, "no");
    let answer = good(Wire::JsonRpc).with(|answer| {
        let envelope = error.to_json_rpc(&1.into()).to_string();
        let event = countersign::a2a::sse::encode_event(envelope.as_bytes());
        answer.pieces.insert(1, event);
    });
    fake.says(&answer);
    let mut stream = fake.call(Wire::JsonRpc).stream("hi").await?;
    stream.next().await.ok_or("no event")??;
    match stream.next().await.ok_or("no event")? {
        Err(ClientError::Agent(told)) => assert_eq!(told, error),
        other => return Err(format!("{other:?}").into()),
    }
    assert!(stream.next().await.is_none());
    Ok(())
}

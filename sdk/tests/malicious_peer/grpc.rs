//! Answers over gRPC that are none: frames, trailers, statuses.

use bytes::Bytes;
use countersign::a2a::{Operation, Response, TaskState};
use http::HeaderValue;

use super::answers::{Change, ask, redirected, status};
use super::fake::{Answer, Fake, MAX, header};
use crate::common::Failure;
use crate::common::double::End;
use crate::common::double::task;
use crate::common::findings::{Findings, panics};
use crate::common::wire::Wire;

#[tokio::test(flavor = "multi_thread")]
async fn one_thing_wrong_in_an_answer_is_one_reason_over_grpc() -> Result<(), Failure> {
    fn first(answer: &mut Answer, at: usize, byte: u8) {
        let mut body = answer.body();
        body[at] = byte;
        answer.pieces = vec![body.into()];
    }
    fn ends(answer: &mut Answer, status: &'static str) {
        answer.trailers = Some(header("grpc-status", status));
    }
    let fake = Fake::start().await?;
    let mut findings = Findings::default();
    let cases: Vec<(&str, Change, &str)> = vec![
        ("good", |_| {}, "served"),
        (
            "in pieces",
            |a| a.pieces = a.body().iter().map(|b| Bytes::from(vec![*b])).collect(),
            "served",
        ),
        ("nothing", |a| a.pieces.clear(), "client.answer"),
        (
            "half a frame",
            |a| a.pieces = vec![a.body()[..7].to_vec().into()],
            "client.answer",
        ),
        (
            "two messages",
            |a| a.pieces.push(a.body().into()),
            "client.answer",
        ),
        ("compressed", |a| first(a, 0, 1), "client.answer"),
        ("an unknown flag", |a| first(a, 0, 7), "client.answer"),
        ("4 GiB", |a| first(a, 1, 255), "client.answer"),
        ("no protobuf", |a| first(a, 5, 0xff), "client.agent_error"),
        (
            "an empty message",
            |a| a.pieces = vec![vec![0; 5].into()],
            "client.agent_error",
        ),
        (
            "too long",
            |a| a.pieces = vec![vec![0; MAX + 1].into()],
            "client.answer_too_long",
        ),
        ("no trailers", |a| a.trailers = None, "client.truncated"),
        (
            "trailers without a status",
            |a| a.trailers = Some(header("x", "y")),
            "client.truncated",
        ),
        (
            "a status that is none",
            |a| ends(a, "ok"),
            "client.agent_error",
        ),
        ("a status of nothing", |a| ends(a, ""), "client.agent_error"),
        ("a negative status", |a| ends(a, "-1"), "client.agent_error"),
        ("an unknown status", |a| ends(a, "99"), "client.agent_error"),
        (
            "an error behind the answer",
            |a| ends(a, "5"),
            "client.agent_error",
        ),
        ("too busy", |a| ends(a, "14"), "client.busy"),
        ("who are you", |a| ends(a, "16"), "client.refused"),
        (
            "two statuses",
            |a| {
                let mut trailers = header("grpc-status", "0");
                trailers.append("grpc-status", HeaderValue::from_static("0"));
                a.trailers = Some(trailers);
            },
            "client.agent_error",
        ),
        (
            "details that are none",
            |a| {
                let mut trailers = header("grpc-status", "5");
                let details = HeaderValue::from_static("!!!");
                trailers.insert("grpc-status-details-bin", details);
                trailers.insert("grpc-message", HeaderValue::from_static("%zz%ff"));
                a.trailers = Some(trailers);
            },
            "client.agent_error",
        ),
        (
            "another media type",
            |a| a.headers = header("content-type", "application/json"),
            "client.answer",
        ),
        ("no media type", |a| a.headers.clear(), "client.answer"),
        (
            "a reset",
            |a| {
                a.pieces = vec![a.body()[..7].to_vec().into()];
                (a.trailers, a.end) = (None, End::Broken);
            },
            "client.truncated",
        ),
        (
            "a reset behind the message",
            |a| (a.trailers, a.end) = (None, End::Broken),
            "client.truncated",
        ),
        (
            "no end",
            |a| (a.trailers, a.end) = (None, End::Silent),
            "client.deadline",
        ),
        ("not found", |a| status(a, 404), "client.refused"),
        ("a redirection", |a| redirected(a, 307), "client.refused"),
        ("busy, says HTTP", |a| status(a, 503), "client.busy"),
    ];
    for (name, change, want) in cases {
        let response = Response::Task(task(TaskState::Completed));
        fake.says(&Answer::good(Wire::Grpc, &response).with(change));
        let before = fake.heard.all().len();
        let got = ask(&fake, Wire::Grpc, Operation::GetTask).await;
        findings.expect(name, got, want);
        let calls = fake.heard.all().len() - before;
        findings.expect(format!("{name}, calls"), calls, 1);
    }
    fake.is_still_heard().await?;
    findings.expect("panics", panics(), Vec::new());
    findings.none()
}

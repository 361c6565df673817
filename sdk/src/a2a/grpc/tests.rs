use http::{HeaderMap, HeaderValue};
use prost::Message as _;
use prost_types::value::Kind;
use serde_json::{Value, json};

use super::generated::v1;
use super::made::Maker;
use super::*;
use crate::a2a::{
    A2aError, ErrorKind, FieldViolation, Message, Operation, Part, PartContent, Request,
    SendMessageRequest, StreamResponse, Task, TaskState, TaskStatus,
};

/// How many values of each kind are made up.
const MANY: u64 = 300;

#[test]
fn every_request_reads_back_from_its_message() {
    for operation in Operation::ALL {
        for seed in 0..MANY {
            let request = Maker::new(seed).request(operation);
            let (path, message) = write_request(&request);
            assert_eq!(path, names::path(operation));
            assert_eq!(
                read_request(path, &message),
                Ok(request),
                "{operation} {seed}"
            );
        }
    }
}

#[test]
fn every_answer_reads_back_from_its_message() {
    for operation in Operation::ALL {
        for seed in 0..MANY {
            let Some(response) = Maker::new(seed).response(operation) else {
                let error = read_response(operation, b"").expect_err("a stream");
                assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
                continue;
            };
            let message = write_response(&response);
            assert_eq!(
                read_response(operation, &message),
                Ok(response),
                "{operation} {seed}"
            );
        }
    }
}

#[test]
fn every_event_reads_back_from_its_message() {
    for seed in 0..MANY {
        let event = Maker::new(seed).event();
        assert_eq!(read_event(&write_event(&event)), Ok(event), "{seed}");
    }
}

fn good() -> v1::SendMessageRequest {
    let mut message = Message::user(Part::text("hi")).in_task("t-1", "c-1");
    message.metadata.insert("a".into(), json!([{"b": 1}]));
    let mut request = SendMessageRequest::new(message);
    request.configuration = Some(Default::default());
    wire::Wire::to_wire(&request)
}

fn refused(operation: Operation, message: &impl prost::Message) -> A2aError {
    let read = read_request(names::path(operation), &message.encode_to_vec());
    read.expect_err("refused")
}

/// Field paths of what is wrong.
fn fields(error: &A2aError) -> Vec<&str> {
    let named = error.violations().iter();
    named.map(|violation| violation.field.as_str()).collect()
}

#[test]
fn a_wrong_field_of_a_request_is_named_as_in_json() {
    type Change = fn(&mut v1::SendMessageRequest);
    fn message(request: &mut v1::SendMessageRequest) -> &mut v1::Message {
        request.message.as_mut().expect("a message")
    }
    fn metadata(request: &mut v1::SendMessageRequest, kind: Option<Kind>) {
        let members = message(request).metadata.as_mut().expect("metadata");
        let list = prost_types::ListValue {
            values: vec![prost_types::Value { kind }],
        };
        let kind = Some(Kind::ListValue(list));
        members
            .fields
            .insert("a".into(), prost_types::Value { kind });
    }
    let cases: [(&str, Change); 12] = [
        ("message", |r| r.message = None),
        ("message.role", |r| message(r).role = 0),
        ("message.role", |r| message(r).role = 3),
        ("message.role", |r| message(r).role = 2),
        ("message.messageId", |r| message(r).message_id.clear()),
        ("message.parts", |r| message(r).parts.clear()),
        ("message.parts[0]", |r| message(r).parts[0].content = None),
        ("message.parts[0].data", |r| {
            let empty = prost_types::Value { kind: None };
            message(r).parts[0].content = Some(v1::part::Content::Data(empty));
        }),
        ("message.metadata.a[0]", |r| metadata(r, None)),
        ("message.metadata.a[0]", |r| {
            metadata(r, Some(Kind::NumberValue(f64::NAN)));
        }),
        ("configuration.historyLength", |r| {
            let configuration = r.configuration.as_mut();
            configuration.expect("a configuration").history_length = Some(-1);
        }),
        ("tenant", |r| r.tenant = "a\nb".into()),
    ];
    let (path, bytes) = (names::path(Operation::SendMessage), good().encode_to_vec());
    read_request(path, &bytes).expect("a good request");
    for (field, change) in cases {
        let mut request = good();
        change(&mut request);
        let error = refused(Operation::SendMessage, &request);
        assert_eq!(error.kind(), ErrorKind::InvalidParams, "{field}");
        assert_eq!(fields(&error), [field]);
    }
}

#[test]
fn a_filter_of_tasks_is_checked_and_zero_means_none() {
    type Change = fn(&mut v1::ListTasksRequest);
    let time = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let cases: [(&[&str], Change); 6] = [
        (&["status"], |r| r.status = 9),
        (&["status"], |r| r.status = -1),
        (&["pageSize"], |r| r.page_size = Some(101)),
        (&["pageSize"], |r| r.page_size = Some(0)),
        (&["historyLength"], |r| r.history_length = Some(-1)),
        (&[], |r| r.status = 0),
    ];
    for (want, change) in cases {
        let mut request = v1::ListTasksRequest::default();
        change(&mut request);
        let bytes = request.encode_to_vec();
        match read_request(names::path(Operation::ListTasks), &bytes) {
            Err(error) => assert_eq!(fields(&error), want),
            Ok(read) => {
                assert!(want.is_empty());
                assert_eq!(read, Request::ListTasks(Default::default()));
            }
        }
    }
    for (time, good) in [
        (time(-62_135_596_800, 0), true),
        (time(253_402_300_799, 999_999_999), true),
        (time(-62_135_596_801, 0), false),
        (time(253_402_300_800, 0), false),
        (time(0, -1), false),
        (time(0, 1_000_000_000), false),
    ] {
        let request = v1::ListTasksRequest {
            status_timestamp_after: time,
            ..Default::default()
        };
        let read = read_request(names::path(Operation::ListTasks), &request.encode_to_vec());
        assert_eq!(read.is_ok(), good, "{time:?}");
        if let Err(error) = read {
            assert_eq!(fields(&error), ["statusTimestampAfter"]);
        }
    }
}

#[test]
fn what_an_agent_answers_is_checked_too() {
    type Change = fn(&mut v1::Task);
    let good: v1::Task = wire::Wire::to_wire(&Maker::new(7).task());
    let cases: [(&str, Change); 5] = [
        ("id", |t| t.id.clear()),
        ("status", |t| t.status = None),
        ("status.state", |t| {
            t.status.as_mut().expect("one").state = 0
        }),
        ("status.state", |t| {
            t.status.as_mut().expect("one").state = 9
        }),
        ("artifacts[0].artifactId", |t| {
            t.artifacts = vec![v1::Artifact::default()];
        }),
    ];
    let read = |task: &v1::Task| read_response(Operation::GetTask, &task.encode_to_vec());
    read(&good).expect("a good task");
    for (field, change) in cases {
        let mut task = good.clone();
        change(&mut task);
        let error = read(&task).expect_err(field);
        assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
        assert!(
            error.message().starts_with(&format!("{field}: ")),
            "{error}"
        );
    }
    let none = read_event(b"").expect_err("no payload");
    assert_eq!(none.message(), "payload: is required");
    for operation in [Operation::SendMessage, Operation::GetTask] {
        let error = read_response(operation, b"\xff").expect_err("no message");
        assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
    }
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    let path = names::path(Operation::GetTask);
    let id = |bytes: &[u8]| [b"\x12", bytes].concat();
    assert!(read_request(path, &id(b"\x01t")).is_ok());
    for bad in [
        id(b"\x02t"),
        id(b"\x01\xff"),
        id(b"\xff\xff\xff\xff\x0f"),
        b"\x10\x01".to_vec(),
        b"\x0b".to_vec(),
        b"\x00\x00".to_vec(),
        b"\x80".to_vec(),
    ] {
        let error = read_request(path, &bad).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Parse, "{bad:?}");
    }
    // Fields that are not known are left out.
    assert!(read_request(path, &[&id(b"\x01t")[..], b"\x7a\x01x"].concat()).is_ok());
    let error = read_request("/a2a.v1.A2AService/GetTask", b"").expect_err("another service");
    assert_eq!(error.kind(), ErrorKind::MethodNotFound);
}

#[test]
fn nesting_ends_before_the_stack_does() {
    let nested = |levels: usize| {
        let inner = (0..levels).fold(Value::Null, |value, _| json!({ "a": value }));
        let task = Task::new(
            "t",
            "c",
            TaskStatus {
                state: TaskState::Working,
                message: Some(Message::agent(Part::data(inner))),
                timestamp: None,
            },
        );
        read_event(&write_event(&StreamResponse::Task(task)))
    };
    assert!(nested(31).is_ok());
    for levels in [32, 100] {
        let error = nested(levels).expect_err("too deep");
        assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
    }
    // Bytes that nobody would write: a list in a list, a hundred thousand times.
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 0..20_000 {
        let len = bytes.len();
        let mut outer = Vec::with_capacity(len + 12);
        prost::encoding::encode_key(6, prost::encoding::WireType::LengthDelimited, &mut outer);
        prost::encoding::encode_varint(len as u64, &mut outer);
        outer.append(&mut bytes);
        let len = outer.len();
        prost::encoding::encode_key(1, prost::encoding::WireType::LengthDelimited, &mut bytes);
        prost::encoding::encode_varint(len as u64, &mut bytes);
        bytes.append(&mut outer);
    }
    assert!(prost_types::ListValue::decode(&bytes[..]).is_err());
}

#[test]
fn whole_numbers_stay_whole() {
    for (number, want) in [
        (42.0, json!(42)),
        (-1.0, json!(-1)),
        (0.0, json!(0)),
        (0.5, json!(0.5)),
        (9_007_199_254_740_991.0, json!(9_007_199_254_740_991_i64)),
        (9_007_199_254_740_992.0, json!(9_007_199_254_740_992.0)),
        (1e300, json!(1e300)),
    ] {
        let kind = Some(Kind::NumberValue(number));
        let read = <Value as wire::Wire<_>>::from_wire(prost_types::Value { kind });
        assert_eq!(read.expect("a number"), want);
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let kind = Some(Kind::NumberValue(bad));
        let read = <Value as wire::Wire<_>>::from_wire(prost_types::Value { kind });
        assert!(read.is_err(), "{bad}");
    }
}

#[test]
fn a_null_and_an_empty_text_are_contents() {
    for content in [
        PartContent::Data(Value::Null),
        PartContent::Text(String::new()),
        PartContent::Raw(Default::default()),
    ] {
        let mut part = Part::text("");
        part.content = content;
        let event = StreamResponse::Message(Message::agent(part));
        assert_eq!(read_event(&write_event(&event)), Ok(event));
    }
}

const KINDS: [ErrorKind; 16] = [
    ErrorKind::TaskNotFound,
    ErrorKind::TaskNotCancelable,
    ErrorKind::PushNotificationNotSupported,
    ErrorKind::UnsupportedOperation,
    ErrorKind::ContentTypeNotSupported,
    ErrorKind::InvalidAgentResponse,
    ErrorKind::ExtendedAgentCardNotConfigured,
    ErrorKind::ExtensionSupportRequired,
    ErrorKind::VersionNotSupported,
    ErrorKind::Parse,
    ErrorKind::InvalidRequest,
    ErrorKind::MethodNotFound,
    ErrorKind::InvalidParams,
    ErrorKind::Internal,
    ErrorKind::Unauthenticated,
    ErrorKind::PermissionDenied,
];

fn read_back(error: &A2aError) -> A2aError {
    let mut trailers = HeaderMap::new();
    Status::from(error).write(&mut trailers);
    let status = Status::read(&trailers).expect("a status");
    assert_eq!(status.code(), Code::from(error.kind()));
    status.error().expect("an error")
}

#[test]
fn every_error_reads_back_from_its_trailers() {
    for kind in KINDS {
        let error = A2aError::new(kind, "100% \u{e4}h\r\n").with_metadata("taskId", "t-1");
        assert_eq!(read_back(&error), error, "{kind:?}");
    }
    let error = A2aError::invalid_params(vec![
        FieldViolation {
            field: "message.parts".into(),
            description: "at least one part is required".into(),
        },
        FieldViolation {
            field: "tenant".into(),
            description: "holds a control character".into(),
        },
    ]);
    assert_eq!(read_back(&error), error);
}

#[test]
fn a_status_fits_into_the_headers_that_peers_take() {
    let violation = |at: usize| FieldViolation {
        field: format!("message.parts[{at}]"),
        description: "x".repeat(500),
    };
    let error = A2aError::invalid_params((0..1000).map(violation).collect());
    let mut trailers = HeaderMap::new();
    Status::from(&error).write(&mut trailers);
    let bytes: usize = trailers
        .iter()
        .map(|(k, v)| k.as_str().len() + v.len())
        .sum();
    assert!(bytes < 7 << 10, "{bytes}");
    let read = read_back(&error);
    let kept = read.violations().len();
    assert!((1..1000).contains(&kept), "{kept}");
    assert_eq!(read.violations(), &error.violations()[..kept]);
}

#[test]
fn a_status_that_cannot_be_read_is_never_a_success() {
    let read = |pairs: &[(&'static str, &'static str)]| {
        let mut trailers = HeaderMap::new();
        for (name, value) in pairs {
            trailers.append(*name, HeaderValue::from_static(value));
        }
        Status::read(&trailers)
    };
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[("grpc-message", "OK")]), None);
    assert_eq!(read(&[("grpc-status", "0")]), Some(Status::ok()));
    for (pairs, code, kind) in [
        (&[("grpc-status", "")][..], Code::Unknown, 2),
        (&[("grpc-status", "OK")], Code::Unknown, 2),
        (&[("grpc-status", "17")], Code::Unknown, 2),
        (
            &[("grpc-status", "0"), ("grpc-status", "0")],
            Code::Unknown,
            2,
        ),
        (&[("grpc-status", "14")], Code::Unavailable, 14),
        (
            &[("grpc-status", "9"), ("grpc-status-details-bin", "!")],
            Code::FailedPrecondition,
            9,
        ),
    ] {
        let status = read(pairs).expect("a status");
        assert_eq!(status.code(), code, "{pairs:?}");
        let error = status.error().expect("an error");
        assert_eq!(error.kind(), ErrorKind::Foreign { code: kind }, "{pairs:?}");
    }
    // Details of another status than the one in the trailer do not count.
    let mut trailers = HeaderMap::new();
    Status::from(&A2aError::task_not_found()).write(&mut trailers);
    trailers.insert("grpc-status", HeaderValue::from_static("7"));
    let status = Status::read(&trailers).and_then(Status::error);
    assert_eq!(status.map(|e| e.kind()), Some(ErrorKind::PermissionDenied));
}

//! JSON and gRPC carry the same content: a stranger's reader of protos, which knows nothing of our
//! types, turns our messages into ProtoJSON and back, and our own JSON reads and writes the same.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde::Deserialize as _;
use serde_json::{Number, Value, json};

use super::made::Maker;
use super::{read_event, read_request, read_response, write_event, write_request, write_response};
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{Operation, StreamResponse};

const MANY: u64 = 100;

struct Protos(DescriptorPool);

impl Protos {
    fn read() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
        let files = protox::compile(["lf/a2a/v1/a2a.proto"], [folder]).expect("good protos");
        Self(DescriptorPool::from_file_descriptor_set(files).expect("descriptors"))
    }

    fn message(&self, name: &str) -> MessageDescriptor {
        let found = self.0.get_message_by_name(&format!("lf.a2a.v1.{name}"));
        found.expect("a message")
    }

    /// What a call takes and gives.
    fn method(&self, operation: Operation) -> (MessageDescriptor, MessageDescriptor) {
        let service = self
            .0
            .get_service_by_name(super::SERVICE)
            .expect("a service");
        let mut methods = service.methods();
        let found = methods.find(|method| method.name() == operation.as_str());
        let method = found.expect("a method");
        (method.input(), method.output())
    }
}

fn to_json(kind: MessageDescriptor, bytes: &[u8]) -> Value {
    let message = DynamicMessage::decode(kind, bytes).expect("a message");
    whole_numbers(serde_json::to_value(message).expect("JSON"))
}

fn to_bytes(kind: MessageDescriptor, json: Value) -> Vec<u8> {
    let message = DynamicMessage::deserialize(kind, json).expect("ProtoJSON");
    message.encode_to_vec()
}

/// JSON does not tell 42 from 42.0; serde does.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let double = number.as_f64().expect("a double");
            let exact = double.fract() == 0.0 && double.abs() < 9e15 && double.to_bits() != 1 << 63;
            Value::Number(if exact {
                Number::from(double as i64)
            } else {
                number
            })
        }
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(members.map(|(k, v)| (k, whole_numbers(v))).collect())
        }
        other => other,
    }
}

fn member(body: &[u8], name: &str) -> Value {
    let mut whole: Value = serde_json::from_slice(body).expect("JSON");
    whole[name].take()
}

#[test]
fn json_and_grpc_ask_for_the_same() {
    let protos = Protos::read();
    let id = Id::from(1);
    for operation in Operation::ALL {
        for seed in 0..MANY {
            let request = Maker::new(seed).request(operation);
            let (path, message) = write_request(&request);
            let (kind, _) = protos.method(operation);
            let params = to_json(kind.clone(), &message);
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": operation, "params": params});
            let body = body.to_string().into_bytes();
            let read = jsonrpc::parse_request(&body, Default::default()).expect("a request");
            assert_eq!(jsonrpc::read_request(read), Ok(request.clone()), "{params}");

            let params = member(&jsonrpc::write_request(&id, &request), "params");
            let message = to_bytes(kind, params.clone());
            assert_eq!(read_request(path, &message), Ok(request), "{params}");
        }
    }
}

#[test]
fn json_and_grpc_answer_the_same() {
    let protos = Protos::read();
    let id = Id::from(1);
    for operation in Operation::ALL {
        for seed in 0..MANY {
            let Some(response) = Maker::new(seed).response(operation) else {
                continue;
            };
            let (_, kind) = protos.method(operation);
            let result = to_json(kind.clone(), &write_response(&response));
            let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
            let read = jsonrpc::read_response(body.as_bytes(), Default::default(), &id, operation);
            assert_eq!(read, Ok(response.clone()), "{result}");

            let result = member(&jsonrpc::write_response(&id, &response), "result");
            let message = to_bytes(kind, result.clone());
            assert_eq!(read_response(operation, &message), Ok(response), "{result}");
        }
    }
}

#[test]
fn json_and_grpc_tell_the_same_events() {
    let kind = Protos::read().message("StreamResponse");
    for seed in 0..MANY {
        let event = Maker::new(seed).event();
        let json = to_json(kind.clone(), &write_event(&event));
        let read = StreamResponse::deserialize(&json).expect("an event");
        assert_eq!(read, event, "{json}");
        let json = serde_json::to_value(&event).expect("JSON");
        assert_eq!(read_event(&to_bytes(kind.clone(), json)), Ok(event));
    }
}

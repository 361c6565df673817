use prost::Message as _;
use serde_json::{Value, json};

use super::*;
use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::made::Maker;
use crate::a2a::{
    AgentCard, AgentInterface, ErrorKind, Message, Operation, Part, PartContent, Request, Response,
    StreamResponse, Struct,
};

const MANY: u64 = 300;

/// What the proto of 0.3 has no place for.
fn plain(part: &mut Part) {
    part.metadata = Struct::new();
    part.filename = None;
    match &mut part.content {
        PartContent::Data(Value::Object(_)) => part.media_type = None,
        PartContent::Data(value) => {
            *value = json!({ "value": value });
            part.media_type = None;
        }
        PartContent::Text(_) => part.media_type = None,
        PartContent::Raw(_) | PartContent::Url(_) => {}
    }
}

fn plain_message(message: &mut Message) {
    message.parts.iter_mut().for_each(plain);
}

fn plain_event(event: &mut StreamResponse) {
    match event {
        StreamResponse::Task(task) => {
            task.history.iter_mut().for_each(plain_message);
            task.status.message.iter_mut().for_each(plain_message);
            let artifacts = task.artifacts.iter_mut();
            artifacts.flat_map(|a| &mut a.parts).for_each(plain);
        }
        StreamResponse::Message(message) => plain_message(message),
        StreamResponse::StatusUpdate(event) => {
            event.status.message.iter_mut().for_each(plain_message);
        }
        StreamResponse::ArtifactUpdate(event) => {
            event.artifact.parts.iter_mut().for_each(plain);
        }
    }
}

/// The same request as far as 0.3 can say it.
fn plain_request(request: &mut Request) {
    request.set_tenant(None);
    match request {
        Request::SendMessage(send) | Request::SendStreamingMessage(send) => {
            plain_message(&mut send.message);
            let configuration = send.configuration.get_or_insert_default();
            configuration.history_length = configuration.history_length.filter(|n| *n != 0);
            if let Some(config) = &mut configuration.task_push_notification_config {
                config.tenant = None;
            }
        }
        Request::GetTask(get) => get.history_length = get.history_length.filter(|n| *n != 0),
        Request::CancelTask(cancel) => cancel.metadata = Struct::new(),
        _ => {}
    }
}

/// IDs of made-up values may hold a slash, which names of 0.3 cannot.
fn has_slash(request: &Request) -> bool {
    let id = |id: &str| id.contains('/');
    match request {
        Request::GetTask(r) => id(&r.id),
        Request::CancelTask(r) => id(&r.id),
        Request::SubscribeToTask(r) => id(&r.id),
        Request::CreateTaskPushNotificationConfig(r) => r.task_id.as_deref().is_some_and(id),
        Request::GetTaskPushNotificationConfig(r)
        | Request::DeleteTaskPushNotificationConfig(r) => id(&r.task_id) || id(&r.id),
        Request::ListTaskPushNotificationConfigs(r) => id(&r.task_id),
        _ => false,
    }
}

#[test]
fn every_request_of_0_3_reads_back_from_its_message() {
    for operation in Operation::ALL {
        for seed in 0..MANY {
            let mut request = Maker::new(seed).request(operation);
            plain_request(&mut request);
            if operation == Operation::ListTasks {
                let error = write_request(&request).expect_err("0.3 has no such operation");
                assert_eq!(error.kind(), ErrorKind::UnsupportedOperation);
                continue;
            }
            let (path, message) = write_request(&request).expect("a request");
            match read_request(path, &message) {
                Ok(read) => assert_eq!(read, request, "{operation} {seed}"),
                Err(error) => {
                    assert!(has_slash(&request), "{error} {request:?}");
                    assert_eq!(error.kind(), ErrorKind::InvalidParams);
                }
            }
            request.set_tenant(Some("acme".into()));
            assert!(write_request(&request).is_err(), "0.3 has no tenants");
        }
    }
}

#[test]
fn every_event_of_0_3_reads_back_as_far_as_0_3_can_say_it() {
    for seed in 0..MANY {
        let mut event = Maker::new(seed).event();
        let message = write_event(&event);
        plain_event(&mut event);
        assert_eq!(read_event(&message), Ok(event), "{seed}");
    }
}

#[test]
fn the_last_event_of_0_3_says_so() {
    for seed in 0..MANY {
        if let StreamResponse::StatusUpdate(event) = Maker::new(seed).event() {
            let last = event.status.state.is_terminal();
            let message = write_event(&StreamResponse::StatusUpdate(event));
            let read = v03::StreamResponse::decode(&message[..]).expect("a message");
            let Some(v03::stream_response::Payload::StatusUpdate(event)) = read.payload else {
                panic!("a status update");
            };
            assert_eq!(event.r#final, last);
        }
    }
}

#[test]
fn a_card_of_0_3_names_its_addresses_and_never_loses_a_requirement() {
    let mut written = 0;
    for seed in 0..MANY {
        let Some(Response::AgentCard(mut card)) =
            Maker::new(seed).response(Operation::GetExtendedAgentCard)
        else {
            panic!("a card");
        };
        let response = Response::AgentCard(card.clone());
        assert!(write_response(&response).is_err(), "no interface of 0.3");
        card.supported_interfaces = ["GRPC", "JSONRPC"]
            .map(|binding| AgentInterface {
                url: format!("https://{binding}.example"),
                protocol_binding: binding.into(),
                tenant: None,
                protocol_version: "0.3.0".into(),
            })
            .into();
        let Ok(message) = write_response(&Response::AgentCard(card.clone())) else {
            continue;
        };
        written += 1;
        let read = read_response(Operation::GetExtendedAgentCard, &message);
        let Ok(Response::AgentCard(read)) = read else {
            panic!("{read:?}");
        };
        assert_eq!(read.supported_interfaces, card.supported_interfaces);
        assert_eq!(read.security_requirements, card.security_requirements);
        let of_skills = card.skills.iter().flat_map(|s| &s.security_requirements);
        for requirement in card.security_requirements.iter().chain(of_skills) {
            for name in requirement.schemes.keys() {
                let defined = card.security_schemes.contains_key(name);
                assert_eq!(read.security_schemes.contains_key(name), defined, "{name}");
            }
        }
        assert_eq!((read.skills, read.name), (card.skills, card.name));
        for (name, scheme) in &read.security_schemes {
            assert!(card.security_schemes.contains_key(name), "{scheme:?}");
        }
    }
    assert!(written > MANY / 2, "{written}");
}

#[test]
fn a_card_that_requires_a_scheme_0_3_does_not_know_is_not_shown_in_it() {
    let card = |places: [bool; 2]| -> AgentCard {
        let needs = json!([{ "schemes": { "device": { "list": [] } } }]);
        let [agent, skill] = places.map(|there| if there { needs.clone() } else { json!([]) });
        let flow = json!({ "deviceCode": {
            "deviceAuthorizationUrl": "https://a.example/device",
            "tokenUrl": "https://a.example/token",
            "scopes": {},
        } });
        let card = json!({
            "name": "worker", "description": "Works", "version": "1",
            "supportedInterfaces": [{
                "url": "https://worker.example", "protocolBinding": "GRPC",
                "protocolVersion": "0.3.0",
            }],
            "capabilities": {}, "defaultInputModes": [], "defaultOutputModes": [],
            "securitySchemes": { "device": { "oauth2SecurityScheme": { "flows": flow } } },
            "securityRequirements": agent,
            "skills": [{
                "id": "work", "name": "Work", "description": "Works", "tags": ["work"],
                "securityRequirements": skill,
            }],
        });
        serde_json::from_value(card).expect("a card")
    };
    for (places, shown) in [
        ([false, false], true),
        ([true, false], false),
        ([false, true], false),
    ] {
        let written = write_response(&Response::AgentCard(Box::new(card(places))));
        let kind = written.map(drop).map_err(|error| error.kind());
        let want = if shown {
            Ok(())
        } else {
            Err(ErrorKind::UnsupportedOperation)
        };
        assert_eq!(kind, want, "{places:?}");
    }
}

#[test]
fn a_wrong_field_of_a_request_of_0_3_is_named() {
    let refused = |path: &str, message: Vec<u8>| {
        let error = read_request(path, &message).expect_err("refused");
        let named = error.violations().first();
        (
            error.kind(),
            named.map(|v| v.field.clone()).unwrap_or_default(),
        )
    };
    let get = "/a2a.v1.A2AService/GetTask";
    for name in [
        "",
        "t-1",
        "tasks/",
        "tasks/a/b",
        "tasks/a/pushNotificationConfigs/b",
    ] {
        let request = v03::GetTaskRequest {
            name: name.into(),
            history_length: 0,
        };
        let got = refused(get, request.encode_to_vec());
        assert_eq!(got, (ErrorKind::InvalidParams, "name".into()), "{name}");
    }
    let send = "/a2a.v1.A2AService/SendMessage";
    let got = refused(send, v03::SendMessageRequest::default().encode_to_vec());
    assert_eq!(got, (ErrorKind::InvalidParams, "message".into()));
    let got = refused("/a2a.v1.A2AService/ListTasks", Vec::new());
    assert_eq!(got.0, ErrorKind::MethodNotFound);
    assert_eq!(refused(get, b"\xff".to_vec()).0, ErrorKind::Parse);
}

//! Where 0.3 says the same in another way.

use countersign::a2a::{Operation, Request, v03};
use http::Method;
use serde_json::{Value, json};

use crate::reading::{LIMITS, asked};
use crate::round_trips::answers;

#[test]
fn blocking_is_the_opposite_and_its_absence_is_the_bindings() {
    let message =
        json!({"messageId": "m", "role": "user", "parts": [{"kind": "text", "text": "x"}]});
    let of = |configuration: Value| {
        let params = json!({"message": message, "configuration": configuration});
        let rpc = asked("message/send", params.clone()).expect("a request");
        let body = params.to_string();
        let path = "/v1/message:send";
        let rest = v03::read_rest_request(&Method::POST, path, None, body.as_bytes(), LIMITS);
        [rpc, rest.expect("a request")].map(|request| match request {
            Request::SendMessage(send) => {
                let configuration = send.configuration.unwrap_or_default();
                (
                    configuration.return_immediately,
                    configuration.history_length,
                )
            }
            other => panic!("{other:?}"),
        })
    };
    for (configuration, want) in [
        (json!({"blocking": true}), [false, false]),
        (json!({"blocking": false}), [true, true]),
        // Servers of 0.3 wait unless told not to; the proto's false is not written.
        (json!({}), [false, true]),
        (json!(null), [false, true]),
    ] {
        let read = of(configuration.clone());
        assert_eq!(
            read.map(|(immediately, _)| immediately),
            want,
            "{configuration}"
        );
    }
    // In 0.3 a length of 0 is everything, in 1.0 nothing.
    for (length, want) in [(0, None), (1, Some(1))] {
        let read = of(json!({ "historyLength": length }));
        assert_eq!(read.map(|(_, length)| length), [want, want]);
    }
}

#[test]
fn a_question_without_the_id_of_a_configuration_is_answered_with_the_first() {
    let get = "tasks/pushNotificationConfig/get";
    let request = asked(get, json!({"id": "t-1"})).expect("a request");
    assert_eq!(
        request.operation(),
        Operation::ListTaskPushNotificationConfigs
    );
    let asked = v03::operation(get).expect("a method");
    let (_, listed) = answers().swap_remove(5);
    let body = v03::write_json_rpc_response(&1.into(), asked, &listed);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["result"]["pushNotificationConfig"]["id"], "p-1");
    let (_, none) = answers().swap_remove(6);
    let body = v03::write_json_rpc_response(&1.into(), asked, &none);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"]["code"], -32001);
}

//! Bytes changed at random: whatever is still read keeps every rule.

use http::Method;
use serde_json::json;

use super::super::{A2aError, Operation, http_json, jsonrpc};
use super::both::good;
use crate::jose::JsonLimits;

/// What a byte of a good request may become.
const BYTES: [u8; 12] = *b"\0\n\"{[,:/%&\xc3\xff";

/// Every cut of `good`, and every change of one of its bytes.
fn mangled(good: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..good.len()).flat_map(move |at| {
        let changed = BYTES.into_iter().map(move |byte| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            bytes
        });
        changed.chain([good[..at].to_vec()])
    })
}

#[test]
fn whatever_is_read_of_a_mangled_request_keeps_every_rule() {
    let mut read = 0;
    for operation in Operation::ALL {
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": operation, "params": good(operation)});
        for bytes in mangled(body.to_string().as_bytes()) {
            let request = jsonrpc::parse_request(&bytes, JsonLimits::default());
            if let Ok(request) = request
                .map_err(A2aError::from)
                .and_then(jsonrpc::read_request)
            {
                assert_eq!(
                    request.check(),
                    Ok(()),
                    "{}",
                    String::from_utf8_lossy(&bytes)
                );
                read += 1;
            }
        }
    }
    assert!(read > 1000, "{read}");
}

#[test]
fn whatever_is_read_of_a_mangled_path_is_written_as_the_same_request() {
    let targets = [
        "/a%2Fb/tasks/t:cancel",
        "/acme/tasks/t%3Acancel?historyLength=2",
        "/tasks/tasks/pushNotificationConfigs/c?x",
        "/acme/tasks/t/pushNotificationConfigs?pageSize=1&pageToken=a%2B+",
        "/tasks?contextId=%E2%82%AC+x&status=TASK_STATE_WORKING&pageSize=10&includeArtifacts=true",
        "/acme/extendedAgentCard",
    ];
    let (limits, mut read) = (JsonLimits::default(), 0);
    for target in targets {
        let texts = mangled(target.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok());
        for text in texts {
            let split = |text: &str| match text.split_once('?') {
                Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
                None => (text.to_owned(), None),
            };
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let (path, query) = split(&text);
                let parsed = http_json::read_request(&method, &path, query.as_deref(), b"", limits);
                let Ok(request) = parsed else {
                    continue;
                };
                read += 1;
                assert_eq!(request.check(), Ok(()), "{text}");
                let written = http_json::write_request(&request).expect(&text);
                let (path, query) = split(&written.path_and_query);
                let body = written.body.unwrap_or_default();
                let query = query.as_deref();
                let again = http_json::read_request(&written.method, &path, query, &body, limits);
                assert_eq!(again, Ok(request), "{text}");
            }
        }
    }
    assert!(read > 500, "{read}");
}

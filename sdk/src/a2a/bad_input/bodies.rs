//! Bodies that are no JSON, or not strictly.

use http::Method;

use super::super::{A2aError, ErrorKind, http_json, jsonrpc};
use crate::jose::JsonLimits;

/// Texts that are no JSON, or none that may be read, for any operation with a body.
#[test]
fn bodies_are_strict_json_on_both_bindings() {
    let deep = |levels: usize| format!(r#"{{"x":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    for (rule, metadata, want) in [
        (
            "a lone surrogate",
            br#"{"x":"\ud83e"}"#.to_vec(),
            ErrorKind::Parse,
        ),
        (
            "half a pair",
            br#"{"x":"\ud83e\u0041"}"#.to_vec(),
            ErrorKind::Parse,
        ),
        ("not UTF-8", b"{\"x\":\"\xff\"}".to_vec(), ErrorKind::Parse),
        (
            "UTF-8 of a surrogate",
            b"{\"x\":\"\xed\xa0\x80\"}".to_vec(),
            ErrorKind::Parse,
        ),
        (
            "a control character",
            b"{\"x\":\"\n\"}".to_vec(),
            ErrorKind::Parse,
        ),
        ("no number", b"{\"x\":NaN}".to_vec(), ErrorKind::Parse),
        (
            "too large a number",
            b"{\"x\":1e999}".to_vec(),
            ErrorKind::Parse,
        ),
        ("a comma", b"{\"x\":1,}".to_vec(), ErrorKind::Parse),
        ("not ended", b"{\"x\":[".to_vec(), ErrorKind::Parse),
        (
            "twice",
            br#"{"x":1,"x":1}"#.to_vec(),
            ErrorKind::InvalidRequest,
        ),
        (
            "twice, escaped",
            br#"{"x":1,"\u0078":1}"#.to_vec(),
            ErrorKind::InvalidRequest,
        ),
        ("too deep", deep(64).into_bytes(), ErrorKind::InvalidRequest),
        (
            "far too deep",
            deep(100_000).into_bytes(),
            ErrorKind::InvalidRequest,
        ),
    ] {
        let members = [&b"\"id\":\"t\",\"metadata\":"[..], &metadata].concat();
        let rpc = [
            &br#"{"jsonrpc":"2.0","id":1,"method":"CancelTask","params":{"#[..],
            &members,
            b"}}",
        ]
        .concat();
        let error = jsonrpc::parse_request(&rpc, JsonLimits::default()).expect_err(rule);
        assert_eq!(error.error.kind(), want, "{rule}");
        let http = [b"{", &members[..], b"}"].concat();
        let limits = JsonLimits::default();
        let read = http_json::read_request(&Method::POST, "/tasks/t:cancel", None, &http, limits);
        assert_eq!(A2aError::from(read.expect_err(rule)).kind(), want, "{rule}");
    }
}

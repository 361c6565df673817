//! Reads vectors and single messages of 0.3.

use std::path::Path;

use countersign::a2a::{A2aError, Operation, Request, Response, StreamResponse, jsonrpc, v03};
use countersign::jose::JsonLimits;
use serde_json::{Value, json};

pub(crate) const LIMITS: JsonLimits = JsonLimits {
    depth: 64,
    bytes: 1 << 20,
};

pub(crate) fn vectors(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/vectors/a2a-v03");
    let text = std::fs::read(root.join(name)).expect("the vectors are there");
    serde_json::from_slice(&text).expect("JSON")
}

/// Reads the parameters of a method of JSON-RPC.
pub(crate) fn asked(method: &str, params: Value) -> Result<Request, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    read(&body)
}

pub(crate) fn read(body: &Value) -> Result<Request, A2aError> {
    let body = body.to_string();
    let request = jsonrpc::parse_request(body.as_bytes(), LIMITS).expect("JSON-RPC");
    v03::read_json_rpc(request)
}

/// Reads the result of an operation of JSON-RPC.
pub(crate) fn told(operation: Operation, result: &Value) -> Result<Response, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    v03::read_json_rpc_response(body.as_bytes(), LIMITS, &1.into(), operation)
}

pub(crate) fn event(result: &Value) -> Result<StreamResponse, A2aError> {
    let body = json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    v03::read_json_rpc_event(body.as_bytes(), LIMITS, &1.into())
}

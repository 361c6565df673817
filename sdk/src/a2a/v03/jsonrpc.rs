//! JSON-RPC of 0.3: the envelope is 1.0's, methods and objects are not (0.3 §6.11, §7).

use serde_json::{Value, json};

use super::answer::{read_result, result_of};
use super::error::{checked, into_answer_error, to_v03};
use super::form::{Form, Object};
use super::task::{read_event, write_event};
use super::{operation, params};
use crate::a2a::jsonrpc::{self, Id};
use crate::a2a::{A2aError, ErrorKind, Operation, Request, Response, StreamResponse};
use crate::jose::JsonLimits;

/// Reads what a client of 0.3 asks for and checks it by the rules of 1.0.
///
/// ```
/// use countersign::a2a::{Request, jsonrpc, v03};
/// let body = br#"{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":
///     {"role":"user","messageId":"m-1","parts":[{"kind":"text","text":"tell me a joke"}]}}}"#;
/// let request = jsonrpc::parse_request(body, Default::default())?;
/// let Request::SendMessage(send) = v03::read_json_rpc(request)? else { panic!() };
/// assert_eq!(send.message.text(), "tell me a joke");
/// # Ok::<(), countersign::a2a::A2aError>(())
/// ```
///
/// # Errors
/// `MethodNotFound`; `InvalidParams` with the member that is wrong, under 0.3's name.
pub fn read_json_rpc(request: jsonrpc::Request) -> Result<Request, A2aError> {
    let asked = operation(&request.method);
    let asked =
        asked.ok_or_else(|| A2aError::new(ErrorKind::MethodNotFound, "Method not found"))?;
    checked(params::read(asked, request.params)?)
}

/// The body of a request.
///
/// # Errors
/// `UnsupportedOperation` for what 0.3 has no words for: `ListTasks`, a tenant, a further page of
/// push configurations.
pub fn write_json_rpc(id: &Id, request: &Request) -> Result<Vec<u8>, A2aError> {
    let (method, params) = params::write(request)?;
    let mut body = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    if let Some(params) = params {
        body["params"] = Value::Object(params);
    }
    Ok(body.to_string().into_bytes())
}

/// The body of the response to a request of the operation `asked`.
///
/// `asked` is what the request's own method is: [`operation`].
pub fn write_json_rpc_response(id: &Id, asked: Operation, response: &Response) -> Vec<u8> {
    match result_of(Form::JsonRpc, asked, response) {
        Ok(result) => jsonrpc::success(id, &result),
        Err(error) => write_json_rpc_error(id, &error),
    }
}

/// The body of a response with an error, also within a stream.
pub fn write_json_rpc_error(id: &Id, error: &A2aError) -> Vec<u8> {
    jsonrpc::failure(id, &to_v03(error))
}

/// The data of one event of a stream.
pub fn write_json_rpc_event(id: &Id, event: &StreamResponse) -> Vec<u8> {
    jsonrpc::success(id, &write_event(Form::JsonRpc, event))
}

/// Reads the response to the request `id` of the operation `asked`.
///
/// # Errors
/// The peer's error, or `InvalidAgentResponse` when it is no answer to that, with the member that
/// is wrong.
pub fn read_json_rpc_response(
    body: &[u8],
    limits: JsonLimits,
    id: &Id,
    asked: Operation,
) -> Result<Response, A2aError> {
    let result: Value = jsonrpc::parse_result(body, limits, id)?;
    read_result(Form::JsonRpc, asked, result).map_err(into_answer_error)
}

/// Reads the data of one event of the stream that answers the request `id`.
///
/// # Errors
/// As [`read_json_rpc_response`].
pub fn read_json_rpc_event(
    data: &[u8],
    limits: JsonLimits,
    id: &Id,
) -> Result<StreamResponse, A2aError> {
    let result: Value = jsonrpc::parse_result(data, limits, id)?;
    let event = Object::from_value(Form::JsonRpc, result).and_then(read_event);
    event.map_err(into_answer_error)
}

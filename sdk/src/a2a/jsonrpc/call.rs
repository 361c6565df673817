//! All eleven operations over JSON-RPC (A2A §9.4).

use serde::de::IgnoredAny;
use serde_json::Value;

use super::envelope::{self, Id, not_a_response, parse_result, success};
use crate::a2a::call::{Answer, Params};
use crate::a2a::{self, A2aError, FromParams, Operation};
use crate::jose::JsonLimits;

/// Reads what a request asks for, and checks its parameters.
///
/// # Errors
/// `MethodNotFound`; `InvalidParams` with the path of every wrong field.
pub fn read_request(request: envelope::Request) -> Result<a2a::Request, A2aError> {
    let operation = request.operation()?;
    let params = request.params;
    Ok(match operation {
        Operation::SendMessage => a2a::Request::SendMessage(FromParams::from_params(params)?),
        Operation::SendStreamingMessage => {
            a2a::Request::SendStreamingMessage(FromParams::from_params(params)?)
        }
        Operation::GetTask => a2a::Request::GetTask(FromParams::from_params(params)?),
        Operation::ListTasks => a2a::Request::ListTasks(FromParams::from_params(params)?),
        Operation::CancelTask => a2a::Request::CancelTask(FromParams::from_params(params)?),
        Operation::SubscribeToTask => {
            a2a::Request::SubscribeToTask(FromParams::from_params(params)?)
        }
        Operation::CreateTaskPushNotificationConfig => {
            a2a::Request::CreateTaskPushNotificationConfig(FromParams::from_params(params)?)
        }
        Operation::GetTaskPushNotificationConfig => {
            a2a::Request::GetTaskPushNotificationConfig(FromParams::from_params(params)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            a2a::Request::ListTaskPushNotificationConfigs(FromParams::from_params(params)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            a2a::Request::DeleteTaskPushNotificationConfig(FromParams::from_params(params)?)
        }
        Operation::GetExtendedAgentCard => {
            a2a::Request::GetExtendedAgentCard(FromParams::from_params(params)?)
        }
    })
}

/// The body of a request.
///
/// ```
/// use countersign::a2a::{GetTaskRequest, Request, jsonrpc};
/// let request = Request::GetTask(GetTaskRequest { id: "t-1".into(), ..Default::default() });
/// assert_eq!(
///     jsonrpc::write_request(&1.into(), &request),
///     br#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t-1"}}"#
/// );
/// ```
pub fn write_request(id: &Id, request: &a2a::Request) -> Vec<u8> {
    envelope::request(id, request.operation(), &Params(request))
}

/// The body of the response with this answer. An event of a stream is written by [`success`].
pub fn write_response(id: &Id, response: &a2a::Response) -> Vec<u8> {
    success(id, &Answer(response))
}

/// Reads the answer to `operation` out of the response to the request `id`. An event of a stream
/// is read by [`parse_result`].
///
/// # Errors
/// The peer's error, or `InvalidAgentResponse` when the answer is not that operation's, belongs to
/// another request, or should have been a stream.
pub fn read_response(
    body: &[u8],
    limits: JsonLimits,
    id: &Id,
    operation: Operation,
) -> Result<a2a::Response, A2aError> {
    Ok(match operation {
        Operation::SendMessage => a2a::Response::SendMessage(parse_result(body, limits, id)?),
        Operation::GetTask | Operation::CancelTask => {
            a2a::Response::Task(parse_result(body, limits, id)?)
        }
        Operation::ListTasks => a2a::Response::ListTasks(parse_result(body, limits, id)?),
        Operation::CreateTaskPushNotificationConfig | Operation::GetTaskPushNotificationConfig => {
            a2a::Response::TaskPushNotificationConfig(parse_result(body, limits, id)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            a2a::Response::ListTaskPushNotificationConfigs(parse_result(body, limits, id)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            let IgnoredAny = parse_result(body, limits, id)?;
            a2a::Response::Empty
        }
        Operation::GetExtendedAgentCard => {
            a2a::Response::AgentCard(Box::new(parse_result(body, limits, id)?))
        }
        Operation::SendStreamingMessage | Operation::SubscribeToTask => {
            let IgnoredAny = parse_result(body, limits, id)?;
            return Err(not_a_response("one answer where a stream should be"));
        }
    })
}

/// The JSON text of the result of the request `id`, with every member the peer wrote: what the
/// signatures of an extended card are verified over.
///
/// # Errors
/// As [`read_response`].
pub fn read_result_json(body: &[u8], limits: JsonLimits, id: &Id) -> Result<Vec<u8>, A2aError> {
    let result: Value = parse_result(body, limits, id)?;
    Ok(result.to_string().into_bytes())
}

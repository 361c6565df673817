//! Answers, events and errors in both directions (A2A §11.4, §11.6, §11.7).

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::write::json;
use crate::a2a::call::Answer;
use crate::a2a::{A2aError, ErrorKind, Operation, Response, StreamResponse, located};
use crate::jose::{JsonLimits, parse_json};

/// The body of an answer.
pub fn write_response(response: &Response) -> Vec<u8> {
    json(&Answer(response))
}

/// The data of an event of a stream, for [`sse::encode_event`](crate::a2a::sse::encode_event).
pub fn write_event(event: &StreamResponse) -> Vec<u8> {
    json(event)
}

/// The body of an answer with this error (google.rpc.Status), and the data of the event that ends
/// a stream with it.
pub fn write_error(error: &A2aError) -> Vec<u8> {
    error.to_http_json().to_string().into_bytes()
}

/// Reads the body of a successful answer to `operation`.
///
/// The signatures of an extended card are verified over `body` itself.
///
/// # Errors
/// `InvalidAgentResponse` when it is not that operation's answer.
pub fn read_response(
    operation: Operation,
    body: &[u8],
    limits: JsonLimits,
) -> Result<Response, A2aError> {
    Ok(match operation {
        Operation::SendMessage => Response::SendMessage(typed(body, limits)?),
        Operation::GetTask | Operation::CancelTask => Response::Task(typed(body, limits)?),
        Operation::ListTasks => Response::ListTasks(typed(body, limits)?),
        Operation::CreateTaskPushNotificationConfig | Operation::GetTaskPushNotificationConfig => {
            Response::TaskPushNotificationConfig(typed(body, limits)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            Response::ListTaskPushNotificationConfigs(typed(body, limits)?)
        }
        // An answer that says nothing may be written as nothing.
        Operation::DeleteTaskPushNotificationConfig => Response::Empty,
        Operation::GetExtendedAgentCard => Response::AgentCard(typed(body, limits)?),
        Operation::SendStreamingMessage | Operation::SubscribeToTask => {
            return Err(not_an_answer("one answer where a stream should be"));
        }
    })
}

/// Reads the data of an event of a stream.
///
/// # Errors
/// The peer's error when it ended the stream with one; `InvalidAgentResponse` when it is no event.
pub fn read_event(data: &[u8], limits: JsonLimits) -> Result<StreamResponse, A2aError> {
    let value = parse_json(data, limits).map_err(|error| not_an_answer(&error.to_string()))?;
    if let Some(error) = value.get("error").filter(|error| error.is_object()) {
        let status = error.get("code").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok());
        return Err(A2aError::from_http_json(
            status.unwrap_or(500),
            Some(&value),
        ));
    }
    located::read(value).map_err(|error| not_an_answer(&error.to_string()))
}

/// Reads the body of an answer with an error status, whatever it is.
pub fn read_error(status: u16, body: &[u8], limits: JsonLimits) -> A2aError {
    A2aError::from_http_json(status, parse_json(body, limits).ok().as_ref())
}

fn typed<T: DeserializeOwned>(body: &[u8], limits: JsonLimits) -> Result<T, A2aError> {
    let value = parse_json(body, limits).map_err(|error| not_an_answer(&error.to_string()))?;
    located::read(value).map_err(|error| not_an_answer(&error.to_string()))
}

fn not_an_answer(why: &str) -> A2aError {
    A2aError::new(
        ErrorKind::InvalidAgentResponse,
        format!("Not an HTTP+JSON answer of A2A: {why}"),
    )
}

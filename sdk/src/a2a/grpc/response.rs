//! Answers and events on the wire.

use super::generated::v1;
use super::wire::{Wire, Wrong, written};
use crate::a2a::{A2aError, AgentCard, ErrorKind, Operation, Response, StreamResponse};

/// The message of an answer, without the frame around it.
pub fn write_response(response: &Response) -> Vec<u8> {
    match response {
        Response::SendMessage(r) => written::<v1::SendMessageResponse>(r),
        Response::Task(r) => written::<v1::Task>(r),
        Response::ListTasks(r) => written::<v1::ListTasksResponse>(r),
        Response::TaskPushNotificationConfig(r) => written::<v1::TaskPushNotificationConfig>(r),
        Response::ListTaskPushNotificationConfigs(r) => {
            written::<v1::ListTaskPushNotificationConfigsResponse>(r)
        }
        // google.protobuf.Empty has no fields.
        Response::Empty => Vec::new(),
        Response::AgentCard(r) => written::<v1::AgentCard>(&**r),
    }
}

/// Reads the answer to an operation that answers once, without the frame around it.
///
/// # Errors
/// `InvalidAgentResponse` when it is not what the operation answers with, or the operation
/// answers with a stream.
pub fn read_response(operation: Operation, message: &[u8]) -> Result<Response, A2aError> {
    Ok(match operation {
        Operation::SendMessage => {
            Response::SendMessage(read::<_, v1::SendMessageResponse>(message)?)
        }
        Operation::GetTask | Operation::CancelTask => Response::Task(read::<_, v1::Task>(message)?),
        Operation::ListTasks => Response::ListTasks(read::<_, v1::ListTasksResponse>(message)?),
        Operation::CreateTaskPushNotificationConfig | Operation::GetTaskPushNotificationConfig => {
            let config = read::<_, v1::TaskPushNotificationConfig>(message)?;
            Response::TaskPushNotificationConfig(config)
        }
        Operation::ListTaskPushNotificationConfigs => {
            Response::ListTaskPushNotificationConfigs(read::<
                _,
                v1::ListTaskPushNotificationConfigsResponse,
            >(message)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            decode::<()>(message)?;
            Response::Empty
        }
        Operation::GetExtendedAgentCard => {
            let card: AgentCard = read::<_, v1::AgentCard>(message)?;
            Response::AgentCard(Box::new(card))
        }
        Operation::SendStreamingMessage | Operation::SubscribeToTask => {
            let text = format!("{operation} answers with a stream");
            return Err(A2aError::new(ErrorKind::InvalidAgentResponse, text));
        }
    })
}

/// The message of one event of a stream, without the frame around it.
pub fn write_event(event: &StreamResponse) -> Vec<u8> {
    written::<v1::StreamResponse>(event)
}

/// Reads one event of a stream, without the frame around it.
///
/// # Errors
/// `InvalidAgentResponse` with the path of the wrong field.
pub fn read_event(message: &[u8]) -> Result<StreamResponse, A2aError> {
    read::<_, v1::StreamResponse>(message)
}

fn read<T: Wire<P>, P: prost::Message + Default>(message: &[u8]) -> Result<T, A2aError> {
    T::from_wire(decode(message)?).map_err(Wrong::in_answer)
}

fn decode<P: prost::Message + Default>(message: &[u8]) -> Result<P, A2aError> {
    P::decode(message).map_err(|error| {
        let text = format!("not a protobuf message: {error}");
        A2aError::new(ErrorKind::InvalidAgentResponse, text)
    })
}

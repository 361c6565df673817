//! Requests on the wire.

use super::bulk::{self, Kind};
use super::generated::v1;
use super::names;
use super::wire::{Wire, Wrong, written};
use crate::a2a::{A2aError, ErrorKind, Operation, Request};

/// Reads the request at `path` from its message, without the frame around it.
///
/// # Errors
/// `MethodNotFound` when the path is no operation's, `Parse` when the bytes are no protobuf
/// message of this kind, `InvalidRequest` when there is too much in it, `InvalidParams` with the path
/// of the wrong field.
pub fn read_request(path: &str, message: &[u8]) -> Result<Request, A2aError> {
    let operation = names::operation(path)
        .ok_or_else(|| A2aError::new(ErrorKind::MethodNotFound, "Method not found"))?;
    match operation {
        Operation::SendMessage | Operation::SendStreamingMessage => {
            bulk::check(Kind::Send, message)?;
        }
        Operation::CancelTask => bulk::check(Kind::Cancel, message)?,
        _ => {}
    }
    let request = match operation {
        Operation::SendMessage => Request::SendMessage(read::<_, v1::SendMessageRequest>(message)?),
        Operation::SendStreamingMessage => {
            Request::SendStreamingMessage(read::<_, v1::SendMessageRequest>(message)?)
        }
        Operation::GetTask => Request::GetTask(read::<_, v1::GetTaskRequest>(message)?),
        Operation::ListTasks => Request::ListTasks(read::<_, v1::ListTasksRequest>(message)?),
        Operation::CancelTask => Request::CancelTask(read::<_, v1::CancelTaskRequest>(message)?),
        Operation::SubscribeToTask => {
            Request::SubscribeToTask(read::<_, v1::SubscribeToTaskRequest>(message)?)
        }
        Operation::CreateTaskPushNotificationConfig => Request::CreateTaskPushNotificationConfig(
            read::<_, v1::TaskPushNotificationConfig>(message)?,
        ),
        Operation::GetTaskPushNotificationConfig => {
            Request::GetTaskPushNotificationConfig(read::<
                _,
                v1::GetTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            Request::ListTaskPushNotificationConfigs(read::<
                _,
                v1::ListTaskPushNotificationConfigsRequest,
            >(message)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            Request::DeleteTaskPushNotificationConfig(read::<
                _,
                v1::DeleteTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::GetExtendedAgentCard => {
            Request::GetExtendedAgentCard(read::<_, v1::GetExtendedAgentCardRequest>(message)?)
        }
    };
    request.check()?;
    Ok(request)
}

/// The path and the message of a request, without the frame around it.
pub fn write_request(request: &Request) -> (&'static str, Vec<u8>) {
    let message = match request {
        Request::SendMessage(r) | Request::SendStreamingMessage(r) => {
            written::<v1::SendMessageRequest>(r)
        }
        Request::GetTask(r) => written::<v1::GetTaskRequest>(r),
        Request::ListTasks(r) => written::<v1::ListTasksRequest>(r),
        Request::CancelTask(r) => written::<v1::CancelTaskRequest>(r),
        Request::SubscribeToTask(r) => written::<v1::SubscribeToTaskRequest>(r),
        Request::CreateTaskPushNotificationConfig(r) => {
            written::<v1::TaskPushNotificationConfig>(r)
        }
        Request::GetTaskPushNotificationConfig(r) => {
            written::<v1::GetTaskPushNotificationConfigRequest>(r)
        }
        Request::ListTaskPushNotificationConfigs(r) => {
            written::<v1::ListTaskPushNotificationConfigsRequest>(r)
        }
        Request::DeleteTaskPushNotificationConfig(r) => {
            written::<v1::DeleteTaskPushNotificationConfigRequest>(r)
        }
        Request::GetExtendedAgentCard(r) => written::<v1::GetExtendedAgentCardRequest>(r),
    };
    (names::path(request.operation()), message)
}

fn read<T: Wire<P>, P: prost::Message + Default>(message: &[u8]) -> Result<T, A2aError> {
    let message = P::decode(message).map_err(|error| {
        let text = format!("Invalid protobuf message: {error}");
        A2aError::new(ErrorKind::Parse, text)
    })?;
    T::from_wire(message).map_err(Wrong::in_request)
}

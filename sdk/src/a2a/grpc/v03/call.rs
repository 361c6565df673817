//! Requests, answers and events on the wire.

use prost::Message as _;

use super::card::{read_card, write_card};
use crate::a2a::grpc::SERVICE_V03;
use crate::a2a::grpc::bulk::{self, Kind};
use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::wire::{Wire, Wrong, written};
use crate::a2a::{
    A2aError, ErrorKind, GetExtendedAgentCardRequest, Operation, Request, Response, StreamResponse,
    TaskPushNotificationConfig,
};

/// The paths of 0.3, and the operation that each is.
const PATHS: [(&str, Operation); 10] = [
    ("/a2a.v1.A2AService/SendMessage", Operation::SendMessage),
    (
        "/a2a.v1.A2AService/SendStreamingMessage",
        Operation::SendStreamingMessage,
    ),
    ("/a2a.v1.A2AService/GetTask", Operation::GetTask),
    ("/a2a.v1.A2AService/CancelTask", Operation::CancelTask),
    (
        "/a2a.v1.A2AService/TaskSubscription",
        Operation::SubscribeToTask,
    ),
    (
        "/a2a.v1.A2AService/CreateTaskPushNotificationConfig",
        Operation::CreateTaskPushNotificationConfig,
    ),
    (
        "/a2a.v1.A2AService/GetTaskPushNotificationConfig",
        Operation::GetTaskPushNotificationConfig,
    ),
    (
        "/a2a.v1.A2AService/ListTaskPushNotificationConfig",
        Operation::ListTaskPushNotificationConfigs,
    ),
    (
        "/a2a.v1.A2AService/DeleteTaskPushNotificationConfig",
        Operation::DeleteTaskPushNotificationConfig,
    ),
    (
        "/a2a.v1.A2AService/GetAgentCard",
        Operation::GetExtendedAgentCard,
    ),
];

/// Reads the request at `path` from its message, without the frame around it.
///
/// # Errors
/// As [`grpc::read_request`](crate::a2a::grpc::read_request).
pub fn read_request(path: &str, message: &[u8]) -> Result<Request, A2aError> {
    let found = PATHS.iter().find(|(known, _)| *known == path);
    let missing = || {
        let text = format!("{SERVICE_V03} has no such method");
        A2aError::new(ErrorKind::MethodNotFound, text)
    };
    let (_, operation) = found.ok_or_else(missing)?;
    if matches!(
        operation,
        Operation::SendMessage | Operation::SendStreamingMessage
    ) {
        bulk::check(Kind::SendV03, message)?;
    }
    let request = match operation {
        Operation::SendMessage => {
            Request::SendMessage(asked::<_, v03::SendMessageRequest>(message)?)
        }
        Operation::SendStreamingMessage => {
            Request::SendStreamingMessage(asked::<_, v03::SendMessageRequest>(message)?)
        }
        Operation::GetTask => Request::GetTask(asked::<_, v03::GetTaskRequest>(message)?),
        Operation::CancelTask => Request::CancelTask(asked::<_, v03::CancelTaskRequest>(message)?),
        Operation::SubscribeToTask => {
            Request::SubscribeToTask(asked::<_, v03::TaskSubscriptionRequest>(message)?)
        }
        Operation::CreateTaskPushNotificationConfig => {
            Request::CreateTaskPushNotificationConfig(asked::<
                _,
                v03::CreateTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::GetTaskPushNotificationConfig => {
            Request::GetTaskPushNotificationConfig(asked::<
                _,
                v03::GetTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            Request::ListTaskPushNotificationConfigs(asked::<
                _,
                v03::ListTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            Request::DeleteTaskPushNotificationConfig(asked::<
                _,
                v03::DeleteTaskPushNotificationConfigRequest,
            >(message)?)
        }
        Operation::GetExtendedAgentCard => {
            decoded::<v03::GetAgentCardRequest>(message).map_err(|e| not_read(&e))?;
            Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default())
        }
        Operation::ListTasks => return Err(missing()),
    };
    request.check()?;
    Ok(request)
}

/// The path and the message of a request, without the frame around it.
///
/// # Errors
/// `UnsupportedOperation` for what 0.3 cannot say: `ListTasks`, a tenant.
pub fn write_request(request: &Request) -> Result<(&'static str, Vec<u8>), A2aError> {
    if request.tenant().is_some() {
        return Err(unsupported("a tenant"));
    }
    let operation = request.operation();
    let found = PATHS.iter().find(|(_, known)| *known == operation);
    let (path, _) = found.ok_or_else(|| unsupported("ListTasks"))?;
    let message = match request {
        Request::SendMessage(r) | Request::SendStreamingMessage(r) => {
            written::<v03::SendMessageRequest>(r)
        }
        Request::GetTask(r) => written::<v03::GetTaskRequest>(r),
        Request::CancelTask(r) => written::<v03::CancelTaskRequest>(r),
        Request::SubscribeToTask(r) => written::<v03::TaskSubscriptionRequest>(r),
        Request::CreateTaskPushNotificationConfig(r) => {
            written::<v03::CreateTaskPushNotificationConfigRequest>(r)
        }
        Request::GetTaskPushNotificationConfig(r) => {
            written::<v03::GetTaskPushNotificationConfigRequest>(r)
        }
        Request::ListTaskPushNotificationConfigs(r) => {
            written::<v03::ListTaskPushNotificationConfigRequest>(r)
        }
        Request::DeleteTaskPushNotificationConfig(r) => {
            written::<v03::DeleteTaskPushNotificationConfigRequest>(r)
        }
        Request::GetExtendedAgentCard(_) => Vec::new(),
        Request::ListTasks(_) => return Err(unsupported("ListTasks")),
    };
    Ok((path, message))
}

/// The message of an answer, without the frame around it.
///
/// # Errors
/// `UnsupportedOperation` for what 0.3 cannot say, as a card whose security it does not know.
pub fn write_response(response: &Response) -> Result<Vec<u8>, A2aError> {
    Ok(match response {
        Response::SendMessage(r) => written::<v03::SendMessageResponse>(r),
        Response::Task(r) => written::<v03::Task>(r),
        Response::TaskPushNotificationConfig(r) => written::<v03::TaskPushNotificationConfig>(r),
        Response::ListTaskPushNotificationConfigs(r) => {
            written::<v03::ListTaskPushNotificationConfigResponse>(r)
        }
        Response::Empty => Vec::new(),
        Response::AgentCard(card) => write_card(card)?.encode_to_vec(),
        Response::ListTasks(_) => return Err(unsupported("ListTasks")),
    })
}

/// Reads the answer to an operation that answers once, without the frame around it.
///
/// # Errors
/// As [`grpc::read_response`](crate::a2a::grpc::read_response).
pub fn read_response(operation: Operation, message: &[u8]) -> Result<Response, A2aError> {
    Ok(match operation {
        Operation::SendMessage => {
            Response::SendMessage(answered::<_, v03::SendMessageResponse>(message)?)
        }
        Operation::GetTask | Operation::CancelTask => {
            Response::Task(answered::<_, v03::Task>(message)?)
        }
        Operation::CreateTaskPushNotificationConfig | Operation::GetTaskPushNotificationConfig => {
            let config = answered::<TaskPushNotificationConfig, v03::TaskPushNotificationConfig>;
            Response::TaskPushNotificationConfig(config(message)?)
        }
        Operation::ListTaskPushNotificationConfigs => {
            Response::ListTaskPushNotificationConfigs(answered::<
                _,
                v03::ListTaskPushNotificationConfigResponse,
            >(message)?)
        }
        Operation::DeleteTaskPushNotificationConfig => {
            decoded::<()>(message).map_err(|e| no_answer(&e))?;
            Response::Empty
        }
        Operation::GetExtendedAgentCard => {
            let card = decoded::<v03::AgentCard>(message).map_err(|e| no_answer(&e))?;
            Response::AgentCard(Box::new(read_card(card).map_err(Wrong::in_answer)?))
        }
        Operation::ListTasks | Operation::SendStreamingMessage | Operation::SubscribeToTask => {
            let text = format!("{operation} has no such answer in A2A 0.3");
            return Err(A2aError::new(ErrorKind::InvalidAgentResponse, text));
        }
    })
}

/// The message of one event of a stream, without the frame around it.
pub fn write_event(event: &StreamResponse) -> Vec<u8> {
    written::<v03::StreamResponse>(event)
}

/// Reads one event of a stream, without the frame around it.
///
/// # Errors
/// `InvalidAgentResponse` with the path of the wrong field.
pub fn read_event(message: &[u8]) -> Result<StreamResponse, A2aError> {
    answered::<_, v03::StreamResponse>(message)
}

/// 1.0 has it and 0.3 has no words for it.
pub(super) fn unsupported(what: &str) -> A2aError {
    let message = format!("A2A 0.3 has no words for {what}");
    A2aError::new(ErrorKind::UnsupportedOperation, message)
}

fn decoded<P: prost::Message + Default>(message: &[u8]) -> Result<P, prost::DecodeError> {
    P::decode(message)
}

fn asked<T: Wire<P>, P: prost::Message + Default>(message: &[u8]) -> Result<T, A2aError> {
    let message = decoded(message).map_err(|error| not_read(&error))?;
    T::from_wire(message).map_err(Wrong::in_request)
}

fn answered<T: Wire<P>, P: prost::Message + Default>(message: &[u8]) -> Result<T, A2aError> {
    let message = decoded(message).map_err(|error| no_answer(&error))?;
    T::from_wire(message).map_err(Wrong::in_answer)
}

fn not_read(error: &prost::DecodeError) -> A2aError {
    let text = format!("Invalid protobuf message: {error}");
    A2aError::new(ErrorKind::Parse, text)
}

fn no_answer(error: &prost::DecodeError) -> A2aError {
    let text = format!("not a protobuf message: {error}");
    A2aError::new(ErrorKind::InvalidAgentResponse, text)
}

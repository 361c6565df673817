//! The methods of JSON-RPC and their parameters (0.3 §3.5.6, §7).

use super::error::{into_params_error, unsupported};
use super::form::{Form, Object, Read};
use super::push::{read_task_config, write_task_config};
use super::send::{read_history_length, read_send, write_send};
use crate::a2a::{
    A2aError, CancelTaskRequest, ErrorKind, GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest, GetTaskRequest, ListTaskPushNotificationConfigsRequest,
    Operation, Request, Struct, SubscribeToTaskRequest,
};

/// Every method of 0.3, and the operation that it is.
const METHODS: [(&str, Operation); 10] = [
    ("message/send", Operation::SendMessage),
    ("message/stream", Operation::SendStreamingMessage),
    ("tasks/get", Operation::GetTask),
    ("tasks/cancel", Operation::CancelTask),
    ("tasks/resubscribe", Operation::SubscribeToTask),
    (
        "tasks/pushNotificationConfig/set",
        Operation::CreateTaskPushNotificationConfig,
    ),
    (
        "tasks/pushNotificationConfig/get",
        Operation::GetTaskPushNotificationConfig,
    ),
    (
        "tasks/pushNotificationConfig/list",
        Operation::ListTaskPushNotificationConfigs,
    ),
    (
        "tasks/pushNotificationConfig/delete",
        Operation::DeleteTaskPushNotificationConfig,
    ),
    (
        "agent/getAuthenticatedExtendedCard",
        Operation::GetExtendedAgentCard,
    ),
];

/// The operation that a JSON-RPC method of 0.3 asks for; none when 0.3 has no such method.
///
/// ```
/// use countersign::a2a::{Operation, v03};
/// assert_eq!(v03::operation("message/send"), Some(Operation::SendMessage));
/// assert_eq!(v03::operation("SendMessage"), None);
/// ```
pub fn operation(method: &str) -> Option<Operation> {
    let found = METHODS.iter().find(|(name, _)| *name == method);
    found.map(|(_, operation)| *operation)
}

/// The JSON-RPC method of an operation; none for `ListTasks`, which 0.3 does not have.
pub fn method(operation: Operation) -> Option<&'static str> {
    let found = METHODS.iter().find(|(_, known)| *known == operation);
    found.map(|(name, _)| *name)
}

pub(super) fn read(operation: Operation, params: Struct) -> Result<Request, A2aError> {
    let from = Object::new(Form::JsonRpc, params);
    read_params(operation, from)
        .map_err(into_params_error)?
        .ok_or_else(|| A2aError::new(ErrorKind::MethodNotFound, "Method not found"))
}

fn read_params(operation: Operation, mut from: Object) -> Read<Option<Request>> {
    let from = &mut from;
    Ok(Some(match operation {
        Operation::SendMessage => Request::SendMessage(read_send(from)?),
        Operation::SendStreamingMessage => Request::SendStreamingMessage(read_send(from)?),
        Operation::GetTask => Request::GetTask(GetTaskRequest {
            tenant: None,
            id: from.required("id")?,
            history_length: read_history_length(from)?,
        }),
        Operation::CancelTask => Request::CancelTask(CancelTaskRequest {
            tenant: None,
            id: from.required("id")?,
            metadata: from.map("metadata")?,
        }),
        Operation::SubscribeToTask => Request::SubscribeToTask(SubscribeToTaskRequest {
            tenant: None,
            id: from.required("id")?,
        }),
        Operation::CreateTaskPushNotificationConfig => {
            let mut config = read_task_config(from)?;
            // Named here, because 1.0 would name another member.
            config.task_id = Some(match config.task_id {
                Some(id) => id,
                None => from.required("taskId")?,
            });
            Request::CreateTaskPushNotificationConfig(config)
        }
        Operation::GetTaskPushNotificationConfig => read_get_config(from)?,
        Operation::ListTaskPushNotificationConfigs => list_configs(from.required("id")?, 0),
        Operation::DeleteTaskPushNotificationConfig => {
            Request::DeleteTaskPushNotificationConfig(GetTaskPushNotificationConfigRequest {
                tenant: None,
                task_id: from.required("id")?,
                id: from.required("pushNotificationConfigId")?,
            })
        }
        Operation::GetExtendedAgentCard => {
            Request::GetExtendedAgentCard(GetExtendedAgentCardRequest::default())
        }
        Operation::ListTasks => return Ok(None),
    }))
}

/// 0.3 §7.6.1: without the ID of a configuration, any one of the task's is asked for. 1.0 has no
/// such question; it becomes a list of which the first is answered.
fn read_get_config(from: &mut Object) -> Read<Request> {
    let task_id = from.required("id")?;
    Ok(match from.text("pushNotificationConfigId")? {
        None => list_configs(task_id, 1),
        Some(id) => Request::GetTaskPushNotificationConfig(GetTaskPushNotificationConfigRequest {
            tenant: None,
            task_id,
            id,
        }),
    })
}

fn list_configs(task_id: String, page_size: i32) -> Request {
    Request::ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsRequest {
        task_id,
        page_size,
        ..ListTaskPushNotificationConfigsRequest::default()
    })
}

/// The method and its parameters; `None` where 0.3 has none.
pub(super) fn write(request: &Request) -> Result<(&'static str, Option<Struct>), A2aError> {
    expressible(Form::JsonRpc, request)?;
    let name = method(request.operation()).ok_or_else(|| unsupported("ListTasks"))?;
    let by_id = |id: &str| Struct::from_iter([("id".to_owned(), id.into())]);
    let params = match request {
        Request::SendMessage(send) | Request::SendStreamingMessage(send) => {
            write_send(Form::JsonRpc, send)
        }
        Request::GetTask(get) => {
            let mut params = by_id(&get.id);
            super::form::put(&mut params, "historyLength", get.history_length);
            params
        }
        Request::CancelTask(cancel) => {
            let mut params = by_id(&cancel.id);
            super::form::put(&mut params, "metadata", cancel.metadata.clone());
            params
        }
        Request::SubscribeToTask(follow) => by_id(&follow.id),
        Request::CreateTaskPushNotificationConfig(config) => {
            match write_task_config(Form::JsonRpc, config) {
                serde_json::Value::Object(params) => params,
                _ => Struct::new(),
            }
        }
        Request::GetTaskPushNotificationConfig(one)
        | Request::DeleteTaskPushNotificationConfig(one) => {
            let mut params = by_id(&one.task_id);
            params.insert("pushNotificationConfigId".into(), one.id.as_str().into());
            params
        }
        Request::ListTaskPushNotificationConfigs(list) => by_id(&list.task_id),
        Request::GetExtendedAgentCard(_) | Request::ListTasks(_) => return Ok((name, None)),
    };
    Ok((name, Some(params)))
}

/// Refuses what 0.3 has no words for, instead of leaving it out.
///
/// # Errors
/// `UnsupportedOperation` for `ListTasks`, a tenant, and a further page of push configurations,
/// which only the proto has.
pub(super) fn expressible(form: Form, request: &Request) -> Result<(), A2aError> {
    if request.tenant().is_some() {
        return Err(unsupported("a tenant"));
    }
    match request {
        Request::ListTasks(_) => Err(unsupported("ListTasks")),
        Request::ListTaskPushNotificationConfigs(list)
            if form == Form::JsonRpc && list.page_token.is_some() =>
        {
            Err(unsupported("a further page of push configurations"))
        }
        _ => Ok(()),
    }
}

//! Errors of 0.3 (0.3 §8): the same numbers as in 1.0, up to -32007.

use serde_json::{Value, json};

use crate::a2a::jsonrpc::Id;
use crate::a2a::{A2aError, ErrorKind, FieldViolation, Operation, Request};

/// The names that REST answers give errors, as the SDKs of 0.3 write them.
const NAMES: [(ErrorKind, &str); 12] = [
    (ErrorKind::TaskNotFound, "TaskNotFoundError"),
    (ErrorKind::TaskNotCancelable, "TaskNotCancelableError"),
    (
        ErrorKind::PushNotificationNotSupported,
        "PushNotificationNotSupportedError",
    ),
    (ErrorKind::UnsupportedOperation, "UnsupportedOperationError"),
    (
        ErrorKind::ContentTypeNotSupported,
        "ContentTypeNotSupportedError",
    ),
    (ErrorKind::InvalidAgentResponse, "InvalidAgentResponseError"),
    (
        ErrorKind::ExtendedAgentCardNotConfigured,
        "AuthenticatedExtendedCardNotConfiguredError",
    ),
    (ErrorKind::Parse, "JSONParseError"),
    (ErrorKind::InvalidRequest, "InvalidRequestError"),
    (ErrorKind::MethodNotFound, "MethodNotFoundError"),
    (ErrorKind::InvalidParams, "InvalidParamsError"),
    (ErrorKind::Internal, "InternalError"),
];

/// 1.0 has it and 0.3 has no words for it.
pub(super) fn unsupported(what: &str) -> A2aError {
    let message = format!("A2A 0.3 has no words for {what}");
    A2aError::new(ErrorKind::UnsupportedOperation, message)
}

/// What a client sent is wrong.
pub(super) fn into_params_error(fault: FieldViolation) -> A2aError {
    A2aError::invalid_param(named("params", fault.field), fault.description)
}

/// What an agent answered is wrong.
pub(super) fn into_answer_error(fault: FieldViolation) -> A2aError {
    let field = named("the answer", fault.field);
    let message = format!("Not an answer of A2A 0.3: {field} {}", fault.description);
    A2aError::new(ErrorKind::InvalidAgentResponse, message)
}

fn named(whole: &str, field: String) -> String {
    if field.is_empty() {
        whole.to_owned()
    } else {
        field
    }
}

/// The same error in 0.3's words: a number that it has, and the wrong members in the message, for
/// its errors have no agreed place for them.
pub(super) fn to_v03(error: &A2aError) -> A2aError {
    let kind = match error.kind() {
        ErrorKind::ExtensionSupportRequired | ErrorKind::VersionNotSupported => {
            ErrorKind::UnsupportedOperation
        }
        kind => kind,
    };
    let mut message = error.message().to_owned();
    for FieldViolation { field, description } in error.violations() {
        message.push_str(&format!("; {field}: {description}"));
    }
    let metadata = error.metadata().iter();
    metadata.fold(A2aError::new(kind, message), |error, (name, value)| {
        error.with_metadata(name, value)
    })
}

/// The rules of 1.0 hold for a request of 0.3 too; what breaks one is named as 0.3 names it.
pub(super) fn checked(request: Request) -> Result<Request, A2aError> {
    let operation = request.operation();
    request.check().map_err(|error| {
        let named = error.violations().iter().map(|violation| FieldViolation {
            field: field_v03(operation, &violation.field),
            description: violation.description.replace("ROLE_USER", "\"user\""),
        });
        A2aError::invalid_params(named.collect())
    })?;
    Ok(request)
}

fn field_v03(operation: Operation, field: &str) -> String {
    const INLINE: &str = "configuration.taskPushNotificationConfig.";
    let field = match (operation, field) {
        (_, "authentication.scheme") => "authentication.schemes",
        (
            Operation::GetTaskPushNotificationConfig
            | Operation::DeleteTaskPushNotificationConfig
            | Operation::ListTaskPushNotificationConfigs,
            "taskId",
        ) => "id",
        (
            Operation::GetTaskPushNotificationConfig | Operation::DeleteTaskPushNotificationConfig,
            "id",
        ) => "pushNotificationConfigId",
        (_, field) => field,
    };
    match (operation, field.strip_prefix(INLINE)) {
        (_, Some("authentication.scheme")) => {
            "configuration.pushNotificationConfig.authentication.schemes".into()
        }
        (_, Some(inner)) => format!("configuration.pushNotificationConfig.{inner}"),
        (Operation::CreateTaskPushNotificationConfig, None) if field != "taskId" => {
            format!("pushNotificationConfig.{field}")
        }
        (_, None) => field.to_owned(),
    }
}

/// The body of a REST answer with an error: the error object of JSON-RPC (0.3 §7.1), with the name
/// that SDKs of 0.3 go by.
pub(super) fn write_rest(error: &A2aError) -> Value {
    let error = to_v03(error);
    let mut out = error.to_json_rpc(&Id::Null)["error"].take();
    let name = NAMES.iter().find(|(kind, _)| *kind == error.kind());
    if let Some((_, name)) = name {
        out["type"] = json!(name);
    }
    out
}

/// Reads the body of a REST answer with an error status. 0.3 leaves its form open: beside what
/// [`A2aError::from_http_json`] knows, a name under `type` or `error` is read.
pub(super) fn read_rest(status: u16, body: Option<&Value>) -> A2aError {
    let text = |name: &str| body.and_then(|body| body.get(name)?.as_str());
    let named = text("type").or_else(|| text("error")).unwrap_or_default();
    // Java writes the name with its package.
    let named = named.rsplit('.').next().unwrap_or_default();
    match NAMES.iter().find(|(_, name)| *name == named) {
        Some((kind, name)) => {
            let message: String = text("message").unwrap_or(name).chars().take(1024).collect();
            A2aError::new(*kind, message)
        }
        None => A2aError::from_http_json(status, body),
    }
}

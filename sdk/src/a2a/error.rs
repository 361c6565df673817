//! The protocol's errors and how each binding writes them (A2A §3.3.2, §5.4, §9.5, §11.6).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::jsonrpc::Id;

/// Which error it is. The list is the protocol's, plus the two that HTTP has and JSON-RPC lacks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrorKind {
    /// No such task, or not the caller's: both look the same.
    TaskNotFound,
    /// The task has ended.
    TaskNotCancelable,
    /// The agent does not push.
    PushNotificationNotSupported,
    /// The agent does not do this.
    UnsupportedOperation,
    /// A media type the agent does not take or give.
    ContentTypeNotSupported,
    /// The agent's answer is not what the protocol says.
    InvalidAgentResponse,
    /// There is no extended card.
    ExtendedAgentCardNotConfigured,
    /// A required extension was not declared by the client.
    ExtensionSupportRequired,
    /// Another protocol version is needed.
    VersionNotSupported,
    /// Not JSON.
    Parse,
    /// JSON, but no request.
    InvalidRequest,
    /// No such method.
    MethodNotFound,
    /// The parameters are wrong.
    InvalidParams,
    /// The agent failed.
    Internal,
    /// Nobody was authenticated: HTTP 401.
    Unauthenticated,
    /// The caller may not do this: HTTP 403.
    PermissionDenied,
    /// A code of another implementation.
    Foreign {
        /// The JSON-RPC code it sent.
        code: i64,
    },
}

/// JSON-RPC code, ErrorInfo reason, gRPC status, HTTP status, reason word.
type Row = (i64, &'static str, &'static str, u16, &'static str);

impl ErrorKind {
    const ALL: [Self; 16] = [
        Self::TaskNotFound,
        Self::TaskNotCancelable,
        Self::PushNotificationNotSupported,
        Self::UnsupportedOperation,
        Self::ContentTypeNotSupported,
        Self::InvalidAgentResponse,
        Self::ExtendedAgentCardNotConfigured,
        Self::ExtensionSupportRequired,
        Self::VersionNotSupported,
        Self::Parse,
        Self::InvalidRequest,
        Self::MethodNotFound,
        Self::InvalidParams,
        Self::Internal,
        Self::Unauthenticated,
        Self::PermissionDenied,
    ];

    // A2A §5.4. Unauthenticated and PermissionDenied have no code there; these are the ones other
    // implementations use.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        match self {
            Self::TaskNotFound => (-32001, "TASK_NOT_FOUND", "NOT_FOUND", 404, "a2a.task_not_found"),
            Self::TaskNotCancelable => (-32002, "TASK_NOT_CANCELABLE", "FAILED_PRECONDITION", 400, "a2a.task_not_cancelable"),
            Self::PushNotificationNotSupported => (-32003, "PUSH_NOTIFICATION_NOT_SUPPORTED", "FAILED_PRECONDITION", 400, "a2a.push_not_supported"),
            Self::UnsupportedOperation => (-32004, "UNSUPPORTED_OPERATION", "FAILED_PRECONDITION", 400, "a2a.unsupported_operation"),
            Self::ContentTypeNotSupported => (-32005, "CONTENT_TYPE_NOT_SUPPORTED", "INVALID_ARGUMENT", 400, "a2a.content_type_not_supported"),
            Self::InvalidAgentResponse => (-32006, "INVALID_AGENT_RESPONSE", "INTERNAL", 500, "a2a.invalid_agent_response"),
            Self::ExtendedAgentCardNotConfigured => (-32007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", "FAILED_PRECONDITION", 400, "a2a.extended_card_not_configured"),
            Self::ExtensionSupportRequired => (-32008, "EXTENSION_SUPPORT_REQUIRED", "FAILED_PRECONDITION", 400, "a2a.extension_required"),
            Self::VersionNotSupported => (-32009, "VERSION_NOT_SUPPORTED", "FAILED_PRECONDITION", 400, "a2a.version_not_supported"),
            Self::Parse => (-32700, "PARSE_ERROR", "INVALID_ARGUMENT", 400, "a2a.parse"),
            Self::InvalidRequest => (-32600, "INVALID_REQUEST", "INVALID_ARGUMENT", 400, "a2a.invalid_request"),
            Self::MethodNotFound => (-32601, "METHOD_NOT_FOUND", "UNIMPLEMENTED", 404, "a2a.method_not_found"),
            Self::InvalidParams => (-32602, "INVALID_PARAMS", "INVALID_ARGUMENT", 400, "a2a.invalid_params"),
            Self::Internal => (-32603, "INTERNAL_ERROR", "INTERNAL", 500, "a2a.internal"),
            Self::Unauthenticated => (-31401, "UNAUTHENTICATED", "UNAUTHENTICATED", 401, "a2a.unauthenticated"),
            Self::PermissionDenied => (-31403, "PERMISSION_DENIED", "PERMISSION_DENIED", 403, "a2a.permission_denied"),
            Self::Foreign { code } => (code, "UNKNOWN", "UNKNOWN", 500, "a2a.foreign"),
        }
    }

    /// The JSON-RPC code.
    pub const fn code(self) -> i64 {
        self.row().0
    }

    /// The name in `google.rpc.ErrorInfo.reason`.
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// The name of the gRPC status.
    pub const fn grpc_status(self) -> &'static str {
        self.row().2
    }

    /// The HTTP status of the HTTP+JSON binding.
    pub const fn http_status(self) -> u16 {
        self.row().3
    }

    /// The kind with this JSON-RPC code.
    pub fn from_code(code: i64) -> Self {
        let found = Self::ALL.into_iter().find(|kind| kind.code() == code);
        found.unwrap_or(Self::Foreign { code })
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn from_http_status(status: u16) -> Self {
        match status {
            400 => Self::InvalidParams,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::TaskNotFound,
            500 => Self::Internal,
            other => Self::Foreign {
                code: i64::from(other),
            },
        }
    }
}

/// A parameter that is wrong, and why (google.rpc.BadRequest).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldViolation {
    /// Path of the field, as in `message.parts`.
    pub field: String,
    /// What it should be.
    pub description: String,
}

/// An error of the protocol, as it is sent to or was received from a peer.
///
/// The message is meant for the peer: it holds nothing the peer may not know.
///
/// ```
/// use countersign::a2a::{A2aError, ErrorKind};
/// let error = A2aError::new(ErrorKind::TaskNotFound, "no such task");
/// assert_eq!(error.to_json_rpc(&1.into())["error"]["code"], -32001);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct A2aError {
    kind: ErrorKind,
    message: String,
    metadata: BTreeMap<String, String>,
    violations: Vec<FieldViolation>,
}

impl fmt::Display for A2aError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.name())?;
        for violation in &self.violations {
            write!(f, "; {}: {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for A2aError {}

const DOMAIN: &str = "a2a-protocol.org";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
/// Characters of a peer's text that are kept.
const FOREIGN_TEXT: usize = 1024;
/// Details, metadata members and violations of a peer's error that are kept.
const FOREIGN_DETAILS: usize = 32;

impl A2aError {
    /// An error with a message for the peer.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// Wrong parameters, each named.
    pub fn invalid_params(violations: Vec<FieldViolation>) -> Self {
        Self {
            violations,
            ..Self::new(ErrorKind::InvalidParams, "Invalid parameters")
        }
    }

    /// One wrong parameter.
    pub fn invalid_param(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid_params(vec![FieldViolation {
            field: field.into(),
            description: description.into(),
        }])
    }

    /// No such task, or not the caller's.
    pub fn task_not_found() -> Self {
        Self::new(
            ErrorKind::TaskNotFound,
            "The task does not exist or is not accessible",
        )
    }

    /// A failure of the agent that the peer learns nothing of.
    pub fn internal() -> Self {
        Self::new(ErrorKind::Internal, "Internal error")
    }

    /// The same error with a member of ErrorInfo's metadata.
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Which error it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message for the peer.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Members of ErrorInfo's metadata.
    pub const fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The wrong parameters.
    pub fn violations(&self) -> &[FieldViolation] {
        &self.violations
    }

    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        self.kind.row().4
    }

    /// The JSON-RPC response with this error.
    pub fn to_json_rpc(&self, id: &Id) -> Value {
        json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": { "code": self.kind.code(), "message": self.message, "data": self.details() },
        })
    }

    /// The body of an HTTP+JSON answer with this error (google.rpc.Status).
    pub fn to_http_json(&self) -> Value {
        json!({ "error": {
            "code": self.kind.http_status(),
            "status": self.kind.grpc_status(),
            "message": self.message,
            "details": self.details(),
        }})
    }

    fn details(&self) -> Vec<Value> {
        // A2A §11.6: the reason is what tells errors of one status apart, so it is always there.
        let mut info = json!({ "@type": ERROR_INFO, "reason": self.kind.name(), "domain": DOMAIN });
        if !self.metadata.is_empty() {
            info["metadata"] = json!(self.metadata);
        }
        let mut details = vec![info];
        if !self.violations.is_empty() {
            let violations: Vec<_> = self
                .violations
                .iter()
                .map(|v| json!({ "field": v.field, "description": v.description }))
                .collect();
            details.push(json!({ "@type": BAD_REQUEST, "fieldViolations": violations }));
        }
        details
    }

    /// Reads the `error` member of a JSON-RPC response.
    ///
    /// # Errors
    /// `None` when it is no error object: no whole `code`, or no text `message`.
    pub fn from_json_rpc(error: &Value) -> Option<Self> {
        let code = error.get("code")?.as_i64()?;
        let message = error.get("message")?.as_str()?;
        let mut out = Self::new(ErrorKind::from_code(code), cut(message));
        out.read_details(error.get("data"));
        Some(out)
    }

    /// Reads the body of an HTTP+JSON answer with an error status. A body that is not the
    /// protocol's gives the kind that fits the status.
    pub fn from_http_json(status: u16, body: Option<&Value>) -> Self {
        let error = body.and_then(|body| body.get("error"));
        let message = error.and_then(|e| e.get("message")).and_then(Value::as_str);
        let message = message.map_or_else(|| format!("HTTP status {status}"), cut);
        let mut out = Self::new(ErrorKind::from_http_status(status), message);
        let details = error.and_then(|e| e.get("details"));
        if let Some(kind) = details.and_then(kind_of_details) {
            out.kind = kind;
        }
        out.read_details(details);
        out
    }

    fn read_details(&mut self, details: Option<&Value>) {
        let listed = details.and_then(Value::as_array);
        for detail in listed.into_iter().flatten().take(FOREIGN_DETAILS) {
            match detail.get("@type").and_then(Value::as_str) {
                Some(ERROR_INFO) => {
                    let members = detail.get("metadata").and_then(Value::as_object);
                    for (name, value) in members.into_iter().flatten().take(FOREIGN_DETAILS) {
                        if let Some(text) = value.as_str() {
                            self.metadata.insert(cut(name), cut(text));
                        }
                    }
                }
                Some(BAD_REQUEST) => {
                    let listed = detail.get("fieldViolations").and_then(Value::as_array);
                    let text =
                        |v: &Value, name| cut(v.get(name).and_then(Value::as_str).unwrap_or(""));
                    let read = listed.into_iter().flatten().take(FOREIGN_DETAILS);
                    self.violations.extend(read.map(|v| FieldViolation {
                        field: text(v, "field"),
                        description: text(v, "description"),
                    }));
                }
                _ => {}
            }
        }
    }
}

fn kind_of_details(details: &Value) -> Option<ErrorKind> {
    let info = details.as_array()?.iter().find(|detail| {
        let is = |name, want| detail.get(name).and_then(Value::as_str) == Some(want);
        is("@type", ERROR_INFO) && is("domain", DOMAIN)
    })?;
    ErrorKind::from_name(info.get("reason")?.as_str()?)
}

/// A peer's text, bounded.
fn cut(text: &str) -> String {
    text.chars().take(FOREIGN_TEXT).collect()
}

//! The protocol's errors and how each binding writes them (A2A §3.3.2, §5.4, §9.5, §11.6).

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::ErrorKind;
use super::jsonrpc::Id;
use crate::jose::JsonError;

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
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) violations: Vec<FieldViolation>,
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

pub(super) const DOMAIN: &str = "a2a-protocol.org";
pub(super) const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
pub(super) const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

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

    /// A body that was not taken as JSON.
    pub(super) fn unreadable(error: &JsonError) -> Self {
        let kind = match error {
            JsonError::Syntax(_) => ErrorKind::Parse,
            JsonError::TooLong { .. }
            | JsonError::TooDeep { .. }
            | JsonError::TooMany { .. }
            | JsonError::Repeated { .. }
            | JsonError::Shape(_) => ErrorKind::InvalidRequest,
        };
        Self::new(kind, format!("Invalid JSON payload: {error}"))
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
        self.kind.reason()
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_the_protocols() {
        for (kind, code, name, http) in [
            (ErrorKind::TaskNotFound, -32001, "TASK_NOT_FOUND", 404),
            (
                ErrorKind::TaskNotCancelable,
                -32002,
                "TASK_NOT_CANCELABLE",
                400,
            ),
            (
                ErrorKind::PushNotificationNotSupported,
                -32003,
                "PUSH_NOTIFICATION_NOT_SUPPORTED",
                400,
            ),
            (
                ErrorKind::UnsupportedOperation,
                -32004,
                "UNSUPPORTED_OPERATION",
                400,
            ),
            (
                ErrorKind::ContentTypeNotSupported,
                -32005,
                "CONTENT_TYPE_NOT_SUPPORTED",
                400,
            ),
            (
                ErrorKind::InvalidAgentResponse,
                -32006,
                "INVALID_AGENT_RESPONSE",
                500,
            ),
            (
                ErrorKind::ExtendedAgentCardNotConfigured,
                -32007,
                "EXTENDED_AGENT_CARD_NOT_CONFIGURED",
                400,
            ),
            (
                ErrorKind::ExtensionSupportRequired,
                -32008,
                "EXTENSION_SUPPORT_REQUIRED",
                400,
            ),
            (
                ErrorKind::VersionNotSupported,
                -32009,
                "VERSION_NOT_SUPPORTED",
                400,
            ),
        ] {
            assert_eq!(
                (kind.code(), kind.name(), kind.http_status()),
                (code, name, http)
            );
            assert_eq!(ErrorKind::from_code(code), kind);
        }
        assert_eq!(
            ErrorKind::from_code(-32099),
            ErrorKind::Foreign { code: -32099 }
        );
    }

    fn rich() -> A2aError {
        A2aError::invalid_param("message.parts", "at least one part is required")
            .with_metadata("taskId", "t-1")
    }

    #[test]
    fn an_error_reads_back_from_both_bindings() {
        let error = rich();
        let json = error.to_json_rpc(&Id::Null);
        assert_eq!(A2aError::from_json_rpc(&json["error"]), Some(error.clone()));
        let body = error.to_http_json();
        assert_eq!(A2aError::from_http_json(400, Some(&body)), error);
        let kinds = [ErrorKind::TaskNotCancelable, ErrorKind::VersionNotSupported];
        for kind in kinds {
            // Both are 400: the reason in the details tells them apart.
            let body = A2aError::new(kind, "no").to_http_json();
            assert_eq!(A2aError::from_http_json(400, Some(&body)).kind(), kind);
        }
    }

    #[test]
    fn the_json_is_as_the_specification_shows_it() {
        let error = A2aError::new(ErrorKind::TaskNotFound, "gone").with_metadata("taskId", "t-1");
        assert_eq!(
            error.to_json_rpc(&2.into()),
            json!({"jsonrpc": "2.0", "id": 2, "error": {"code": -32001, "message": "gone", "data": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "TASK_NOT_FOUND",
                "domain": "a2a-protocol.org",
                "metadata": {"taskId": "t-1"},
            }]}})
        );
        assert_eq!(error.to_http_json()["error"]["status"], json!("NOT_FOUND"));
    }
}

//! The list of errors and their numbers and names in each binding (A2A §5.4).

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

    /// The fixed word for the audit record.
    pub const fn reason(self) -> &'static str {
        self.row().4
    }

    /// The kind with this JSON-RPC code.
    pub fn from_code(code: i64) -> Self {
        let found = Self::ALL.into_iter().find(|kind| kind.code() == code);
        found.unwrap_or(Self::Foreign { code })
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn from_http_status(status: u16) -> Self {
        match status {
            400 => Self::InvalidParams,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::TaskNotFound,
            405 => Self::MethodNotFound,
            415 => Self::ContentTypeNotSupported,
            500 => Self::Internal,
            other => Self::Foreign {
                code: i64::from(other),
            },
        }
    }

    /// What a status meant in the mappings before 1.0.1. Gateways answer with these too, so the
    /// body has to be an agent's.
    pub(super) fn from_earlier_status(status: u16) -> Option<Self> {
        match status {
            409 => Some(Self::TaskNotCancelable),
            501 => Some(Self::UnsupportedOperation),
            502 => Some(Self::InvalidAgentResponse),
            _ => None,
        }
    }
}

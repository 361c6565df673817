//! Errors, with the numbers of 0.3.

use countersign::a2a::{A2aError, ErrorKind, jsonrpc, v03};
use serde_json::{Value, json};

use crate::reading::LIMITS;

#[test]
fn errors_have_the_numbers_of_0_3_and_read_back() {
    for (kind, code, status, name) in [
        (ErrorKind::TaskNotFound, -32001, 404, "TaskNotFoundError"),
        (
            ErrorKind::TaskNotCancelable,
            -32002,
            400,
            "TaskNotCancelableError",
        ),
        (
            ErrorKind::PushNotificationNotSupported,
            -32003,
            400,
            "PushNotificationNotSupportedError",
        ),
        (
            ErrorKind::UnsupportedOperation,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (
            ErrorKind::ContentTypeNotSupported,
            -32005,
            400,
            "ContentTypeNotSupportedError",
        ),
        (
            ErrorKind::InvalidAgentResponse,
            -32006,
            500,
            "InvalidAgentResponseError",
        ),
        (
            ErrorKind::ExtendedAgentCardNotConfigured,
            -32007,
            400,
            "AuthenticatedExtendedCardNotConfiguredError",
        ),
        // 0.3 ends at -32007.
        (
            ErrorKind::ExtensionSupportRequired,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (
            ErrorKind::VersionNotSupported,
            -32004,
            400,
            "UnsupportedOperationError",
        ),
        (ErrorKind::InvalidParams, -32602, 400, "InvalidParamsError"),
        (ErrorKind::Internal, -32603, 500, "InternalError"),
    ] {
        let error = A2aError::new(kind, "no");
        let body = v03::write_json_rpc_error(&1.into(), &error);
        let read = jsonrpc::parse_response(&body, LIMITS).expect("a response");
        let read = read.outcome.expect_err("an error");
        assert_eq!((read.kind().code(), read.message()), (code, "no"));
        let (written, body) = v03::write_rest_error(&error);
        assert_eq!(written, status, "{kind:?}");
        let json: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((&json["type"], &json["code"]), (&json!(name), &json!(code)));
        assert_eq!(
            v03::read_rest_error(status, &body, LIMITS).kind(),
            read.kind()
        );
    }
    // Other servers' forms.
    for (status, body, want) in [
        (
            404,
            json!({"error": {"code": -32001, "message": "x"}}),
            ErrorKind::TaskNotFound,
        ),
        (
            409,
            json!({"type": "TaskNotCancelableError", "message": "x"}),
            ErrorKind::TaskNotCancelable,
        ),
        (
            400,
            json!({"error": "io.a2a.spec.UnsupportedOperationError", "message": "x"}),
            ErrorKind::UnsupportedOperation,
        ),
        (
            500,
            json!({"error": {"code": 500, "message": "x"}}),
            ErrorKind::Internal,
        ),
        (403, json!("no"), ErrorKind::PermissionDenied),
    ] {
        let read = v03::read_rest_error(status, body.to_string().as_bytes(), LIMITS);
        assert_eq!(read.kind(), want, "{body}");
    }
}

//! Names of the gRPC binding.

use crate::a2a::Operation;

/// The service of A2A 1.0.
pub const SERVICE: &str = "lf.a2a.v1.A2AService";
/// The service of A2A 0.3.
pub const SERVICE_V03: &str = "a2a.v1.A2AService";
/// Media type of requests and answers.
pub const CONTENT_TYPE: &str = "application/grpc";
/// Trailer with the number of the [`Code`](super::Code).
pub const GRPC_STATUS: &str = "grpc-status";
/// Trailer with the percent-encoded message.
pub const GRPC_MESSAGE: &str = "grpc-message";
/// Trailer with the details, a base64 `google.rpc.Status`.
pub const GRPC_STATUS_DETAILS: &str = "grpc-status-details-bin";
/// Header with the time the caller waits at most.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The path of an operation.
pub const fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::SendMessage => "/lf.a2a.v1.A2AService/SendMessage",
        Operation::SendStreamingMessage => "/lf.a2a.v1.A2AService/SendStreamingMessage",
        Operation::GetTask => "/lf.a2a.v1.A2AService/GetTask",
        Operation::ListTasks => "/lf.a2a.v1.A2AService/ListTasks",
        Operation::CancelTask => "/lf.a2a.v1.A2AService/CancelTask",
        Operation::SubscribeToTask => "/lf.a2a.v1.A2AService/SubscribeToTask",
        Operation::CreateTaskPushNotificationConfig => {
            "/lf.a2a.v1.A2AService/CreateTaskPushNotificationConfig"
        }
        Operation::GetTaskPushNotificationConfig => {
            "/lf.a2a.v1.A2AService/GetTaskPushNotificationConfig"
        }
        Operation::ListTaskPushNotificationConfigs => {
            "/lf.a2a.v1.A2AService/ListTaskPushNotificationConfigs"
        }
        Operation::DeleteTaskPushNotificationConfig => {
            "/lf.a2a.v1.A2AService/DeleteTaskPushNotificationConfig"
        }
        Operation::GetExtendedAgentCard => "/lf.a2a.v1.A2AService/GetExtendedAgentCard",
    }
}

/// The operation at a path of [`SERVICE`].
pub(super) fn operation(path: &str) -> Option<Operation> {
    let method = path.strip_prefix('/')?.strip_prefix(SERVICE)?;
    method.strip_prefix('/')?.parse().ok()
}

/// Whether a media type is gRPC with protobuf messages: `application/grpc`, also with `+proto`
/// and with parameters. Other suffixes name other encodings and are not spoken.
pub fn is_grpc(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim();
    let is = |known| name.eq_ignore_ascii_case(known);
    is(CONTENT_TYPE) || is("application/grpc+proto")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_path_and_no_other_path_is_one() {
        for known in Operation::ALL {
            assert_eq!(path(known), format!("/{SERVICE}/{known}"));
            assert_eq!(operation(path(known)), Some(known));
        }
        for bad in [
            "",
            "/",
            "/lf.a2a.v1.A2AService",
            "/lf.a2a.v1.A2AService/",
            "/lf.a2a.v1.A2AService/getTask",
            "/lf.a2a.v1.A2AService/GetTask/",
            "/lf.a2a.v1.A2AServiceX/GetTask",
            "/a2a.v1.A2AService/GetTask",
            "lf.a2a.v1.A2AService/GetTask",
        ] {
            assert_eq!(operation(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_protobuf_is_spoken() {
        for good in [
            "application/grpc",
            "application/grpc+proto",
            "Application/gRPC; charset=utf-8",
        ] {
            assert!(is_grpc(good), "{good}");
        }
        for bad in [
            "",
            "application/json",
            "application/grpc+json",
            "application/grpc-web",
            "application/grpcx",
        ] {
            assert!(!is_grpc(bad), "{bad}");
        }
    }
}

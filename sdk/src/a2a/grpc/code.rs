//! How a call ended (gRPC status codes).

use std::fmt;

use crate::a2a::ErrorKind;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// How a call ended.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Code { $($(#[$doc])* $variant = $number,)+ }

        impl Code {
            /// All of them, by number.
            pub const ALL: [Self; 17] = [$(Self::$variant,)+];

            /// Its name in the standard.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

codes! {
    /// It was done.
    Ok = 0, "OK";
    /// The caller gave up.
    Cancelled = 1, "CANCELLED";
    /// Nothing fits, or the number is not known.
    Unknown = 2, "UNKNOWN";
    /// The request is wrong.
    InvalidArgument = 3, "INVALID_ARGUMENT";
    /// It took too long.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED";
    /// There is no such thing, or not for the caller.
    NotFound = 5, "NOT_FOUND";
    /// There is such a thing already.
    AlreadyExists = 6, "ALREADY_EXISTS";
    /// The caller may not do this.
    PermissionDenied = 7, "PERMISSION_DENIED";
    /// Too large or too many.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED";
    /// Not in this state.
    FailedPrecondition = 9, "FAILED_PRECONDITION";
    /// Another call came between.
    Aborted = 10, "ABORTED";
    /// Beyond the end.
    OutOfRange = 11, "OUT_OF_RANGE";
    /// The service does not do this.
    Unimplemented = 12, "UNIMPLEMENTED";
    /// The service failed.
    Internal = 13, "INTERNAL";
    /// Not now; the call may be tried again.
    Unavailable = 14, "UNAVAILABLE";
    /// Data was lost.
    DataLoss = 15, "DATA_LOSS";
    /// Nobody was authenticated.
    Unauthenticated = 16, "UNAUTHENTICATED";
}

impl Code {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with this number; one that is not listed means `Unknown`.
    pub fn from_number(number: i64) -> Self {
        let known = usize::try_from(number)
            .ok()
            .and_then(|at| Self::ALL.get(at));
        known.copied().unwrap_or(Self::Unknown)
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// What an HTTP status means when an answer has no gRPC status.
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// The error that fits best when the status says nothing more (A2A §5.4).
    pub(super) const fn kind(self) -> ErrorKind {
        match self {
            Self::InvalidArgument => ErrorKind::InvalidParams,
            Self::NotFound => ErrorKind::TaskNotFound,
            Self::Unimplemented => ErrorKind::MethodNotFound,
            Self::Internal => ErrorKind::Internal,
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::PermissionDenied => ErrorKind::PermissionDenied,
            Self::Ok
            | Self::Cancelled
            | Self::Unknown
            | Self::DeadlineExceeded
            | Self::AlreadyExists
            | Self::ResourceExhausted
            | Self::FailedPrecondition
            | Self::Aborted
            | Self::OutOfRange
            | Self::Unavailable
            | Self::DataLoss => ErrorKind::Foreign { code: self as i64 },
        }
    }
}

/// A2A §5.4: every error has its status.
impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        Self::from_name(kind.grpc_status()).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_numbers_and_errors_their_codes() {
        for (at, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(code.number()), at);
            assert_eq!(Code::from_number(i64::from(code.number())), code);
        }
        for number in [-1, 17, i64::MAX] {
            assert_eq!(Code::from_number(number), Code::Unknown);
        }
        for (kind, code) in [
            (ErrorKind::TaskNotFound, Code::NotFound),
            (ErrorKind::TaskNotCancelable, Code::FailedPrecondition),
            (
                ErrorKind::PushNotificationNotSupported,
                Code::FailedPrecondition,
            ),
            (ErrorKind::UnsupportedOperation, Code::FailedPrecondition),
            (ErrorKind::ContentTypeNotSupported, Code::InvalidArgument),
            (ErrorKind::InvalidAgentResponse, Code::Internal),
            (
                ErrorKind::ExtendedAgentCardNotConfigured,
                Code::FailedPrecondition,
            ),
            (
                ErrorKind::ExtensionSupportRequired,
                Code::FailedPrecondition,
            ),
            (ErrorKind::VersionNotSupported, Code::FailedPrecondition),
            (ErrorKind::Parse, Code::InvalidArgument),
            (ErrorKind::InvalidRequest, Code::InvalidArgument),
            (ErrorKind::MethodNotFound, Code::Unimplemented),
            (ErrorKind::InvalidParams, Code::InvalidArgument),
            (ErrorKind::Internal, Code::Internal),
            (ErrorKind::Unauthenticated, Code::Unauthenticated),
            (ErrorKind::PermissionDenied, Code::PermissionDenied),
            (ErrorKind::Foreign { code: 5 }, Code::Unknown),
        ] {
            assert_eq!(Code::from(kind), code, "{kind:?}");
        }
    }
}

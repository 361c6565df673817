//! Why a request of the HTTP+JSON binding was not read.

use http::StatusCode;

use crate::a2a::{A2aError, ErrorKind};

/// Why a request was not read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HttpJsonError {
    /// No operation has this path: HTTP 404.
    #[error("no operation has this path")]
    NotFound,
    /// The path has operations, but none with this method: HTTP 405.
    #[error("the path takes {allow} only")]
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: &'static str,
    },
    /// The operation's parameters could not be read.
    #[error(transparent)]
    A2a(#[from] A2aError),
}

impl HttpJsonError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::A2a(error) => StatusCode::from_u16(error.kind().http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The value of the `Allow` header, when the answer must have one (RFC 9110 §15.5.6).
    pub const fn allow(&self) -> Option<&'static str> {
        match self {
            Self::MethodNotAllowed { allow } => Some(allow),
            Self::NotFound | Self::A2a(_) => None,
        }
    }

    /// The body of the answer.
    pub fn to_body(&self) -> Vec<u8> {
        let mut body = A2aError::from(self.clone()).to_http_json();
        body["error"]["code"] = self.status().as_u16().into();
        body.to_string().into_bytes()
    }

    /// The fixed word for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "http.not_found",
            Self::MethodNotAllowed { .. } => "http.method_not_allowed",
            Self::A2a(error) => error.reason(),
        }
    }
}

impl From<HttpJsonError> for A2aError {
    fn from(error: HttpJsonError) -> Self {
        match error {
            HttpJsonError::A2a(error) => error,
            HttpJsonError::NotFound | HttpJsonError::MethodNotAllowed { .. } => {
                Self::new(ErrorKind::MethodNotFound, error.to_string())
            }
        }
    }
}

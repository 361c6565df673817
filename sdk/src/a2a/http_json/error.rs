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
        if let Self::NotFound = self {
            // Unlike a method of JSON-RPC, a path that does not exist is a resource.
            body["error"]["status"] = "NOT_FOUND".into();
        }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_was_not_read_is_told_in_the_form_of_every_error() {
        let wrong = A2aError::invalid_param("id", "is required");
        for (error, status, name, allow) in [
            (HttpJsonError::NotFound, 404, "NOT_FOUND", None),
            (
                HttpJsonError::MethodNotAllowed { allow: "GET, POST" },
                405,
                "UNIMPLEMENTED",
                Some("GET, POST"),
            ),
            (HttpJsonError::A2a(wrong), 400, "INVALID_ARGUMENT", None),
        ] {
            let body: Value = serde_json::from_slice(&error.to_body()).expect("JSON");
            assert_eq!(body["error"]["code"], json!(status));
            assert_eq!(body["error"]["status"], json!(name));
            assert!(body["error"]["details"][0]["reason"].is_string());
            assert_eq!((error.status().as_u16(), error.allow()), (status, allow));
        }
    }
}

//! A request as the Python scripts read and write it: one JSON object.

use countersign::crypto::SigningKey;
use countersign::jose::{Jwk, encode_base64url};
use countersign_interop_tests::{Python, RunError};
use serde_json::{Value, json};

pub(crate) const SIGNATURE_AGENT: &str =
    "https://planner.example/.well-known/http-message-signatures-directory";

/// Method, URL, fields and body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// An unsigned call of an agent: a body, a query and a token.
    pub(crate) fn unsigned() -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer not.a.token"),
            ("a2a-version", "1.0"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            method: "POST",
            url: "https://booking.example/a2a?trip=7".to_owned(),
            headers: headers.map(text).to_vec(),
            body: br#"{"jsonrpc":"2.0","id":1,"method":"SendMessage"}"#.to_vec(),
        }
    }

    /// The same request with the fields that Python adds when it signs it with `key`.
    pub(crate) fn signed_by_python(
        &self,
        python: &Python,
        key: &SigningKey,
    ) -> Result<Self, RunError> {
        let mut input = self.to_json();
        input["key"] = encode_base64url(key.expose_pkcs8()).into();
        input["signature_agent"] = SIGNATURE_AGENT.into();
        let answer = python.run("sign_request.py", &[], &input.to_string())?;
        let headers = serde_json::from_value(answer["headers"].clone());
        Ok(Self {
            headers: headers.map_err(|error| RunError::Io(error.into()))?,
            ..self.clone()
        })
    }

    /// What Python says when it verifies the request with the public half of `key`.
    pub(crate) fn verified_by_python(
        &self,
        python: &Python,
        key: &SigningKey,
    ) -> Result<Value, RunError> {
        let mut input = self.to_json();
        input["jwk"] = json!(Jwk::of(key.verifying_key()));
        python.run("verify_request.py", &[], &input.to_string())
    }

    fn to_json(&self) -> Value {
        json!({
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "body": encode_base64url(&self.body),
        })
    }
}

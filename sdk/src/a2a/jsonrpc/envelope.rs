//! A request and a response taken apart and put together (JSON-RPC 2.0 §4, §5).

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::a2a::{A2aError, ErrorKind, Operation, Struct, located};
use crate::jose::{JsonLimits, parse_json};

/// Longest text that is taken as an ID, in bytes.
const ID_MAX: usize = 256;

/// What ties a response to its request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Id {
    /// `null`: also the ID of an answer to a request whose ID could not be read.
    Null,
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A request taken apart; its parameters are not checked yet.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// To be repeated in the response.
    pub id: Id,
    /// What is asked for.
    pub method: String,
    /// Its parameters, for [`read_request`](super::read_request); empty when there were none.
    pub params: Struct,
}

/// Parameters may hold credentials, so they are not shown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The operation that `method` names.
    ///
    /// # Errors
    /// `MethodNotFound`.
    pub fn operation(&self) -> Result<Operation, A2aError> {
        let parsed = self.method.parse();
        parsed.map_err(|_| A2aError::new(ErrorKind::MethodNotFound, "Method not found"))
    }
}

/// Bytes that are no request, with the ID of the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The request's ID, `Null` when it could not be read.
    pub id: Id,
    /// `Parse` or `InvalidRequest`.
    pub error: A2aError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl std::error::Error for Refused {}

impl From<Refused> for A2aError {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}

/// Reads one request. Batches and notifications are refused: A2A has neither.
///
/// # Errors
/// `Parse` when it is no JSON, `InvalidRequest` when it is no request or breaks `limits`.
pub fn parse_request(body: &[u8], limits: JsonLimits) -> Result<Request, Refused> {
    let value = parse_json(body, limits).map_err(|error| Refused {
        id: Id::Null,
        error: A2aError::unreadable(&error),
    })?;
    let invalid = |id, rule: &str| {
        let message = format!("Request payload validation error: {rule}");
        let error = A2aError::new(ErrorKind::InvalidRequest, message);
        Refused { id, error }
    };
    let mut members = match value {
        Value::Object(members) => members,
        Value::Array(_) => return Err(invalid(Id::Null, "batches are not supported")),
        _ => return Err(invalid(Id::Null, "not an object")),
    };
    let id = match members.remove("id") {
        Some(Value::Null) => Id::Null,
        Some(Value::Number(number)) => Id::Number(number),
        Some(Value::String(text)) if text.len() <= ID_MAX => Id::Text(text),
        Some(_) => {
            return Err(invalid(
                Id::Null,
                "id must be a short text, a number or null",
            ));
        }
        None => return Err(invalid(Id::Null, "id is missing")),
    };
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(id, "jsonrpc must be \"2.0\""));
    }
    let Some(Value::String(method)) = members.remove("method") else {
        return Err(invalid(id, "method must be a text"));
    };
    let params = match members.remove("params") {
        None | Some(Value::Null) => Struct::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err(invalid(id, "params must be an object")),
    };
    Ok(Request { id, method, params })
}

#[derive(Serialize)]
struct RequestWire<'a, T> {
    jsonrpc: &'static str,
    id: &'a Id,
    method: &'static str,
    params: &'a T,
}

#[derive(Serialize)]
struct SuccessWire<'a, T> {
    jsonrpc: &'static str,
    id: &'a Id,
    result: &'a T,
}

/// The body of a request.
pub fn request<T: Serialize>(id: &Id, operation: Operation, params: &T) -> Vec<u8> {
    let envelope = RequestWire {
        jsonrpc: "2.0",
        id,
        method: operation.as_str(),
        params,
    };
    // Every key of the protocol's types is a text, so writing them does not fail.
    written(&envelope).unwrap_or_default()
}

/// The body of a response with a result.
pub fn success<T: Serialize>(id: &Id, result: &T) -> Vec<u8> {
    let envelope = SuccessWire {
        jsonrpc: "2.0",
        id,
        result,
    };
    written(&envelope).unwrap_or_else(|_| failure(id, &A2aError::internal()))
}

/// Begins with room for a message of a page or two, so that it is not copied again and again.
fn written(envelope: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(2 << 10);
    serde_json::to_writer(&mut out, envelope)?;
    Ok(out)
}

/// The body of a response with an error.
pub fn failure(id: &Id, error: &A2aError) -> Vec<u8> {
    error.to_json_rpc(id).to_string().into_bytes()
}

/// A response taken apart.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// The request it answers.
    pub id: Id,
    /// Its result, or the peer's error.
    pub outcome: Result<Value, A2aError>,
}

/// A result may hold credentials, so it is not shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome.as_ref().map(|_| "[redacted]");
        f.debug_struct("Response")
            .field("id", &self.id)
            .field("outcome", &outcome)
            .finish()
    }
}

/// Reads one response.
///
/// # Errors
/// `InvalidAgentResponse` when it is no response: the peer's own error stands in
/// [`Response::outcome`].
pub fn parse_response(body: &[u8], limits: JsonLimits) -> Result<Response, A2aError> {
    let value = parse_json(body, limits).map_err(|error| not_a_response(&error.to_string()))?;
    let Value::Object(mut members) = value else {
        return Err(not_a_response("not an object"));
    };
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(not_a_response("jsonrpc is not \"2.0\""));
    }
    let id = match members.remove("id") {
        Some(Value::Null) | None => Id::Null,
        Some(Value::Number(number)) => Id::Number(number),
        Some(Value::String(text)) => Id::Text(text),
        Some(_) => return Err(not_a_response("id is no text, number or null")),
    };
    let error = members.remove("error").filter(|error| !error.is_null());
    let outcome = match (members.remove("result"), error) {
        (Some(result), None) => Ok(result),
        (None | Some(Value::Null), Some(error)) => match A2aError::from_json_rpc(&error) {
            Some(error) => Err(error),
            None => return Err(not_a_response("error is no error object")),
        },
        (Some(_), Some(_)) => return Err(not_a_response("both result and error")),
        (None, None) => return Err(not_a_response("neither result nor error")),
    };
    Ok(Response { id, outcome })
}

/// Reads the result of the request `id` as a `T`.
///
/// # Errors
/// The peer's error, or `InvalidAgentResponse` when the answer is no `T` or belongs to another
/// request.
pub fn parse_result<T: DeserializeOwned>(
    body: &[u8],
    limits: JsonLimits,
    id: &Id,
) -> Result<T, A2aError> {
    let response = parse_response(body, limits)?;
    // JSON-RPC 2.0 §5: only an error may come without the request's ID.
    let ours = response.id == *id || (response.id == Id::Null && response.outcome.is_err());
    if !ours {
        return Err(not_a_response("it answers another request"));
    }
    located::read(response.outcome?).map_err(|error| not_a_response(&error.to_string()))
}

pub(super) fn not_a_response(why: &str) -> A2aError {
    A2aError::new(
        ErrorKind::InvalidAgentResponse,
        format!("Not a JSON-RPC response of A2A: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::{FromParams as _, GetExtendedAgentCardRequest};

    fn refused(body: &str) -> (Id, ErrorKind) {
        let refused = parse_request(body.as_bytes(), JsonLimits::default()).expect_err(body);
        (refused.id, refused.error.kind())
    }

    #[test]
    fn ids_come_back_as_they_were() {
        for (text, id) in [
            ("null", Id::Null),
            ("7", 7.into()),
            ("\"abc\"", "abc".into()),
        ] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{text},"method":"GetTask"}}"#);
            let request = parse_request(body.as_bytes(), JsonLimits::default()).expect("a request");
            assert_eq!(request.id, id);
            let answer = success(&request.id, &json!({}));
            assert!(
                String::from_utf8_lossy(&answer).contains(&format!("\"id\":{text}")),
                "{text}"
            );
        }
    }

    #[test]
    fn params_may_be_absent() {
        for params in ["", r#","params":null"#, r#","params":{}"#] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":6,"method":"GetExtendedAgentCard"{params}}}"#);
            let request = parse_request(body.as_bytes(), JsonLimits::default()).expect("a request");
            assert_eq!(
                GetExtendedAgentCardRequest::from_params(request.params),
                Ok(GetExtendedAgentCardRequest::default())
            );
        }
    }

    #[test]
    fn what_is_no_request_is_refused_with_the_id_that_could_be_read() {
        let long = "x".repeat(ID_MAX + 1);
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"GetTask"}}"#);
        for (body, want) in [
            ("{", (Id::Null, ErrorKind::Parse)),
            ("[]", (Id::Null, ErrorKind::InvalidRequest)),
            (
                r#"[{"jsonrpc":"2.0","id":1,"method":"GetTask"}]"#,
                (Id::Null, ErrorKind::InvalidRequest),
            ),
            ("3", (Id::Null, ErrorKind::InvalidRequest)),
            (
                r#"{"jsonrpc":"2.0","method":"GetTask"}"#,
                (Id::Null, ErrorKind::InvalidRequest),
            ),
            (
                r#"{"jsonrpc":"2.0","id":[1],"method":"GetTask"}"#,
                (Id::Null, ErrorKind::InvalidRequest),
            ),
            (&long, (Id::Null, ErrorKind::InvalidRequest)),
            (
                r#"{"jsonrpc":"1.0","id":1,"method":"GetTask"}"#,
                (1.into(), ErrorKind::InvalidRequest),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1}"#,
                (1.into(), ErrorKind::InvalidRequest),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[1]}"#,
                (1.into(), ErrorKind::InvalidRequest),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"GetTask"}"#,
                (Id::Null, ErrorKind::InvalidRequest),
            ),
        ] {
            assert_eq!(refused(body), want, "{body}");
        }
    }

    #[test]
    fn an_id_ends_at_its_limit() {
        let id = "x".repeat(ID_MAX);
        let body = request(&id.as_str().into(), Operation::GetTask, &json!({}));
        let request = parse_request(&body, JsonLimits::default()).expect("a request");
        assert_eq!(request.id, Id::Text(id));
    }

    #[test]
    fn unknown_methods_are_not_found() {
        let body = br#"{"jsonrpc":"2.0","id":1,"method":"message/send"}"#;
        let request = parse_request(body, JsonLimits::default()).expect("a request");
        let error = request.operation().expect_err("no such operation");
        assert_eq!(error.kind(), ErrorKind::MethodNotFound);
    }

    #[test]
    fn a_response_is_read_once_it_answers_our_request() {
        let limits = JsonLimits::default();
        let id = Id::from(4);
        let good = success(&id, &json!("done"));
        assert_eq!(
            parse_result::<String>(&good, limits, &id),
            Ok("done".into())
        );
        let theirs = failure(&id, &A2aError::task_not_found());
        let unread = failure(&Id::Null, &A2aError::new(ErrorKind::Parse, "no"));
        let another = success(&5.into(), &json!("done"));
        let null = success(&Id::Null, &json!("done"));
        for (body, want) in [
            (&theirs[..], ErrorKind::TaskNotFound),
            (&unread, ErrorKind::Parse),
            (&another, ErrorKind::InvalidAgentResponse),
            (&null, ErrorKind::InvalidAgentResponse),
            (
                br#"{"jsonrpc":"2.0","id":4}"#,
                ErrorKind::InvalidAgentResponse,
            ),
            (
                br#"{"jsonrpc":"2.0","id":4,"result":"x","error":{"code":1,"message":""}}"#,
                ErrorKind::InvalidAgentResponse,
            ),
            (
                br#"{"jsonrpc":"2.0","id":4,"error":"x"}"#,
                ErrorKind::InvalidAgentResponse,
            ),
            (
                br#"{"id":4,"result":"done"}"#,
                ErrorKind::InvalidAgentResponse,
            ),
            (
                br#"{"jsonrpc":"2.0","id":4,"result":7}"#,
                ErrorKind::InvalidAgentResponse,
            ),
        ] {
            let error = parse_result::<String>(body, limits, &id).expect_err("no result");
            assert_eq!(error.kind(), want, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let id = Id::from(1);
        let config = json!({"taskId": "t", "url": "u", "token": "s3cret"});
        let limits = JsonLimits::default();
        let operation = Operation::CreateTaskPushNotificationConfig;
        let asked = parse_request(&request(&id, operation, &config), limits).expect("a request");
        let told = parse_response(&success(&id, &config), limits).expect("a response");
        let shown = format!("{asked:?} {told:?}");
        assert!(shown.contains(operation.as_str()), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

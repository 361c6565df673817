//! HTTP+JSON of 0.3: the paths of 1.0 below `/v1`, with the proto's JSON (0.3 §3.5.6, §7).
//!
//! Paths are those below the URL of the interface, as in [`http_json`].

use http::Method;
use serde_json::{Value, json};

use super::answer::{read_result, result_of};
use super::error::write_rest;
use super::error::{checked, into_answer_error, into_params_error, read_rest, to_v03, unsupported};
use super::form::{Form, Object, Read, fault};
use super::params::expressible;
use super::push::{read_task_config, write_task_config};
use super::send::{read_send, write_send};
use super::task::{read_event, write_event};
use crate::a2a::http_json::{self, HttpJsonError, HttpJsonRequest};
use crate::a2a::{
    A2aError, ErrorKind, Operation, Request, Response, StreamResponse, TaskPushNotificationConfig,
};
use crate::jose::{JsonLimits, parse_json};

/// What every path begins with.
const ROOT: &str = "/v1";

/// Whether a path below the URL of the interface is one of 0.3.
///
/// ```
/// use countersign::a2a::v03::is_rest_path;
/// assert!(is_rest_path("/v1/message:send"));
/// assert!(!is_rest_path("/message:send"));
/// ```
pub fn is_rest_path(path: &str) -> bool {
    path.strip_prefix(ROOT)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Reads what a client of 0.3 asks for and checks it by the rules of 1.0. Bodies may be the proto's
/// JSON, which SDKs send, or the objects of JSON-RPC, which the specification shows.
///
/// # Errors
/// As [`http_json::read_request`], each wrong member under 0.3's name; `UnsupportedOperation` for a
/// list of tasks.
pub fn read_rest_request(
    method: &Method,
    path: &str,
    query: Option<&str>,
    body: &[u8],
    limits: JsonLimits,
) -> Result<Request, HttpJsonError> {
    let path = path.strip_prefix(ROOT).ok_or(HttpJsonError::NotFound)?;
    let path = match path {
        "/card" => "/extendedAgentCard",
        "/tasks" => return Err(unsupported("ListTasks").into()),
        // That is how 1.0 calls the card.
        "/extendedAgentCard" => return Err(HttpJsonError::NotFound),
        // 0.3 has no tenants: what 1.0 would read as one, no operation here has.
        path if http_json::names_tenant(path) => return Err(HttpJsonError::NotFound),
        path => path,
    };
    let mut request = match (path, method) {
        ("/message:send", &Method::POST) => {
            Request::SendMessage(read_body(body, limits, read_send)?)
        }
        ("/message:stream", &Method::POST) => {
            Request::SendStreamingMessage(read_body(body, limits, read_send)?)
        }
        (path, &Method::POST) if path.ends_with("/pushNotificationConfigs") => {
            return create_config(path, body, limits);
        }
        // Everything else is asked for as in 1.0.
        _ => http_json::read_request(method, path, query, body, limits)?,
    };
    request.set_tenant(None);
    if let Request::GetTask(get) = &mut request {
        // As in the proto's own words: 0 is everything.
        get.history_length = get.history_length.filter(|length| *length != 0);
    }
    Ok(checked(request)?)
}

fn create_config(path: &str, body: &[u8], limits: JsonLimits) -> Result<Request, HttpJsonError> {
    // The task, by the same path's own question.
    let asked = http_json::read_request(&Method::GET, path, None, b"", limits)?;
    let Request::ListTaskPushNotificationConfigs(asked) = asked else {
        return Err(HttpJsonError::NotFound);
    };
    let mut config = read_body(body, limits, read_config_body)?;
    if config
        .task_id
        .as_ref()
        .is_some_and(|id| *id != asked.task_id)
    {
        let why = "is of another task than the path";
        return Err(A2aError::invalid_param("config.name", why).into());
    }
    config.task_id = Some(asked.task_id);
    Ok(checked(Request::CreateTaskPushNotificationConfig(config))?)
}

/// The proto's rule makes the configuration the body, the specification's text puts it into one,
/// and SDKs do either.
fn read_config_body(from: &mut Object) -> Read<TaskPushNotificationConfig> {
    let id = from.text("configId")?;
    let config = if from.has("config") {
        from.need("config", read_task_config)?
    } else {
        read_task_config(from)?
    };
    Ok(TaskPushNotificationConfig {
        id: config.id.or(id),
        ..config
    })
}

fn read_body<T>(
    body: &[u8],
    limits: JsonLimits,
    read: impl FnOnce(&mut Object) -> Read<T>,
) -> Result<T, A2aError> {
    let value = parse_json(body, limits).map_err(|error| A2aError::unreadable(&error))?;
    let Value::Object(members) = value else {
        let message = "Request payload validation error: the body is not an object";
        return Err(A2aError::new(ErrorKind::InvalidRequest, message));
    };
    read(&mut Object::new(Form::Rest, members)).map_err(into_params_error)
}

/// Writes a request. Its body is of the media type `application/json`. A subscription is written as
/// GET, as in 1.0.
///
/// # Errors
/// `UnsupportedOperation` for what 0.3 has no words for, and as [`http_json::write_request`].
pub fn write_rest_request(request: &Request) -> Result<HttpJsonRequest, A2aError> {
    expressible(Form::Rest, request)?;
    let mut written = http_json::write_request(request)?;
    let path = match request.operation() {
        Operation::GetExtendedAgentCard => "/card",
        _ => written.path_and_query.as_str(),
    };
    written.path_and_query = format!("{ROOT}{path}");
    match request {
        Request::SendMessage(send) | Request::SendStreamingMessage(send) => {
            let body = Value::Object(write_send(Form::Rest, send));
            written.body = Some(body.to_string().into_bytes());
        }
        Request::CreateTaskPushNotificationConfig(config) => {
            let body = json!({
                "parent": format!("tasks/{}", config.task_id.as_deref().unwrap_or_default()),
                "configId": config.id.as_deref().unwrap_or_default(),
                "config": write_task_config(Form::Rest, config),
            });
            written.body = Some(body.to_string().into_bytes());
        }
        _ => {}
    }
    Ok(written)
}

/// The body of the answer to the operation `asked`.
///
/// # Errors
/// `UnsupportedOperation` when 0.3 has no words for it: a card without an interface of 0.3.
pub fn write_rest_response(asked: Operation, response: &Response) -> Result<Vec<u8>, A2aError> {
    let result = result_of(Form::Rest, asked, response)?;
    Ok(result.to_string().into_bytes())
}

/// The data of one event of a stream.
pub fn write_rest_event(event: &StreamResponse) -> Vec<u8> {
    write_event(Form::Rest, event).to_string().into_bytes()
}

/// The status and the body of an answer with an error.
pub fn write_rest_error(error: &A2aError) -> (u16, Vec<u8>) {
    let status = to_v03(error).kind().http_status();
    (status, write_rest(error).to_string().into_bytes())
}

/// Reads the answer to the operation `asked`; an empty body is an answer to a deletion.
///
/// # Errors
/// `InvalidAgentResponse` with the member that is wrong.
pub fn read_rest_response(
    asked: Operation,
    body: &[u8],
    limits: JsonLimits,
) -> Result<Response, A2aError> {
    if asked == Operation::DeleteTaskPushNotificationConfig {
        return Ok(Response::Empty);
    }
    let value = read_json(body, limits)?;
    read_result(Form::Rest, asked, value).map_err(into_answer_error)
}

/// Reads the data of one event of a stream.
///
/// # Errors
/// `InvalidAgentResponse` with the member that is wrong; the peer's error, when it is one.
pub fn read_rest_event(data: &[u8], limits: JsonLimits) -> Result<StreamResponse, A2aError> {
    let value = read_json(data, limits)?;
    let names_error = value.get("error").is_some() || value.get("code").is_some();
    if names_error {
        return Err(read_rest(500, Some(&value)));
    }
    let event = Object::from_value(Form::Rest, value).and_then(read_event);
    event.map_err(into_answer_error)
}

/// Reads an answer with an error status, whatever its body is.
pub fn read_rest_error(status: u16, body: &[u8], limits: JsonLimits) -> A2aError {
    read_rest(status, parse_json(body, limits).ok().as_ref())
}

fn read_json(body: &[u8], limits: JsonLimits) -> Result<Value, A2aError> {
    let read =
        parse_json(body, limits).or_else(|error| fault("", format!("is unreadable: {error}")));
    read.map_err(into_answer_error)
}

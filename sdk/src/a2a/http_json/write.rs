//! Requests, written (A2A §11.3, §11.5).

use std::fmt;

use http::Method;
use serde::Serialize;

use super::query::QueryWriter;
use super::route::push_part;
use crate::a2a::{A2aError, CancelTaskRequest, ListTasksRequest, Request, Struct};

/// A request that is ready but for its headers.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpJsonRequest {
    /// Its method. A subscription is written as GET, as `a2a.proto` has it; an agent that keeps to
    /// the text of the specification takes POST only, with everything else the same.
    pub method: Method,
    /// What follows the interface's URL.
    pub path_and_query: String,
    /// The JSON of the body, of the media type [`A2A_JSON`](crate::a2a::A2A_JSON).
    pub body: Option<Vec<u8>>,
}

/// A body may hold credentials, so it is not shown.
impl fmt::Debug for HttpJsonRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self
            .body
            .as_ref()
            .map(|body| format!("{} bytes", body.len()));
        f.debug_struct("HttpJsonRequest")
            .field("method", &self.method)
            .field("path_and_query", &self.path_and_query)
            .field("body", &body)
            .finish()
    }
}

/// Writes a request. The tenant goes before the path; where there is a body, it names it too.
///
/// # Errors
/// `InvalidParams` when a tenant or an ID cannot stand in a path: an empty one, `.` and `..`, which
/// would lead to another resource.
pub fn write_request(request: &Request) -> Result<HttpJsonRequest, A2aError> {
    let mut path = String::with_capacity(96);
    if let Some(tenant) = request.tenant() {
        push_part(&mut path, "tenant", tenant)?;
    }
    let (method, body) = match request {
        Request::SendMessage(r) => {
            path.push_str("/message:send");
            (Method::POST, Some(json(r)))
        }
        Request::SendStreamingMessage(r) => {
            path.push_str("/message:stream");
            (Method::POST, Some(json(r)))
        }
        Request::GetTask(r) => {
            push_task(&mut path, "id", &r.id)?;
            QueryWriter::new(&mut path).add("historyLength", r.history_length);
            (Method::GET, None)
        }
        Request::ListTasks(r) => {
            push_list(&mut path, r);
            (Method::GET, None)
        }
        Request::CancelTask(r) => {
            push_task(&mut path, "id", &r.id)?;
            path.push_str(":cancel");
            (Method::POST, Some(cancel_body(r)))
        }
        Request::SubscribeToTask(r) => {
            push_task(&mut path, "id", &r.id)?;
            path.push_str(":subscribe");
            (Method::GET, None)
        }
        Request::CreateTaskPushNotificationConfig(r) => {
            push_configs(&mut path, r.task_id.as_deref().unwrap_or_default())?;
            (Method::POST, Some(json(r)))
        }
        Request::GetTaskPushNotificationConfig(r) => {
            push_configs(&mut path, &r.task_id)?;
            push_part(&mut path, "id", &r.id)?;
            (Method::GET, None)
        }
        Request::ListTaskPushNotificationConfigs(r) => {
            push_configs(&mut path, &r.task_id)?;
            let mut query = QueryWriter::new(&mut path);
            query.add("pageSize", (r.page_size != 0).then_some(r.page_size));
            query.add("pageToken", r.page_token.as_deref());
            (Method::GET, None)
        }
        Request::DeleteTaskPushNotificationConfig(r) => {
            push_configs(&mut path, &r.task_id)?;
            push_part(&mut path, "id", &r.id)?;
            (Method::DELETE, None)
        }
        Request::GetExtendedAgentCard(_) => {
            path.push_str("/extendedAgentCard");
            (Method::GET, None)
        }
    };
    Ok(HttpJsonRequest {
        method,
        path_and_query: path,
        body,
    })
}

fn push_task(path: &mut String, field: &str, id: &str) -> Result<(), A2aError> {
    path.push_str("/tasks");
    push_part(path, field, id)
}

fn push_configs(path: &mut String, task_id: &str) -> Result<(), A2aError> {
    push_task(path, "taskId", task_id)?;
    path.push_str("/pushNotificationConfigs");
    Ok(())
}

fn push_list(path: &mut String, request: &ListTasksRequest) {
    path.push_str("/tasks");
    let mut query = QueryWriter::new(path);
    query.add("contextId", request.context_id.as_deref());
    query.add("status", request.status);
    query.add("pageSize", request.page_size);
    query.add("pageToken", request.page_token.as_deref());
    query.add("historyLength", request.history_length);
    query.add("statusTimestampAfter", request.status_timestamp_after);
    query.add("includeArtifacts", request.include_artifacts);
}

/// The path has the rest.
fn cancel_body(request: &CancelTaskRequest) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Struct::is_empty")]
        metadata: &'a Struct,
    }
    json(&Body {
        metadata: &request.metadata,
    })
}

/// Every key of the protocol's types is a text, so writing them does not fail.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 << 10);
    match serde_json::to_writer(&mut out, value) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::{Operation, http_json, jsonrpc};
    use crate::jose::JsonLimits;

    /// Parameters of every operation, all of them set.
    fn params(operation: Operation) -> serde_json::Value {
        match operation {
            Operation::SendMessage | Operation::SendStreamingMessage => json!({
                "tenant": "acme/eu",
                "message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "hi"}]},
                "configuration": {"historyLength": 0},
                "metadata": {"x": 1},
            }),
            Operation::GetTask => json!({"tenant": "tasks", "id": "../../admin?x=",
                "historyLength": 0}),
            Operation::ListTasks => json!({"tenant": "acme", "contextId": "c&a=b c+d",
                "status": "TASK_STATE_WORKING", "pageSize": 10, "pageToken": "a+/=",
                "historyLength": 3, "statusTimestampAfter": "2026-11-22T13:36:11Z",
                "includeArtifacts": false}),
            Operation::CancelTask => json!({"tenant": "a", "id": "x:cancel", "metadata": {"y": 2}}),
            Operation::SubscribeToTask => json!({"tenant": "a", "id": "x/y:subscribe"}),
            Operation::CreateTaskPushNotificationConfig => json!({"tenant": "a", "taskId": "tasks",
                "id": "c", "url": "https://push.example/x", "token": "t"}),
            Operation::GetTaskPushNotificationConfig
            | Operation::DeleteTaskPushNotificationConfig => json!({"tenant": "extendedAgentCard",
                "taskId": "pushNotificationConfigs", "id": "pushNotificationConfigs"}),
            Operation::ListTaskPushNotificationConfigs => json!({"tenant": "a", "taskId": "t",
                "pageSize": 7, "pageToken": "p"}),
            Operation::GetExtendedAgentCard => json!({"tenant": "message:send"}),
        }
    }

    fn request(operation: Operation) -> Request {
        let body = jsonrpc::request(&1.into(), operation, &params(operation));
        let read = jsonrpc::parse_request(&body, JsonLimits::default()).expect("a request");
        jsonrpc::read_request(read).expect("good parameters")
    }

    #[test]
    fn every_operation_reads_back_with_and_without_a_tenant() {
        for operation in Operation::ALL {
            let mut request = request(operation);
            assert_eq!(request.operation(), operation);
            assert!(request.tenant().is_some());
            for tenant in [true, false] {
                if !tenant {
                    request.set_tenant(None);
                }
                let written = write_request(&request).expect("a request");
                let target = written.path_and_query.as_str();
                let (path, query) = match target.split_once('?') {
                    Some((path, query)) => (path, Some(query)),
                    None => (target, None),
                };
                let body = written.body.as_deref().unwrap_or_default();
                let limits = JsonLimits::default();
                let read = http_json::read_request(&written.method, path, query, body, limits);
                assert_eq!(read.as_ref(), Ok(&request), "{target}");
            }
        }
    }

    #[test]
    fn what_would_lead_elsewhere_is_not_written() {
        for id in ["", ".", ".."] {
            let request = Request::GetTask(crate::a2a::GetTaskRequest {
                id: id.into(),
                ..Default::default()
            });
            let error = write_request(&request).expect_err(id);
            assert_eq!(error.violations()[0].field, "id", "{id}");
        }
        let mut request = request(Operation::ListTasks);
        request.set_tenant(Some("..".into()));
        let error = write_request(&request).expect_err("a tenant above");
        assert_eq!(error.violations()[0].field, "tenant");
    }

    #[test]
    fn credentials_are_not_shown() {
        let mut params = params(Operation::CreateTaskPushNotificationConfig);
        params["token"] = json!("s3cret");
        let body = jsonrpc::request(
            &1.into(),
            Operation::CreateTaskPushNotificationConfig,
            &params,
        );
        let read = jsonrpc::parse_request(&body, JsonLimits::default()).expect("a request");
        let request = jsonrpc::read_request(read).expect("good parameters");
        let written = write_request(&request).expect("a request");
        let body = written.body.clone().unwrap_or_default();
        assert!(String::from_utf8_lossy(&body).contains("s3cret"));
        // As bytes, too, it would be readable.
        let shown = format!("{written:?} {request:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("115, 51, 99"),
            "{shown}"
        );
    }
}

//! Requests, read (A2A §11.3, §11.5).

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::HttpJsonError;
use super::query::Query;
use super::route::{Route, decoded};
use crate::a2a::params::{self, Violations};
use crate::a2a::{
    A2aError, CancelTaskRequest, ErrorKind, GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest, GetTaskRequest, ListTaskPushNotificationConfigsRequest,
    ListTasksRequest, Request, Struct, SubscribeToTaskRequest, TaskPushNotificationConfig,
};
use crate::jose::{JsonLimits, parse_json};

/// Reads what a request asks for, and checks its parameters.
///
/// `path` is the part below the interface's URL, as it was sent: nothing decoded, beginning with a
/// slash. A first segment that no path begins with is the tenant, percent-encoded like an ID. The
/// body of a GET or DELETE is not looked at; an empty body stands for an object without members.
///
/// # Errors
/// [`HttpJsonError::NotFound`] and [`HttpJsonError::MethodNotAllowed`]; `Parse` and
/// `InvalidRequest` when the body is no JSON object or breaks `limits`; `InvalidParams` with every
/// wrong field, also when path and body contradict each other.
pub fn read_request(
    method: &Method,
    path: &str,
    query: Option<&str>,
    body: &[u8],
    limits: JsonLimits,
) -> Result<Request, HttpJsonError> {
    let (tenant, route) = Route::find(path).ok_or(HttpJsonError::NotFound)?;
    route.check_method(method)?;
    let tenant = tenant.map(|tenant| decoded("tenant", tenant)).transpose()?;
    let sent = Sent {
        post: method == Method::POST,
        delete: method == Method::DELETE,
        query: Query::new(query),
        body,
        limits,
    };
    let mut found = Violations::default();
    let mut request = sent.read(route, &mut found)?;
    // What the path says stands; saying the same again elsewhere is no contradiction.
    if let Some(tenant) = tenant {
        if request.tenant().is_some_and(|other| other != tenant) {
            found.push("tenant", "is another one in the path");
        }
        request.set_tenant(Some(tenant));
    }
    request.find_violations(&mut found);
    found.none()?;
    Ok(request)
}

/// Where parameters come from, beside the path.
struct Sent<'a> {
    post: bool,
    delete: bool,
    query: Query<'a>,
    body: &'a [u8],
    limits: JsonLimits,
}

impl Sent<'_> {
    fn read(&self, route: Route<'_>, found: &mut Violations) -> Result<Request, A2aError> {
        Ok(match route {
            Route::SendMessage => Request::SendMessage(self.body()?),
            Route::StreamMessage => Request::SendStreamingMessage(self.body()?),
            Route::Tasks => Request::ListTasks(self.list_tasks(found)),
            Route::Task(id) => Request::GetTask(GetTaskRequest {
                tenant: self.query.text("tenant", found),
                id: decoded("id", id)?,
                history_length: self.query.int32("historyLength", found),
            }),
            Route::Cancel(id) => {
                let mut request: CancelTaskRequest = self.body()?;
                same("id", &mut request.id, decoded("id", id)?, found);
                Request::CancelTask(request)
            }
            Route::Subscribe(id) => {
                let mut request = if self.post {
                    self.body()?
                } else {
                    SubscribeToTaskRequest {
                        tenant: self.query.text("tenant", found),
                        id: String::new(),
                    }
                };
                same("id", &mut request.id, decoded("id", id)?, found);
                Request::SubscribeToTask(request)
            }
            Route::Configs(task) if self.post => {
                let mut config: TaskPushNotificationConfig = self.body()?;
                let task_id = config.task_id.get_or_insert_default();
                same("taskId", task_id, decoded("taskId", task)?, found);
                Request::CreateTaskPushNotificationConfig(config)
            }
            Route::Configs(task) => {
                Request::ListTaskPushNotificationConfigs(self.list_configs(task, found)?)
            }
            Route::Config(task, id) => {
                let request = GetTaskPushNotificationConfigRequest {
                    tenant: self.query.text("tenant", found),
                    task_id: decoded("taskId", task)?,
                    id: decoded("id", id)?,
                };
                if self.delete {
                    Request::DeleteTaskPushNotificationConfig(request)
                } else {
                    Request::GetTaskPushNotificationConfig(request)
                }
            }
            Route::Card => Request::GetExtendedAgentCard(GetExtendedAgentCardRequest {
                tenant: self.query.text("tenant", found),
            }),
        })
    }

    fn list_tasks(&self, found: &mut Violations) -> ListTasksRequest {
        let query = self.query;
        ListTasksRequest {
            tenant: query.text("tenant", found),
            context_id: query.text("contextId", found),
            status: query.state("status", found),
            page_size: query.int32("pageSize", found),
            page_token: query.text("pageToken", found),
            history_length: query.int32("historyLength", found),
            status_timestamp_after: query.time("statusTimestampAfter", found),
            include_artifacts: query.flag("includeArtifacts", found),
        }
    }

    fn list_configs(
        &self,
        task: &str,
        found: &mut Violations,
    ) -> Result<ListTaskPushNotificationConfigsRequest, A2aError> {
        Ok(ListTaskPushNotificationConfigsRequest {
            tenant: self.query.text("tenant", found),
            task_id: decoded("taskId", task)?,
            page_size: self.query.int32("pageSize", found).unwrap_or_default(),
            page_token: self.query.text("pageToken", found),
        })
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, A2aError> {
        if self.body.is_empty() {
            return params::read(Struct::new());
        }
        match parse_json(self.body, self.limits).map_err(|error| A2aError::unreadable(&error))? {
            Value::Object(members) => params::read(members),
            _ => Err(A2aError::new(
                ErrorKind::InvalidRequest,
                "Request payload validation error: the body is not an object",
            )),
        }
    }
}

/// Takes a value from the path where the body has it too.
fn same(field: &str, place: &mut String, path: String, found: &mut Violations) {
    if !place.is_empty() && *place != path {
        found.push(field, "is another one in the path");
    }
    *place = path;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::TaskState;

    fn read(method: Method, target: &str, body: &str) -> Result<Request, HttpJsonError> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        read_request(&method, path, query, body.as_bytes(), JsonLimits::default())
    }

    /// The fields that were refused.
    fn fields(method: Method, target: &str, body: &str) -> Vec<String> {
        match read(method, target, body) {
            Err(HttpJsonError::A2a(error)) if error.kind() == ErrorKind::InvalidParams => {
                error.violations().iter().map(|v| v.field.clone()).collect()
            }
            other => panic!("{target}: {other:?}"),
        }
    }

    fn list(query: &str) -> ListTasksRequest {
        match read(Method::GET, &format!("/tasks?{query}"), "") {
            Ok(Request::ListTasks(request)) => request,
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn both_spellings_are_read_in_a_query_and_unknown_names_are_not_looked_at() {
        let want = ListTasksRequest {
            tenant: Some("acme".into()),
            context_id: Some("my context".into()),
            status: Some(TaskState::InputRequired),
            page_size: Some(10),
            page_token: Some("a+/=".into()),
            history_length: Some(0),
            status_timestamp_after: "2026-11-22T13:36:11Z".parse().ok(),
            include_artifacts: Some(true),
        };
        for query in [
            "tenant=acme&contextId=my%20context&status=TASK_STATE_INPUT_REQUIRED&pageSize=10\
             &pageToken=a%2B%2F%3D&historyLength=0&includeArtifacts=true\
             &statusTimestampAfter=2026-11-22T13:36:11Z",
            "tenant=acme&context_id=my+context&status=6&page_size=10&page_token=a%2b/=\
             &history_length=0&include_artifacts=true\
             &status_timestamp_after=2026-11-22T14:36:11+01:00",
            "tenant=acme&context%49d=my+context&status=TASK_STATE_INPUT_REQUIRED&pageSize=10\
             &pageToken=a%2b/=&historyLength=0&includeArtifacts=true&&later=1&later=2&x&%zz=1\
             &A2A-Version=1.0&statusTimestampAfter=2026-11-22T14%3A36%3A11%2B01%3A00",
        ] {
            assert_eq!(list(query), want, "{query}");
        }
        let unset = "contextId=&pageSize=&status=TASK_STATE_UNSPECIFIED&pageToken&tenant=";
        for query in ["", unset, "status=0"] {
            assert_eq!(list(query), ListTasksRequest::default(), "{query}");
        }
    }

    #[test]
    fn every_wrong_parameter_of_a_query_is_named() {
        // A2A §6.5, the example of a validation error.
        let example = "/tasks?pageSize=150&historyLength=-5&status=TASK_STATE_RUNNING";
        assert_eq!(
            fields(Method::GET, example, ""),
            ["status", "historyLength", "pageSize"]
        );
        for (query, field) in [
            ("pageSize=1&pageSize=1", "pageSize"),
            ("pageSize=1&page_size=2", "pageSize"),
            ("contextId=a&contextId=b", "contextId"),
            ("tenant=a&tenant=a", "tenant"),
            ("pageSize=1.5", "pageSize"),
            ("pageSize=+", "pageSize"),
            ("pageSize=99999999999999999999", "pageSize"),
            ("includeArtifacts=True", "includeArtifacts"),
            ("includeArtifacts=1", "includeArtifacts"),
            ("status=working", "status"),
            ("status=9", "status"),
            ("statusTimestampAfter=yesterday", "statusTimestampAfter"),
            ("contextId=%ff", "contextId"),
            ("contextId=%zz", "contextId"),
            ("contextId=a%00", "contextId"),
            ("pageToken=a%0d%0a", "pageToken"),
        ] {
            assert_eq!(
                fields(Method::GET, &format!("/tasks?{query}"), ""),
                [field],
                "{query}"
            );
        }
    }

    #[test]
    fn ids_and_tenants_are_decoded_once() {
        for (part, id) in [
            ("..%2F..%2Fadmin%3Fx%3D", "../../admin?x="),
            ("a%252Fb", "a%2Fb"),
            ("a+b", "a+b"),
            ("..", ".."),
            ("%E2%82%AC", "\u{20ac}"),
            ("t%3Acancel", "t:cancel"),
        ] {
            let read = read(Method::GET, &format!("/{part}/tasks/{part}"), "");
            let want = GetTaskRequest {
                tenant: Some(id.into()),
                id: id.into(),
                history_length: None,
            };
            assert_eq!(read, Ok(Request::GetTask(want)), "{part}");
        }
        for part in [
            "%",
            "%f",
            "%ff",
            "%c3",
            "%00",
            "a%0Ab",
            "%7F",
            &"x".repeat(257),
        ] {
            assert_eq!(
                fields(Method::GET, &format!("/tasks/{part}"), ""),
                ["id"],
                "{part}"
            );
            assert_eq!(
                fields(Method::GET, &format!("/{part}/tasks"), ""),
                ["tenant"],
                "{part}"
            );
        }
    }

    #[test]
    fn cancel_and_subscribe_need_no_body() {
        for body in ["", "{}", r#"{"metadata":null}"#, r#"{"id":"t","later":1}"#] {
            let want = CancelTaskRequest {
                id: "t".into(),
                ..CancelTaskRequest::default()
            };
            let read_cancel = read(Method::POST, "/tasks/t:cancel", body);
            assert_eq!(read_cancel, Ok(Request::CancelTask(want)), "{body}");
            let want = SubscribeToTaskRequest {
                tenant: Some("a".into()),
                id: "t".into(),
            };
            for method in [Method::GET, Method::POST] {
                let read_subscribe = read(method, "/a/tasks/t:subscribe", body);
                assert_eq!(
                    read_subscribe,
                    Ok(Request::SubscribeToTask(want.clone())),
                    "{body}"
                );
            }
        }
        let with_metadata = read(
            Method::POST,
            "/tasks/t:cancel",
            r#"{"metadata":{"why":"late"}}"#,
        );
        let Ok(Request::CancelTask(request)) = with_metadata else {
            panic!("a cancel");
        };
        assert_eq!(request.metadata["why"], "late");
    }

    #[test]
    fn path_and_body_must_not_contradict_each_other() {
        for (target, body, field) in [
            ("/tasks/t:cancel", r#"{"id":"other"}"#, "id"),
            ("/tasks/t:subscribe", r#"{"id":"other"}"#, "id"),
            ("/a/tasks/t:cancel", r#"{"tenant":"b"}"#, "tenant"),
            (
                "/tasks/t/pushNotificationConfigs",
                r#"{"taskId":"other","url":"https://a.example"}"#,
                "taskId",
            ),
        ] {
            assert_eq!(fields(Method::POST, target, body), [field], "{target}");
        }
        assert_eq!(fields(Method::GET, "/a/tasks?tenant=b", ""), ["tenant"]);
        let same = r#"{"taskId":"t","tenant":"a","url":"https://a.example"}"#;
        assert!(read(Method::POST, "/a/tasks/t/pushNotificationConfigs", same).is_ok());
        assert!(read(Method::GET, "/a/tasks?tenant=a", "").is_ok());
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let deep = format!(
            r#"{{"metadata":{{"x":{}{}}}}}"#,
            "[".repeat(64),
            "]".repeat(64)
        );
        for (body, want) in [
            ("{", ErrorKind::Parse),
            (" ", ErrorKind::Parse),
            ("{} {}", ErrorKind::Parse),
            (r#"{"id":"\ud800"}"#, ErrorKind::Parse),
            ("[]", ErrorKind::InvalidRequest),
            ("null", ErrorKind::InvalidRequest),
            (r#"{"later":1,"later":1}"#, ErrorKind::InvalidRequest),
            (&deep, ErrorKind::InvalidRequest),
        ] {
            let target = "/tasks/t:cancel";
            let error = read(Method::POST, target, body).map_err(A2aError::from);
            assert_eq!(error.expect_err(body).kind(), want, "{body}");
            // The body of a GET means nothing.
            assert!(read(Method::GET, "/tasks/t:subscribe", body).is_ok());
        }
    }
}

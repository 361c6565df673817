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

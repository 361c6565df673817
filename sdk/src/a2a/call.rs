//! An operation with its parameters and its answer, free of any binding (A2A §3).

use serde::{Serialize, Serializer};

use super::params::{Rules as _, Violations};
use super::{
    A2aError, AgentCard, CancelTaskRequest, DeleteTaskPushNotificationConfigRequest, ErrorKind,
    GetExtendedAgentCardRequest, GetTaskPushNotificationConfigRequest, GetTaskRequest,
    ListTaskPushNotificationConfigsRequest, ListTaskPushNotificationConfigsResponse,
    ListTasksRequest, ListTasksResponse, Operation, SendMessageRequest, SendMessageResponse,
    Struct, SubscribeToTaskRequest, Task, TaskPushNotificationConfig,
};

/// What a client asks for: one of the eleven operations with its parameters.
///
/// Every binding reads its requests into this type and writes them from it.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// Begin or continue a task, answer at once.
    SendMessage(SendMessageRequest),
    /// Begin or continue a task, answer as a stream.
    SendStreamingMessage(SendMessageRequest),
    /// Read a task.
    GetTask(GetTaskRequest),
    /// Find tasks.
    ListTasks(ListTasksRequest),
    /// End a task.
    CancelTask(CancelTaskRequest),
    /// Follow a task.
    SubscribeToTask(SubscribeToTaskRequest),
    /// Ask to be told by push.
    CreateTaskPushNotificationConfig(TaskPushNotificationConfig),
    /// Read a push configuration.
    GetTaskPushNotificationConfig(GetTaskPushNotificationConfigRequest),
    /// Find push configurations.
    ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsRequest),
    /// Stop being told by push.
    DeleteTaskPushNotificationConfig(DeleteTaskPushNotificationConfigRequest),
    /// Read the card for known callers.
    GetExtendedAgentCard(GetExtendedAgentCardRequest),
}

impl Request {
    /// Which operation it is.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::SendMessage(_) => Operation::SendMessage,
            Self::SendStreamingMessage(_) => Operation::SendStreamingMessage,
            Self::GetTask(_) => Operation::GetTask,
            Self::ListTasks(_) => Operation::ListTasks,
            Self::CancelTask(_) => Operation::CancelTask,
            Self::SubscribeToTask(_) => Operation::SubscribeToTask,
            Self::CreateTaskPushNotificationConfig(_) => {
                Operation::CreateTaskPushNotificationConfig
            }
            Self::GetTaskPushNotificationConfig(_) => Operation::GetTaskPushNotificationConfig,
            Self::ListTaskPushNotificationConfigs(_) => Operation::ListTaskPushNotificationConfigs,
            Self::DeleteTaskPushNotificationConfig(_) => {
                Operation::DeleteTaskPushNotificationConfig
            }
            Self::GetExtendedAgentCard(_) => Operation::GetExtendedAgentCard,
        }
    }

    /// The tenant it is for: what the chosen interface names, echoed; never a trust boundary.
    pub fn tenant(&self) -> Option<&str> {
        let tenant = match self {
            Self::SendMessage(r) | Self::SendStreamingMessage(r) => &r.tenant,
            Self::GetTask(r) => &r.tenant,
            Self::ListTasks(r) => &r.tenant,
            Self::CancelTask(r) => &r.tenant,
            Self::SubscribeToTask(r) => &r.tenant,
            Self::CreateTaskPushNotificationConfig(r) => &r.tenant,
            Self::GetTaskPushNotificationConfig(r) | Self::DeleteTaskPushNotificationConfig(r) => {
                &r.tenant
            }
            Self::ListTaskPushNotificationConfigs(r) => &r.tenant,
            Self::GetExtendedAgentCard(r) => &r.tenant,
        };
        tenant.as_deref().filter(|tenant| !tenant.is_empty())
    }

    /// Checks every field, whichever binding the request came by (A2A §3.3.2, §5.7).
    ///
    /// # Errors
    /// `InvalidParams` with the path of every wrong field.
    ///
    /// ```
    /// use countersign::a2a::{GetTaskRequest, Request};
    /// let request = Request::GetTask(GetTaskRequest::default());
    /// let error = request.check().expect_err("no task has an empty ID");
    /// assert_eq!(error.violations()[0].field, "id");
    /// ```
    pub fn check(&self) -> Result<(), A2aError> {
        let mut found = Violations::default();
        self.find_violations(&mut found);
        found.none()
    }

    pub(super) fn find_violations(&self, found: &mut Violations) {
        match self {
            Self::SendMessage(r) | Self::SendStreamingMessage(r) => r.check(found),
            Self::GetTask(r) => r.check(found),
            Self::ListTasks(r) => r.check(found),
            Self::CancelTask(r) => r.check(found),
            Self::SubscribeToTask(r) => r.check(found),
            Self::CreateTaskPushNotificationConfig(r) => r.check(found),
            Self::GetTaskPushNotificationConfig(r) | Self::DeleteTaskPushNotificationConfig(r) => {
                r.check(found);
            }
            Self::ListTaskPushNotificationConfigs(r) => r.check(found),
            Self::GetExtendedAgentCard(r) => r.check(found),
        }
    }

    /// Names the tenant, or none.
    pub fn set_tenant(&mut self, tenant: Option<String>) {
        let place = match self {
            Self::SendMessage(r) | Self::SendStreamingMessage(r) => &mut r.tenant,
            Self::GetTask(r) => &mut r.tenant,
            Self::ListTasks(r) => &mut r.tenant,
            Self::CancelTask(r) => &mut r.tenant,
            Self::SubscribeToTask(r) => &mut r.tenant,
            Self::CreateTaskPushNotificationConfig(r) => &mut r.tenant,
            Self::GetTaskPushNotificationConfig(r) | Self::DeleteTaskPushNotificationConfig(r) => {
                &mut r.tenant
            }
            Self::ListTaskPushNotificationConfigs(r) => &mut r.tenant,
            Self::GetExtendedAgentCard(r) => &mut r.tenant,
        };
        *place = tenant;
    }
}

/// The answer to an operation that answers once; a stream answers with
/// [`StreamResponse`](super::StreamResponse)s.
#[derive(Clone, PartialEq, Debug)]
pub enum Response {
    /// To SendMessage.
    SendMessage(SendMessageResponse),
    /// To GetTask and CancelTask.
    Task(Task),
    /// To ListTasks.
    ListTasks(ListTasksResponse),
    /// To CreateTaskPushNotificationConfig and GetTaskPushNotificationConfig.
    TaskPushNotificationConfig(TaskPushNotificationConfig),
    /// To ListTaskPushNotificationConfigs.
    ListTaskPushNotificationConfigs(ListTaskPushNotificationConfigsResponse),
    /// To DeleteTaskPushNotificationConfig (google.protobuf.Empty).
    Empty,
    /// To GetExtendedAgentCard, with its signatures.
    AgentCard(Box<AgentCard>),
}

impl Response {
    /// Whether everything is there without which it is no answer: a task has an ID, a push
    /// configuration an address (A2A §5.7). A form that has no types of its own, as JSON, lets a
    /// stranger's answer to another operation look like an empty one.
    ///
    /// # Errors
    /// `InvalidAgentResponse` with the name of the missing field.
    ///
    /// ```
    /// use countersign::a2a::{ErrorKind, Response, TaskPushNotificationConfig};
    /// let answer = Response::TaskPushNotificationConfig(TaskPushNotificationConfig::default());
    /// let error = answer.check().expect_err("no configuration has no address");
    /// assert_eq!(error.kind(), ErrorKind::InvalidAgentResponse);
    /// ```
    pub fn check(&self) -> Result<(), A2aError> {
        let tasks: &[Task] = match self {
            Self::Task(task) | Self::SendMessage(SendMessageResponse::Task(task)) => {
                std::slice::from_ref(task)
            }
            Self::ListTasks(page) => &page.tasks,
            _ => &[],
        };
        let configs: &[TaskPushNotificationConfig] = match self {
            Self::TaskPushNotificationConfig(config) => std::slice::from_ref(config),
            Self::ListTaskPushNotificationConfigs(page) => &page.configs,
            _ => &[],
        };
        if tasks.iter().any(|task| task.id.is_empty()) {
            return Err(incomplete("a task without id"));
        }
        if configs.iter().any(|config| config.url.is_empty()) {
            return Err(incomplete("a push configuration without url"));
        }
        Ok(())
    }
}

pub(super) fn incomplete(what: &str) -> A2aError {
    let message = format!("Not an answer of A2A: {what}");
    A2aError::new(ErrorKind::InvalidAgentResponse, message)
}

/// Writes the parameters of a request as they are, without its name.
pub(super) struct Params<'a>(pub(super) &'a Request);

impl Serialize for Params<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Request::SendMessage(r) | Request::SendStreamingMessage(r) => r.serialize(to),
            Request::GetTask(r) => r.serialize(to),
            Request::ListTasks(r) => r.serialize(to),
            Request::CancelTask(r) => r.serialize(to),
            Request::SubscribeToTask(r) => r.serialize(to),
            Request::CreateTaskPushNotificationConfig(r) => r.serialize(to),
            Request::GetTaskPushNotificationConfig(r)
            | Request::DeleteTaskPushNotificationConfig(r) => r.serialize(to),
            Request::ListTaskPushNotificationConfigs(r) => r.serialize(to),
            Request::GetExtendedAgentCard(r) => r.serialize(to),
        }
    }
}

/// Writes an answer as it is, without its name.
pub(super) struct Answer<'a>(pub(super) &'a Response);

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Response::SendMessage(r) => r.serialize(to),
            Response::Task(r) => r.serialize(to),
            Response::ListTasks(r) => r.serialize(to),
            Response::TaskPushNotificationConfig(r) => r.serialize(to),
            Response::ListTaskPushNotificationConfigs(r) => r.serialize(to),
            // google.protobuf.Empty is an object without members.
            Response::Empty => Struct::new().serialize(to),
            Response::AgentCard(r) => r.serialize(to),
        }
    }
}

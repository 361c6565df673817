//! Parameters from a stranger: read, then checked, each wrong field named (A2A §3.3.2, §5.7).

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    A2aError, CancelTaskRequest, FieldViolation, GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest, GetTaskRequest, ListTaskPushNotificationConfigsRequest,
    ListTasksRequest, Message, Role, SendMessageConfiguration, SendMessageRequest, Struct,
    SubscribeToTaskRequest, TaskPushNotificationConfig,
};

/// Longest ID, in bytes.
const ID_MAX: usize = 256;
/// Longest URL and page token, in bytes.
const TEXT_MAX: usize = 2048;

/// Parameters that can be read from what a stranger sent.
pub trait FromParams: Sized {
    /// Reads and checks `params`.
    ///
    /// # Errors
    /// `InvalidParams` with the path of every wrong field.
    fn from_params(params: Struct) -> Result<Self, A2aError>;
}

/// What a parameter type must hold beyond its shape.
trait Rules: DeserializeOwned {
    fn check(&self, found: &mut Violations);
}

impl<T: Rules> FromParams for T {
    fn from_params(params: Struct) -> Result<Self, A2aError> {
        let read = T::deserialize(Value::Object(params)).map_err(|error| shape(&error))?;
        let mut found = Violations(Vec::new());
        read.check(&mut found);
        if found.0.is_empty() {
            Ok(read)
        } else {
            Err(A2aError::invalid_params(found.0))
        }
    }
}

/// Members that could not be read; serde names the missing one in its text.
fn shape(error: &serde_json::Error) -> A2aError {
    let text = error.to_string();
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'));
    let field = missing.map_or("params", |(name, _)| name).to_owned();
    A2aError::invalid_param(field, text)
}

struct Violations(Vec<FieldViolation>);

impl Violations {
    fn push(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(FieldViolation {
            field: field.into(),
            description: description.into(),
        });
    }

    fn text(&mut self, field: &str, text: &str, max: usize) {
        if text.len() > max {
            let len = text.len();
            self.push(field, format!("has {len} bytes, {max} are allowed"));
        } else if text.chars().any(char::is_control) {
            self.push(field, "holds a control character");
        }
    }

    fn required(&mut self, field: &str, text: &str, max: usize) {
        if text.is_empty() {
            self.push(field, "is required");
        } else {
            self.text(field, text, max);
        }
    }

    fn optional(&mut self, field: &str, text: Option<&String>, max: usize) {
        if let Some(text) = text {
            self.text(field, text, max);
        }
    }

    fn history(&mut self, field: &str, length: Option<i32>) {
        if let Some(length) = length.filter(|n| *n < 0) {
            self.push(field, format!("must not be negative, got {length}"));
        }
    }

    fn message(&mut self, message: &Message) {
        self.required("message.messageId", &message.message_id, ID_MAX);
        self.optional("message.contextId", message.context_id.as_ref(), ID_MAX);
        self.optional("message.taskId", message.task_id.as_ref(), ID_MAX);
        // A2A §4.1.5: what a client sends, it says as the user.
        if message.role != Role::User {
            self.push("message.role", "must be ROLE_USER");
        }
        // A2A §5.7: a required array has at least one element.
        if message.parts.is_empty() {
            self.push("message.parts", "at least one part is required");
        }
        for (at, id) in message.reference_task_ids.iter().enumerate() {
            self.required(&format!("message.referenceTaskIds[{at}]"), id, ID_MAX);
        }
        for (at, uri) in message.extensions.iter().enumerate() {
            self.required(&format!("message.extensions[{at}]"), uri, TEXT_MAX);
        }
    }

    fn push_config(&mut self, prefix: &str, config: &TaskPushNotificationConfig) {
        let at = |name: &str| format!("{prefix}{name}");
        self.optional(&at("tenant"), config.tenant.as_ref(), ID_MAX);
        self.optional(&at("id"), config.id.as_ref(), ID_MAX);
        self.required(&at("url"), &config.url, TEXT_MAX);
        self.optional(&at("token"), config.token.as_ref(), TEXT_MAX);
        if let Some(how) = &config.authentication {
            self.required(&at("authentication.scheme"), &how.scheme, 64);
            let field = at("authentication.credentials");
            self.optional(&field, how.credentials.as_ref(), 4 * TEXT_MAX);
        }
    }
}

impl Rules for SendMessageRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.message(&self.message);
        if let Some(configuration) = &self.configuration {
            let SendMessageConfiguration {
                task_push_notification_config,
                history_length,
                ..
            } = configuration;
            found.history("configuration.historyLength", *history_length);
            if let Some(config) = task_push_notification_config {
                found.push_config("configuration.taskPushNotificationConfig.", config);
            }
        }
    }
}

impl Rules for GetTaskRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.required("id", &self.id, ID_MAX);
        found.history("historyLength", self.history_length);
    }
}

impl Rules for ListTasksRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.optional("contextId", self.context_id.as_ref(), ID_MAX);
        found.optional("pageToken", self.page_token.as_ref(), TEXT_MAX);
        found.history("historyLength", self.history_length);
        if let Some(size) = self.page_size.filter(|n| !(1..=100).contains(n)) {
            found.push("pageSize", format!("must be 1 to 100, got {size}"));
        }
    }
}

impl Rules for CancelTaskRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.required("id", &self.id, ID_MAX);
    }
}

impl Rules for SubscribeToTaskRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.required("id", &self.id, ID_MAX);
    }
}

impl Rules for GetExtendedAgentCardRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
    }
}

impl Rules for TaskPushNotificationConfig {
    fn check(&self, found: &mut Violations) {
        found.required("taskId", self.task_id.as_deref().unwrap_or(""), ID_MAX);
        found.push_config("", self);
    }
}

impl Rules for GetTaskPushNotificationConfigRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.required("taskId", &self.task_id, ID_MAX);
        found.required("id", &self.id, ID_MAX);
    }
}

impl Rules for ListTaskPushNotificationConfigsRequest {
    fn check(&self, found: &mut Violations) {
        found.optional("tenant", self.tenant.as_ref(), ID_MAX);
        found.required("taskId", &self.task_id, ID_MAX);
        found.optional("pageToken", self.page_token.as_ref(), TEXT_MAX);
        if self.page_size < 0 {
            let size = self.page_size;
            found.push("pageSize", format!("must not be negative, got {size}"));
        }
    }
}

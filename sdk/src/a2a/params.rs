//! Parameters from a stranger: read, then checked, each wrong field named (A2A §3.3.2, §5.7).

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    A2aError, CancelTaskRequest, FieldViolation, GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest, GetTaskRequest, ListTaskPushNotificationConfigsRequest,
    ListTasksRequest, Message, Role, SendMessageConfiguration, SendMessageRequest, Struct,
    SubscribeToTaskRequest, TaskPushNotificationConfig,
    located::{self, Misplaced},
};

/// Longest ID, in bytes.
const ID_MAX: usize = 256;
/// Longest URL and page token, in bytes.
const TEXT_MAX: usize = 2048;
/// Most parts of a message, and most entries of each of its lists.
const LIST_MAX: usize = 1024;
/// How many wrong fields an error names: what a stranger sends is not to be answered with more.
const NAMED_MAX: usize = 32;

/// Parameters that can be read from what a stranger sent.
pub trait FromParams: Sized {
    /// Reads and checks `params`.
    ///
    /// # Errors
    /// `InvalidParams` with the path of every wrong field.
    fn from_params(params: Struct) -> Result<Self, A2aError>;
}

/// What a parameter type must hold beyond its shape.
pub(super) trait Rules {
    fn check(&self, found: &mut Violations);
}

impl<T: Rules + DeserializeOwned> FromParams for T {
    fn from_params(params: Struct) -> Result<Self, A2aError> {
        let read = read(params)?;
        check(&read)?;
        Ok(read)
    }
}

/// Reads `params` without checking them.
pub(super) fn read<T: DeserializeOwned>(params: Struct) -> Result<T, A2aError> {
    located::read(Value::Object(params)).map_err(|misplaced| {
        let Misplaced { path, rule } = misplaced;
        A2aError::invalid_param(path, rule)
    })
}

/// Every rule on what was read.
pub(super) fn check(params: &impl Rules) -> Result<(), A2aError> {
    let mut found = Violations::default();
    params.check(&mut found);
    found.none()
}

/// The wrong fields found so far.
#[derive(Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    /// An error that names them all, if there are any.
    pub(super) fn none(self) -> Result<(), A2aError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(A2aError::invalid_params(self.0))
    }

    pub(super) fn push(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.0.len() < NAMED_MAX {
            self.0.push(FieldViolation {
                field: field.into(),
                description: description.into(),
            });
        }
    }

    fn list<T>(&mut self, field: &str, list: &[T]) {
        if list.len() > LIST_MAX {
            let len = list.len();
            self.push(field, format!("has {len} entries, {LIST_MAX} are allowed"));
        }
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
        self.list("message.parts", &message.parts);
        self.list("message.referenceTaskIds", &message.reference_task_ids);
        self.list("message.extensions", &message.extensions);
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
                accepted_output_modes,
                task_push_notification_config,
                history_length,
                ..
            } = configuration;
            found.list("configuration.acceptedOutputModes", accepted_output_modes);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "tenant": "acme",
            "message": {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "hi"}],
                "contextId": "c-1", "taskId": "t-1", "referenceTaskIds": ["t-0"]},
            "configuration": {"historyLength": 0, "returnImmediately": true,
                "taskPushNotificationConfig": {"url": "https://push.example/x",
                    "authentication": {"scheme": "Bearer", "credentials": "secret"}}},
        })
    }

    fn fields<T: FromParams + std::fmt::Debug>(params: Value) -> Vec<String> {
        let Value::Object(params) = params else {
            panic!("an object");
        };
        match T::from_params(params) {
            Ok(_) => Vec::new(),
            Err(error) => {
                assert_eq!(error.reason(), "a2a.invalid_params");
                let named = error.violations().iter();
                named.map(|v| v.field.clone()).collect()
            }
        }
    }

    #[test]
    fn lists_are_bounded_and_so_is_what_an_error_names() {
        let texts = |len: usize| Value::from(vec![json!("x"); len]);
        let parts = |len: usize| Value::from(vec![json!({"text": ""}); len]);
        for (path, list, want) in [
            ("/message/parts", parts(LIST_MAX), None),
            ("/message/parts", parts(LIST_MAX + 1), Some("message.parts")),
            ("/message/referenceTaskIds", texts(LIST_MAX), None),
            (
                "/message/referenceTaskIds",
                texts(LIST_MAX + 1),
                Some("message.referenceTaskIds"),
            ),
        ] {
            let mut params = good();
            *params.pointer_mut(path).expect("a member") = list;
            let want: Vec<_> = want.into_iter().collect();
            assert_eq!(fields::<SendMessageRequest>(params), want, "{path}");
        }
        let mut params = good();
        params["message"]["extensions"] = texts(LIST_MAX + 1);
        params["configuration"]["acceptedOutputModes"] = texts(LIST_MAX + 1);
        let want = ["message.extensions", "configuration.acceptedOutputModes"];
        assert_eq!(fields::<SendMessageRequest>(params), want);
        let mut params = good();
        params["message"]["referenceTaskIds"] = vec![json!(""); LIST_MAX].into();
        let named = fields::<SendMessageRequest>(params);
        assert_eq!(named.len(), NAMED_MAX);
    }

    #[test]
    fn every_wrong_field_of_a_message_is_named() {
        assert_eq!(fields::<SendMessageRequest>(good()), [""; 0]);
        let long = "x".repeat(ID_MAX + 1);
        for (path, value, want) in [
            ("/tenant", json!("a\nb"), "tenant"),
            ("/message/messageId", json!(""), "message.messageId"),
            ("/message/messageId", json!(long), "message.messageId"),
            ("/message/messageId", json!("a\u{7f}"), "message.messageId"),
            ("/message/taskId", json!("a\0"), "message.taskId"),
            ("/message/contextId", json!(long), "message.contextId"),
            ("/message/role", json!("ROLE_AGENT"), "message.role"),
            ("/message/role", json!("ROLE_ROOT"), "message.role"),
            ("/message/parts", json!([]), "message.parts"),
            ("/message/parts/0", json!({}), "message.parts[0]"),
            (
                "/message/referenceTaskIds/0",
                json!(""),
                "message.referenceTaskIds[0]",
            ),
            (
                "/configuration/historyLength",
                json!(-1),
                "configuration.historyLength",
            ),
            (
                "/configuration/historyLength",
                json!(1.5),
                "configuration.historyLength",
            ),
            (
                "/configuration/historyLength",
                json!(2_147_483_648_u64),
                "configuration.historyLength",
            ),
            (
                "/configuration/taskPushNotificationConfig/url",
                json!(""),
                "configuration.taskPushNotificationConfig.url",
            ),
            (
                "/configuration/taskPushNotificationConfig/authentication/scheme",
                json!(""),
                "configuration.taskPushNotificationConfig.authentication.scheme",
            ),
        ] {
            let mut params = good();
            *params.pointer_mut(path).expect(path) = value;
            assert_eq!(fields::<SendMessageRequest>(params), [want], "{path}");
        }
        assert_eq!(fields::<SendMessageRequest>(json!({})), ["message"]);
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let params = json!({"pageSize": 150, "historyLength": -5});
        assert_eq!(
            fields::<ListTasksRequest>(params),
            ["historyLength", "pageSize"]
        );
    }

    #[test]
    fn ids_end_at_256_bytes() {
        let id = |len| json!({"id": "x".repeat(len)});
        for (len, want) in [(ID_MAX, 0), (ID_MAX + 1, 1)] {
            assert_eq!(fields::<GetTaskRequest>(id(len)).len(), want);
            assert_eq!(fields::<CancelTaskRequest>(id(len)).len(), want);
            assert_eq!(fields::<SubscribeToTaskRequest>(id(len)).len(), want);
        }
        for id in ["", "a\rb"] {
            assert_eq!(fields::<GetTaskRequest>(json!({"id": id})), ["id"]);
        }
    }

    #[test]
    fn a_page_holds_1_to_100() {
        for (size, want) in [(0, 1), (1, 0), (100, 0), (101, 1)] {
            let params = json!({"page_size": size});
            assert_eq!(fields::<ListTasksRequest>(params).len(), want, "{size}");
        }
    }

    #[test]
    fn a_filter_of_tasks_is_read_as_protojson_writes_it() {
        let params = json!({"status": "TASK_STATE_UNSPECIFIED", "pageSize": "20", "contextId": "",
            "statusTimestampAfter": "2026-11-22T13:36:11Z", "includeArtifacts": true});
        let Value::Object(params) = params else {
            panic!("an object");
        };
        let read = ListTasksRequest::from_params(params).expect("good params");
        assert_eq!((read.status, read.page_size), (None, Some(20)));
        assert_eq!(
            (read.context_id, read.include_artifacts),
            (None, Some(true))
        );
        for (name, bad) in [
            ("status", json!({"status": "TASK_STATE_RUNNING"})),
            (
                "statusTimestampAfter",
                json!({"statusTimestampAfter": "yesterday"}),
            ),
        ] {
            assert_eq!(fields::<ListTasksRequest>(bad), [name]);
        }
    }

    #[test]
    fn push_configurations_need_a_task_and_an_address() {
        assert_eq!(
            fields::<TaskPushNotificationConfig>(json!({})),
            ["taskId", "url"]
        );
        assert_eq!(
            fields::<GetTaskPushNotificationConfigRequest>(json!({})),
            ["taskId", "id"]
        );
        assert_eq!(
            fields::<ListTaskPushNotificationConfigsRequest>(
                json!({"taskId": "t", "pageSize": -1})
            ),
            ["pageSize"]
        );
    }

    #[test]
    fn credentials_of_a_push_configuration_are_not_shown() {
        let shown = format!(
            "{:?}",
            serde_json::from_value::<SendMessageRequest>(good()).expect("params")
        );
        assert!(
            shown.contains("Bearer") && !shown.contains("secret"),
            "{shown}"
        );
    }
}

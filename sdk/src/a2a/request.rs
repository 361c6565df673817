//! What a client asks for (A2A §3.1, §3.2).

use serde::{Deserialize, Serialize};

use super::wire;
use super::{Message, Struct, Task, TaskPushNotificationConfig, TaskState, Timestamp};

/// Parameters of `SendMessage` and `SendStreamingMessage`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SendMessageRequest {
    /// The tenant that the chosen interface names; echoed, never a trust boundary.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// The message.
    pub message: Message,
    /// How the answer should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<SendMessageConfiguration>,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
}

impl SendMessageRequest {
    /// Sends `message` with the default configuration.
    pub fn new(message: Message) -> Self {
        Self {
            tenant: None,
            message,
            configuration: None,
            metadata: Struct::new(),
        }
    }
}

/// How the answer to a message should be.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessageConfiguration {
    /// Media types the client takes.
    #[serde(
        default,
        alias = "accepted_output_modes",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub accepted_output_modes: Vec<String>,
    /// Push notifications wanted for the task.
    #[serde(
        default,
        alias = "task_push_notification_config",
        skip_serializing_if = "Option::is_none"
    )]
    pub task_push_notification_config: Option<TaskPushNotificationConfig>,
    /// At most this many messages of history; unset leaves it to the server.
    #[serde(
        default,
        alias = "history_length",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::int32"
    )]
    pub history_length: Option<i32>,
    /// Answer as soon as the task exists, instead of when it ends or waits.
    #[serde(
        default,
        alias = "return_immediately",
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "wire::or_default"
    )]
    pub return_immediately: bool,
}

/// Parameters of `GetTask`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTaskRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Which task.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub id: String,
    /// At most this many messages of history; unset leaves it to the server.
    #[serde(
        default,
        alias = "history_length",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::int32"
    )]
    pub history_length: Option<i32>,
}

/// Parameters of `ListTasks`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasksRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Only tasks of this conversation.
    #[serde(
        default,
        alias = "context_id",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub context_id: Option<String>,
    /// Only tasks in this state.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::enum_or_unset"
    )]
    pub status: Option<TaskState>,
    /// Tasks a page, 1 to 100; unset is 50.
    #[serde(
        default,
        alias = "page_size",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::int32"
    )]
    pub page_size: Option<i32>,
    /// Where the page before ended.
    #[serde(
        default,
        alias = "page_token",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub page_token: Option<String>,
    /// At most this many messages of history each.
    #[serde(
        default,
        alias = "history_length",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::int32"
    )]
    pub history_length: Option<i32>,
    /// Only tasks whose status is not older.
    #[serde(
        default,
        alias = "status_timestamp_after",
        skip_serializing_if = "Option::is_none"
    )]
    pub status_timestamp_after: Option<Timestamp>,
    /// With their artifacts; without, when unset.
    #[serde(
        default,
        alias = "include_artifacts",
        skip_serializing_if = "Option::is_none"
    )]
    pub include_artifacts: Option<bool>,
}

/// Answer of `ListTasks`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTasksResponse {
    /// The tasks of this page, newest status first.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub tasks: Vec<Task>,
    /// Where the next page begins; empty when this is the last.
    #[serde(
        default,
        alias = "next_page_token",
        deserialize_with = "wire::or_default"
    )]
    pub next_page_token: String,
    /// Tasks a page.
    #[serde(default, alias = "page_size", deserialize_with = "wire::int32_or_zero")]
    pub page_size: i32,
    /// Tasks on all pages.
    #[serde(
        default,
        alias = "total_size",
        deserialize_with = "wire::int32_or_zero"
    )]
    pub total_size: i32,
}

/// Parameters of `CancelTask`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct CancelTaskRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Which task.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub id: String,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
}

/// Parameters of `SubscribeToTask`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SubscribeToTaskRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Which task.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub id: String,
}

/// Parameters of `GetExtendedAgentCard`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct GetExtendedAgentCardRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
}

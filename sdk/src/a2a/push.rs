//! Push notifications: what is asked for and what is answered (A2A §3.1.7-3.1.10, §4.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::wire;

/// Where and how a client wants to be told about a task.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskPushNotificationConfig {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Its name; made by the server when unset.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub id: Option<String>,
    /// Which task; unset inside a `SendMessage`.
    #[serde(
        default,
        alias = "task_id",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub task_id: Option<String>,
    /// Where to post; required.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub url: String,
    /// A secret the receiver recognises the notification by.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub token: Option<String>,
    /// How to authenticate to the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<AuthenticationInfo>,
}

impl fmt::Debug for TaskPushNotificationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskPushNotificationConfig")
            .field("tenant", &self.tenant)
            .field("id", &self.id)
            .field("task_id", &self.task_id)
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .field("authentication", &self.authentication)
            .finish()
    }
}

/// How to authenticate to the receiver of a push notification.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AuthenticationInfo {
    /// HTTP authentication scheme; required.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub scheme: String,
    /// What follows the scheme.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub credentials: Option<String>,
}

impl fmt::Debug for AuthenticationInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationInfo")
            .field("scheme", &self.scheme)
            .field(
                "credentials",
                &self.credentials.as_ref().map(|_| "[redacted]"),
            )
            .finish()
    }
}

/// Parameters of `GetTaskPushNotificationConfig`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetTaskPushNotificationConfigRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Which task.
    #[serde(default, alias = "task_id", deserialize_with = "wire::or_default")]
    pub task_id: String,
    /// Which configuration.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub id: String,
}

/// Parameters of `DeleteTaskPushNotificationConfig`.
pub type DeleteTaskPushNotificationConfigRequest = GetTaskPushNotificationConfigRequest;

/// Parameters of `ListTaskPushNotificationConfigs`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTaskPushNotificationConfigsRequest {
    /// The tenant that the chosen interface names.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub tenant: Option<String>,
    /// Which task.
    #[serde(default, alias = "task_id", deserialize_with = "wire::or_default")]
    pub task_id: String,
    /// Configurations a page; 0 leaves it to the server.
    #[serde(
        default,
        alias = "page_size",
        skip_serializing_if = "is_zero",
        deserialize_with = "wire::int32_or_zero"
    )]
    pub page_size: i32,
    /// Where the page before ended.
    #[serde(
        default,
        alias = "page_token",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub page_token: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// Answer of `ListTaskPushNotificationConfigs`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListTaskPushNotificationConfigsResponse {
    /// The configurations of this page.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub configs: Vec<TaskPushNotificationConfig>,
    /// Where the next page begins; empty when this is the last.
    #[serde(
        default,
        alias = "next_page_token",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub next_page_token: String,
}

//! Push configurations, which 0.3 nests and names by their task.

use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::wire::{Wire, Wrong, all, one, text, to_all, to_text};
use crate::a2a::{
    AuthenticationInfo, ListTaskPushNotificationConfigsResponse, TaskPushNotificationConfig,
};

/// Without its task.
impl Wire<v03::PushNotificationConfig> for TaskPushNotificationConfig {
    fn from_wire(message: v03::PushNotificationConfig) -> Result<Self, Wrong> {
        let authentication = message.authentication.map(read_how);
        Ok(Self {
            tenant: None,
            id: text(message.id),
            task_id: None,
            url: message.url,
            token: text(message.token),
            authentication: authentication.transpose()?.flatten(),
        })
    }

    fn to_wire(&self) -> v03::PushNotificationConfig {
        let authentication = self.authentication.as_ref();
        v03::PushNotificationConfig {
            id: to_text(&self.id),
            url: self.url.clone(),
            token: to_text(&self.token),
            authentication: authentication.map(|how| v03::AuthenticationInfo {
                schemes: vec![how.scheme.clone()],
                credentials: to_text(&how.credentials),
            }),
        }
    }
}

/// 0.3 lists the schemes that the receiver takes, 1.0 names one: the first is used.
fn read_how(message: v03::AuthenticationInfo) -> Result<Option<AuthenticationInfo>, Wrong> {
    let credentials = text(message.credentials);
    match (message.schemes.into_iter().next(), credentials) {
        (Some(scheme), credentials) => Ok(Some(AuthenticationInfo {
            scheme,
            credentials,
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => {
            let rule = "must name the scheme of the credentials";
            Err(Wrong::new("authentication.schemes", rule))
        }
    }
}

impl Wire<v03::TaskPushNotificationConfig> for TaskPushNotificationConfig {
    fn from_wire(message: v03::TaskPushNotificationConfig) -> Result<Self, Wrong> {
        let field = "pushNotificationConfig";
        let config: Self = one(field, message.push_notification_config)?;
        if message.name.is_empty() {
            return Ok(config);
        }
        let (task_id, id) = read_config_name("name", &message.name)?;
        Ok(Self {
            task_id: Some(task_id),
            id: config.id.clone().or(Some(id)),
            ..config
        })
    }

    fn to_wire(&self) -> v03::TaskPushNotificationConfig {
        let task = self.task_id.as_deref().unwrap_or_default();
        let id = self.id.as_deref().unwrap_or_default();
        v03::TaskPushNotificationConfig {
            name: config_name(task, id),
            push_notification_config: Some(self.to_wire()),
        }
    }
}

impl Wire<v03::ListTaskPushNotificationConfigResponse> for ListTaskPushNotificationConfigsResponse {
    fn from_wire(message: v03::ListTaskPushNotificationConfigResponse) -> Result<Self, Wrong> {
        Ok(Self {
            configs: all::<TaskPushNotificationConfig, _>("configs", message.configs)?,
            next_page_token: message.next_page_token,
        })
    }

    fn to_wire(&self) -> v03::ListTaskPushNotificationConfigResponse {
        v03::ListTaskPushNotificationConfigResponse {
            configs: to_all(&self.configs),
            next_page_token: self.next_page_token.clone(),
        }
    }
}

pub(super) fn task_name(task: &str) -> String {
    format!("tasks/{task}")
}

pub(super) fn config_name(task: &str, config: &str) -> String {
    format!("tasks/{task}/pushNotificationConfigs/{config}")
}

/// The task in `tasks/{id}`.
pub(super) fn read_task_name(field: &str, name: &str) -> Result<String, Wrong> {
    let id = name.strip_prefix("tasks/").filter(|id| is_id(id));
    let id = id.ok_or_else(|| Wrong::new(field, "must be tasks/{id}"))?;
    Ok(id.to_owned())
}

/// The task and the configuration in `tasks/{id}/pushNotificationConfigs/{id}`.
pub(super) fn read_config_name(field: &str, name: &str) -> Result<(String, String), Wrong> {
    let ids = name
        .strip_prefix("tasks/")
        .and_then(|rest| rest.split_once("/pushNotificationConfigs/"))
        .filter(|(task, config)| is_id(task) && is_id(config));
    let rule = "must be tasks/{id}/pushNotificationConfigs/{id}";
    let (task, config) = ids.ok_or_else(|| Wrong::new(field, rule))?;
    Ok((task.to_owned(), config.to_owned()))
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && !id.contains('/')
}

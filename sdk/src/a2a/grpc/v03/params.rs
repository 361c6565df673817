//! What a client asks for.

use super::push::{config_name, read_config_name, read_task_name, task_name};
use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::value::{metadata, to_metadata};
use crate::a2a::grpc::wire::{Wire, Wrong, maybe, one, text, to_text};
use crate::a2a::{
    CancelTaskRequest, GetTaskPushNotificationConfigRequest, GetTaskRequest,
    ListTaskPushNotificationConfigsRequest, SendMessageConfiguration, SendMessageRequest, Struct,
    SubscribeToTaskRequest, TaskPushNotificationConfig,
};

impl Wire<v03::SendMessageRequest> for SendMessageRequest {
    fn from_wire(message: v03::SendMessageRequest) -> Result<Self, Wrong> {
        // proto3: what is not there is false, and not blocking.
        let configuration = message.configuration.unwrap_or_default();
        Ok(Self {
            tenant: None,
            message: one("message", message.request)?,
            configuration: maybe("configuration", Some(configuration))?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v03::SendMessageRequest {
        let configuration = self.configuration.clone().unwrap_or_default();
        v03::SendMessageRequest {
            request: Some(self.message.to_wire()),
            configuration: Some(configuration.to_wire()),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v03::SendMessageConfiguration> for SendMessageConfiguration {
    fn from_wire(message: v03::SendMessageConfiguration) -> Result<Self, Wrong> {
        Ok(Self {
            accepted_output_modes: message.accepted_output_modes,
            task_push_notification_config: maybe("pushNotification", message.push_notification)?,
            history_length: read_length(message.history_length),
            return_immediately: !message.blocking,
        })
    }

    fn to_wire(&self) -> v03::SendMessageConfiguration {
        let push = self.task_push_notification_config.as_ref();
        v03::SendMessageConfiguration {
            accepted_output_modes: self.accepted_output_modes.clone(),
            push_notification: push.map(Wire::to_wire),
            history_length: self.history_length.unwrap_or_default(),
            blocking: !self.return_immediately,
        }
    }
}

/// In 0.3 a length of 0 asks for everything.
fn read_length(length: i32) -> Option<i32> {
    Some(length).filter(|length| *length != 0)
}

impl Wire<v03::GetTaskRequest> for GetTaskRequest {
    fn from_wire(message: v03::GetTaskRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: None,
            id: read_task_name("name", &message.name)?,
            history_length: read_length(message.history_length),
        })
    }

    fn to_wire(&self) -> v03::GetTaskRequest {
        v03::GetTaskRequest {
            name: task_name(&self.id),
            history_length: self.history_length.unwrap_or_default(),
        }
    }
}

impl Wire<v03::CancelTaskRequest> for CancelTaskRequest {
    fn from_wire(message: v03::CancelTaskRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: None,
            id: read_task_name("name", &message.name)?,
            metadata: Struct::new(),
        })
    }

    fn to_wire(&self) -> v03::CancelTaskRequest {
        v03::CancelTaskRequest {
            name: task_name(&self.id),
        }
    }
}

impl Wire<v03::TaskSubscriptionRequest> for SubscribeToTaskRequest {
    fn from_wire(message: v03::TaskSubscriptionRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: None,
            id: read_task_name("name", &message.name)?,
        })
    }

    fn to_wire(&self) -> v03::TaskSubscriptionRequest {
        v03::TaskSubscriptionRequest {
            name: task_name(&self.id),
        }
    }
}

impl Wire<v03::CreateTaskPushNotificationConfigRequest> for TaskPushNotificationConfig {
    fn from_wire(message: v03::CreateTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        let task_id = read_task_name("parent", &message.parent)?;
        let config = message.config.and_then(|c| c.push_notification_config);
        let config: Self = one("config.pushNotificationConfig", config)?;
        Ok(Self {
            task_id: Some(task_id),
            id: text(message.config_id).or(config.id),
            ..config
        })
    }

    fn to_wire(&self) -> v03::CreateTaskPushNotificationConfigRequest {
        let task = self.task_id.as_deref().unwrap_or_default();
        v03::CreateTaskPushNotificationConfigRequest {
            parent: task_name(task),
            config_id: to_text(&self.id),
            config: Some(self.to_wire()),
        }
    }
}

impl Wire<v03::GetTaskPushNotificationConfigRequest> for GetTaskPushNotificationConfigRequest {
    fn from_wire(message: v03::GetTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        of_name(&message.name)
    }

    fn to_wire(&self) -> v03::GetTaskPushNotificationConfigRequest {
        v03::GetTaskPushNotificationConfigRequest {
            name: config_name(&self.task_id, &self.id),
        }
    }
}

impl Wire<v03::DeleteTaskPushNotificationConfigRequest> for GetTaskPushNotificationConfigRequest {
    fn from_wire(message: v03::DeleteTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        of_name(&message.name)
    }

    fn to_wire(&self) -> v03::DeleteTaskPushNotificationConfigRequest {
        v03::DeleteTaskPushNotificationConfigRequest {
            name: config_name(&self.task_id, &self.id),
        }
    }
}

fn of_name(name: &str) -> Result<GetTaskPushNotificationConfigRequest, Wrong> {
    let (task_id, id) = read_config_name("name", name)?;
    Ok(GetTaskPushNotificationConfigRequest {
        tenant: None,
        task_id,
        id,
    })
}

impl Wire<v03::ListTaskPushNotificationConfigRequest> for ListTaskPushNotificationConfigsRequest {
    fn from_wire(message: v03::ListTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: None,
            task_id: read_task_name("parent", &message.parent)?,
            page_size: message.page_size,
            page_token: text(message.page_token),
        })
    }

    fn to_wire(&self) -> v03::ListTaskPushNotificationConfigRequest {
        v03::ListTaskPushNotificationConfigRequest {
            parent: task_name(&self.task_id),
            page_size: self.page_size,
            page_token: to_text(&self.page_token),
        }
    }
}

//! Push notifications (A2A §3.1.7-3.1.10, §4.3).

use super::generated::v1;
use super::wire::{Wire, Wrong, all, maybe, text, to_all, to_text};
use crate::a2a::{
    AuthenticationInfo, GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest, ListTaskPushNotificationConfigsResponse,
    TaskPushNotificationConfig,
};

impl Wire<v1::TaskPushNotificationConfig> for TaskPushNotificationConfig {
    fn from_wire(message: v1::TaskPushNotificationConfig) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            id: text(message.id),
            task_id: text(message.task_id),
            url: message.url,
            token: text(message.token),
            authentication: maybe("authentication", message.authentication)?,
        })
    }

    fn to_wire(&self) -> v1::TaskPushNotificationConfig {
        v1::TaskPushNotificationConfig {
            tenant: to_text(&self.tenant),
            id: to_text(&self.id),
            task_id: to_text(&self.task_id),
            url: self.url.clone(),
            token: to_text(&self.token),
            authentication: self.authentication.as_ref().map(Wire::to_wire),
        }
    }
}

impl Wire<v1::AuthenticationInfo> for AuthenticationInfo {
    fn from_wire(message: v1::AuthenticationInfo) -> Result<Self, Wrong> {
        Ok(Self {
            scheme: message.scheme,
            credentials: text(message.credentials),
        })
    }

    fn to_wire(&self) -> v1::AuthenticationInfo {
        v1::AuthenticationInfo {
            scheme: self.scheme.clone(),
            credentials: to_text(&self.credentials),
        }
    }
}

impl Wire<v1::GetTaskPushNotificationConfigRequest> for GetTaskPushNotificationConfigRequest {
    fn from_wire(message: v1::GetTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            task_id: message.task_id,
            id: message.id,
        })
    }

    fn to_wire(&self) -> v1::GetTaskPushNotificationConfigRequest {
        v1::GetTaskPushNotificationConfigRequest {
            tenant: to_text(&self.tenant),
            task_id: self.task_id.clone(),
            id: self.id.clone(),
        }
    }
}

impl Wire<v1::DeleteTaskPushNotificationConfigRequest> for GetTaskPushNotificationConfigRequest {
    fn from_wire(message: v1::DeleteTaskPushNotificationConfigRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            task_id: message.task_id,
            id: message.id,
        })
    }

    fn to_wire(&self) -> v1::DeleteTaskPushNotificationConfigRequest {
        v1::DeleteTaskPushNotificationConfigRequest {
            tenant: to_text(&self.tenant),
            task_id: self.task_id.clone(),
            id: self.id.clone(),
        }
    }
}

impl Wire<v1::ListTaskPushNotificationConfigsRequest> for ListTaskPushNotificationConfigsRequest {
    fn from_wire(message: v1::ListTaskPushNotificationConfigsRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            task_id: message.task_id,
            page_size: message.page_size,
            page_token: text(message.page_token),
        })
    }

    fn to_wire(&self) -> v1::ListTaskPushNotificationConfigsRequest {
        v1::ListTaskPushNotificationConfigsRequest {
            tenant: to_text(&self.tenant),
            task_id: self.task_id.clone(),
            page_size: self.page_size,
            page_token: to_text(&self.page_token),
        }
    }
}

impl Wire<v1::ListTaskPushNotificationConfigsResponse> for ListTaskPushNotificationConfigsResponse {
    fn from_wire(message: v1::ListTaskPushNotificationConfigsResponse) -> Result<Self, Wrong> {
        Ok(Self {
            configs: all("configs", message.configs)?,
            next_page_token: message.next_page_token,
        })
    }

    fn to_wire(&self) -> v1::ListTaskPushNotificationConfigsResponse {
        v1::ListTaskPushNotificationConfigsResponse {
            configs: to_all(&self.configs),
            next_page_token: self.next_page_token.clone(),
        }
    }
}

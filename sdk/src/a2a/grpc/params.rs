//! What a client asks for (A2A §3.1, §3.2).

use super::generated::v1;
use super::task::{read_state, write_state};
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, all, maybe, one, text, to_all, to_text};
use crate::a2a::{
    CancelTaskRequest, GetExtendedAgentCardRequest, GetTaskRequest, ListTasksRequest,
    ListTasksResponse, SendMessageConfiguration, SendMessageRequest, SubscribeToTaskRequest,
};

impl Wire<v1::SendMessageRequest> for SendMessageRequest {
    fn from_wire(message: v1::SendMessageRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            message: one("message", message.message)?,
            configuration: maybe("configuration", message.configuration)?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v1::SendMessageRequest {
        v1::SendMessageRequest {
            tenant: to_text(&self.tenant),
            message: Some(self.message.to_wire()),
            configuration: self.configuration.as_ref().map(Wire::to_wire),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v1::SendMessageConfiguration> for SendMessageConfiguration {
    fn from_wire(message: v1::SendMessageConfiguration) -> Result<Self, Wrong> {
        Ok(Self {
            accepted_output_modes: message.accepted_output_modes,
            task_push_notification_config: maybe(
                "taskPushNotificationConfig",
                message.task_push_notification_config,
            )?,
            history_length: message.history_length,
            return_immediately: message.return_immediately,
        })
    }

    fn to_wire(&self) -> v1::SendMessageConfiguration {
        let push = self.task_push_notification_config.as_ref();
        v1::SendMessageConfiguration {
            accepted_output_modes: self.accepted_output_modes.clone(),
            task_push_notification_config: push.map(Wire::to_wire),
            history_length: self.history_length,
            return_immediately: self.return_immediately,
        }
    }
}

impl Wire<v1::GetTaskRequest> for GetTaskRequest {
    fn from_wire(message: v1::GetTaskRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            id: message.id,
            history_length: message.history_length,
        })
    }

    fn to_wire(&self) -> v1::GetTaskRequest {
        v1::GetTaskRequest {
            tenant: to_text(&self.tenant),
            id: self.id.clone(),
            history_length: self.history_length,
        }
    }
}

impl Wire<v1::ListTasksRequest> for ListTasksRequest {
    fn from_wire(message: v1::ListTasksRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            context_id: text(message.context_id),
            status: read_state("status", message.status)?,
            page_size: message.page_size,
            page_token: text(message.page_token),
            history_length: message.history_length,
            status_timestamp_after: maybe("statusTimestampAfter", message.status_timestamp_after)?,
            include_artifacts: message.include_artifacts,
        })
    }

    fn to_wire(&self) -> v1::ListTasksRequest {
        let status = self.status.map_or(v1::TaskState::Unspecified, write_state);
        v1::ListTasksRequest {
            tenant: to_text(&self.tenant),
            context_id: to_text(&self.context_id),
            status: status.into(),
            page_size: self.page_size,
            page_token: to_text(&self.page_token),
            history_length: self.history_length,
            status_timestamp_after: self.status_timestamp_after.as_ref().map(Wire::to_wire),
            include_artifacts: self.include_artifacts,
        }
    }
}

impl Wire<v1::ListTasksResponse> for ListTasksResponse {
    fn from_wire(message: v1::ListTasksResponse) -> Result<Self, Wrong> {
        Ok(Self {
            tasks: all("tasks", message.tasks)?,
            next_page_token: message.next_page_token,
            page_size: message.page_size,
            total_size: message.total_size,
        })
    }

    fn to_wire(&self) -> v1::ListTasksResponse {
        v1::ListTasksResponse {
            tasks: to_all(&self.tasks),
            next_page_token: self.next_page_token.clone(),
            page_size: self.page_size,
            total_size: self.total_size,
        }
    }
}

impl Wire<v1::CancelTaskRequest> for CancelTaskRequest {
    fn from_wire(message: v1::CancelTaskRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            id: message.id,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v1::CancelTaskRequest {
        v1::CancelTaskRequest {
            tenant: to_text(&self.tenant),
            id: self.id.clone(),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v1::SubscribeToTaskRequest> for SubscribeToTaskRequest {
    fn from_wire(message: v1::SubscribeToTaskRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
            id: message.id,
        })
    }

    fn to_wire(&self) -> v1::SubscribeToTaskRequest {
        v1::SubscribeToTaskRequest {
            tenant: to_text(&self.tenant),
            id: self.id.clone(),
        }
    }
}

impl Wire<v1::GetExtendedAgentCardRequest> for GetExtendedAgentCardRequest {
    fn from_wire(message: v1::GetExtendedAgentCardRequest) -> Result<Self, Wrong> {
        Ok(Self {
            tenant: text(message.tenant),
        })
    }

    fn to_wire(&self) -> v1::GetExtendedAgentCardRequest {
        v1::GetExtendedAgentCardRequest {
            tenant: to_text(&self.tenant),
        }
    }
}

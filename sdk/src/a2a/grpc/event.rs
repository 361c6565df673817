//! What an agent answers, at once or piece by piece (A2A §3.2.3, §4.2).

use super::generated::v1;
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, one, required};
use crate::a2a::{
    Message, SendMessageResponse, StreamResponse, Task, TaskArtifactUpdateEvent,
    TaskStatusUpdateEvent,
};

impl Wire<v1::TaskStatusUpdateEvent> for TaskStatusUpdateEvent {
    fn from_wire(message: v1::TaskStatusUpdateEvent) -> Result<Self, Wrong> {
        Ok(Self {
            task_id: required("taskId", message.task_id)?,
            context_id: message.context_id,
            status: one("status", message.status)?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v1::TaskStatusUpdateEvent {
        v1::TaskStatusUpdateEvent {
            task_id: self.task_id.clone(),
            context_id: self.context_id.clone(),
            status: Some(self.status.to_wire()),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v1::TaskArtifactUpdateEvent> for TaskArtifactUpdateEvent {
    fn from_wire(message: v1::TaskArtifactUpdateEvent) -> Result<Self, Wrong> {
        Ok(Self {
            task_id: required("taskId", message.task_id)?,
            context_id: message.context_id,
            artifact: one("artifact", message.artifact)?,
            append: message.append,
            last_chunk: message.last_chunk,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v1::TaskArtifactUpdateEvent {
        v1::TaskArtifactUpdateEvent {
            task_id: self.task_id.clone(),
            context_id: self.context_id.clone(),
            artifact: Some(self.artifact.to_wire()),
            append: self.append,
            last_chunk: self.last_chunk,
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v1::SendMessageResponse> for SendMessageResponse {
    fn from_wire(message: v1::SendMessageResponse) -> Result<Self, Wrong> {
        use v1::send_message_response::Payload;
        match message.payload {
            Some(Payload::Task(task)) => one("task", Some(task)).map(Self::Task),
            Some(Payload::Message(message)) => one("message", Some(message)).map(Self::Message),
            None => Err(Wrong::missing("payload")),
        }
    }

    fn to_wire(&self) -> v1::SendMessageResponse {
        use v1::send_message_response::Payload;
        let payload = match self {
            Self::Task(task) => Payload::Task(task.to_wire()),
            Self::Message(message) => Payload::Message(message.to_wire()),
        };
        v1::SendMessageResponse {
            payload: Some(payload),
        }
    }
}

impl Wire<v1::StreamResponse> for StreamResponse {
    fn from_wire(message: v1::StreamResponse) -> Result<Self, Wrong> {
        use v1::stream_response::Payload;
        match message.payload {
            Some(Payload::Task(task)) => one::<Task, _>("task", Some(task)).map(Self::Task),
            Some(Payload::Message(message)) => {
                one::<Message, _>("message", Some(message)).map(Self::Message)
            }
            Some(Payload::StatusUpdate(event)) => {
                one("statusUpdate", Some(event)).map(Self::StatusUpdate)
            }
            Some(Payload::ArtifactUpdate(event)) => {
                one("artifactUpdate", Some(event)).map(Self::ArtifactUpdate)
            }
            None => Err(Wrong::missing("payload")),
        }
    }

    fn to_wire(&self) -> v1::StreamResponse {
        use v1::stream_response::Payload;
        let payload = match self {
            Self::Task(task) => Payload::Task(task.to_wire()),
            Self::Message(message) => Payload::Message(message.to_wire()),
            Self::StatusUpdate(event) => Payload::StatusUpdate(event.to_wire()),
            Self::ArtifactUpdate(event) => Payload::ArtifactUpdate(event.to_wire()),
        };
        v1::StreamResponse {
            payload: Some(payload),
        }
    }
}

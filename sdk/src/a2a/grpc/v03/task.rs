//! Tasks and what an agent answers.

use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::task::{read_state, write_state};
use crate::a2a::grpc::value::{metadata, to_metadata};
use crate::a2a::grpc::wire::{Wire, Wrong, all, maybe, one, required, to_all};
use crate::a2a::{
    SendMessageResponse, StreamResponse, Task, TaskArtifactUpdateEvent, TaskStatus,
    TaskStatusUpdateEvent,
};

impl Wire<v03::Task> for Task {
    fn from_wire(message: v03::Task) -> Result<Self, Wrong> {
        Ok(Self {
            id: required("id", message.id)?,
            context_id: message.context_id,
            status: one("status", message.status)?,
            artifacts: all("artifacts", message.artifacts)?,
            history: all("history", message.history)?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v03::Task {
        v03::Task {
            id: self.id.clone(),
            context_id: self.context_id.clone(),
            status: Some(self.status.to_wire()),
            artifacts: to_all(&self.artifacts),
            history: to_all(&self.history),
            metadata: to_metadata(&self.metadata),
        }
    }
}

/// The states of 0.3 have the numbers of those of 1.0.
impl Wire<v03::TaskStatus> for TaskStatus {
    fn from_wire(message: v03::TaskStatus) -> Result<Self, Wrong> {
        let state = read_state("state", message.state)?;
        Ok(Self {
            state: state.ok_or_else(|| Wrong::missing("state"))?,
            message: maybe("message", message.update)?,
            timestamp: maybe("timestamp", message.timestamp)?,
        })
    }

    fn to_wire(&self) -> v03::TaskStatus {
        v03::TaskStatus {
            state: write_state(self.state).into(),
            update: self.message.as_ref().map(Wire::to_wire),
            timestamp: self.timestamp.as_ref().map(Wire::to_wire),
        }
    }
}

impl Wire<v03::TaskStatusUpdateEvent> for TaskStatusUpdateEvent {
    fn from_wire(message: v03::TaskStatusUpdateEvent) -> Result<Self, Wrong> {
        // Whether it is the last is told by the end of the stream.
        Ok(Self {
            task_id: required("taskId", message.task_id)?,
            context_id: message.context_id,
            status: one("status", message.status)?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v03::TaskStatusUpdateEvent {
        v03::TaskStatusUpdateEvent {
            task_id: self.task_id.clone(),
            context_id: self.context_id.clone(),
            status: Some(self.status.to_wire()),
            // Nothing follows a terminal state; after an interrupted one the stream may go on.
            r#final: self.status.state.is_terminal(),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v03::TaskArtifactUpdateEvent> for TaskArtifactUpdateEvent {
    fn from_wire(message: v03::TaskArtifactUpdateEvent) -> Result<Self, Wrong> {
        Ok(Self {
            task_id: required("taskId", message.task_id)?,
            context_id: message.context_id,
            artifact: one("artifact", message.artifact)?,
            append: message.append,
            last_chunk: message.last_chunk,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v03::TaskArtifactUpdateEvent {
        v03::TaskArtifactUpdateEvent {
            task_id: self.task_id.clone(),
            context_id: self.context_id.clone(),
            artifact: Some(self.artifact.to_wire()),
            append: self.append,
            last_chunk: self.last_chunk,
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v03::SendMessageResponse> for SendMessageResponse {
    fn from_wire(message: v03::SendMessageResponse) -> Result<Self, Wrong> {
        use v03::send_message_response::Payload;
        match message.payload {
            Some(Payload::Task(task)) => one("task", Some(task)).map(Self::Task),
            Some(Payload::Msg(message)) => one("message", Some(message)).map(Self::Message),
            None => Err(Wrong::missing("payload")),
        }
    }

    fn to_wire(&self) -> v03::SendMessageResponse {
        use v03::send_message_response::Payload;
        let payload = match self {
            Self::Task(task) => Payload::Task(task.to_wire()),
            Self::Message(message) => Payload::Msg(message.to_wire()),
        };
        v03::SendMessageResponse {
            payload: Some(payload),
        }
    }
}

impl Wire<v03::StreamResponse> for StreamResponse {
    fn from_wire(message: v03::StreamResponse) -> Result<Self, Wrong> {
        use v03::stream_response::Payload;
        match message.payload {
            Some(Payload::Task(task)) => one("task", Some(task)).map(Self::Task),
            Some(Payload::Msg(message)) => one("message", Some(message)).map(Self::Message),
            Some(Payload::StatusUpdate(event)) => {
                one("statusUpdate", Some(event)).map(Self::StatusUpdate)
            }
            Some(Payload::ArtifactUpdate(event)) => {
                one("artifactUpdate", Some(event)).map(Self::ArtifactUpdate)
            }
            None => Err(Wrong::missing("payload")),
        }
    }

    fn to_wire(&self) -> v03::StreamResponse {
        use v03::stream_response::Payload;
        let payload = match self {
            Self::Task(task) => Payload::Task(task.to_wire()),
            Self::Message(message) => Payload::Msg(message.to_wire()),
            Self::StatusUpdate(event) => Payload::StatusUpdate(event.to_wire()),
            Self::ArtifactUpdate(event) => Payload::ArtifactUpdate(event.to_wire()),
        };
        v03::StreamResponse {
            payload: Some(payload),
        }
    }
}

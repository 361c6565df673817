//! The messages that 1.0 and 0.3 write alike, each written down once.

use super::generated::{v1, v03};
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, all, one, required, text, to_all, to_text};
use crate::a2a::{Artifact, SendMessageResponse, StreamResponse, Task, TaskArtifactUpdateEvent};

/// The messages of one proto. In an answer the two name one thing differently: the message.
macro_rules! alike {
    ($proto:ident, $message:ident) => {
        impl Wire<$proto::Task> for Task {
            fn from_wire(message: $proto::Task) -> Result<Self, Wrong> {
                Ok(Self {
                    id: required("id", message.id)?,
                    context_id: message.context_id,
                    status: one("status", message.status)?,
                    artifacts: all("artifacts", message.artifacts)?,
                    history: all("history", message.history)?,
                    metadata: metadata("metadata", message.metadata)?,
                })
            }

            fn to_wire(&self) -> $proto::Task {
                $proto::Task {
                    id: self.id.clone(),
                    context_id: self.context_id.clone(),
                    status: Some(self.status.to_wire()),
                    artifacts: to_all(&self.artifacts),
                    history: to_all(&self.history),
                    metadata: to_metadata(&self.metadata),
                }
            }
        }

        impl Wire<$proto::Artifact> for Artifact {
            fn from_wire(message: $proto::Artifact) -> Result<Self, Wrong> {
                Ok(Self {
                    artifact_id: required("artifactId", message.artifact_id)?,
                    name: text(message.name),
                    description: text(message.description),
                    parts: all("parts", message.parts)?,
                    metadata: metadata("metadata", message.metadata)?,
                    extensions: message.extensions,
                })
            }

            fn to_wire(&self) -> $proto::Artifact {
                $proto::Artifact {
                    artifact_id: self.artifact_id.clone(),
                    name: to_text(&self.name),
                    description: to_text(&self.description),
                    parts: to_all(&self.parts),
                    metadata: to_metadata(&self.metadata),
                    extensions: self.extensions.clone(),
                }
            }
        }

        impl Wire<$proto::TaskArtifactUpdateEvent> for TaskArtifactUpdateEvent {
            fn from_wire(message: $proto::TaskArtifactUpdateEvent) -> Result<Self, Wrong> {
                Ok(Self {
                    task_id: required("taskId", message.task_id)?,
                    context_id: message.context_id,
                    artifact: one("artifact", message.artifact)?,
                    append: message.append,
                    last_chunk: message.last_chunk,
                    metadata: metadata("metadata", message.metadata)?,
                })
            }

            fn to_wire(&self) -> $proto::TaskArtifactUpdateEvent {
                $proto::TaskArtifactUpdateEvent {
                    task_id: self.task_id.clone(),
                    context_id: self.context_id.clone(),
                    artifact: Some(self.artifact.to_wire()),
                    append: self.append,
                    last_chunk: self.last_chunk,
                    metadata: to_metadata(&self.metadata),
                }
            }
        }

        impl Wire<$proto::SendMessageResponse> for SendMessageResponse {
            fn from_wire(message: $proto::SendMessageResponse) -> Result<Self, Wrong> {
                use $proto::send_message_response::Payload;
                match message.payload {
                    Some(Payload::Task(it)) => one("task", Some(it)).map(Self::Task),
                    Some(Payload::$message(it)) => one("message", Some(it)).map(Self::Message),
                    None => Err(Wrong::missing("payload")),
                }
            }

            fn to_wire(&self) -> $proto::SendMessageResponse {
                use $proto::send_message_response::Payload;
                let payload = Some(match self {
                    Self::Task(task) => Payload::Task(task.to_wire()),
                    Self::Message(message) => Payload::$message(message.to_wire()),
                });
                $proto::SendMessageResponse { payload }
            }
        }

        impl Wire<$proto::StreamResponse> for StreamResponse {
            fn from_wire(message: $proto::StreamResponse) -> Result<Self, Wrong> {
                use $proto::stream_response::Payload;
                match message.payload {
                    Some(Payload::Task(it)) => one("task", Some(it)).map(Self::Task),
                    Some(Payload::$message(it)) => one("message", Some(it)).map(Self::Message),
                    Some(Payload::StatusUpdate(it)) => {
                        one("statusUpdate", Some(it)).map(Self::StatusUpdate)
                    }
                    Some(Payload::ArtifactUpdate(it)) => {
                        one("artifactUpdate", Some(it)).map(Self::ArtifactUpdate)
                    }
                    None => Err(Wrong::missing("payload")),
                }
            }

            fn to_wire(&self) -> $proto::StreamResponse {
                use $proto::stream_response::Payload;
                let payload = Some(match self {
                    Self::Task(task) => Payload::Task(task.to_wire()),
                    Self::Message(message) => Payload::$message(message.to_wire()),
                    Self::StatusUpdate(event) => Payload::StatusUpdate(event.to_wire()),
                    Self::ArtifactUpdate(event) => Payload::ArtifactUpdate(event.to_wire()),
                });
                $proto::StreamResponse { payload }
            }
        }
    };
}

alike!(v1, Message);
alike!(v03, Msg);

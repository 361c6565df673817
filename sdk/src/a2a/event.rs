//! What an agent answers, at once or piece by piece (A2A §3.2.3, §4.2).

use serde::{Deserialize, Deserializer, Serialize};

use super::wire;
use super::{Artifact, Message, Struct, Task, TaskState, TaskStatus};

/// The state of a task changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskStatusUpdateEvent {
    /// Which task.
    #[serde(alias = "task_id")]
    pub task_id: String,
    /// The conversation it belongs to.
    #[serde(default, alias = "context_id", deserialize_with = "wire::or_default")]
    pub context_id: String,
    /// The new status.
    pub status: TaskStatus,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
}

/// A result, or a piece of one, is there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskArtifactUpdateEvent {
    /// Which task.
    #[serde(alias = "task_id")]
    pub task_id: String,
    /// The conversation it belongs to.
    #[serde(default, alias = "context_id", deserialize_with = "wire::or_default")]
    pub context_id: String,
    /// The result, or the piece.
    pub artifact: Artifact,
    /// Whether it goes behind the artifact of the same ID that was sent before.
    #[serde(
        default,
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "wire::or_default"
    )]
    pub append: bool,
    /// Whether no more pieces follow.
    #[serde(
        default,
        alias = "last_chunk",
        skip_serializing_if = "std::ops::Not::not",
        deserialize_with = "wire::or_default"
    )]
    pub last_chunk: bool,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
}

/// The answer to `SendMessage`.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SendMessageResponse {
    /// A task was made or continued.
    Task(Task),
    /// The agent answered without a task.
    Message(Message),
}

/// One event of a stream or of a push notification.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StreamResponse {
    /// The task as it stands.
    Task(Task),
    /// The whole answer, without a task.
    Message(Message),
    /// The state changed.
    StatusUpdate(TaskStatusUpdateEvent),
    /// A result, or a piece of one.
    ArtifactUpdate(TaskArtifactUpdateEvent),
}

impl StreamResponse {
    /// The task it is about; a message has none unless it names one.
    pub fn task_id(&self) -> Option<&str> {
        match self {
            Self::Task(task) => Some(&task.id),
            Self::Message(message) => message.task_id.as_deref(),
            Self::StatusUpdate(event) => Some(&event.task_id),
            Self::ArtifactUpdate(event) => Some(&event.task_id),
        }
    }

    /// The state it tells of, when it tells of one.
    pub fn state(&self) -> Option<TaskState> {
        match self {
            Self::Task(task) => Some(task.status.state),
            Self::StatusUpdate(event) => Some(event.status.state),
            Self::Message(_) | Self::ArtifactUpdate(_) => None,
        }
    }

    /// Whether the stream ends with it: a message, or a terminal state (A2A §3.1.2).
    pub fn is_last(&self) -> bool {
        match self {
            Self::Message(_) => true,
            Self::Task(_) | Self::StatusUpdate(_) | Self::ArtifactUpdate(_) => {
                self.state().is_some_and(TaskState::is_terminal)
            }
        }
    }
}

#[derive(Deserialize)]
struct AnswerWire {
    task: Option<Task>,
    message: Option<Message>,
}

impl<'de> Deserialize<'de> for SendMessageResponse {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let answer = AnswerWire::deserialize(from)?;
        let found = [
            answer.task.map(Self::Task),
            answer.message.map(Self::Message),
        ];
        wire::exactly_one(found, "a SendMessageResponse")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventWire {
    task: Option<Task>,
    message: Option<Message>,
    #[serde(alias = "status_update")]
    status_update: Option<TaskStatusUpdateEvent>,
    #[serde(alias = "artifact_update")]
    artifact_update: Option<TaskArtifactUpdateEvent>,
}

impl<'de> Deserialize<'de> for StreamResponse {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let event = EventWire::deserialize(from)?;
        let found = [
            event.task.map(Self::Task),
            event.message.map(Self::Message),
            event.status_update.map(Self::StatusUpdate),
            event.artifact_update.map(Self::ArtifactUpdate),
        ];
        wire::exactly_one(found, "a StreamResponse")
    }
}

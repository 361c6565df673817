//! What an agent answers, at once or piece by piece (A2A §3.2.3, §4.2).

use serde::{Deserialize, Deserializer, Serialize};

use super::call::incomplete;
use super::wire;
use super::{A2aError, Artifact, Message, Struct, Task, TaskState, TaskStatus};

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

    /// The conversation it belongs to; none when it names none.
    pub fn context_id(&self) -> Option<&str> {
        let id = match self {
            Self::Task(task) => &task.context_id,
            Self::Message(message) => message.context_id.as_ref()?,
            Self::StatusUpdate(event) => &event.context_id,
            Self::ArtifactUpdate(event) => &event.context_id,
        };
        Some(id.as_str()).filter(|id| !id.is_empty())
    }

    /// Whether everything is there without which it is no event: a task and what happens to one
    /// have the task's ID (A2A §5.7), as [`Response::check`](super::Response::check) has it for an
    /// answer.
    ///
    /// # Errors
    /// `InvalidAgentResponse` with the name of the missing field.
    ///
    /// ```
    /// use countersign::a2a::{Message, Part, StreamResponse};
    /// let event = StreamResponse::Message(Message::agent(Part::text("hi")));
    /// assert!(event.check().is_ok(), "a message needs no task");
    /// ```
    pub fn check(&self) -> Result<(), A2aError> {
        match self {
            Self::Task(task) if task.id.is_empty() => Err(incomplete("a task without id")),
            Self::StatusUpdate(event) if event.task_id.is_empty() => {
                Err(incomplete("a status update without taskId"))
            }
            Self::ArtifactUpdate(event) if event.task_id.is_empty() => {
                Err(incomplete("an artifact update without taskId"))
            }
            _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::Part;

    #[test]
    fn every_event_reads_back_and_knows_its_task() {
        let status = TaskStatus {
            state: TaskState::Completed,
            message: None,
            timestamp: None,
        };
        let working = TaskStatus {
            state: TaskState::Working,
            ..status.clone()
        };
        for (event, name, last) in [
            (
                StreamResponse::Task(Task::new("t-1", "c-1", working)),
                "task",
                false,
            ),
            (
                StreamResponse::Message(Message::agent(Part::text("hi")).in_task("t-1", "c-1")),
                "message",
                true,
            ),
            (
                StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
                    task_id: "t-1".into(),
                    context_id: "c-1".into(),
                    status,
                    metadata: Struct::new(),
                }),
                "statusUpdate",
                true,
            ),
            (
                StreamResponse::ArtifactUpdate(TaskArtifactUpdateEvent {
                    task_id: "t-1".into(),
                    context_id: "c-1".into(),
                    artifact: Artifact::new(Part::text("x")),
                    append: true,
                    last_chunk: false,
                    metadata: Struct::new(),
                }),
                "artifactUpdate",
                false,
            ),
        ] {
            let json = serde_json::to_value(&event).expect("JSON");
            let members: Vec<_> = json.as_object().expect("an object").keys().collect();
            assert_eq!(members, [name]);
            assert_eq!(StreamResponse::deserialize(json).expect("an event"), event);
            assert_eq!(event.task_id(), Some("t-1"));
            assert_eq!(event.is_last(), last, "{name}");
        }
    }

    #[test]
    fn an_answer_is_a_task_or_a_message_never_both_or_neither() {
        let message = json!({"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "hi"}]});
        let task = json!({"id": "t", "status": {"state": "TASK_STATE_WORKING"}});
        for good in [json!({"message": message}), json!({"task": task, "x": 1})] {
            assert!(SendMessageResponse::deserialize(good).is_ok());
        }
        for bad in [
            json!({}),
            json!({"task": null}),
            json!({"task": task, "message": message}),
        ] {
            assert!(SendMessageResponse::deserialize(&bad).is_err(), "{bad}");
            assert!(StreamResponse::deserialize(&bad).is_err(), "{bad}");
        }
    }
}

//! Tasks, their states and their results (A2A §4.1.1-4.1.3, §4.1.7).

use super::generated::v1;
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, all, maybe, one, required, text, to_all, to_text};
use crate::a2a::{Artifact, Task, TaskState, TaskStatus, Timestamp};

impl Wire<v1::Task> for Task {
    fn from_wire(message: v1::Task) -> Result<Self, Wrong> {
        Ok(Self {
            id: required("id", message.id)?,
            context_id: message.context_id,
            status: one("status", message.status)?,
            artifacts: all("artifacts", message.artifacts)?,
            history: all("history", message.history)?,
            metadata: metadata("metadata", message.metadata)?,
        })
    }

    fn to_wire(&self) -> v1::Task {
        v1::Task {
            id: self.id.clone(),
            context_id: self.context_id.clone(),
            status: Some(self.status.to_wire()),
            artifacts: to_all(&self.artifacts),
            history: to_all(&self.history),
            metadata: to_metadata(&self.metadata),
        }
    }
}

impl Wire<v1::TaskStatus> for TaskStatus {
    fn from_wire(message: v1::TaskStatus) -> Result<Self, Wrong> {
        let state = read_state("state", message.state)?;
        Ok(Self {
            state: state.ok_or_else(|| Wrong::missing("state"))?,
            message: maybe("message", message.message)?,
            timestamp: maybe("timestamp", message.timestamp)?,
        })
    }

    fn to_wire(&self) -> v1::TaskStatus {
        v1::TaskStatus {
            state: write_state(self.state).into(),
            message: self.message.as_ref().map(Wire::to_wire),
            timestamp: self.timestamp.as_ref().map(Wire::to_wire),
        }
    }
}

/// A state; `None` is the zero value.
pub(super) fn read_state(field: &str, state: i32) -> Result<Option<TaskState>, Wrong> {
    Ok(Some(match v1::TaskState::try_from(state) {
        Ok(v1::TaskState::Unspecified) => return Ok(None),
        Ok(v1::TaskState::Submitted) => TaskState::Submitted,
        Ok(v1::TaskState::Working) => TaskState::Working,
        Ok(v1::TaskState::Completed) => TaskState::Completed,
        Ok(v1::TaskState::Failed) => TaskState::Failed,
        Ok(v1::TaskState::Canceled) => TaskState::Canceled,
        Ok(v1::TaskState::InputRequired) => TaskState::InputRequired,
        Ok(v1::TaskState::Rejected) => TaskState::Rejected,
        Ok(v1::TaskState::AuthRequired) => TaskState::AuthRequired,
        Err(_) => return Err(Wrong::new(field, format!("{state} is no task state"))),
    }))
}

pub(super) const fn write_state(state: TaskState) -> v1::TaskState {
    match state {
        TaskState::Submitted => v1::TaskState::Submitted,
        TaskState::Working => v1::TaskState::Working,
        TaskState::Completed => v1::TaskState::Completed,
        TaskState::Failed => v1::TaskState::Failed,
        TaskState::Canceled => v1::TaskState::Canceled,
        TaskState::InputRequired => v1::TaskState::InputRequired,
        TaskState::Rejected => v1::TaskState::Rejected,
        TaskState::AuthRequired => v1::TaskState::AuthRequired,
    }
}

impl Wire<prost_types::Timestamp> for Timestamp {
    fn from_wire(message: prost_types::Timestamp) -> Result<Self, Wrong> {
        let nanos = u32::try_from(message.nanos).ok();
        let time = nanos.and_then(|nanos| Self::from_parts(message.seconds, nanos));
        time.ok_or_else(|| Wrong::new("", "is no time of the years 1 to 9999"))
    }

    fn to_wire(&self) -> prost_types::Timestamp {
        let (seconds, nanos) = self.parts();
        prost_types::Timestamp {
            seconds,
            nanos: i32::try_from(nanos).unwrap_or_default(),
        }
    }
}

impl Wire<v1::Artifact> for Artifact {
    fn from_wire(message: v1::Artifact) -> Result<Self, Wrong> {
        Ok(Self {
            artifact_id: required("artifactId", message.artifact_id)?,
            name: text(message.name),
            description: text(message.description),
            parts: all("parts", message.parts)?,
            metadata: metadata("metadata", message.metadata)?,
            extensions: message.extensions,
        })
    }

    fn to_wire(&self) -> v1::Artifact {
        v1::Artifact {
            artifact_id: self.artifact_id.clone(),
            name: to_text(&self.name),
            description: to_text(&self.description),
            parts: to_all(&self.parts),
            metadata: to_metadata(&self.metadata),
            extensions: self.extensions.clone(),
        }
    }
}

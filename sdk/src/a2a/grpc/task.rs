//! The states of a task (A2A §4.1.2, §4.1.3, §4.2.1).

use super::generated::v1;
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, maybe, one, required};
use crate::a2a::{TaskState, TaskStatus, TaskStatusUpdateEvent, Timestamp};

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

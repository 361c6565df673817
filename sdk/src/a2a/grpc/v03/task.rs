//! The states of a task.

use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::task::{read_state, write_state};
use crate::a2a::grpc::value::{metadata, to_metadata};
use crate::a2a::grpc::wire::{Wire, Wrong, maybe, one, required};
use crate::a2a::{TaskStatus, TaskStatusUpdateEvent};

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

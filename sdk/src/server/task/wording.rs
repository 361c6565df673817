//! Events and errors in the words that callers see.

use std::sync::Arc;

use crate::a2a::{
    A2aError, ErrorKind, Message, StreamResponse, Struct, TaskState, TaskStatus,
    TaskStatusUpdateEvent, Timestamp,
};
use crate::clock::Clock;
use crate::server::store::{StoreError, TaskSnapshot};

/// The time of a status, to the millisecond (A2A §5.6.1).
pub(super) fn timestamp(clock: &dyn Clock) -> Timestamp {
    Timestamp::from_millis(clock.unix_millis())
}

/// The event that `task` is in `state` now.
pub(super) fn status_event(
    task: &TaskSnapshot,
    state: TaskState,
    message: Option<Message>,
    now: Timestamp,
) -> Arc<StreamResponse> {
    let mut status = TaskStatus::new(state, now);
    status.message = message;
    Arc::new(StreamResponse::StatusUpdate(TaskStatusUpdateEvent {
        task_id: task.id().to_owned(),
        context_id: task.context_id().to_owned(),
        status,
        metadata: Struct::new(),
    }))
}

/// The store's failure is the operator's to know; the caller learns that there was one.
pub(super) fn unavailable(error: &StoreError) -> A2aError {
    if matches!(error, StoreError::NotFound) {
        return A2aError::task_not_found();
    }
    if let StoreError::OwnerFull { .. } = error {
        tracing::warn!(reason = error.reason(), "a task was refused: {error}");
        let why = "You have as many unfinished tasks as you may at present";
        return failed(why).with_metadata("limit", "owner.tasks");
    }
    if let StoreError::Full { .. } = error {
        tracing::error!(reason = error.reason(), "a task was refused: {error}");
        return failed("The agent keeps no more tasks at present");
    }
    tracing::error!(
        reason = error.reason(),
        "the task store did not answer: {error}"
    );
    failed("Tasks cannot be reached")
}

pub(super) fn failed(what: &str) -> A2aError {
    A2aError::new(ErrorKind::Internal, what)
}

/// A task that would be over `limit`, of which it may have `max`.
pub(super) fn full(limit: &str, max: usize) -> A2aError {
    let why = format!("The task would be over {limit}, which is {max}");
    let error = A2aError::new(ErrorKind::UnsupportedOperation, why);
    error
        .with_metadata("limit", limit)
        .with_metadata("max", max.to_string())
}

/// An owner that has `max` streams open and wants another.
pub(super) fn too_many_streams(max: usize) -> A2aError {
    tracing::warn!(max, "too many streams of one owner; another is refused");
    let why = format!("You have {max} streams open, which is as many as you may");
    let error = failed(&why).with_metadata("limit", "owner.streams");
    error.with_metadata("max", max.to_string())
}

pub(super) fn not_cancelable() -> A2aError {
    A2aError::new(ErrorKind::TaskNotCancelable, "The task is already over")
}

pub(super) fn busy() -> A2aError {
    A2aError::new(
        ErrorKind::UnsupportedOperation,
        "The task takes no message in its present state",
    )
}

pub(super) fn stopping() -> A2aError {
    failed("The agent is stopping")
}

pub(super) fn elsewhere() -> A2aError {
    failed("Another instance of the agent goes on with the task")
}

pub(super) fn no_push() -> A2aError {
    A2aError::new(
        ErrorKind::PushNotificationNotSupported,
        "This agent sends no push notifications",
    )
}

pub(super) fn over() -> A2aError {
    A2aError::new(
        ErrorKind::UnsupportedOperation,
        "The task is already over and has no events to follow",
    )
}

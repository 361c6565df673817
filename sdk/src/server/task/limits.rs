//! How much an agent holds of its tasks.

use super::wording::full;
use crate::a2a::{A2aError, Message, Task};
use crate::server::store::{Change, TaskSnapshot};
use crate::server::weight::Weight as _;

/// How much an agent holds of one task, and for those who follow it.
///
/// ```
/// use countersign::server::{Agent, TaskLimits};
///
/// # fn f(agent: Agent) -> Agent {
/// agent.task_limits(TaskLimits { bytes: 4 << 20, ..TaskLimits::default() })
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskLimits {
    /// Messages of one task, the client's and the agent's; 10,000 by default. A client's message over
    /// it is refused; an executor's fails the task.
    pub messages: usize,
    /// Bytes of one task, messages and artifacts, about as they lie in memory; 32 MiB by default. A
    /// client's message over it is refused; what an executor adds over it fails the task.
    pub bytes: usize,
    /// Bytes of events that wait for the slowest subscriber of a task, about as they lie in memory;
    /// 16 MiB by default. The stream of one that is further behind ends with an error, and it may
    /// subscribe again.
    pub behind: usize,
    /// Streams that one owner has open at once; 1,024 by default. Another is refused.
    pub streams: usize,
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self {
            messages: 10_000,
            bytes: 32 << 20,
            behind: 16 << 20,
            streams: 1024,
        }
    }
}

impl TaskLimits {
    /// Whether the client's message has room in `task`.
    ///
    /// # Errors
    /// Which limit it would be over.
    pub(super) fn takes(self, task: &Task, message: &Message) -> Result<(), A2aError> {
        let word = usize::from(task.status.message.is_some());
        self.check_messages(task.history.len() + word + 1)?;
        self.check_bytes(task.weight() + message.weight())
    }

    /// Whether `change` has room in `task`. What adds nothing always has.
    ///
    /// # Errors
    /// Which limit it would be over.
    pub(super) fn take(self, task: &mut TaskSnapshot, change: &Change) -> Result<(), A2aError> {
        if change.messages() + change.weight() == 0 {
            return Ok(());
        }
        let size = task.size_with(change, self.bytes);
        if change.messages() > 0 {
            self.check_messages(size.messages)?;
        }
        self.check_bytes(size.bytes)
    }

    fn check_messages(self, messages: usize) -> Result<(), A2aError> {
        if messages <= self.messages {
            return Ok(());
        }
        Err(full("task.messages", self.messages))
    }

    fn check_bytes(self, bytes: usize) -> Result<(), A2aError> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(full("task.bytes", self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::{Part, TaskState, TaskStatus};
    use crate::clock::UnixTime;

    #[test]
    fn a_message_is_taken_up_to_the_limit_and_not_beyond() {
        let now = UnixTime::from_secs(1).into();
        let status = TaskStatus::new(TaskState::InputRequired, now);
        let status = status.with_message(Message::agent(Part::text("which day?")));
        let mut task = Task::new("t", "c", status);
        task.history.push(Message::user(Part::text("book")));
        let message = Message::user(Part::text("Friday"));
        let bytes = task.weight() + message.weight();
        for (messages, bytes, want) in [
            (3, bytes, Ok(())),
            (2, bytes, Err("task.messages")),
            (3, bytes - 1, Err("task.bytes")),
        ] {
            let limits = TaskLimits {
                messages,
                bytes,
                ..TaskLimits::default()
            };
            let limit = |error: A2aError| error.metadata()["limit"].clone();
            let taken = limits.takes(&task, &message).map_err(limit);
            assert_eq!(taken, want.map_err(str::to_owned));
            let change = Change::Said(message.clone());
            let taken = limits.take(&mut task.clone().into(), &change);
            assert_eq!(taken.map_err(limit), want.map_err(str::to_owned));
        }
    }
}

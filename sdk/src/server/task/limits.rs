//! How much an agent holds of its tasks.

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

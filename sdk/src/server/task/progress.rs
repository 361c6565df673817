//! How far a task is, for whoever waits for it.

/// What the sender of a task's first message gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Outcome {
    /// Not known yet.
    #[default]
    Open,
    /// A message or an error, and no task.
    Alone,
    /// A task.
    Task,
}

/// How far the store has followed a task. Changes are numbered as they were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Progress {
    /// The last change that is kept.
    pub(super) kept: u64,
    /// The last of them after which the task was over or waited for somebody.
    pub(super) settled: u64,
    /// What the first message gave.
    pub(super) outcome: Outcome,
    /// Nothing more will come.
    pub(super) closed: bool,
}

impl Progress {
    /// Whether the sender of the message that was change `ticket` has its answer.
    pub(super) fn answers(&self, ticket: u64) -> bool {
        self.closed || self.settled > ticket || self.outcome == Outcome::Alone
    }
}

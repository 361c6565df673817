//! A task at one moment, which shares what it has with the moments before and after.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::change::{Change, settles};
use super::task_store::status_ms;
use crate::a2a::{StreamResponse, Task, TaskState};
use crate::server::weight::Weight as _;

/// Changes of fewer bytes are not worth a copy of the task.
const LITTLE: usize = 4096;
/// What every change costs, however little is in it.
const COST: usize = 64;

/// A task at one moment.
///
/// The moments of one task share what they have in common: the next one costs as much as happened
/// in between, however large the task is. [`TaskSnapshot::whole`] puts the task together.
#[derive(Clone)]
pub struct TaskSnapshot {
    /// The task some changes ago.
    base: Arc<Task>,
    /// What happened since. Later moments have more of it, so the first `len` count here.
    since: Arc<Mutex<Vec<Change>>>,
    len: usize,
    /// Bytes of those, at most, and of `base`.
    since_bytes: usize,
    base_bytes: usize,
    messages: usize,
    state: TaskState,
    status_ms: i64,
}

/// What a task holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::server) struct TaskSize {
    /// Messages of the history, and that of the status.
    pub(in crate::server) messages: usize,
    /// Bytes in memory, about.
    pub(in crate::server) bytes: usize,
}

impl TaskSnapshot {
    /// Its ID.
    pub fn id(&self) -> &str {
        &self.base.id
    }

    /// The ID of its context.
    pub fn context_id(&self) -> &str {
        &self.base.context_id
    }

    /// Its state.
    pub fn state(&self) -> TaskState {
        self.state
    }

    /// The whole task. This is a copy, unless nothing happened since it was whole last.
    pub fn whole(&self) -> Arc<Task> {
        if self.len == 0 {
            return Arc::clone(&self.base);
        }
        let mut task = Task::clone(&self.base);
        for change in self.lock().iter().take(self.len) {
            change.apply(&mut task);
        }
        Arc::new(task)
    }

    /// When its status was set, milliseconds since 1970.
    pub(super) fn status_ms(&self) -> i64 {
        self.status_ms
    }

    /// Whether both have the same place in every list.
    pub(super) fn stands_with(&self, other: &Self) -> bool {
        let place = |task: &Self| (task.state, task.status_ms);
        place(self) == place(other) && self.context_id() == other.context_id()
    }

    /// The moment after `change`.
    pub(in crate::server) fn apply(&mut self, change: Change) {
        self.messages += change.messages();
        if let Some(StreamResponse::StatusUpdate(update)) = change.event().map(|event| &**event) {
            self.state = update.status.state;
            self.status_ms = status_ms(&update.status);
        }
        self.since_bytes += change.weight() + COST;
        let settled = change.event().is_some_and(|event| settles(event));
        self.push(change);
        // A copy for as many bytes as there are already: of N bytes that come piece by piece, a few
        // times N are copied. Who waits for somebody, or is over, is read more than changed.
        if settled || self.since_bytes > self.base_bytes.max(LITTLE) {
            self.fold();
        }
    }

    /// What it holds with `change` in it. Exact when it might be more than `bytes`, else at most this.
    pub(in crate::server) fn size_with(&mut self, change: &Change, bytes: usize) -> TaskSize {
        let messages = self.messages + change.messages();
        let with = self.base_bytes + self.since_bytes + change.weight();
        if with <= bytes {
            return TaskSize {
                messages,
                bytes: with,
            };
        }
        self.fold();
        let replaced = change.replaced(&self.base).map_or(0, |old| old.weight());
        let bytes = self.base_bytes + change.weight() - replaced;
        TaskSize { messages, bytes }
    }

    fn push(&mut self, change: Change) {
        let mut since = self.lock();
        if since.len() == self.len {
            since.push(change);
            drop(since);
        } else {
            // Another moment came after this one, with something else in it.
            let mut own = since[..self.len].to_vec();
            drop(since);
            own.push(change);
            self.since = Arc::new(Mutex::new(own));
        }
        self.len += 1;
    }

    /// Puts the task together, so that it need not be for every look.
    fn fold(&mut self) {
        if self.len > 0 {
            *self = Self::from(self.whole());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Change>> {
        // Nothing is left half done while it is held; a poisoned one is still whole.
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Arc<Task>> for TaskSnapshot {
    fn from(base: Arc<Task>) -> Self {
        Self {
            since: Arc::default(),
            len: 0,
            since_bytes: 0,
            base_bytes: base.weight(),
            messages: base.history.len() + usize::from(base.status.message.is_some()),
            state: base.status.state,
            status_ms: status_ms(&base.status),
            base,
        }
    }
}

impl From<Task> for TaskSnapshot {
    fn from(task: Task) -> Self {
        Self::from(Arc::new(task))
    }
}

impl fmt::Debug for TaskSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, state, len) = (self.id(), self.state, self.len);
        write!(f, "TaskSnapshot({id}, {state}, {len} changes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::a2a::{Message, Part, TaskStatus};
    use crate::clock::UnixTime;
    use crate::server::store::change::testing::{artifact, status};

    fn begun() -> TaskSnapshot {
        let now = UnixTime::from_secs(1).into();
        let mut task = Task::new("t", "c", TaskStatus::new(TaskState::Submitted, now));
        task.history.push(Message::user(Part::text("book")));
        task.into()
    }

    fn changes() -> Vec<Change> {
        let long = "x".repeat(2 * LITTLE);
        vec![
            status(TaskState::Working, Some("looking")),
            artifact("a", "one", false),
            artifact("a", &long, true),
            artifact("b", "other", false),
            status(TaskState::InputRequired, Some("which day?")),
            Change::Said(Message::user(Part::text("Friday"))),
            artifact("a", "new", false),
            artifact("a", &long, true),
            status(TaskState::Completed, None),
        ]
    }

    #[test]
    fn every_moment_stays_as_it_was_and_says_what_it_holds() {
        let (mut task, mut snapshot) = (Task::clone(&begun().whole()), begun());
        task.history.clone_from(&snapshot.whole().history);
        let mut moments = Vec::new();
        for change in changes() {
            let want = snapshot.clone().size_with(&change, 0);
            change.apply(&mut task);
            snapshot.apply(change);
            moments.push((snapshot.clone(), task.clone(), want));
        }
        for (moment, task, size) in moments {
            assert_eq!(*moment.whole(), task);
            assert_eq!(moment.state(), task.status.state);
            assert_eq!(moment.status_ms(), status_ms(&task.status));
            let said = task.history.len() + usize::from(task.status.message.is_some());
            assert_eq!((moment.messages, size.messages), (said, said));
            let bytes = task.weight();
            assert!((bytes..bytes + 512).contains(&size.bytes), "to a piece");
            assert!(moment.base_bytes + moment.since_bytes >= bytes);
        }
    }

    #[test]
    fn of_one_moment_two_others_may_come() {
        let mut one = begun();
        one.apply(artifact("a", "one", false));
        let mut other = one.clone();
        one.apply(artifact("a", "here", true));
        other.apply(artifact("a", "there", true));
        one.apply(artifact("a", "again", true));
        assert_eq!(one.whole().text(), "one\nhere\nagain");
        assert_eq!(other.whole().text(), "one\nthere");
    }

    /// How many pieces are copied when that many are appended and every moment is kept by somebody.
    fn copied(pieces: usize) -> usize {
        let mut snapshot = begun();
        let (mut copied, mut kept) = (0, snapshot.clone());
        for _ in 0..pieces {
            snapshot.apply(artifact("a", &"x".repeat(64), true));
            if !Arc::ptr_eq(&snapshot.base, &kept.base) {
                copied += snapshot.base.artifacts[0].parts.len();
            }
            kept = snapshot.clone();
        }
        copied
    }

    #[test]
    fn appending_copies_a_piece_a_bounded_number_of_times() {
        for pieces in [1000, 10_000, 50_000] {
            let copied = copied(pieces);
            assert!(copied > 0 && copied < 4 * pieces, "{copied} of {pieces}");
        }
    }
}

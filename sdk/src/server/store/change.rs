//! What a change makes of a task.

use std::sync::Arc;

use crate::a2a::{Artifact, Message, StreamResponse, Task, TaskStatus};
use crate::server::weight::Weight as _;

/// A change of a task, in the order of its making.
#[derive(Clone, Debug)]
pub(in crate::server) enum Change {
    /// What streams show.
    Event(Arc<StreamResponse>),
    /// A message of the client, which they do not.
    Said(Message),
    /// Nothing of the task itself: a message that is in it is left to another instance.
    Unheard,
}

impl Change {
    /// What streams show of it.
    pub(in crate::server) fn event(&self) -> Option<&Arc<StreamResponse>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Said(_) | Self::Unheard => None,
        }
    }

    pub(super) fn apply(&self, task: &mut Task) {
        match self {
            Self::Event(event) => apply(task, event),
            Self::Said(message) => said(task, message.clone()),
            Self::Unheard => {}
        }
    }

    /// How many messages it adds.
    pub(in crate::server) fn messages(&self) -> usize {
        match self {
            Self::Said(_) => 1,
            Self::Unheard => 0,
            Self::Event(event) => match &**event {
                StreamResponse::StatusUpdate(update) => {
                    usize::from(update.status.message.is_some())
                }
                _ => 0,
            },
        }
    }

    /// How many bytes it adds, when nothing goes for it.
    pub(in crate::server) fn weight(&self) -> usize {
        match self {
            Self::Said(message) => message.weight(),
            Self::Unheard => 0,
            Self::Event(event) => match &**event {
                StreamResponse::StatusUpdate(update) => update.status.weight(),
                StreamResponse::ArtifactUpdate(update) => update.artifact.weight(),
                StreamResponse::Task(_) | StreamResponse::Message(_) => 0,
            },
        }
    }

    /// What goes for it.
    pub(super) fn replaced<'t>(&self, task: &'t Task) -> Option<&'t Artifact> {
        match &**self.event()? {
            StreamResponse::ArtifactUpdate(update) if !update.append => {
                let id = &update.artifact.artifact_id;
                task.artifacts.iter().find(|known| known.artifact_id == *id)
            }
            _ => None,
        }
    }
}

/// Whether a waiting call has its answer with this event: the task is over or waits for somebody.
pub(in crate::server) fn settles(event: &StreamResponse) -> bool {
    let state = event.state();
    state.is_some_and(|state| state.is_terminal() || state.is_interrupted())
}

fn apply(task: &mut Task, event: &StreamResponse) {
    match event {
        StreamResponse::StatusUpdate(update) => move_on(task, update.status.clone()),
        StreamResponse::ArtifactUpdate(update) => {
            place(&mut task.artifacts, &update.artifact, update.append);
        }
        // The task as a whole, or an answer without one, changes nothing in it.
        StreamResponse::Task(_) | StreamResponse::Message(_) => {}
    }
}

/// What the agent said with a status that passed is part of what was said.
fn move_on(task: &mut Task, status: TaskStatus) {
    let before = std::mem::replace(&mut task.status, status);
    task.history.extend(before.message);
}

fn said(task: &mut Task, message: Message) {
    // The question stands before its answer.
    task.history.extend(task.status.message.take());
    task.history.push(message);
}

/// Puts an artifact in the place of the one of the same ID, or behind its parts.
fn place(artifacts: &mut Vec<Artifact>, new: &Artifact, append: bool) {
    let known = artifacts
        .iter_mut()
        .find(|known| known.artifact_id == new.artifact_id);
    match known {
        None => artifacts.push(new.clone()),
        Some(known) if append => {
            known.parts.extend(new.parts.iter().cloned());
            let members = new.metadata.iter();
            let members = members.map(|(name, value)| (name.clone(), value.clone()));
            known.metadata.extend(members);
        }
        Some(known) => known.clone_from(new),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::a2a::{Part, Struct, TaskArtifactUpdateEvent, TaskState, TaskStatusUpdateEvent};
    use crate::clock::UnixTime;

    pub(in crate::server::store) fn status(state: TaskState, word: Option<&str>) -> Change {
        let mut status = TaskStatus::new(state, UnixTime::from_secs(2).into());
        status.message = word.map(|word| Message::agent(Part::text(word)));
        Change::Event(Arc::new(StreamResponse::StatusUpdate(
            TaskStatusUpdateEvent {
                task_id: "t".into(),
                context_id: "c".into(),
                status,
                metadata: Struct::new(),
            },
        )))
    }

    pub(in crate::server::store) fn artifact(id: &str, text: &str, append: bool) -> Change {
        let mut artifact = Artifact::new(Part::text(text));
        artifact.artifact_id = id.into();
        Change::Event(Arc::new(StreamResponse::ArtifactUpdate(
            TaskArtifactUpdateEvent {
                task_id: "t".into(),
                context_id: "c".into(),
                artifact,
                append,
                last_chunk: false,
                metadata: Struct::new(),
            },
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{artifact, status};
    use super::*;
    use crate::a2a::{Part, TaskState};
    use crate::clock::UnixTime;

    fn task() -> Task {
        let status = TaskStatus::new(TaskState::Submitted, UnixTime::from_secs(1).into());
        let mut task = Task::new("t", "c", status);
        task.history.push(Message::user(Part::text("book")));
        task
    }

    fn texts(messages: &[Message]) -> Vec<String> {
        messages.iter().map(Message::text).collect()
    }

    #[test]
    fn what_was_said_stays_in_its_order() {
        let mut task = task();
        for change in [
            status(TaskState::Working, None),
            status(TaskState::InputRequired, Some("which day?")),
            Change::Said(Message::user(Part::text("Friday"))),
            status(TaskState::Working, Some("looking")),
            status(TaskState::Completed, Some("done")),
        ] {
            change.apply(&mut task);
        }
        let want = ["book", "which day?", "Friday", "looking"];
        assert_eq!(texts(&task.history), want);
        let last = task.status.message.as_ref().map(Message::text);
        assert_eq!(last.as_deref(), Some("done"));
    }

    #[test]
    fn pieces_go_behind_the_artifact_of_their_id_and_a_whole_one_in_its_place() {
        let mut task = task();
        let shown = |task: &Task| -> Vec<Vec<String>> {
            let parts = |artifact: &Artifact| {
                let texts = artifact.parts.iter().filter_map(Part::as_text);
                texts.map(str::to_owned).collect()
            };
            task.artifacts.iter().map(parts).collect()
        };
        artifact("a", "one", false).apply(&mut task);
        artifact("b", "other", true).apply(&mut task);
        artifact("a", "two", true).apply(&mut task);
        assert_eq!(shown(&task), [vec!["one", "two"], vec!["other"]]);
        artifact("a", "new", false).apply(&mut task);
        assert_eq!(shown(&task), [vec!["new"], vec!["other"]]);
    }

    #[test]
    fn a_call_waits_for_the_end_or_a_question_only() {
        for (state, want) in [
            (TaskState::Submitted, false),
            (TaskState::Working, false),
            (TaskState::InputRequired, true),
            (TaskState::AuthRequired, true),
            (TaskState::Completed, true),
            (TaskState::Canceled, true),
        ] {
            let change = status(state, None);
            assert_eq!(change.event().map(|e| settles(e)), Some(want), "{state:?}");
        }
        let piece = artifact("a", "x", false);
        assert_eq!(piece.event().map(|e| settles(e)), Some(false));
    }
}

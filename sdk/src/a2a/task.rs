//! Tasks, their states and their results (A2A §4.1.1-4.1.3, §4.1.7).

use serde::{Deserialize, Serialize};

use super::wire::{self, ProtoEnum as _, proto_enum};
use super::{Message, Part, Struct, Timestamp};

proto_enum! {
    /// Where a task stands.
    TaskState {
        /// Accepted, not begun.
        Submitted = "TASK_STATE_SUBMITTED" = 1,
        /// Being worked on.
        Working = "TASK_STATE_WORKING" = 2,
        /// Done.
        Completed = "TASK_STATE_COMPLETED" = 3,
        /// Ended by an error.
        Failed = "TASK_STATE_FAILED" = 4,
        /// Ended by the client.
        Canceled = "TASK_STATE_CANCELED" = 5,
        /// Waiting for the client to say more.
        InputRequired = "TASK_STATE_INPUT_REQUIRED" = 6,
        /// The agent will not do it.
        Rejected = "TASK_STATE_REJECTED" = 7,
        /// Waiting for an authorization (A2A §7.6).
        AuthRequired = "TASK_STATE_AUTH_REQUIRED" = 8,
    }
}

impl TaskState {
    /// Whether nothing can follow.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Canceled | Self::Rejected => true,
            Self::Submitted | Self::Working | Self::InputRequired | Self::AuthRequired => false,
        }
    }

    /// Whether the task waits for the client.
    pub const fn is_interrupted(self) -> bool {
        match self {
            Self::InputRequired | Self::AuthRequired => true,
            Self::Submitted
            | Self::Working
            | Self::Completed
            | Self::Failed
            | Self::Canceled
            | Self::Rejected => false,
        }
    }
}

impl TaskState {
    /// Reads a filter in a query: a proto name or number. `None` is the proto's zero value, which
    /// means any state.
    pub(super) fn from_query(text: &str) -> Option<Option<Self>> {
        match text.parse() {
            Ok(0) => Some(None),
            Ok(number) => Self::by_number(number).map(Some),
            Err(_) if text == "TASK_STATE_UNSPECIFIED" => Some(None),
            Err(_) => Self::by_name(text).map(Some),
        }
    }
}

/// The state of a task, with what the agent says about it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskStatus {
    /// The state.
    pub state: TaskState,
    /// What the agent says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Message>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

impl TaskStatus {
    /// This state since `timestamp`, without a message.
    pub const fn new(state: TaskState, timestamp: Timestamp) -> Self {
        Self {
            state,
            message: None,
            timestamp: Some(timestamp),
        }
    }

    /// The same status with a message.
    #[must_use]
    pub fn with_message(mut self, message: Message) -> Self {
        self.message = Some(message);
        self
    }
}

/// A unit of work that an agent does for a client.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Made by the server.
    pub id: String,
    /// The conversation it belongs to.
    #[serde(
        default,
        alias = "context_id",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub context_id: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// What came out of it.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub artifacts: Vec<Artifact>,
    /// What was said, oldest first.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub history: Vec<Message>,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
}

impl Task {
    /// A task without history or artifacts.
    pub fn new(id: impl Into<String>, context_id: impl Into<String>, status: TaskStatus) -> Self {
        Self {
            id: id.into(),
            context_id: context_id.into(),
            status,
            artifacts: Vec::new(),
            history: Vec::new(),
            metadata: Struct::new(),
        }
    }

    /// Keeps at most the `limit` newest messages (A2A §3.2.4); `None` keeps all.
    pub fn limit_history(&mut self, limit: Option<usize>) {
        if let Some(limit) = limit {
            let cut = self.history.len().saturating_sub(limit);
            self.history.drain(..cut);
        }
    }
}

/// A result of a task.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Its name within the task.
    #[serde(alias = "artifact_id")]
    pub artifact_id: String,
    /// A name for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub name: Option<String>,
    /// A description for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text"
    )]
    pub description: Option<String>,
    /// Its content; at least one.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub parts: Vec<Part>,
    /// Free-form members.
    #[serde(
        default,
        skip_serializing_if = "Struct::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub metadata: Struct,
    /// URIs of the extensions that contributed to it.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "wire::or_default"
    )]
    pub extensions: Vec<String>,
}

impl Artifact {
    /// An artifact with a fresh ID.
    pub fn new(parts: impl Into<Vec<Part>>) -> Self {
        Self {
            artifact_id: super::new_id(),
            name: None,
            description: None,
            parts: parts.into(),
            metadata: Struct::new(),
            extensions: Vec::new(),
        }
    }

    /// The same artifact with a name for people.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STATES: [(TaskState, &str, bool, bool); 8] = [
        (TaskState::Submitted, "SUBMITTED", false, false),
        (TaskState::Working, "WORKING", false, false),
        (TaskState::Completed, "COMPLETED", true, false),
        (TaskState::Failed, "FAILED", true, false),
        (TaskState::Canceled, "CANCELED", true, false),
        (TaskState::InputRequired, "INPUT_REQUIRED", false, true),
        (TaskState::Rejected, "REJECTED", true, false),
        (TaskState::AuthRequired, "AUTH_REQUIRED", false, true),
    ];

    #[test]
    fn states_have_the_protos_names_and_meanings() {
        for (number, (state, name, terminal, interrupted)) in (1..).zip(STATES) {
            let name = format!("TASK_STATE_{name}");
            assert_eq!(state.as_str(), name);
            assert_eq!(serde_json::to_value(state).expect("JSON"), json!(name));
            for json in [json!(name), json!(number)] {
                assert_eq!(TaskState::deserialize(json).expect("a state"), state);
            }
            assert_eq!(state.is_terminal(), terminal, "{name}");
            assert_eq!(state.is_interrupted(), interrupted, "{name}");
        }
        for bad in [
            json!("TASK_STATE_UNSPECIFIED"),
            json!("completed"),
            json!("3"),
            json!(0),
            json!(9),
        ] {
            assert!(TaskState::deserialize(bad.clone()).is_err(), "{bad}");
        }
    }

    fn task() -> Task {
        let since = "2026-11-22T13:36:11Z".parse().expect("a time");
        let mut task = Task::new("t-1", "c-1", TaskStatus::new(TaskState::Working, since));
        task.history = ["a", "b", "c"].map(|t| Message::user(Part::text(t))).into();
        task.artifacts = vec![Artifact::new(Part::text("done")).named("offer")];
        task
    }

    #[test]
    fn a_task_reads_back_from_its_json() {
        let json = serde_json::to_value(task()).expect("JSON");
        assert_eq!(
            json["status"]["timestamp"],
            json!("2026-11-22T13:36:11.000Z")
        );
        assert_eq!(json.get("metadata"), None);
        let read = Task::deserialize(&json).expect("a task");
        assert_eq!(serde_json::to_value(read).expect("JSON"), json);
    }

    #[test]
    fn a_task_needs_its_id_and_its_state() {
        for path in ["/id", "/status", "/status/state"] {
            let mut json = serde_json::to_value(task()).expect("JSON");
            let (parent, name) = path.rsplit_once('/').expect("a path");
            let object = json.pointer_mut(parent).and_then(|v| v.as_object_mut());
            object.expect("an object").remove(name);
            assert!(Task::deserialize(json).is_err(), "{path}");
        }
    }

    #[test]
    fn history_keeps_the_newest() {
        for (limit, want) in [
            (None, &["a", "b", "c"][..]),
            (Some(0), &[]),
            (Some(2), &["b", "c"]),
            (Some(9), &["a", "b", "c"]),
        ] {
            let mut task = task();
            task.limit_history(limit);
            let texts: Vec<_> = task.history.iter().map(Message::text).collect();
            assert_eq!(texts, want, "{limit:?}");
        }
    }
}

//! How many bytes something takes in memory, about: its texts and files, and the room of each thing
//! in it. Counting costs as much as there are things, however long they are.

use std::mem::size_of;

use serde_json::Value;

use crate::a2a::{Artifact, Message, Part, PartContent, StreamResponse, Struct, Task, TaskStatus};

/// What a member of an object takes besides its name and value.
const MEMBER: usize = 64;

/// Something whose bytes can be counted.
pub(in crate::server) trait Weight {
    /// Its bytes in memory, about.
    fn weight(&self) -> usize;
}

impl Weight for StreamResponse {
    fn weight(&self) -> usize {
        let inside = match self {
            Self::Task(task) => return task.weight(),
            Self::Message(message) => return message.weight(),
            Self::StatusUpdate(event) => event.status.weight() + of_struct(&event.metadata),
            Self::ArtifactUpdate(event) => event.artifact.weight() + of_struct(&event.metadata),
        };
        size_of::<Self>() + inside
    }
}

impl Weight for Task {
    fn weight(&self) -> usize {
        let history = of_all(&self.history) + self.status.weight();
        let names = self.id.len() + self.context_id.len();
        size_of::<Self>() + names + history + of_all(&self.artifacts) + of_struct(&self.metadata)
    }
}

/// That of its message: the rest of it is the same for all.
impl Weight for TaskStatus {
    fn weight(&self) -> usize {
        self.message.as_ref().map_or(0, Weight::weight)
    }
}

impl Weight for Message {
    fn weight(&self) -> usize {
        let names = [&self.context_id, &self.task_id];
        let names: usize = names.into_iter().map(of_text).sum();
        let lists = of_texts(&self.extensions) + of_texts(&self.reference_task_ids);
        let content = of_all(&self.parts) + of_struct(&self.metadata);
        size_of::<Self>() + self.message_id.len() + names + lists + content
    }
}

impl Weight for Artifact {
    fn weight(&self) -> usize {
        let names = [&self.name, &self.description];
        let names: usize = names.into_iter().map(of_text).sum();
        let lists = of_texts(&self.extensions);
        let content = of_all(&self.parts) + of_struct(&self.metadata);
        size_of::<Self>() + self.artifact_id.len() + names + lists + content
    }
}

impl Weight for Part {
    fn weight(&self) -> usize {
        let content = match &self.content {
            PartContent::Text(text) | PartContent::Url(text) => text.len(),
            PartContent::Raw(bytes) => bytes.len(),
            PartContent::Data(value) => of_value(value),
        };
        let names = of_text(&self.filename) + of_text(&self.media_type);
        size_of::<Self>() + content + names + of_struct(&self.metadata)
    }
}

fn of_all<T: Weight>(all: &[T]) -> usize {
    all.iter().map(Weight::weight).sum()
}

fn of_text(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

fn of_texts(texts: &[String]) -> usize {
    let texts = texts.iter().map(|text| size_of::<String>() + text.len());
    texts.sum()
}

fn of_struct(members: &Struct) -> usize {
    let members = members.iter();
    let members = members.map(|(name, value)| MEMBER + name.len() + of_value(value));
    members.sum()
}

fn of_value(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(of_value).sum(),
        Value::Object(members) => of_struct(members),
    };
    size_of::<Value>() + inside
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::a2a::{TaskState, TaskStatusUpdateEvent};
    use crate::clock::UnixTime;

    const LONG: usize = 1 << 20;

    fn long() -> String {
        "x".repeat(LONG)
    }

    /// What may be long, wherever it stands, is counted once.
    #[test]
    fn every_text_is_counted_where_it_stands() {
        let status = TaskStatus::new(TaskState::Working, UnixTime::from_secs(1).into());
        type Change = fn(&mut Task);
        let cases: [(&str, Change); 12] = [
            ("context", |t| t.context_id = long()),
            ("metadata", |t| drop(t.metadata.insert(long(), json!(1)))),
            ("word", |t| {
                t.status.message = Some(Message::agent(Part::text(long())));
            }),
            ("message", |t| t.history[0].message_id = long()),
            ("its extension", |t| t.history[0].extensions.push(long())),
            ("its parts", |t| {
                t.history[0].parts.push(Part::raw(vec![0; LONG], "a/b"));
            }),
            ("artifact", |t| t.artifacts[0].artifact_id = long()),
            ("its name", |t| t.artifacts[0].name = Some(long())),
            ("its metadata", |t| {
                let deep = json!([{ "a": [long()] }]);
                t.artifacts[0].metadata.insert("m".into(), deep);
            }),
            ("its data", |t| t.artifacts[0].parts[0] = Part::data(long())),
            ("its address", |t| {
                t.artifacts[0].parts[0] = Part::url(long())
            }),
            ("its file", |t| {
                let part = t.artifacts[0].parts.pop().expect("a part");
                t.artifacts[0].parts.push(part.with_filename(long()));
            }),
        ];
        for (name, change) in cases {
            let mut task = Task::new("t", "c", status.clone());
            task.history.push(Message::user(Part::text("book")));
            task.artifacts.push(Artifact::new(Part::text("offer")));
            let before = task.weight();
            assert!(before < 4096, "{before}");
            change(&mut task);
            let after = task.weight();
            assert!(
                (LONG..LONG + 4096).contains(&(after - before + 256)),
                "{name}"
            );
        }
    }

    #[test]
    fn an_event_weighs_what_it_brings() {
        let now = UnixTime::from_secs(1).into();
        let mut event = TaskStatusUpdateEvent {
            task_id: "t".into(),
            context_id: "c".into(),
            status: TaskStatus::new(TaskState::Working, now),
            metadata: Struct::new(),
        };
        let weight =
            |event: &TaskStatusUpdateEvent| StreamResponse::StatusUpdate(event.clone()).weight();
        assert!(weight(&event) < 4096);
        event.metadata.insert("m".into(), long().into());
        assert!(weight(&event) > LONG);
        event.status.message = Some(Message::agent(Part::text(long())));
        assert!(weight(&event) > 2 * LONG);
    }
}

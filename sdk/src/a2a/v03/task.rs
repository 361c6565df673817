//! Tasks, their states, and what an agent answers (0.3 §6.1-6.3, §7.2).

use serde_json::Value;

use super::content::{read_artifact, read_message, write_artifact, write_message};
use super::form::{Form, Object, Read, fault, put};
use crate::a2a::{
    SendMessageResponse, StreamResponse, Struct, Task, TaskArtifactUpdateEvent, TaskState,
    TaskStatus, TaskStatusUpdateEvent, Timestamp,
};

/// The states in `types.ts` and in the proto of 0.3, which spells one with two l.
const STATES: [(TaskState, &str, &str); 8] = [
    (TaskState::Submitted, "submitted", "TASK_STATE_SUBMITTED"),
    (TaskState::Working, "working", "TASK_STATE_WORKING"),
    (TaskState::Completed, "completed", "TASK_STATE_COMPLETED"),
    (TaskState::Failed, "failed", "TASK_STATE_FAILED"),
    (TaskState::Canceled, "canceled", "TASK_STATE_CANCELLED"),
    (
        TaskState::InputRequired,
        "input-required",
        "TASK_STATE_INPUT_REQUIRED",
    ),
    (TaskState::Rejected, "rejected", "TASK_STATE_REJECTED"),
    (
        TaskState::AuthRequired,
        "auth-required",
        "TASK_STATE_AUTH_REQUIRED",
    ),
];

fn read_state(from: &mut Object) -> Read<TaskState> {
    let text = from.required("state")?;
    let rest = from.form() == Form::Rest;
    let found = STATES
        .into_iter()
        .find(|(_, json, proto)| text == *json || (rest && text == *proto));
    match found {
        Some((state, ..)) => Ok(state),
        // 1.0 has no such state, and none of its own may stand for it.
        None if text == "unknown" => fault("state", "is unknown: nothing follows from it"),
        None => fault("state", "is no state of a task in A2A 0.3"),
    }
}

fn state_name(form: Form, state: TaskState) -> &'static str {
    let found = STATES.into_iter().find(|(known, ..)| *known == state);
    match (form, found) {
        (Form::JsonRpc, Some((_, json, _))) => json,
        (Form::Rest, Some((.., proto))) => proto,
        (_, None) => state.as_str(),
    }
}

fn read_status(from: &mut Object) -> Read<TaskStatus> {
    Ok(TaskStatus {
        state: read_state(from)?,
        message: from.object("message", read_message)?,
        timestamp: read_time(from)?,
    })
}

fn read_time(from: &mut Object) -> Read<Option<Timestamp>> {
    let Some(text) = from.text("timestamp")? else {
        return Ok(None);
    };
    // 0.3 §6.2 wants ISO 8601, which may leave the offset out; its own examples do. They mean UTC.
    let read = text.parse().or_else(|_| format!("{text}Z").parse());
    match read {
        Ok(time) => Ok(Some(time)),
        Err(_) => fault("timestamp", "is no ISO 8601 date and time"),
    }
}

fn write_status(form: Form, status: &TaskStatus) -> Value {
    let mut out = Struct::new();
    out.insert("state".into(), state_name(form, status.state).into());
    if let Some(message) = &status.message {
        out.insert("message".into(), write_message(form, message));
    }
    let time = status.timestamp.map(|time| time.to_string());
    put(&mut out, "timestamp", time);
    Value::Object(out)
}

pub(super) fn read_task(from: &mut Object) -> Read<Task> {
    from.kind("task")?;
    Ok(Task {
        id: from.required("id")?,
        context_id: from.text("contextId")?.unwrap_or_default(),
        status: from.need("status", read_status)?,
        artifacts: from.objects("artifacts", read_artifact)?,
        history: from.objects("history", read_message)?,
        metadata: from.map("metadata")?,
    })
}

pub(super) fn write_task(form: Form, task: &Task) -> Value {
    let artifacts = task.artifacts.iter().map(|a| write_artifact(form, a));
    let history = task.history.iter().map(|m| write_message(form, m));
    let mut out = Struct::new();
    if form == Form::JsonRpc {
        out.insert("kind".into(), "task".into());
    }
    out.insert("id".into(), task.id.as_str().into());
    out.insert("contextId".into(), task.context_id.as_str().into());
    out.insert("status".into(), write_status(form, &task.status));
    put(&mut out, "artifacts", artifacts.collect::<Vec<_>>());
    put(&mut out, "history", history.collect::<Vec<_>>());
    put(&mut out, "metadata", task.metadata.clone());
    Value::Object(out)
}

fn read_status_update(from: &mut Object) -> Read<TaskStatusUpdateEvent> {
    from.kind("status-update")?;
    // Whether it is the last is told by the end of the stream.
    from.flag("final")?;
    Ok(TaskStatusUpdateEvent {
        task_id: from.required("taskId")?,
        context_id: from.text("contextId")?.unwrap_or_default(),
        status: from.need("status", read_status)?,
        metadata: from.map("metadata")?,
    })
}

fn write_status_update(form: Form, event: &TaskStatusUpdateEvent) -> Value {
    let mut out = Struct::new();
    if form == Form::JsonRpc {
        out.insert("kind".into(), "status-update".into());
    }
    out.insert("taskId".into(), event.task_id.as_str().into());
    out.insert("contextId".into(), event.context_id.as_str().into());
    out.insert("status".into(), write_status(form, &event.status));
    // Nothing follows a terminal state; after an interrupted one the stream may go on.
    out.insert("final".into(), event.status.state.is_terminal().into());
    put(&mut out, "metadata", event.metadata.clone());
    Value::Object(out)
}

fn read_artifact_update(from: &mut Object) -> Read<TaskArtifactUpdateEvent> {
    from.kind("artifact-update")?;
    Ok(TaskArtifactUpdateEvent {
        task_id: from.required("taskId")?,
        context_id: from.text("contextId")?.unwrap_or_default(),
        artifact: from.need("artifact", read_artifact)?,
        append: from.flag("append")?.unwrap_or_default(),
        last_chunk: from.flag("lastChunk")?.unwrap_or_default(),
        metadata: from.map("metadata")?,
    })
}

fn write_artifact_update(form: Form, event: &TaskArtifactUpdateEvent) -> Value {
    let mut out = Struct::new();
    if form == Form::JsonRpc {
        out.insert("kind".into(), "artifact-update".into());
    }
    out.insert("taskId".into(), event.task_id.as_str().into());
    out.insert("contextId".into(), event.context_id.as_str().into());
    out.insert("artifact".into(), write_artifact(form, &event.artifact));
    out.insert("append".into(), event.append.into());
    out.insert("lastChunk".into(), event.last_chunk.into());
    put(&mut out, "metadata", event.metadata.clone());
    Value::Object(out)
}

/// One event: under its `kind` in JSON-RPC, under its name in REST.
pub(super) fn read_event(mut from: Object) -> Read<StreamResponse> {
    let named = ["task", "message", "statusUpdate", "artifactUpdate"];
    let name = if from.form() == Form::Rest && named.iter().any(|name| from.has(name)) {
        return read_named_event(&mut from);
    } else if from.has("kind") {
        from.peek("kind").to_owned()
    } else {
        // Some servers leave the kind out; each of the four has members that no other has.
        let of = |name, kind| from.has(name).then_some(kind);
        let found = of("artifact", "artifact-update")
            .or_else(|| of("messageId", "message"))
            .or_else(|| of("taskId", "status-update"))
            .or_else(|| of("status", "task"));
        found.unwrap_or_default().to_owned()
    };
    match name.as_str() {
        "task" => read_task(&mut from).map(StreamResponse::Task),
        "message" => read_message(&mut from).map(StreamResponse::Message),
        "status-update" => read_status_update(&mut from).map(StreamResponse::StatusUpdate),
        "artifact-update" => read_artifact_update(&mut from).map(StreamResponse::ArtifactUpdate),
        "" => fault("kind", "is required"),
        _ => fault("kind", "is no kind of answer in A2A 0.3"),
    }
}

fn read_named_event(from: &mut Object) -> Read<StreamResponse> {
    let found = [
        from.object("task", read_task)?.map(StreamResponse::Task),
        from.object("message", read_message)?
            .map(StreamResponse::Message),
        from.object("statusUpdate", read_status_update)?
            .map(StreamResponse::StatusUpdate),
        from.object("artifactUpdate", read_artifact_update)?
            .map(StreamResponse::ArtifactUpdate),
    ];
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(event), None) => Ok(event),
        _ => fault("", "must hold exactly one event"),
    }
}

pub(super) fn write_event(form: Form, event: &StreamResponse) -> Value {
    let (name, value) = match event {
        StreamResponse::Task(task) => ("task", write_task(form, task)),
        StreamResponse::Message(message) => ("message", write_message(form, message)),
        StreamResponse::StatusUpdate(event) => ("statusUpdate", write_status_update(form, event)),
        StreamResponse::ArtifactUpdate(event) => {
            ("artifactUpdate", write_artifact_update(form, event))
        }
    };
    named(form, name, value)
}

fn named(form: Form, name: &str, value: Value) -> Value {
    match form {
        Form::JsonRpc => value,
        Form::Rest => Value::Object(Struct::from_iter([(name.to_owned(), value)])),
    }
}

pub(super) fn read_answer(from: Object) -> Read<SendMessageResponse> {
    match read_event(from)? {
        StreamResponse::Task(task) => Ok(SendMessageResponse::Task(task)),
        StreamResponse::Message(message) => Ok(SendMessageResponse::Message(message)),
        StreamResponse::StatusUpdate(_) | StreamResponse::ArtifactUpdate(_) => {
            fault("kind", "must be \"task\" or \"message\"")
        }
    }
}

pub(super) fn write_answer(form: Form, answer: &SendMessageResponse) -> Value {
    match answer {
        SendMessageResponse::Task(task) => named(form, "task", write_task(form, task)),
        SendMessageResponse::Message(message) => {
            named(form, "message", write_message(form, message))
        }
    }
}

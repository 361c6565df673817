//! Messages, parts and artifacts (0.3 §6.4-6.7).

use bytes::Bytes;
use serde_json::{Value, json};

use super::form::{Form, Object, Read, fault, put};
use crate::a2a::wire::base64_bytes;
use crate::a2a::{Artifact, Message, Part, PartContent, Role, Struct};

/// Member of a `metadata` that holds what 0.3 has no place for, so that it comes back whole.
const CARRIED: &str = "urn:countersign:a2a:v03";
/// Member of a part's `metadata`: its data is no object and stands in `value`. The mark that other
/// SDKs set and read too.
const WRAPPED: &str = "data_part_compat";

pub(super) fn read_message(from: &mut Object) -> Read<Message> {
    from.kind("message")?;
    let message_id = from.required("messageId")?;
    let role = read_role(from)?;
    let parts = from.objects(parts_name(from), read_part)?;
    let mut metadata = from.map("metadata")?;
    let mut carried = take_carried(from.form(), &mut metadata)?;
    let mut reference_task_ids = from.texts("referenceTaskIds")?;
    reference_task_ids.append(&mut carried.texts("referenceTaskIds")?);
    Ok(Message {
        message_id,
        context_id: from.text("contextId")?,
        task_id: from.text("taskId")?,
        role,
        parts,
        metadata,
        extensions: from.texts("extensions")?,
        reference_task_ids,
    })
}

/// The proto names a message's parts `content`.
fn parts_name(from: &Object) -> &'static str {
    if from.form() == Form::Rest && from.has("content") {
        "content"
    } else {
        "parts"
    }
}

fn read_role(from: &mut Object) -> Read<Role> {
    let rest = from.form() == Form::Rest;
    match from.required("role")?.as_str() {
        "user" => Ok(Role::User),
        "agent" => Ok(Role::Agent),
        "ROLE_USER" if rest => Ok(Role::User),
        "ROLE_AGENT" if rest => Ok(Role::Agent),
        _ => fault("role", "must be \"user\" or \"agent\""),
    }
}

pub(super) fn write_message(form: Form, message: &Message) -> Value {
    let mut out = Struct::new();
    let role = match (form, message.role) {
        (Form::JsonRpc, Role::User) => "user",
        (Form::JsonRpc, Role::Agent) => "agent",
        (Form::Rest, role) => role.as_str(),
    };
    let parts: Vec<_> = message.parts.iter().map(|p| write_part(form, p)).collect();
    let mut metadata = message.metadata.clone();
    put(&mut out, "messageId", message.message_id.as_str());
    put(&mut out, "contextId", message.context_id.clone());
    put(&mut out, "taskId", message.task_id.clone());
    out.insert("role".into(), role.into());
    put(&mut out, "extensions", message.extensions.clone());
    match form {
        Form::JsonRpc => {
            out.insert("kind".into(), "message".into());
            out.insert("parts".into(), parts.into());
            let referred = message.reference_task_ids.clone();
            put(&mut out, "referenceTaskIds", referred);
        }
        Form::Rest => {
            out.insert("content".into(), parts.into());
            let mut carried = Struct::new();
            let referred = message.reference_task_ids.clone();
            put(&mut carried, "referenceTaskIds", referred);
            put(&mut metadata, CARRIED, carried);
        }
    }
    put(&mut out, "metadata", metadata);
    Value::Object(out)
}

fn take_carried(form: Form, metadata: &mut Struct) -> Read<Object> {
    match metadata.remove(CARRIED) {
        None => Ok(Object::new(form, Struct::new())),
        Some(Value::Object(members)) => Ok(Object::new(form, members)),
        Some(_) => fault(format!("metadata.{CARRIED}"), "must be an object"),
    }
}

pub(super) fn read_part(from: &mut Object) -> Read<Part> {
    let kind = from.text("kind")?;
    let named = ["text", "file", "data"].map(|name| from.has(name).then_some(name));
    let mut named = named.into_iter().flatten();
    let name = match (named.next(), named.next()) {
        (Some(name), None) => name,
        (None, _) => return fault(kind.unwrap_or_default(), "is required"),
        (Some(_), Some(second)) => return fault(second, "is a second content of one part"),
    };
    // Without its kind a part is told by what it holds.
    if kind.as_deref().is_some_and(|kind| kind != name) {
        return fault("kind", format!("does not fit the member {name:?}"));
    }
    let mut metadata = from.map("metadata")?;
    let mut carried = take_carried(from.form(), &mut metadata)?;
    let mut filename = carried.text("filename")?;
    let mut media_type = carried.text("mediaType")?;
    let content = match name {
        "text" => PartContent::Text(from.present("text")?),
        "file" => {
            let file = from.need("file", read_file)?;
            (filename, media_type) = (file.name, file.media_type);
            file.content
        }
        _ => {
            // The proto wraps the members once more.
            let proto = kind.is_none() && from.form() == Form::Rest;
            let data = match proto {
                true => from.need("data", |data| data.map("data"))?,
                false => from.map("data")?,
            };
            PartContent::Data(unwrapped(data, &mut metadata))
        }
    };
    Ok(Part {
        content,
        metadata,
        filename,
        media_type,
    })
}

struct File {
    content: PartContent,
    name: Option<String>,
    media_type: Option<String>,
}

fn read_file(from: &mut Object) -> Read<File> {
    let mut find = |name: &'static str, proto: &'static str| {
        let name = match from.form() == Form::Rest && from.has(proto) {
            true => proto,
            false => name,
        };
        Ok((name, from.take(name)))
    };
    let content = match (find("bytes", "fileWithBytes")?, find("uri", "fileWithUri")?) {
        ((name, Some(Value::String(text))), (_, None)) => match base64_bytes::decode(&text) {
            Some(bytes) => PartContent::Raw(bytes),
            None => return fault(name, "is not base64"),
        },
        ((_, None), (_, Some(Value::String(uri)))) => PartContent::Url(uri),
        ((name, None), (_, None)) => return fault(name, "is required, or uri is"),
        ((_, Some(_)), (name, Some(_))) => return fault(name, "stands beside bytes"),
        ((name, Some(_)), _) | (_, (name, Some(_))) => return fault(name, "must be a text"),
    };
    Ok(File {
        content,
        name: from.text("name")?,
        media_type: from.text("mimeType")?,
    })
}

/// 0.3 has only objects as data.
fn unwrapped(mut data: Struct, metadata: &mut Struct) -> Value {
    let wrapped = metadata.get(WRAPPED) == Some(&Value::Bool(true)) && data.contains_key("value");
    if !wrapped {
        return Value::Object(data);
    }
    metadata.remove(WRAPPED);
    data.remove("value").unwrap_or_default()
}

fn write_part(form: Form, part: &Part) -> Value {
    let mut out = Struct::new();
    let mut metadata = part.metadata.clone();
    let (kind, value) = match &part.content {
        PartContent::Text(text) => ("text", text.as_str().into()),
        PartContent::Raw(bytes) => ("file", write_file(form, part, Some(bytes), None)),
        PartContent::Url(url) => ("file", write_file(form, part, None, Some(url))),
        PartContent::Data(value) => {
            let value = match value {
                Value::Object(_) => value.clone(),
                other => {
                    metadata.insert(WRAPPED.into(), true.into());
                    json!({ "value": other })
                }
            };
            let proto = form == Form::Rest;
            (
                "data",
                if proto {
                    json!({ "data": value })
                } else {
                    value
                },
            )
        }
    };
    if kind != "file" {
        let mut carried = Struct::new();
        put(&mut carried, "filename", part.filename.clone());
        put(&mut carried, "mediaType", part.media_type.clone());
        put(&mut metadata, CARRIED, carried);
    }
    if form == Form::JsonRpc {
        out.insert("kind".into(), kind.into());
    }
    out.insert(kind.into(), value);
    put(&mut out, "metadata", metadata);
    Value::Object(out)
}

fn write_file(form: Form, part: &Part, bytes: Option<&Bytes>, uri: Option<&String>) -> Value {
    let (bytes_name, uri_name) = match form {
        Form::JsonRpc => ("bytes", "uri"),
        Form::Rest => ("fileWithBytes", "fileWithUri"),
    };
    let mut out = Struct::new();
    if let Some(bytes) = bytes {
        out.insert(bytes_name.into(), base64_bytes::encode(bytes).into());
    }
    if let Some(uri) = uri {
        out.insert(uri_name.into(), uri.as_str().into());
    }
    put(&mut out, "mimeType", part.media_type.clone());
    put(&mut out, "name", part.filename.clone());
    Value::Object(out)
}

pub(super) fn read_artifact(from: &mut Object) -> Read<Artifact> {
    Ok(Artifact {
        artifact_id: from.required("artifactId")?,
        name: from.text("name")?,
        description: from.text("description")?,
        parts: from.objects("parts", read_part)?,
        metadata: from.map("metadata")?,
        extensions: from.texts("extensions")?,
    })
}

pub(super) fn write_artifact(form: Form, artifact: &Artifact) -> Value {
    let parts: Vec<_> = artifact.parts.iter().map(|p| write_part(form, p)).collect();
    let mut out = Struct::new();
    put(&mut out, "artifactId", artifact.artifact_id.as_str());
    put(&mut out, "name", artifact.name.clone());
    put(&mut out, "description", artifact.description.clone());
    out.insert("parts".into(), parts.into());
    put(&mut out, "metadata", artifact.metadata.clone());
    put(&mut out, "extensions", artifact.extensions.clone());
    Value::Object(out)
}

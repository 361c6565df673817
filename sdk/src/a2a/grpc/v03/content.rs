//! Messages and their parts.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::a2a::grpc::generated::v03;
use crate::a2a::grpc::value::{metadata, to_metadata};
use crate::a2a::grpc::wire::{Wire, Wrong, all, text, to_all, to_text};
use crate::a2a::{Message, Part, PartContent, Role, Struct};

/// Member of a message's metadata that holds what the proto of 0.3 has no place for, as in JSON.
const CARRIED: &str = "urn:countersign:a2a:v03";
const REFERRED: &str = "referenceTaskIds";

impl Wire<v03::Message> for Message {
    fn from_wire(message: v03::Message) -> Result<Self, Wrong> {
        let role = match v03::Role::try_from(message.role) {
            Ok(v03::Role::User) => Role::User,
            Ok(v03::Role::Agent) => Role::Agent,
            Ok(v03::Role::Unspecified) => return Err(Wrong::missing("role")),
            Err(_) => {
                let rule = format!("{} is no role", message.role);
                return Err(Wrong::new("role", rule));
            }
        };
        let mut metadata = metadata("metadata", message.metadata)?;
        let reference_task_ids = take_referred(&mut metadata);
        Ok(Self {
            role,
            message_id: message.message_id,
            context_id: text(message.context_id),
            task_id: text(message.task_id),
            parts: all("content", message.content)?,
            metadata,
            extensions: message.extensions,
            reference_task_ids,
        })
    }

    fn to_wire(&self) -> v03::Message {
        let role = match self.role {
            Role::User => v03::Role::User,
            Role::Agent => v03::Role::Agent,
        };
        let mut metadata = self.metadata.clone();
        if !self.reference_task_ids.is_empty() {
            let carried = json!({ REFERRED: self.reference_task_ids });
            metadata.insert(CARRIED.to_owned(), carried);
        }
        v03::Message {
            message_id: self.message_id.clone(),
            context_id: to_text(&self.context_id),
            task_id: to_text(&self.task_id),
            role: role.into(),
            content: to_all(&self.parts),
            metadata: to_metadata(&metadata),
            extensions: self.extensions.clone(),
        }
    }
}

/// The tasks that a message refers to, out of the metadata that carried them.
fn take_referred(metadata: &mut Struct) -> Vec<String> {
    let carried = metadata.get(CARRIED).and_then(|ours| ours.get(REFERRED));
    let Some(Value::Array(ids)) = carried else {
        return Vec::new();
    };
    let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned);
    let ids = ids.collect();
    metadata.remove(CARRIED);
    ids
}

impl Wire<v03::Part> for Part {
    fn from_wire(message: v03::Part) -> Result<Self, Wrong> {
        use v03::file_part::File;
        use v03::part::Part as Content;
        Ok(match message.part {
            Some(Content::Text(text)) => Self::text(text),
            Some(Content::File(file)) => {
                let mut part = match file.file {
                    Some(File::FileWithUri(uri)) => Self::url(uri),
                    // Copied, so that a small file does not keep a large request in memory.
                    Some(File::FileWithBytes(bytes)) => {
                        Self::raw(Bytes::copy_from_slice(&bytes), "")
                    }
                    None => return Err(Wrong::new("file", "has neither bytes nor a URI")),
                };
                part.media_type = text(file.mime_type);
                part
            }
            Some(Content::Data(data)) => {
                let members = data.data.ok_or_else(|| Wrong::missing("data.data"))?;
                let members = Struct::from_wire(members);
                Self::data(Value::Object(members.map_err(|w| w.under("data"))?))
            }
            None => return Err(Wrong::new("", "has no content")),
        })
    }

    fn to_wire(&self) -> v03::Part {
        use v03::file_part::File;
        use v03::part::Part as Content;
        let file = |file| {
            Content::File(v03::FilePart {
                mime_type: to_text(&self.media_type),
                file: Some(file),
            })
        };
        let part = match &self.content {
            PartContent::Text(text) => Content::Text(text.clone()),
            PartContent::Raw(bytes) => file(File::FileWithBytes(bytes.clone())),
            PartContent::Url(url) => file(File::FileWithUri(url.clone())),
            PartContent::Data(value) => {
                let members = match value {
                    Value::Object(members) => members.to_wire(),
                    other => Struct::from_iter([("value".to_owned(), other.clone())]).to_wire(),
                };
                Content::Data(v03::DataPart {
                    data: Some(members),
                })
            }
        };
        v03::Part { part: Some(part) }
    }
}

//! Messages and their parts (A2A §4.1.4-4.1.6).

use bytes::Bytes;

use super::generated::v1;
use super::value::{metadata, to_metadata};
use super::wire::{Wire, Wrong, all, text, to_all, to_text};
use crate::a2a::{Message, Part, PartContent, Role};

impl Wire<v1::Message> for Message {
    fn from_wire(message: v1::Message) -> Result<Self, Wrong> {
        Ok(Self {
            role: read_role(message.role)?,
            message_id: message.message_id,
            context_id: text(message.context_id),
            task_id: text(message.task_id),
            parts: all("parts", message.parts)?,
            metadata: metadata("metadata", message.metadata)?,
            extensions: message.extensions,
            reference_task_ids: message.reference_task_ids,
        })
    }

    fn to_wire(&self) -> v1::Message {
        v1::Message {
            message_id: self.message_id.clone(),
            context_id: to_text(&self.context_id),
            task_id: to_text(&self.task_id),
            role: write_role(self.role).into(),
            parts: to_all(&self.parts),
            metadata: to_metadata(&self.metadata),
            extensions: self.extensions.clone(),
            reference_task_ids: self.reference_task_ids.clone(),
        }
    }
}

fn read_role(role: i32) -> Result<Role, Wrong> {
    match v1::Role::try_from(role) {
        Ok(v1::Role::User) => Ok(Role::User),
        Ok(v1::Role::Agent) => Ok(Role::Agent),
        Ok(v1::Role::Unspecified) => Err(Wrong::missing("role")),
        Err(_) => Err(Wrong::new("role", format!("{role} is no role"))),
    }
}

const fn write_role(role: Role) -> v1::Role {
    match role {
        Role::User => v1::Role::User,
        Role::Agent => v1::Role::Agent,
    }
}

impl Wire<v1::Part> for Part {
    fn from_wire(message: v1::Part) -> Result<Self, Wrong> {
        use v1::part::Content;
        let content = match message.content {
            Some(Content::Text(text)) => PartContent::Text(text),
            // Copied, so that a small file does not keep a large request in memory.
            Some(Content::Raw(bytes)) => PartContent::Raw(Bytes::copy_from_slice(&bytes)),
            Some(Content::Url(url)) => PartContent::Url(url),
            Some(Content::Data(value)) => {
                let value = serde_json::Value::from_wire(value);
                PartContent::Data(value.map_err(|wrong| wrong.under("data"))?)
            }
            None => return Err(Wrong::new("", "has no content")),
        };
        Ok(Self {
            content,
            metadata: metadata("metadata", message.metadata)?,
            filename: text(message.filename),
            media_type: text(message.media_type),
        })
    }

    fn to_wire(&self) -> v1::Part {
        use v1::part::Content;
        let content = match &self.content {
            PartContent::Text(text) => Content::Text(text.clone()),
            PartContent::Raw(bytes) => Content::Raw(bytes.clone()),
            PartContent::Url(url) => Content::Url(url.clone()),
            PartContent::Data(value) => Content::Data(value.to_wire()),
        };
        v1::Part {
            content: Some(content),
            metadata: to_metadata(&self.metadata),
            filename: to_text(&self.filename),
            media_type: to_text(&self.media_type),
        }
    }
}
